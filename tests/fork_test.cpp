// SPDX-License-Identifier: MIT OR Apache-2.0
// Handles in a child after fork: every call answers Misuse, nothing that the child does or ends reaches the parent, and
// the child may open the database for itself.
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>

#include "os/testing.hpp"
#include "tests/child_process.hpp"
#include "tests/engine_testing.hpp"
#include "tests/model_content.hpp"

namespace vitrine::testing {
namespace {

class ForkTest : public ::testing::Test {
 protected:
  ForkTest() { db_.emplace(Database::open(path(), OpenMode::CreateNew, options()).value()); }

  static Options options() {
    Options options;
    options.cache_size = 1u << 20;
    return options;
  }
  std::string path() const { return directory_.path("a.vtr"); }
  Database& db() { return *db_; }

  // What the child throws is printed there.
  static bool holds_in_child(const std::function<void()>& body) {
    return ChildProcess::run([&](const ChildProcess::Output&) {
             body();
             return 0;
           }).wait() == 0;
  }
  // The parent goes on as if nothing had been.
  void expect_untouched() {
    EXPECT_EQ(Database::open(path(), OpenMode::MustExist, options()).status().code(), ErrorCode::FileLocked);
    EXPECT_TRUE(db().put("after", "1").is_ok());
    EXPECT_TRUE(verify_clean(db()).is_ok());
    ASSERT_TRUE(db().close().is_ok());
    const Database again = Database::open(path(), OpenMode::MustExist, options()).value();
    EXPECT_TRUE(again.info().value().was_clean);
    EXPECT_EQ(again.get("after").value(), "1");
    EXPECT_TRUE(verify_clean(again).is_ok());
  }

  os::testing::TemporaryDirectory directory_{os::testing::memory_directory()};
  std::optional<Database> db_;
};

TEST_F(ForkTest, a_handle_answers_misuse_in_the_child) {
  EXPECT_TRUE(holds_in_child([&] {
    demand_code(db().put("a", "b"), ErrorCode::Misuse, "put");
    demand_code(db().get("a").status(), ErrorCode::Misuse, "get");
    demand_code(db().begin_read().status(), ErrorCode::Misuse, "begin_read");
    demand_code(db().begin_write().status(), ErrorCode::Misuse, "begin_write");
    demand_code(db().sync(), ErrorCode::Misuse, "sync");
    demand_code(db().checkpoint(), ErrorCode::Misuse, "checkpoint");
    demand_code(db().vacuum().status(), ErrorCode::Misuse, "vacuum");
    demand_code(db().backup(path() + ".copy").status(), ErrorCode::Misuse, "backup");
    demand_code(db().verify(VerifyLevel::Full).status(), ErrorCode::Misuse, "verify");
    demand_code(db().close(), ErrorCode::Misuse, "close");
    db_.reset();
  }));
  expect_untouched();
}

TEST_F(ForkTest, transactions_of_the_parent_are_dead_in_the_child_and_live_on_in_the_parent) {
  ASSERT_TRUE(db().put("key", std::string(100'000, 'x')).is_ok());
  std::optional<ReadTransaction> read(db().begin_read().value());
  std::optional<WriteTransaction> write(db().begin_write().value());
  ASSERT_TRUE(write->put("written", "1").is_ok());
  std::optional<Cursor> cursor(write->cursor());
  ASSERT_TRUE(cursor->seek_first().is_ok());
  std::optional<ValueReader> reader(read->open_value({}, "key").value());
  std::optional<ValueWriter> writer(write->write_value({}, "stream").value());
  EXPECT_TRUE(holds_in_child([&] {
    char byte = 0;
    demand_code(read->get("key").status(), ErrorCode::Misuse, "get");
    demand_code(write->put("a", "b"), ErrorCode::Misuse, "put");
    demand_code(cursor->next(), ErrorCode::Misuse, "next");
    demand_code(reader->read_at(0, &byte, 1).status(), ErrorCode::Misuse, "read_at");
    demand_code(writer->append("piece"), ErrorCode::Misuse, "append");
    demand_code(write->commit().status, ErrorCode::Misuse, "commit");
    writer.reset();
    reader.reset();
    cursor.reset();
    write.reset();
    read.reset();
    db_.reset();
  }));
  EXPECT_TRUE(writer->append("streamed").is_ok());
  EXPECT_TRUE(writer->finish().is_ok());
  EXPECT_TRUE(cursor->next().is_ok());
  EXPECT_TRUE(write->commit().status.is_ok());
  EXPECT_EQ(read->get("written").value(), std::nullopt);
  EXPECT_EQ(db().get("stream").value(), "streamed");
  read.reset();
  expect_untouched();
}

TEST_F(ForkTest, a_child_opens_the_database_for_itself) {
  ASSERT_TRUE(db().put("key", "value").is_ok());
  EXPECT_TRUE(holds_in_child([&] {
    Options read_only = options();
    demand_code(Database::open(path(), OpenMode::MustExist, read_only).status(), ErrorCode::FileLocked, "open");
    read_only.access = Access::ReadOnly;
    const Database own = Database::open(path(), OpenMode::MustExist, read_only).value();
    demand(own.get("key").value() == "value", "get");
    demand_ok(verify_clean(own), "verify");
  }));
  expect_untouched();
}

}  // namespace
}  // namespace vitrine::testing
