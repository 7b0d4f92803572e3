// SPDX-License-Identifier: MIT OR Apache-2.0
// The explorer must find planted bugs of a small storage engine, and must find nothing in the right one.
#include "tests/crash_explorer.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "base/try.hpp"

namespace vitrine::testing {
namespace {

enum class Bug : std::uint8_t {
  None,
  CommitWithoutSync,
  AcknowledgeBeforeSync,
  NoDirectorySync,
  NoChecksum,
  RecoveryForgetsSync,
};

// Eight numbers with a log in front of them. State k is what k commits leave: commit n writes n into cell n % 8.
class Toy {
 public:
  static Result<std::unique_ptr<Toy>> open(os::Env& env, Bug bug) {
    std::unique_ptr<Toy> toy(new Toy(bug));
    toy->cells_file_ = TRY(open_or_create(env, "/toy.cells"));
    toy->log_file_ = TRY(open_or_create(env, "/toy.log"));
    if (bug != Bug::NoDirectorySync) CHECK(env.sync_directory_of("/toy.log"));
    CHECK(toy->recover());
    return toy;
  }

  // Returns once the commit is durable, unless a bug is planted.
  Status commit(Ack& ack) {
    const std::uint64_t step = state_ + 1;
    ack.begin(step);
    const std::array<std::uint64_t, kRecordWords> record = record_of(step);
    CHECK(write(*log_file_, log_end_, record.data(), sizeof record));
    if (bug_ == Bug::AcknowledgeBeforeSync) ack.acknowledge(step);
    if (bug_ != Bug::CommitWithoutSync) CHECK(log_file_->sync());
    ack.acknowledge(step);
    log_end_ += sizeof record;
    state_ = step;
    return {};
  }

  std::uint64_t state() const { return state_; }
  bool is_consistent() const {
    for (std::uint64_t step = state_; step > 0 && step + kCells > state_; --step) {
      if (cells_[step % kCells] != step) return false;
    }
    return true;
  }

 private:
  static constexpr std::uint64_t kCells = 8;
  static constexpr std::size_t kRecordWords = 100;  // 800 bytes, so that a record spans sectors

  explicit Toy(Bug bug) : bug_(bug) {}

  static Result<std::unique_ptr<os::File>> open_or_create(os::Env& env, const std::string& path) {
    const bool is_there = TRY(env.exists(path));
    return env.open(path, is_there ? os::OpenMode::ReadWrite : os::OpenMode::CreateNew);
  }

  static Status write(os::File& file, std::uint64_t offset, const void* from, std::size_t size) {
    const os::IoSlice slice{from, size};
    return file.write_at(offset, {&slice, 1});
  }

  static std::array<std::uint64_t, kRecordWords> record_of(std::uint64_t step) {
    std::array<std::uint64_t, kRecordWords> record;
    for (std::size_t i = 0; i < record.size(); ++i) record[i] = os::sim_mix(step + i);
    record.front() = step;
    return record;
  }

  bool is_valid(const std::array<std::uint64_t, kRecordWords>& record) const {
    if (bug_ == Bug::NoChecksum) return record.front() != 0;
    return record == record_of(record.front());
  }

  // 1. log -> cells, 2. cells durable, 3. log empty, 4. that durable. A crash before 3 repeats everything.
  // The cells have their size first: a lost write that extends a file may leave anything in it.
  Status recover() {
    CHECK(cells_file_->resize(sizeof cells_));
    CHECK(cells_file_->sync());
    TRY(cells_file_->read_at(0, cells_.data(), sizeof cells_));
    for (const std::uint64_t cell : cells_) state_ = std::max(state_, cell);
    std::array<std::uint64_t, kRecordWords> record;
    for (std::uint64_t at = 0;; at += sizeof record) {
      record.fill(0);
      if (TRY(log_file_->read_at(at, record.data(), sizeof record)) < sizeof record || !is_valid(record)) break;
      state_ = std::max(state_, record.front());
      cells_[record.front() % kCells] = record.front();
    }
    CHECK(write(*cells_file_, 0, cells_.data(), sizeof cells_));
    if (bug_ != Bug::RecoveryForgetsSync) CHECK(cells_file_->sync());
    CHECK(log_file_->resize(0));
    return log_file_->sync();
  }

