// SPDX-License-Identifier: MIT OR Apache-2.0
// Group commit with real threads, over a file whose syncs and writes can be held back or made to fail.
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "base/prng.hpp"
#include "os/memory_env.hpp"
#include "os/testing.hpp"
#include "wal/testing.hpp"

namespace vitrine::wal {
namespace {

using namespace testing;  // NOLINT: the helpers of this folder

struct Hooks {
  std::function<Status()> on_sync = [] { return Status{}; };
  std::function<Status()> on_write = [] { return Status{}; };
};

class HookedFile final : public os::File {
 public:
  HookedFile(std::unique_ptr<os::File> file, const Hooks& hooks) : file_(std::move(file)), hooks_(hooks) {}
  Result<std::size_t> read_at(std::uint64_t offset, void* to, std::size_t size) override {
    return file_->read_at(offset, to, size);
  }
  Status write_at(std::uint64_t offset, std::span<const os::IoSlice> slices) override {
    if (Status status = hooks_.on_write(); !status.is_ok()) return status;
    return file_->write_at(offset, slices);
  }
  Status sync() override {
    if (Status status = hooks_.on_sync(); !status.is_ok()) return status;
    return file_->sync();
  }
  Result<std::uint64_t> size() override { return file_->size(); }
  Status resize(std::uint64_t size) override { return file_->resize(size); }
  Status reserve(std::uint64_t offset, std::uint64_t size) override { return file_->reserve(offset, size); }
  Result<bool> try_lock(std::uint64_t offset, std::uint64_t size, os::LockMode mode) override {
    return file_->try_lock(offset, size, mode);
  }
  Status unlock(std::uint64_t offset, std::uint64_t size) override { return file_->unlock(offset, size); }
  Result<bool> locked_by_other(std::uint64_t offset, std::uint64_t size) override {
    return file_->locked_by_other(offset, size);
  }
  Result<os::FileIdentity> identity() override { return file_->identity(); }

 private:
  std::unique_ptr<os::File> file_;
  const Hooks& hooks_;
};

class GroupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    LogOptions options = small_options();
    options.size_max = 4096 * kSegmentSize;
    create(*env_, options).reset();
    std::unique_ptr<os::File> file = env_->open(kPath, os::OpenMode::ReadWrite).value();
    const Scanned scanned = scan(*file);
    auto hooked = std::make_unique<HookedFile>(std::move(file), hooks_);
    log_ = Log::resume(*env_, std::move(hooked), scanned.result, kFile, options).value();
  }
  Lsn put_one(std::size_t size = 50) {
    const std::lock_guard lock(latch_);
    ++seq_;
    return put(*log_, seq_, payload_of(seq_, size)).value();
  }

  std::unique_ptr<os::Env> env_ = os::make_memory_env();
  Hooks hooks_;
  std::unique_ptr<Log> log_;
  std::mutex latch_;  // the commit latch
  std::uint64_t seq_ = 0;
};

// Holds back every sync until release().
class Barrier {
 public:
  Status pass() {
    waiting_ = true;
    waiting_.notify_all();
    released_.wait(false);
    return status;
  }
  void wait_until_reached() { waiting_.wait(false); }
  void release() {
    released_ = true;
    released_.notify_all();
  }
  Status status;

 private:
  std::atomic<bool> waiting_{false};
  std::atomic<bool> released_{false};
};

TEST_F(GroupTest, commits_that_arrive_during_a_sync_share_the_next_one) {
  Barrier barrier;
  hooks_.on_sync = [&] { return barrier.pass(); };
  const std::uint64_t syncs_before = log_->syncs();
  std::thread first([&] { EXPECT_TRUE(log_->sync(put_one()).is_ok()); });
  barrier.wait_until_reached();
  std::vector<std::thread> others;
  std::atomic<int> appended{0};
  for (int i = 0; i < 16; ++i) {
    others.emplace_back([&] {
      const Lsn end = put_one();
      ++appended;
      EXPECT_TRUE(log_->sync(end).is_ok());
      EXPECT_GE(log_->durable(), end);
    });
  }
  while (appended < 16) std::this_thread::yield();
  barrier.release();
  first.join();
  for (std::thread& other : others) other.join();
  EXPECT_EQ(log_->syncs() - syncs_before, 2u);
  EXPECT_EQ(scan(*env_).transactions.size(), 17u);
}

