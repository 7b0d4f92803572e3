// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/shell_completion.hpp"

#include <gtest/gtest.h>

namespace vitrine::cli {
namespace {

std::string complete(std::string_view line) {
  const ShellCompletion completion =
      complete_shell_line(line, {[] {
                                   return std::vector<std::string>{"users", "updates", "a.b"};
                                 },
                                 [](const std::string& collection) {
                                   return std::vector<std::string>{"name", "address.city", collection + "_only"};
                                 }});
  std::string text = std::to_string(completion.size);
  for (const std::string& candidate : completion.candidates) text.append(" ").append(candidate);
  return text;
}

TEST(ShellCompletion, offers_words_collections_and_methods) {
  EXPECT_EQ(complete("be"), "2 begin");
  EXPECT_EQ(complete("db.u"), "1 updates. users.");
  EXPECT_EQ(complete("db.createC"), "7 createCollection(");
  EXPECT_EQ(complete("db.users.cou"), "3 count(");
  EXPECT_EQ(complete("db.a.b.dist"), "4 distinct(");
  EXPECT_EQ(complete("db.users.find({a: 1}).so"), "2 sort(");
}

TEST(ShellCompletion, offers_fields_and_operators_inside_brackets) {
  EXPECT_EQ(complete("db.users.find({na"), "2 name");
  EXPECT_EQ(complete("db.users.find({name: 'x)', us"), "2 users_only");
  EXPECT_EQ(complete("db.users.find({}).sort({address."), "8 address.city");
  EXPECT_EQ(complete("db.users.find({age: {$gt"), "3 $gt $gte");
  EXPECT_EQ(complete("SET key {$gt"), "3 $gt $gte");
  EXPECT_EQ(complete("SET key {na"), "2");
}

TEST(ShellCompletion, candidates_share_a_beginning) {
  EXPECT_EQ(common_beginning({"updates.", "users."}), "u");
  EXPECT_EQ(common_beginning({"name"}), "name");
  EXPECT_EQ(common_beginning({}), "");
}

}  // namespace
}  // namespace vitrine::cli
