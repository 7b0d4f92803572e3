// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/shell_grammar.hpp"

#include <gtest/gtest.h>

namespace vitrine::cli {
namespace {

std::vector<ShellStatement> parse(std::string_view text) {
  std::vector<ShellStatement> statements;
  for (ShellParser parser(text);;) {
    std::optional<ShellStatement> next = parser.next().value();
    if (!next) return statements;
    statements.push_back(*std::move(next));
  }
}

// "line:column", and "..." when more text could help.
std::string refusal(std::string_view text) {
  for (ShellParser parser(text);;) {
    const auto next = parser.next();
    if (next.has_value() && !*next) return "accepted";
    if (next.has_value()) continue;
    const Status status = next.status();
    std::string place = std::string(status.detail("line")).append(":").append(status.detail("column"));
    return status.detail("ends").empty() ? place : place + "...";
  }
}

TEST(ShellGrammar, a_method_of_a_collection_has_arguments_in_relaxed_json) {
  const ShellStatement insert = parse("db.users.insert({name: 'Bob', tags: [\"a\",],})").at(0);
  EXPECT_EQ(insert.verb, ShellVerb::Insert);
  EXPECT_EQ(insert.collection, "users");
  ASSERT_EQ(insert.arguments.size(), 1u);
  EXPECT_EQ(insert.arguments[0].json, R"({"name":"Bob","tags":["a"]})");
  const ShellStatement range = parse("db.users.update( \"3df9\" , {boss: $ref(\"users\", 7)} )").at(0);
  EXPECT_EQ(range.verb, ShellVerb::Update);
  EXPECT_EQ(range.arguments.at(0).json, "\"3df9\"");
  EXPECT_EQ(range.arguments.at(1).json, R"({"boss":{"$ref":"users","$id":7}})");
}

TEST(ShellGrammar, calls_may_follow_a_find) {
  const ShellStatement find = parse("db.x.find({}).sort({a: -1})\n  .skip(2).limit( 5 )").at(0);
  EXPECT_EQ(find.verb, ShellVerb::Find);
  ASSERT_EQ(find.chain.size(), 3u);
  EXPECT_EQ(find.chain[0].name, "sort");
  EXPECT_EQ(find.chain[0].arguments.at(0).json, R"({"a":-1})");
  EXPECT_EQ(find.chain[2].arguments.at(0).json, "5");
  EXPECT_EQ(refusal("db.x.count().sort({a: 1})"), "1:14");
  EXPECT_EQ(refusal("db.x.find().sorted({a: 1})"), "1:13");
}

TEST(ShellGrammar, names_of_collections_may_hold_dots_and_anything_in_brackets) {
  EXPECT_EQ(parse("db.a.b.count()").at(0).collection, "a.b");
  EXPECT_EQ(parse("db['odd name)'].count()").at(0).collection, "odd name)");
  EXPECT_EQ(parse("db[\"x\"].find()").at(0).verb, ShellVerb::Find);
  EXPECT_EQ(parse("db.\xc3\xa4.count()").at(0).collection, "\xc3\xa4");
  EXPECT_EQ(parse("db.createCollection('collections')").at(0).verb, ShellVerb::CreateCollection);
  EXPECT_EQ(parse("db.collections.find()").at(0).collection, "collections");
}

TEST(ShellGrammar, statements_end_with_a_semicolon_or_a_line) {
  const auto statements = parse(";; db.a.count(); db.b.count()\n// a comment; db.c.count()\nbegin\nCOMMIT;rollback");
  ASSERT_EQ(statements.size(), 5u);
  EXPECT_EQ(statements[1].collection, "b");
  EXPECT_EQ(statements[3].verb, ShellVerb::Commit);
  EXPECT_EQ(statements[4].verb, ShellVerb::Rollback);
  EXPECT_EQ(parse("").size(), 0u);
  EXPECT_EQ(refusal("db.a.count() db.b.count()"), "1:14");
}

TEST(ShellGrammar, keys_and_values_are_words) {
  const ShellStatement set = parse("SET user:1 {name: 'alice', n: 99}").at(0);
  EXPECT_EQ(set.verb, ShellVerb::Set);
  EXPECT_EQ(set.arguments.size(), 2u);
  EXPECT_EQ(parse("SET a 5 ex 60").at(0).arguments.at(2).json, "60");
  EXPECT_EQ(refusal("SET a 5 EX"), "1:11...");
  EXPECT_EQ(refusal("SET a 5 EXTRA 60"), "1:9");
  EXPECT_EQ(set.arguments.at(0).json, "\"user:1\"");
  EXPECT_EQ(set.arguments.at(1).json, R"({"name":"alice","n":99})");
  EXPECT_EQ(parse("set 'a \\'b' [1]").at(0).arguments.at(0).json, R"("a 'b")");
  EXPECT_EQ(parse("GET a\"b\\").at(0).arguments.at(0).json, R"("a\"b\\")");
  EXPECT_EQ(parse("GET a\x01z").at(0).arguments.at(0).json, R"("a\u0001z")");
  EXPECT_EQ(parse("get user:1; KEYS;count").size(), 3u);
  EXPECT_EQ(parse("FIND role 'admin'").at(0).verb, ShellVerb::FindField);
  EXPECT_EQ(parse("DELETE user:2").at(0).verb, ShellVerb::DeleteKey);
  EXPECT_EQ(parse("use other.vtr").at(0).arguments.at(0).json, "\"other.vtr\"");
  EXPECT_EQ(refusal("GET"), "1:4");
  EXPECT_EQ(refusal("SET a"), "1:6...");
  EXPECT_EQ(refusal("SET a 5 6"), "1:9");
}

TEST(ShellGrammar, a_refusal_names_its_place) {
  EXPECT_EQ(refusal("begin\n db.x.find({age: ?})"), "2:18");
  EXPECT_EQ(refusal("db.x.finde()"), "1:1");
  EXPECT_EQ(refusal("db.x.get()"), "1:1");
  EXPECT_EQ(refusal("db.x.get(1, 2)"), "1:1");
  EXPECT_EQ(refusal("select 1"), "1:1");
  EXPECT_EQ(refusal("?"), "1:1");
  EXPECT_EQ(ShellParser("?", 7).next().status().detail("line"), "7");
  EXPECT_EQ(ShellParser("db.x.finde()").next().status().message(), "there is no method finde; did you mean find?");
}

TEST(ShellGrammar, a_statement_that_is_cut_wants_more) {
  const std::string_view whole = "db.users.find({name: 'Bob', a: [1, 2]}).sort({a: 1})";
  for (std::size_t size = 14; size < whole.size(); ++size) {
    const std::string_view text = whole.substr(0, size);
    const bool is_inside = text.find(')') == text.npos || text.find("sort(") != text.npos;
    if (!is_inside) continue;
    EXPECT_TRUE(refusal(text).ends_with("...")) << text;
  }
  // A line ends what is not inside brackets or quotes.
  for (const char* const text : {"db\n", "db.users\n", "db.users.find\n", "db.users.find().so\n", "GET\n"}) {
    EXPECT_FALSE(refusal(text).ends_with("...")) << text;
  }
  EXPECT_EQ(refusal("db.x.insert({a: 'two\n"), "1:17...");
}

TEST(ShellGrammar, hostile_text_ends_at_a_limit) {
  EXPECT_EQ(ShellParser("db.x.insert(" + std::string(100'000, '[')).next().status().code(), ErrorCode::DocumentTooDeep);
  std::string chain = "db.x.find()";
  for (int i = 0; i < 1000; ++i) chain.append(".skip(1)");
  EXPECT_EQ(parse(chain).at(0).chain.size(), 1000u);
}

}  // namespace
}  // namespace vitrine::cli
