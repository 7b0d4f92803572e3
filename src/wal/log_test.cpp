// SPDX-License-Identifier: MIT OR Apache-2.0
#include "wal/log.hpp"

#include <gtest/gtest.h>

#include "base/codec.hpp"
#include "os/memory_env.hpp"
#include "os/sim_env.hpp"
#include "os/testing.hpp"
#include "wal/testing.hpp"

namespace vitrine::wal {
namespace {

using namespace testing;  // NOLINT: the helpers of this folder

class LogTest : public ::testing::Test {
 protected:
  std::unique_ptr<os::Env> env_ = os::make_memory_env();
};

TEST_F(LogTest, a_new_log_is_empty_and_has_two_slots) {
  const std::unique_ptr<Log> log = create(*env_);
  EXPECT_EQ(log->capacity(), 2 * kSegmentSize);
  EXPECT_EQ(log->file_size(), 8192 + 2 * kSegmentSize);
  EXPECT_EQ(env_->open(kPath, os::OpenMode::ReadOnly).value()->size().value(), log->file_size());
  EXPECT_FALSE(env_->exists(kPath + ".new").value());
  EXPECT_EQ(log->position().lsn, kStart.lsn);
  EXPECT_EQ(log->position().chain, kStart.chain);
  EXPECT_EQ(log->durable(), kStart.lsn);
  const Scanned scanned = scan(*env_);
  ASSERT_TRUE(scanned.status.is_ok()) << scanned.status.to_string();
  EXPECT_EQ(scanned.result.end.lsn, kStart.lsn);
  EXPECT_EQ(scanned.result.end.chain, kStart.chain);
  EXPECT_EQ(scanned.result.transactions, 0u);
  EXPECT_FALSE(scanned.result.torn_tail);
}

TEST_F(LogTest, zeros_run_some_way_ahead_and_over_nothing) {
  const std::unique_ptr<os::SimEnv> env = os::SimEnv::create({});
  std::uint64_t prewritten = 0;  // of the file
  env->hooks().on_write = [&](const os::SimWrite& write) {
    prewritten = std::max(prewritten, write.offset + write.size);
    EXPECT_FALSE(write.overwrites_durable && write.offset >= format::kLogSlotsOffset) << write.offset;
  };
  const LogOptions options;
  const LogPosition start{5 * options.segment_size + format::kSegmentHeaderSize, 0x1234};
  const std::unique_ptr<Log> log = Log::create(*env, kPath, kFile, start, options).value();
  ASSERT_TRUE(log->append_open(1, 0, std::array<std::byte, 16>{}).is_ok());
  EXPECT_LT(env->counters().bytes_written, 256u << 10) << "who opens and closes pays for all slots";
  std::vector<Transaction> expected;
  for (std::uint64_t seq = 1; seq <= 700; ++seq) {
    expected.emplace_back(seq, payload_of(seq, seq % 100 == 0 ? 100'000 : 3000));
    ASSERT_TRUE(log->sync(put(*log, seq, expected.back().second).value()).is_ok());
    // The slots are used in the order of the file.
    const std::uint64_t end = format::kLogSlotsOffset + log->position().lsn - 5 * options.segment_size;
    EXPECT_GE(prewritten, std::min<std::uint64_t>(end + (64u << 10), log->file_size()));
  }
  EXPECT_GE(log->capacity(), 3u << 20);
  EXPECT_EQ(scan(*env, start).transactions, expected);
}

TEST_F(LogTest, create_replaces_an_older_log_and_a_stray_file) {
  (void)env_->open(kPath + ".new", os::OpenMode::CreateNew).value();
  {
    const std::unique_ptr<Log> log = create(*env_);
    ASSERT_TRUE(log->sync(put(*log, 1, "old").value()).is_ok());
  }
  const std::unique_ptr<Log> log = create(*env_);
  EXPECT_EQ(scan(*env_).result.transactions, 0u);
}

TEST_F(LogTest, synced_transactions_are_found_in_order) {
  const std::unique_ptr<Log> log = create(*env_);
  std::vector<Transaction> expected;
  for (std::uint64_t seq = 1; seq <= 20; ++seq) {
    expected.emplace_back(seq, payload_of(seq, seq * 13));
    const Lsn end = put(*log, seq, expected.back().second).value();
    if (seq % 3 != 0) continue;
    ASSERT_TRUE(log->sync(end).is_ok());
    EXPECT_EQ(log->durable(), end);
  }
  ASSERT_TRUE(log->sync(log->position().lsn).is_ok());
  const Scanned scanned = scan(*env_);
  ASSERT_TRUE(scanned.status.is_ok()) << scanned.status.to_string();
  EXPECT_EQ(scanned.transactions, expected);
  EXPECT_EQ(scanned.result.last_commit_seq, 20u);
  EXPECT_EQ(scanned.result.end.lsn, log->durable());
  EXPECT_EQ(scanned.result.end.chain, log->position().chain);
  EXPECT_FALSE(scanned.result.torn_tail);
}

TEST_F(LogTest, appended_frames_reach_the_file_only_when_written_out) {
  const std::unique_ptr<Log> log = create(*env_);
  const Lsn first = put(*log, 1, "one").value();
  EXPECT_EQ(scan(*env_).result.transactions, 0u);
  ASSERT_TRUE(log->write_out(first).is_ok());
  EXPECT_EQ(log->written(), first);
  EXPECT_EQ(log->durable(), kStart.lsn);
  EXPECT_EQ(log->syncs(), 0u);
  // The block of the first frame is still open and is written again with the second.
  const Lsn second = put(*log, 2, "two").value();
  EXPECT_EQ(second, first + format::frame_size(3));
  ASSERT_TRUE(log->write_out(second).is_ok());
  EXPECT_EQ(scan(*env_).transactions, (std::vector<Transaction>{{1, "one"}, {2, "two"}}));
}

TEST_F(LogTest, after_a_sync_the_next_frame_starts_a_block) {
  const std::unique_ptr<Log> log = create(*env_);
  const Lsn first = put(*log, 1, "one").value();
  ASSERT_TRUE(log->sync(first).is_ok());
  EXPECT_EQ(log->position().lsn, kStart.lsn + 4096);
  const Lsn second = put(*log, 2, "two").value();
  EXPECT_EQ(second, kStart.lsn + 4096 + format::frame_size(3));
  // So it is when the sync found everything written out before.
  ASSERT_TRUE(log->write_out(second).is_ok());
  ASSERT_TRUE(log->sync(second).is_ok());
  EXPECT_EQ(log->position().lsn, kStart.lsn + 2 * 4096);
}

TEST_F(LogTest, sync_of_a_position_in_the_padding_returns) {
  const std::unique_ptr<Log> log = create(*env_);
  const Lsn end = put(*log, 1, "one").value();
  ASSERT_TRUE(log->sync(end).is_ok());
  EXPECT_GT(log->position().lsn, end);
  EXPECT_TRUE(log->sync(log->position().lsn).is_ok());
  EXPECT_TRUE(log->write_out(log->position().lsn).is_ok());
  EXPECT_EQ(log->syncs(), 1u);
}

TEST_F(LogTest, a_large_transaction_is_cut_at_segment_ends) {
  const std::unique_ptr<Log> log = create(*env_);
  const std::string payload = payload_of(1, 5 * kSegmentSize);
  ASSERT_TRUE(log->sync(put(*log, 1, payload).value()).is_ok());
  ASSERT_TRUE(log->sync(put(*log, 2, "small").value()).is_ok());
  const Scanned scanned = scan(*env_);
  EXPECT_EQ(scanned.transactions, (std::vector<Transaction>{{1, payload}, {2, "small"}}));
}

TEST_F(LogTest, frames_of_every_size_survive_every_place_in_a_segment) {
  LogOptions options = small_options();
  options.size_max = 1024 * kSegmentSize;
  const std::unique_ptr<Log> log = create(*env_, options);
  std::vector<Transaction> expected;
  for (std::uint64_t seq = 1; seq <= 3000; ++seq) {
    expected.emplace_back(seq, payload_of(seq, seq * 7919 % 2500));
    ASSERT_TRUE(put(*log, seq, expected.back().second));
  }
  ASSERT_TRUE(log->sync(log->position().lsn).is_ok());
  EXPECT_EQ(scan(*env_).transactions, expected);
}

TEST_F(LogTest, is_full_at_its_largest_size_until_slots_are_recycled) {
  const std::unique_ptr<Log> log = create(*env_);
  const std::string payload = payload_of(1, 3000);
  Status status;
  std::uint64_t seq = 0;
  while ((status = log->reserve(payload.size())).is_ok()) ASSERT_TRUE(log->append(++seq, payload));
  EXPECT_EQ(status.code(), ErrorCode::LogFull);
  EXPECT_TRUE(log->failure().is_ok());
  EXPECT_EQ(log->capacity(), small_options().size_max);
  EXPECT_GE(seq, 8u * 3);

  // A checkpoint at the current position frees all but its segment.
  const LogPosition kept = log->position();
  ASSERT_TRUE(log->sync(kept.lsn).is_ok());
  log->recycle(kept.lsn);
  const std::uint64_t first_new = seq + 1;
  for (int i = 0; i < 21; ++i) ASSERT_TRUE(put(*log, ++seq, payload)) << i;
  ASSERT_TRUE(log->sync(log->position().lsn).is_ok());
  EXPECT_EQ(log->capacity(), small_options().size_max);
  const Scanned scanned = scan(*env_, kept);
  ASSERT_TRUE(scanned.status.is_ok()) << scanned.status.to_string();
  ASSERT_EQ(scanned.transactions.size(), 21u);
  EXPECT_EQ(scanned.transactions.front().first, first_new);
  EXPECT_EQ(scan(*env_, kStart).status.code(), ErrorCode::LogMissing);
}

TEST_F(LogTest, payload_max_fits_into_an_empty_log_and_no_more_is_promised) {
  for (const std::size_t buffer_size : {std::size_t{64} << 10, std::size_t{1} << 20}) {
    LogOptions options = small_options();
    options.buffer_size = buffer_size;
    const std::unique_ptr<Log> log = create(*env_, options);
    // The worst place to start: nothing left of the current segment.
    while (log->position().lsn % kSegmentSize != 0) {
      const std::size_t room = kSegmentSize - log->position().lsn % kSegmentSize;
      ASSERT_TRUE(put(*log, 1, std::string(std::min<std::size_t>(room, 2048) - 64, 'f')));
    }
    ASSERT_TRUE(log->sync(log->position().lsn).is_ok());
    log->recycle(log->position().lsn);
    const LogPosition start = log->position();
    EXPECT_EQ(log->reserve(log->payload_max() + 1).code(), ErrorCode::LogFull);
    const std::string payload = payload_of(2, log->payload_max());
    ASSERT_TRUE(log->sync(put(*log, 2, payload).value()).is_ok());
    const Scanned scanned = scan(*env_, start);
    ASSERT_TRUE(scanned.status.is_ok()) << scanned.status.to_string();
    EXPECT_EQ(scanned.transactions, (std::vector<Transaction>{{2, payload}}));
  }
}

TEST_F(LogTest, seal_vouches_once_for_what_is_durable) {
  const std::unique_ptr<Log> log = create(*env_);
  ASSERT_TRUE(log->seal().is_ok());
  EXPECT_EQ(log->durable(), kStart.lsn);  // nothing to vouch for
  const Lsn end = put(*log, 9, "one").value();
  ASSERT_TRUE(log->seal().is_ok());
  EXPECT_EQ(scan(*env_).result.durable, end);
  const Lsn sealed = log->durable();
  ASSERT_TRUE(log->seal().is_ok());
  EXPECT_EQ(log->durable(), sealed);
  EXPECT_EQ(log->syncs(), 2u);
  EXPECT_EQ(scan(*env_).transactions, (std::vector<Transaction>{{9, "one"}}));
}

TEST_F(LogTest, the_owner_block_names_the_process_until_the_log_is_closed) {
  std::unique_ptr<Log> log = create(*env_);
  const std::unique_ptr<os::File> file = env_->open(kPath, os::OpenMode::ReadOnly).value();
  EXPECT_EQ(log_owner(*file), env_->process_id());
  log.reset();
  EXPECT_EQ(log_owner(*file), 0u);
  log = reopen(*env_);
  EXPECT_EQ(log_owner(*file), env_->process_id());
}

TEST_F(LogTest, resume_goes_on_behind_the_last_frame) {
  std::vector<Transaction> expected;
  std::uint64_t seq = 0;
  {
    const std::unique_ptr<Log> log = create(*env_);
    for (int i = 0; i < 30; ++i) {
      ++seq;
      expected.emplace_back(seq, payload_of(seq, 1500));
      ASSERT_TRUE(put(*log, seq, expected.back().second));
    }
    ASSERT_TRUE(log->write_out(log->position().lsn).is_ok());
  }
  for (int session = 0; session < 3; ++session) {
    const std::unique_ptr<Log> log = reopen(*env_);
    ++seq;
    expected.emplace_back(seq, payload_of(seq, 100));
    ASSERT_TRUE(log->sync(put(*log, seq, expected.back().second).value()).is_ok());
    EXPECT_EQ(scan(*env_).transactions, expected);
  }
}

TEST_F(LogTest, resume_recycles_what_lies_before_the_start_of_the_scan) {
  LogPosition start;
  {
    const std::unique_ptr<Log> log = create(*env_);
    for (int i = 0; i < 26; ++i) ASSERT_TRUE(put(*log, 1, payload_of(1, 3000)));
    start = log->position();
    ASSERT_TRUE(log->sync(start.lsn).is_ok());
  }
  const std::unique_ptr<Log> log = reopen(*env_, start);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(put(*log, 2, payload_of(2, 3000))) << i;
}

TEST_F(LogTest, resume_removes_what_a_torn_write_left) {
  {
    const std::unique_ptr<Log> log = create(*env_);
    ASSERT_TRUE(log->sync(put(*log, 1, "one").value()).is_ok());
  }
  const Lsn end = scan(*env_).result.end.lsn;
  const std::unique_ptr<os::File> file = env_->open(kPath, os::OpenMode::ReadWrite).value();
  const std::uint64_t offset = offset_of(scan(*env_).result, end);
  ASSERT_TRUE(os::testing::write_text(*file, offset, "half a frame").is_ok());
  EXPECT_TRUE(scan(*env_).result.torn_tail);
  const std::unique_ptr<Log> log = reopen(*env_);
  EXPECT_EQ(os::testing::read_text(*file, offset, 12), std::string(12, '\0'));
  EXPECT_EQ(scan(*env_).transactions, (std::vector<Transaction>{{1, "one"}}));
}

TEST_F(LogTest, a_full_disk_refuses_only_what_needs_more_space) {
  const std::unique_ptr<os::SimEnv> env = os::SimEnv::create({});
  const std::unique_ptr<Log> log = create(*env);
  env->set_capacity(env->used_bytes());
  // The two slots that are there can be used up; that no third can be made ready stops nothing.
  std::uint64_t seq = 0;
  Status status;
  while ((status = log->reserve(3000)).is_ok()) {
    ++seq;
    ASSERT_TRUE(log->append(seq, payload_of(seq, 3000)));
  }
  EXPECT_EQ(status.code(), ErrorCode::DiskFull);
  EXPECT_GE(seq, 6u);
  EXPECT_TRUE(log->failure().is_ok());
  EXPECT_EQ(log->capacity(), 2 * kSegmentSize);
  EXPECT_EQ(env->open(kPath, os::OpenMode::ReadOnly).value()->size().value(), log->file_size());
  ASSERT_TRUE(log->sync(log->position().lsn).is_ok());
  EXPECT_EQ(scan(*env).transactions.size(), seq);

  env->set_capacity(os::kSimUnlimited);
  ASSERT_TRUE(log->sync(put(*log, seq + 1, payload_of(seq + 1, 3000)).value()).is_ok());
  EXPECT_EQ(scan(*env).transactions.size(), seq + 1);
}

TEST_F(LogTest, a_checkpoint_makes_room_on_a_full_disk) {
  const std::unique_ptr<os::SimEnv> env = os::SimEnv::create({});
  const std::unique_ptr<Log> log = create(*env);
  env->set_capacity(env->used_bytes());
  LogPosition start = kStart;
  for (std::uint64_t seq = 1; seq <= 100; ++seq) {
    if (!log->reserve(3000).is_ok()) {
      start = log->position();
      ASSERT_TRUE(log->sync(start.lsn).is_ok());
      log->recycle(start.lsn);
    }
    ASSERT_TRUE(log->sync(put(*log, seq, payload_of(seq, 3000)).value()).is_ok()) << seq;
  }
  EXPECT_EQ(scan(*env, start).transactions.back().first, 100u);
}

TEST_F(LogTest, impossible_options_are_refused) {
  LogOptions options = small_options();
  options.size_max = 3 * kSegmentSize;
  EXPECT_EQ(Log::create(*env_, kPath, kFile, kStart, options).status().code(), ErrorCode::ArgumentInvalid);
  options = small_options();
  options.segment_size += 8;
  EXPECT_EQ(Log::create(*env_, kPath, kFile, kStart, options).status().code(), ErrorCode::ArgumentInvalid);
  options = small_options();
  options.buffer_size = 4096;
  EXPECT_EQ(Log::create(*env_, kPath, kFile, kStart, options).status().code(), ErrorCode::ArgumentInvalid);
}

}  // namespace
}  // namespace vitrine::wal