TEST_F(GroupTest, a_failed_sync_reaches_every_waiter_and_is_final) {
  const Lsn before = put_one();
  ASSERT_TRUE(log_->sync(before).is_ok());
  Barrier barrier;
  barrier.status = Status::error(ErrorCode::SyncFailed);
  hooks_.on_sync = [&] { return barrier.pass(); };
  std::vector<std::thread> threads;
  std::atomic<int> appended{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const Lsn end = put_one();
      ++appended;
      EXPECT_EQ(log_->sync(end).code(), ErrorCode::SyncFailed);
    });
  }
  barrier.wait_until_reached();
  while (appended < 8) std::this_thread::yield();
  barrier.release();
  for (std::thread& thread : threads) thread.join();

  hooks_.on_sync = [] { return Status{}; };  // the system would now say that all is well
  const Lsn end = log_->position().lsn;
  EXPECT_EQ(log_->sync(end).code(), ErrorCode::SyncFailed);
  EXPECT_EQ(log_->reserve(1).code(), ErrorCode::SyncFailed);
  EXPECT_EQ(log_->append(99, "x").status().code(), ErrorCode::SyncFailed);
  EXPECT_EQ(log_->seal().code(), ErrorCode::SyncFailed);
  EXPECT_EQ(log_->failure().code(), ErrorCode::SyncFailed);
  EXPECT_EQ(log_->durable(), before);
  EXPECT_TRUE(log_->sync(before).is_ok());  // this much is known
}

TEST_F(GroupTest, a_failed_write_is_final_too) {
  hooks_.on_write = [] { return Status::error(ErrorCode::WriteFailed); };
  const Lsn end = put_one();
  EXPECT_EQ(log_->write_out(end).code(), ErrorCode::WriteFailed);
  hooks_.on_write = [] { return Status{}; };
  EXPECT_EQ(log_->write_out(end).code(), ErrorCode::WriteFailed);
  EXPECT_EQ(log_->sync(end).code(), ErrorCode::WriteFailed);
  EXPECT_EQ(log_->reserve(1).code(), ErrorCode::WriteFailed);
}

TEST_F(GroupTest, memory_exhausted_below_a_write_is_a_failure_and_no_deadlock) {
  hooks_.on_write = []() -> Status { throw std::bad_alloc(); };
  const Lsn end = put_one();
  EXPECT_EQ(log_->sync(end).code(), ErrorCode::OutOfMemory);
  EXPECT_EQ(log_->failure().code(), ErrorCode::OutOfMemory);
}

TEST_F(GroupTest, appends_wait_for_a_sync_only_when_both_buffers_are_full) {
  Barrier barrier;
  hooks_.on_sync = [&] { return barrier.pass(); };
  std::thread first([&] { EXPECT_TRUE(log_->sync(put_one()).is_ok()); });
  barrier.wait_until_reached();
  for (int i = 0; i < 6; ++i) put_one(5000);  // fits beside the sync
  std::atomic<bool> is_done{false};
  std::thread second([&] {
    for (int i = 0; i < 20; ++i) put_one(5000);
    is_done = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(is_done);
  barrier.release();
  first.join();
  second.join();
  ASSERT_TRUE(log_->sync(log_->position().lsn).is_ok());
  EXPECT_EQ(scan(*env_).transactions.size(), 27u);
}

TEST_F(GroupTest, many_threads_commit_in_every_mode_and_nothing_is_lost_or_reordered) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  constexpr int kThreads = 8;
  constexpr int kCommits = 500;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      base::Prng random(seed + static_cast<std::uint64_t>(i));
      for (int k = 0; k < kCommits; ++k) {
        const Lsn end = put_one(random.one_in(50) ? random.below(100'000) : random.below(400));
        switch (random.below(4)) {
          case 0:
            break;
          case 1:
            EXPECT_TRUE(log_->write_out(end).is_ok());
            EXPECT_GE(log_->written(), end);
            break;
          default:
            EXPECT_TRUE(log_->sync(end).is_ok());
            EXPECT_GE(log_->durable(), end);
        }
        if (random.one_in(64)) {
          const std::lock_guard lock(latch_);
          EXPECT_TRUE(log_->seal().is_ok());
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  ASSERT_TRUE(log_->sync(log_->position().lsn).is_ok());
  const Scanned scanned = scan(*env_);
  ASSERT_TRUE(scanned.status.is_ok()) << scanned.status.to_string();
  ASSERT_EQ(scanned.transactions.size(), std::size_t{kThreads} * kCommits);
  for (std::size_t i = 0; i < scanned.transactions.size(); ++i) {
    const auto& [commit_seq, payload] = scanned.transactions[i];
    ASSERT_EQ(commit_seq, i + 1);
    ASSERT_EQ(payload, payload_of(commit_seq, payload.size()));
  }
}

}  // namespace
}  // namespace vitrine::wal
