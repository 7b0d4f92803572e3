// SPDX-License-Identifier: MIT OR Apache-2.0
// Explaining a file in windows of any size, sound and damaged.
#include <gtest/gtest.h>

#include <memory>

#include "os/memory_env.hpp"
#include "vitrine/database.hpp"
#include "vitrine/explain.hpp"

namespace vitrine::inspect {
namespace {

class Explaining : public ::testing::Test {
 protected:
  Explaining() {
    options_.env = env_.get();
    options_.page_size = 4096;
    Database db = Database::open("a.vtr", OpenMode::CreateIfMissing, options_).value();
    const Status filled = db.write([](WriteTransaction& txn) {
      for (int i = 0; i < 2000; ++i) {
        if (Status s = txn.put({}, "key" + std::to_string(i), std::string(100, 'v')); !s.is_ok()) return s;
      }
      if (Status s = txn.put({}, "large", std::string(50'000, 'l')); !s.is_ok()) return s;
      return txn.put({}, "larger", std::string(1'100'000, 'l'));
    });
    EXPECT_TRUE(filled.is_ok());
    EXPECT_TRUE(db.checkpoint().is_ok());
    EXPECT_TRUE(db.verify(VerifyLevel::Deep).value().is_clean());
    EXPECT_TRUE(db.close().is_ok());
  }

  std::vector<Value> rows(std::uint64_t window) {
    ExplainRequest request;
    request.window = window;
    std::vector<Value> all;
    const Result<Value> summary = explain(
        "a.vtr", request,
        [&](const Value& row) {
          all.push_back(row);
          return true;
        },
        options_);
    EXPECT_TRUE(summary.has_value()) << summary.status().to_string();
    return all;
  }

  void flip(std::uint64_t offset) {
    const std::unique_ptr<os::File> file = env_->open("a.vtr", os::OpenMode::ReadWrite).value();
    char byte = 0;
    ASSERT_TRUE(file->read_at(offset, &byte, 1).has_value());
    byte = static_cast<char>(byte ^ 1);
    const os::IoSlice slice{&byte, 1};
    ASSERT_TRUE(file->write_at(offset, {&slice, 1}).is_ok());
  }

  static std::string state(const Value& row, std::string_view name) { return *row.find(name)->find("state")->text(); }
  static std::vector<std::string> texts(const std::vector<Value>& rows) {
    std::vector<std::string> all;
    for (const Value& row : rows) all.push_back(to_json(row));
    return all;
  }

  std::unique_ptr<os::Env> env_ = os::make_memory_env();
  Options options_;
};

TEST_F(Explaining, says_the_same_in_windows_of_any_size) {
  const std::vector<std::string> whole = texts(rows(1u << 20));
  for (const std::uint64_t window : {1u, 7u, 64u}) EXPECT_EQ(texts(rows(window)), whole) << window;
}

TEST_F(Explaining, agrees_with_itself_about_who_points_where) {
  const std::vector<Value> all = rows(1u << 20);
  for (const Value& row : all) {
    if (row.find("in_use")->is_null() || !*row.find("in_use")->truth()) continue;
    EXPECT_EQ(state(row, "integrity"), "intact");
    EXPECT_EQ(state(row, "freshness"), "current") << to_json(row);
    EXPECT_EQ(state(row, "completeness"), "complete") << to_json(row);
  }
}

TEST_F(Explaining, follows_damage_up_to_the_root) {
  const std::vector<Value> sound = rows(1u << 20);
  for (std::size_t page = 4; page < sound.size(); page += 23) {
    const Value* const in_use = sound[page].find("in_use");
    if (in_use->is_null() || !*in_use->truth()) continue;
    flip(page * 4096 + 1000);
    for (const std::uint64_t window : {std::uint64_t{1} << 20, std::uint64_t{50}}) {
      const std::vector<Value> all = rows(window);
      EXPECT_EQ(state(all[page], "integrity"), "damaged");
      for (const Value* by = all[page].find("pointed_to_by")->find("page"); !by->is_null();
           by = all[*by->number()].find("pointed_to_by")->find("page")) {
        EXPECT_EQ(state(all[*by->number()], "completeness"), "incomplete") << page;
      }
    }
    flip(page * 4096 + 1000);
  }
}

}  // namespace
}  // namespace vitrine::inspect
