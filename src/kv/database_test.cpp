// SPDX-License-Identifier: MIT OR Apache-2.0
// The handle itself: what it answers once it is closed, copies of it under other names, and databases in memory.
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "kv/testing.hpp"
#include "os/sim_crash.hpp"
#include "os/sim_env.hpp"

namespace vitrine::kv {
namespace {

using testing::Content;
using testing::content_of;
using testing::DatabaseTest;
using testing::fails;
using testing::ok;
using testing::verifies_clean;

class DatabaseHandleTest : public DatabaseTest {
 protected:
  // Every call of a handle that is closed, whatever happened when it was closed.
  void expect_closed() {
    const auto misuse = ErrorCode::Misuse;
    EXPECT_TRUE(fails(db().begin_read(), misuse));
    EXPECT_TRUE(fails(db().begin_write(), misuse));
    EXPECT_TRUE(fails(db().begin_write(std::chrono::milliseconds(0)), misuse));
    EXPECT_TRUE(fails(db().put("k", "v"), misuse));
    EXPECT_TRUE(fails(db().get("k"), misuse));
    EXPECT_TRUE(fails(db().erase("k"), misuse));
    EXPECT_TRUE(fails(db().refresh(), misuse));
    EXPECT_TRUE(fails(db().sync(), misuse));
    EXPECT_TRUE(fails(db().checkpoint(), misuse));
    EXPECT_TRUE(fails(db().compact(), misuse));
    EXPECT_TRUE(fails(db().vacuum(), misuse));
    EXPECT_TRUE(fails(db().backup(path("copy.vtr")), misuse));
    EXPECT_TRUE(fails(db().export_to(path("copy.export")), misuse));
    EXPECT_TRUE(fails(db().import_from(path("copy.export")), misuse));
    EXPECT_TRUE(fails(db().verify(VerifyLevel::Quick), misuse));
    EXPECT_TRUE(fails(db().stats(), misuse));
    EXPECT_TRUE(fails(db().info(), misuse));
    EXPECT_TRUE(ok(db().close())) << "again, and harmless";
  }
};

TEST_F(DatabaseHandleTest, a_closed_handle_answers_misuse_to_everything) {
  ASSERT_TRUE(ok(db().put("k", "v")));
  ASSERT_TRUE(ok(db().close()));
  expect_closed();
  reopen();
  EXPECT_EQ(db().get("k").value(), "v");
}

TEST_F(DatabaseHandleTest, a_closed_read_only_handle_answers_misuse_to_everything) {
  ASSERT_TRUE(ok(db().put("k", "v")));
  Options read_only = options_;
  read_only.access = Access::ReadOnly;
  Database writer = std::move(*db_);
  db_.emplace(Database::open(path(), OpenMode::MustExist, read_only).value());
  ASSERT_TRUE(ok(db().close()));
  expect_closed();
  ASSERT_TRUE(ok(writer.close()));
  reopen();
}

TEST_F(DatabaseHandleTest, transactions_that_are_open_at_close_have_ended) {
  ASSERT_TRUE(ok(db().put("k", "v")));
  ReadTransaction read = db().begin_read().value();
  WriteTransaction write = begin();
  Cursor cursor = write.cursor();
  ValueWriter writer = write.write_value({}, "large").value();
  ASSERT_TRUE(ok(write.put("k", "not committed")));
  ASSERT_TRUE(ok(db().close()));
  const auto finished = ErrorCode::TransactionFinished;
  EXPECT_TRUE(fails(read.get("k"), finished));
  EXPECT_TRUE(fails(write.put("k", "w"), finished));
  EXPECT_TRUE(fails(write.commit(), finished));
  EXPECT_TRUE(fails(cursor.seek_first(), finished));
  EXPECT_TRUE(fails(writer.append("x"), finished));
  reopen();
  EXPECT_EQ(db().get("k").value(), "v");
}

// --- Databases in memory ---------------------------------------------------------------------------------------------

TEST_F(DatabaseHandleTest, a_database_in_memory_is_copied_to_real_files) {
  Database memory = Database::open_in_memory(options_).value();
  ASSERT_TRUE(ok(memory.write([](WriteTransaction& txn) -> Status {
    for (int i = 0; i < 3000; ++i) {
      if (Status put = txn.put("key " + std::to_string(i), std::string(100, 'x')); !put.is_ok()) return put;
    }
    return txn.put("large", std::string(400'000, 'y'));
  })));
  ASSERT_TRUE(ok(memory.put("key 7", "changed")));
  const Content content = content_of(memory);
  ASSERT_TRUE(ok(memory.backup(path("copy.vtr"))));
  expect_content(path("copy.vtr"), content);
  EXPECT_TRUE(fails(memory.backup(path("copy.vtr")), ErrorCode::FileExists));
  ASSERT_TRUE(ok(memory.export_to(path("copy.export"))));
  Database other = Database::open_in_memory(options_).value();
  ASSERT_TRUE(ok(other.import_from(path("copy.export"))));
  EXPECT_EQ(other.get("key 7").value(), "changed");
  EXPECT_EQ(other.begin_read().value().count({}).value(), 3001u);
  EXPECT_TRUE(verifies_clean(memory));
  EXPECT_TRUE(verifies_clean(other));
  EXPECT_TRUE(ok(memory.close()));
  EXPECT_TRUE(fails(memory.get("key 7"), ErrorCode::Misuse));
}

// --- Copies ----------------------------------------------------------------------------------------------------------

constexpr const char* kPath = "/db.vtr";
constexpr const char* kCopy = "/copy";

class CopyTest : public ::testing::TestWithParam<bool> {
 protected:
  CopyTest() {
    Options options = sim_options(*machine_);
    Database db = Database::open(kPath, OpenMode::CreateNew, options).value();
    for (int i = 0; i < 60; ++i) EXPECT_TRUE(ok(db.put("key " + std::to_string(i), std::string(900, 'x'))));
    content_ = content_of(db);
    EXPECT_TRUE(ok(db.close()));
  }
  static Options sim_options(os::SimEnv& env) {
    Options options = testing::small_options();
    options.page_size = 4096;
    options.log_segment_size = 16u << 10;
    options.env = &env;
    return options;
  }
  bool is_backup() const { return GetParam(); }
  Status copy(const Database& db, const ProgressFunction& progress = {}) const {
    return is_backup() ? db.backup(kCopy, progress).status() : db.export_to(kCopy, progress).status();
  }
  // The file under its final name is whole.
  void expect_whole(os::SimEnv& env) {
    if (is_backup()) {
      Result<Database> db = Database::open(kCopy, OpenMode::MustExist, sim_options(env));
      ASSERT_TRUE(ok(db));
      EXPECT_TRUE(content_of(*db) == content_);
      EXPECT_TRUE(verifies_clean(*db));
      return;
    }
    Database db = Database::open("/import.vtr", OpenMode::CreateNew, sim_options(env)).value();
    ASSERT_TRUE(ok(db.import_from(kCopy)));
    EXPECT_EQ(content_of(db).size(), content_.size());
  }

  std::unique_ptr<os::SimEnv> machine_ = os::SimEnv::create({.seed = 1});
  Content content_;
};

TEST_P(CopyTest, a_copy_that_fails_leaves_nothing_under_any_name) {
  bool is_over = false;
  for (std::uint64_t operation = 1; !is_over; ++operation) {
    const std::unique_ptr<os::SimEnv> env = os::SimCrash(*machine_).image_with_all().make_env();
    Database db = Database::open(kPath, OpenMode::MustExist, sim_options(*env)).value();
    const std::vector<std::string> names = env->names();
    const std::uint64_t last = env->operations() + operation;
    env->inject({.operation = last});
    const Status status = copy(db);
    is_over = env->operations() < last;
    env->clear_faults();
    if (status.is_ok()) {
      expect_whole(*env);
    } else {
      // The name is there once it was given; only its durability is in doubt when the directory could not be synced.
      const bool is_named = env->exists(kCopy).value();
      EXPECT_EQ(env->names().size(), names.size() + (is_named ? 1 : 0)) << operation << ": " << status.to_string();
      if (is_named) expect_whole(*env);
    }
    EXPECT_TRUE(content_of(db) == content_);
    EXPECT_TRUE(ok(db.close())) << "the source does not notice";
  }
}

TEST_P(CopyTest, an_interrupted_copy_is_whole_or_has_no_name) {
  bool is_over = false;
  for (std::uint64_t operation = 1; !is_over; ++operation) {
    const std::unique_ptr<os::SimEnv> env = os::SimCrash(*machine_).image_with_all().make_env();
    {
      Database db = Database::open(kPath, OpenMode::MustExist, sim_options(*env)).value();
      const std::uint64_t last = env->operations() + operation;
      env->stop_before(last);
      const Status status = copy(db);
      is_over = env->operations() + 1 < last;
      env->stop();
    }
    const os::SimCrash crash(*env);
    for (const os::SimImage& image : {crash.image_with_all(), crash.image_with_none()}) {
      const std::unique_ptr<os::SimEnv> after = image.make_env();
      if (after->exists(kCopy).value()) expect_whole(*after);
      ASSERT_TRUE(ok(Database::open(kPath, OpenMode::MustExist, sim_options(*after))));
    }
  }
}

TEST_P(CopyTest, a_cancelled_copy_leaves_nothing) {
  Database db = Database::open(kPath, OpenMode::MustExist, sim_options(*machine_)).value();
  for (int i = 0; i < 3000; ++i) ASSERT_TRUE(ok(db.put("more " + std::to_string(i), "x")));
  const std::vector<std::string> names = machine_->names();
  EXPECT_TRUE(fails(copy(db, [](const Progress&) { return false; }), ErrorCode::Cancelled));
  EXPECT_EQ(machine_->names(), names);
  EXPECT_TRUE(verifies_clean(db));
}

INSTANTIATE_TEST_SUITE_P(, CopyTest, ::testing::Bool(),
                         [](const auto& parameter) { return parameter.param ? "backup" : "export_file"; });

}  // namespace
}  // namespace vitrine::kv