  const Bug bug_;
  std::unique_ptr<os::File> cells_file_;
  std::unique_ptr<os::File> log_file_;
  std::array<std::uint64_t, kCells> cells_{};
  std::uint64_t state_ = 0;
  std::uint64_t log_end_ = 0;
};

CrashSubject toy_subject(Bug bug, std::uint64_t commits) {
  CrashSubject subject;
  subject.workload = [=](os::Env& env, Ack& ack) -> Status {
    std::unique_ptr<Toy> toy = TRY(Toy::open(env, bug));
    for (std::uint64_t i = 0; i < commits; ++i) CHECK(toy->commit(ack));
    return {};
  };
  subject.check = [=](os::Env& env, const Ack& ack) -> Status {
    std::unique_ptr<Toy> toy = TRY(Toy::open(env, bug));
    if (!ack.allows(toy->state())) {
      return Status::error(ErrorCode::InternalBug, "wrong state").with("state", toy->state());
    }
    if (!toy->is_consistent()) return Status::error(ErrorCode::InternalBug, "inconsistent");
    return {};
  };
  return subject;
}

TEST(CrashExplorer, finds_nothing_in_a_right_engine) {
  const CrashReport report = explore_crashes(toy_subject(Bug::None, 20), {.nested_one_in = 3});
  EXPECT_TRUE(report.is_ok()) << report.to_string();
  EXPECT_GE(report.crash_points, 40u) << "a write and a sync for each commit";
  EXPECT_GT(report.images, report.distinct_images);
  EXPECT_GT(report.distinct_images, 100u) << report.to_string();
  EXPECT_GT(report.nested_recoveries, 10u);
  EXPECT_GT(report.nested_images, 50u) << report.to_string();
}

TEST(CrashExplorer, finds_a_missing_sync) {
  const CrashReport report = explore_crashes(toy_subject(Bug::CommitWithoutSync, 3));
  ASSERT_EQ(report.failures.size(), 1u) << report.to_string();
  EXPECT_EQ(report.failures[0].status.message(), "wrong state");
  EXPECT_NE(report.failures[0].image.find("/toy.log"), std::string::npos) << report.to_string();
}

TEST(CrashExplorer, finds_an_acknowledgement_that_comes_too_early) {
  const CrashReport report = explore_crashes(toy_subject(Bug::AcknowledgeBeforeSync, 3));
  EXPECT_FALSE(report.failures.empty()) << report.to_string();
}

TEST(CrashExplorer, finds_a_missing_directory_sync) {
  const CrashReport report = explore_crashes(toy_subject(Bug::NoDirectorySync, 3));
  ASSERT_FALSE(report.failures.empty()) << report.to_string();
  EXPECT_NE(report.failures[0].image.find("name /toy"), std::string::npos) << report.to_string();
}

TEST(CrashExplorer, finds_a_missing_checksum) {
  const CrashReport report = explore_crashes(toy_subject(Bug::NoChecksum, 3));
  EXPECT_FALSE(report.failures.empty()) << report.to_string();
}

TEST(CrashExplorer, finds_a_missing_sync_in_the_recovery_only_by_crashing_inside_it) {
  const CrashSubject subject = toy_subject(Bug::RecoveryForgetsSync, 5);
  const CrashReport without = explore_crashes(subject, {.nested_one_in = 0});
  EXPECT_TRUE(without.is_ok()) << without.to_string();
  const CrashReport with = explore_crashes(subject, {.nested_one_in = 1});
  ASSERT_EQ(with.failures.size(), 1u) << with.to_string();
  EXPECT_NE(with.failures[0].nested_operation, 0u);
}

TEST(CrashExplorer, stops_at_the_failure_limit_and_can_look_at_one_operation) {
  const CrashSubject subject = toy_subject(Bug::CommitWithoutSync, 10);
  const CrashReport report = explore_crashes(subject, {.failure_limit = 5});
  ASSERT_EQ(report.failures.size(), 5u);
  const CrashReport again =
      explore_crashes(subject, {.only_operation = report.failures[2].operation, .failure_limit = 1});
  EXPECT_EQ(again.crash_points, 1u);
  ASSERT_EQ(again.failures.size(), 1u);
  EXPECT_EQ(again.failures[0].operation, report.failures[2].operation);
}

TEST(CrashExplorer, a_failing_workload_is_reported) {
  CrashSubject subject = toy_subject(Bug::None, 1);
  subject.prepare = [](os::Env&) { return Status::error(ErrorCode::Misuse, "not prepared"); };
  EXPECT_EQ(explore_crashes(subject).workload_status.message(), "not prepared");
  subject.prepare = {};
  subject.workload = [](os::Env&, Ack&) { return Status::error(ErrorCode::Misuse, "not working"); };
  const CrashReport report = explore_crashes(subject);
  EXPECT_FALSE(report.is_ok());
  EXPECT_EQ(report.workload_status.message(), "not working");
}

TEST(CrashExplorer, the_same_seed_gives_the_same_report) {
  const CrashSubject subject = toy_subject(Bug::None, 6);
  EXPECT_EQ(explore_crashes(subject).to_string(), explore_crashes(subject).to_string());
}

}  // namespace
}  // namespace vitrine::testing
