// SPDX-License-Identifier: MIT OR Apache-2.0
// What the tests of the public interface share: short assertions, and a fixture that puts every test's database to the
// same final question. After each test the files are copied as a crash would leave them; the copy must recover to the
// same content and verify clean, and so must the original after close.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

#include "os/testing.hpp"
#include "vitrine/vitrine.hpp"

namespace vitrine {

inline void PrintTo(ErrorCode code, std::ostream* out) { *out << error_name(code); }

namespace kv::testing {

inline Status status_of(const Status& status) { return status; }
inline Status status_of(const Commit& commit) { return commit.status; }
template <typename T>
Status status_of(const Result<T>& result) {
  return result.status();
}

// For use as in
//   EXPECT_TRUE(ok(db.put("a", "1")));
template <typename Outcome>
::testing::AssertionResult ok(const Outcome& outcome) {
  const Status status = status_of(outcome);
  if (status.is_ok()) return ::testing::AssertionSuccess() << "it succeeded";
  return ::testing::AssertionFailure() << status.to_string();
}

// For use as in
//   EXPECT_TRUE(fails(db.put("", "1"), ErrorCode::KeyEmpty));
template <typename Outcome>
::testing::AssertionResult fails(const Outcome& outcome, ErrorCode code) {
  const Status status = status_of(outcome);
  if (status.code() == code) return ::testing::AssertionSuccess() << status.to_string();
  return ::testing::AssertionFailure() << "expected " << error_name(code) << ", got "
                                       << (status.is_ok() ? "success" : status.to_string());
}

// Everything in a database: (keyspace, key) -> (value, version).
using Content = std::map<std::pair<std::string, std::string>, std::pair<std::string, std::uint64_t>>;

inline Content content_of(const Transaction& txn) {
  Content content;
  for (const KeyspaceInfo& info : txn.keyspaces().value()) {
    content[{info.name, ""}] = {info.keyspace.versions ? "versions" : "plain", 0};
    Cursor cursor = txn.cursor(info.keyspace);
    for (Status s = cursor.seek_first(); cursor.is_valid(); s = cursor.next()) {
      if (!s.is_ok()) throw Error(s);
      content[{info.name, std::string(cursor.key())}] = {std::string(cursor.value().value()), cursor.version()};
    }
  }
  return content;
}

inline Content content_of(const Database& db) { return content_of(db.begin_read().value()); }

// Small files, so that a test costs little; commits are handed to the system, not synced.
inline Options small_options() {
  Options options;
  options.durability = Durability::None;
  options.cache_size = 1u << 20;
  options.log_size_max = 1u << 20;
  return options;
}

inline ::testing::AssertionResult verifies_clean(const Database& db) {
  const Result<VerifyReport> report = db.verify(VerifyLevel::Full);
  if (!report.has_value()) return ::testing::AssertionFailure() << report.status().to_string();
  if (report->is_clean()) return ::testing::AssertionSuccess();
  auto failure = ::testing::AssertionFailure() << (report->is_complete ? "complete" : "incomplete");
  for (const Finding& finding : report->findings) {
    failure << "; " << finding.code << " page " << finding.page << ": " << finding.message;
  }
  return failure;
}

// The files as a kill of the process would leave them now.
inline void copy_files(const std::string& from, const std::string& to) {
  std::filesystem::copy_file(from, to);
  if (std::filesystem::exists(from + "-wal")) std::filesystem::copy_file(from + "-wal", to + "-wal");
}

class DatabaseTest : public ::testing::Test {
 protected:
  explicit DatabaseTest(Options options = small_options()) : options_(options) { reopen(); }

  void TearDown() override {
    if (!db_) return;
    const Content content = content_of(*db_);
    ASSERT_TRUE(ok(db_->sync()));
    copy_files(path(), path("crashed.vtr"));
    expect_content(path("crashed.vtr"), content);
    EXPECT_TRUE(verifies_clean(*db_));
    EXPECT_TRUE(ok(db_->close()));
    db_.reset();
    expect_content(path(), content);
  }

  void expect_content(const std::string& file, const Content& content) {
    Result<Database> opened = Database::open(file, OpenMode::MustExist, options_);
    ASSERT_TRUE(ok(opened)) << file;
    EXPECT_TRUE(content_of(*opened) == content) << file;
    EXPECT_TRUE(verifies_clean(*opened)) << file;
  }

  Database& db() { return *db_; }
  std::string path(const std::string& name = "test.vtr") const { return directory_.path(name); }
  WriteTransaction begin() { return db().begin_write().value(); }

  // Closes, and opens again.
  void reopen() {
    db_.reset();
    db_.emplace(Database::open(path(), OpenMode::CreateIfMissing, options_).value());
  }
  // The test has its own end; nothing is left to look at.
  void drop_database() { db_.reset(); }

  os::testing::TemporaryDirectory directory_{os::testing::memory_directory()};
  Options options_;
  std::optional<Database> db_;
};

}  // namespace kv::testing
}  // namespace vitrine
