// SPDX-License-Identifier: MIT OR Apache-2.0
#include "wal/scan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "os/memory_env.hpp"
#include "os/sim_env.hpp"
#include "os/testing.hpp"
#include "wal/testing.hpp"

namespace vitrine::wal {
namespace {

using namespace testing;  // NOLINT: the helpers of this folder
using format::FrameType;
using os::testing::read_text;
using os::testing::write_text;

class ScanTest : public ::testing::Test {
 protected:
  // Appends and makes durable transactions first..last, each in a group of its own.
  static std::vector<Lsn> commit(Log& log, std::uint64_t first, std::uint64_t last, std::size_t size) {
    std::vector<Lsn> ends;
    for (std::uint64_t seq = first; seq <= last; ++seq) {
      ends.push_back(put(log, seq, payload_of(seq, size)).value());
      EXPECT_TRUE(log.sync(ends.back()).is_ok());
    }
    return ends;
  }

  std::unique_ptr<os::File> file() { return env_->open(kPath, os::OpenMode::ReadWrite).value(); }

  void flip(std::uint64_t offset) {
    std::string byte = read_text(*file(), offset, 1);
    byte[0] = static_cast<char>(byte[0] ^ 0x20);
    ASSERT_TRUE(write_text(*file(), offset, byte).is_ok());
  }
  void flip_lsn(Lsn lsn) { flip(offset_of(scan(*intact_).result, lsn)); }

  // Remembers the undamaged file, to find places in it.
  void keep_intact() {
    const std::string bytes = read_text(*file(), 0, file()->size().value());
    intact_ = env_->open("intact.log", os::OpenMode::CreateNew).value();
    ASSERT_TRUE(write_text(*intact_, 0, bytes).is_ok());
  }

  std::unique_ptr<os::Env> env_ = os::make_memory_env();
  std::unique_ptr<os::File> intact_;
};

std::uint64_t last_seq(const Scanned& scanned) {
  return scanned.transactions.empty() ? 0 : scanned.transactions.back().first;
}

TEST_F(ScanTest, damage_that_a_later_frame_vouches_for_is_a_hole) {
  const std::unique_ptr<Log> log = create(*env_);
  const std::vector<Lsn> ends = commit(*log, 1, 20, 700);
  keep_intact();
  flip_lsn(ends[9] - 20);
  const Scanned scanned = scan(*env_);
  EXPECT_EQ(scanned.status.code(), ErrorCode::LogHole);
  EXPECT_EQ(scanned.status.detail("lsn"), std::to_string(ends[8]));
  EXPECT_EQ(scanned.status.detail("durable"), std::to_string(ends[18]));
  EXPECT_EQ(last_seq(scanned), 9u);

  const Scanned salvaged = scan(*file(), kStart, false);
  ASSERT_TRUE(salvaged.status.is_ok());
  EXPECT_TRUE(salvaged.result.hole);
  EXPECT_EQ(salvaged.result.end.lsn, ends[8]);
  EXPECT_EQ(salvaged.result.durable, ends[18]);
}

TEST_F(ScanTest, damage_in_the_last_group_is_a_hole_only_after_a_seal) {
  std::unique_ptr<Log> log = create(*env_);
  const std::vector<Lsn> ends = commit(*log, 1, 3, 100);
  keep_intact();
  flip_lsn(ends[2] - 20);
  // Nothing tells it from a write that was cut off. This is what seals are for.
  Scanned scanned = scan(*env_);
  ASSERT_TRUE(scanned.status.is_ok()) << scanned.status.to_string();
  EXPECT_EQ(last_seq(scanned), 2u);
  EXPECT_TRUE(scanned.result.torn_tail);
  flip_lsn(ends[2] - 20);
  ASSERT_TRUE(log->seal().is_ok());
  EXPECT_TRUE(scan(*env_).status.is_ok());
  flip_lsn(ends[2] - 20);
  EXPECT_EQ(scan(*env_).status.code(), ErrorCode::LogHole);
}

TEST_F(ScanTest, damage_in_the_unsynced_tail_is_a_plain_end) {
  const std::unique_ptr<Log> log = create(*env_);
  const Lsn durable = commit(*log, 1, 3, 100).back();
  const Lsn fourth = put(*log, 4, payload_of(4, 9000)).value();
  const Lsn fifth = put(*log, 5, payload_of(5, 9000)).value();
  ASSERT_TRUE(log->write_out(fifth).is_ok());
  keep_intact();
  flip_lsn(fourth - 3000);
  const Scanned scanned = scan(*env_);
  ASSERT_TRUE(scanned.status.is_ok()) << scanned.status.to_string();
  EXPECT_EQ(last_seq(scanned), 3u);
  EXPECT_EQ(scanned.result.end.lsn, durable);
  EXPECT_EQ(scanned.result.durable, durable);
  EXPECT_TRUE(scanned.result.torn_tail);
  EXPECT_FALSE(scanned.result.hole);
}

TEST_F(ScanTest, every_damaged_byte_of_headers_and_frames_at_segment_boundaries_is_noticed) {
  const std::unique_ptr<Log> log = create(*env_);
  commit(*log, 1, 16, 2900);  // three to a segment
  ASSERT_TRUE(log->seal().is_ok());
  keep_intact();
  const Scanned whole = scan(*env_);
  ASSERT_EQ(last_seq(whole), 16u);
  const std::uint64_t first = kStart.lsn / kSegmentSize;
  for (std::uint64_t segment = first; segment < first + 5; ++segment) {
    const std::uint64_t slot_offset = format::kLogSlotsOffset + whole.result.slots.at(segment) * kSegmentSize;
    const ErrorCode header_error = segment == first ? ErrorCode::LogMissing : ErrorCode::LogHole;
    for (const std::uint64_t at : {0u, 8u, 16u, 32u, 100u, 4080u, 4095u}) {  // segment header
      flip(slot_offset + at);
      EXPECT_EQ(scan(*env_).status.code(), header_error) << segment << " " << at;
      flip(slot_offset + at);
    }
    for (const std::uint64_t frame : {4096u, 8192u, 12288u}) {
      for (const std::uint64_t at : {0u, 4u, 5u, 8u, 12u, 16u, 24u, 32u, 40u, 48u, 63u, 64u, 2963u}) {
        flip(slot_offset + frame + at);
        EXPECT_EQ(scan(*env_).status.code(), ErrorCode::LogHole) << segment << " " << frame << " " << at;
        flip(slot_offset + frame + at);
      }
    }
  }
  EXPECT_EQ(scan(*env_).transactions, whole.transactions);
}

TEST_F(ScanTest, an_incomplete_last_slot_is_read_as_far_as_it_is_there_and_completed) {
  {
    const std::unique_ptr<Log> log = create(*env_);
    commit(*log, 1, 8, 2900);  // three to a segment
  }
  const std::uint64_t size = format::kLogSlotsOffset + 2 * kSegmentSize + 8192 + 100;  // inside the eighth
  ASSERT_LT(size, file()->size().value());
  ASSERT_TRUE(file()->resize(size).is_ok());
  const std::unique_ptr<Log> log = reopen(*env_);
  EXPECT_EQ(file()->size().value(), log->file_size());
  commit(*log, 8, 9, 2900);
  const Scanned scanned = scan(*env_);
  EXPECT_EQ(last_seq(scanned), 9u);
  EXPECT_EQ(scanned.transactions.size(), 9u);
}

TEST_F(ScanTest, what_is_no_log_of_this_database_is_refused_by_name) {
  const std::unique_ptr<Log> log = create(*env_);
  const ScanRequest foreign{format::FileId{1, 1}, kStart, true};
  const TransactionVisitor ignore = [](std::uint64_t, Lsn, Bytes) { return Status{}; };
  EXPECT_EQ(scan_log(*file(), foreign, ignore).status().code(), ErrorCode::LogForeign);
  EXPECT_EQ(scan(*file(), {kStart.lsn + kSegmentSize, 0}).status.code(), ErrorCode::LogMissing);
  for (const Lsn impossible : {Lsn{0}, kStart.lsn + 4, kStart.lsn - 8}) {
    EXPECT_EQ(scan(*file(), {impossible, 0}).status.code(), ErrorCode::LogMalformed) << impossible;
  }
  flip(100);
  EXPECT_EQ(scan(*env_).status.code(), ErrorCode::LogMalformed);
  flip(0);
  EXPECT_EQ(scan(*env_).status.code(), ErrorCode::NotDatabase);
  ASSERT_TRUE(file()->resize(0).is_ok());
  EXPECT_EQ(scan(*env_).status.code(), ErrorCode::NotDatabase);
}

TEST_F(ScanTest, blocks_of_every_earlier_generation_are_rejected) {
  // Frames of one size put the boundaries of all generations at the same places.
  LogOptions options = small_options();
  options.size_max = 4 * kSegmentSize;
  const std::unique_ptr<Log> log = create(*env_, options);
  std::vector<std::string> generations;
  LogPosition kept = kStart;
  for (std::uint64_t seq = 1; seq <= 90; ++seq) {
    Result<Lsn> end = put(*log, seq, payload_of(1, 1900));
    if (!end) {
      ASSERT_EQ(end.status().code(), ErrorCode::LogFull);
      kept = log->position();
      log->recycle(kept.lsn);
      end = put(*log, seq, payload_of(1, 1900));
    }
    ASSERT_TRUE(log->sync(*end).is_ok());
    if (seq % 7 == 0) generations.push_back(read_text(*file(), 0, file()->size().value()));
    const Scanned expected = scan(*file(), kept);
    ASSERT_TRUE(expected.status.is_ok()) << seq << expected.status.to_string();
    const std::string current = read_text(*file(), 0, file()->size().value());
    for (const std::string& old : generations) {
      // All blocks that hold nothing of the present log come from the old generation.
      std::string mixed = current;
      std::vector<bool> is_present(mixed.size() / 4096, false);
      is_present[0] = is_present[1] = true;
      for (Lsn at = (kept.lsn - 1) / kSegmentSize * kSegmentSize; at < expected.result.end.lsn; at += 4096) {
        is_present[offset_of(expected.result, at + 1) / 4096] = true;
      }
      for (std::size_t block = 0; block < is_present.size(); ++block) {
        if (!is_present[block] && (block + 1) * 4096 <= old.size()) {
          mixed.replace(block * 4096, 4096, old, block * 4096, 4096);
        }
      }
      const auto mixed_file = env_->open("mixed.log", os::OpenMode::CreateNew).value();
      ASSERT_TRUE(write_text(*mixed_file, 0, mixed).is_ok());
      const Scanned scanned = scan(*mixed_file, kept);
      ASSERT_TRUE(scanned.status.is_ok()) << seq << " " << scanned.status.to_string();
      ASSERT_EQ(scanned.transactions, expected.transactions);
      ASSERT_TRUE(env_->remove("mixed.log").is_ok());
    }
  }
}

TEST_F(ScanTest, a_frame_of_a_lost_session_is_not_taken_for_the_next_one) {
  // Session 1 loses its second transaction, not its third. Session 2 writes one that ends where the third begins.
  Lsn third_begin = 0;
  {
    const std::unique_ptr<Log> log = create(*env_);
    commit(*log, 1, 1, 100);
    third_begin = put(*log, 2, payload_of(2, 8192 - 64)).value();
    ASSERT_TRUE(log->write_out(put(*log, 3, payload_of(3, 1000)).value()).is_ok());
    keep_intact();
    flip_lsn(third_begin - 100);
  }
  const std::unique_ptr<Log> log = reopen(*env_);
  EXPECT_EQ(log->position().lsn + 4096, third_begin);
  EXPECT_EQ(put(*log, 2, payload_of(2, 4096 - 64)).value(), third_begin);
  ASSERT_TRUE(log->write_out(third_begin).is_ok());
  const Scanned scanned = scan(*env_);
  ASSERT_TRUE(scanned.status.is_ok()) << scanned.status.to_string();
  EXPECT_EQ(scanned.transactions, (std::vector<Transaction>{{1, payload_of(1, 100)}, {2, payload_of(2, 4096 - 64)}}));
}

TEST_F(ScanTest, a_position_at_the_end_of_a_recycled_segment_is_found_again) {
  const std::unique_ptr<Log> log = create(*env_);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(put(*log, 1, std::string(4096 - 64, 'x')));
  const LogPosition position = log->position();
  ASSERT_EQ(position.lsn % kSegmentSize, 0u);
  ASSERT_TRUE(log->sync(position.lsn).is_ok());
  log->recycle(position.lsn);
  EXPECT_TRUE(scan(*env_, position).status.is_ok());
  ASSERT_TRUE(log->sync(put(*log, 2, "two").value()).is_ok());
  EXPECT_EQ(scan(*env_, position).transactions, (std::vector<Transaction>{{2, "two"}}));
}

TEST_F(ScanTest, a_failed_read_is_an_error_and_never_an_end) {
  const std::unique_ptr<os::SimEnv> env = os::SimEnv::create({});
  {
    const std::unique_ptr<Log> log = create(*env);
    commit(*log, 1, 8, 2900);
  }
  const Scanned whole = scan(*env);
  ASSERT_EQ(last_seq(whole), 8u);
  std::uint64_t failures = 0;
  for (bool is_struck = true; is_struck; ++failures) {
    const std::uint64_t faults_before = env->counters().faults;
    os::SimFault fault;
    fault.operation = env->operations() + failures;
    fault.kinds = {os::SimOperation::Read};
    env->inject(fault);
    const Scanned scanned = scan(*env);
    is_struck = env->counters().faults > faults_before;
    if (is_struck) {
      EXPECT_EQ(scanned.status.code(), ErrorCode::ReadFailed) << failures;
    } else {
      EXPECT_EQ(scanned.transactions, whole.transactions);
    }
    env->clear_faults();
  }
  EXPECT_GT(failures, 8u);
}

TEST_F(ScanTest, the_error_of_the_visitor_ends_the_scan) {
  const std::unique_ptr<Log> log = create(*env_);
  commit(*log, 1, 3, 100);
  int visits = 0;
  const auto refuse = [&](std::uint64_t, Lsn, Bytes) { return ++visits == 2 ? Status::out_of_memory() : Status{}; };
  EXPECT_EQ(scan_log(*file(), {kFile, kStart, true}, refuse).status().code(), ErrorCode::OutOfMemory);
  EXPECT_EQ(visits, 2);
}

TEST_F(ScanTest, a_log_that_is_being_written_shows_a_growing_prefix) {
  LogOptions options = small_options();
  options.size_max = 4096 * kSegmentSize;
  const std::unique_ptr<Log> log = create(*env_, options);
  std::atomic<std::uint64_t> acknowledged{0};
  std::thread writer([&] {
    for (std::uint64_t seq = 1; seq <= 4000; ++seq) {
      const Lsn end = put(*log, seq, payload_of(seq, seq % 1000)).value();
      if (seq % 4 != 0) continue;
      ASSERT_TRUE(log->sync(end).is_ok());
      acknowledged = seq;
    }
  });
  for (std::uint64_t before = 0; before < 4000;) {
    before = acknowledged;
    const Scanned scanned = scan(*env_);
    ASSERT_TRUE(scanned.status.is_ok()) << scanned.status.to_string();
    ASSERT_GE(scanned.transactions.size(), before);
    for (std::size_t i = 0; i < scanned.transactions.size(); ++i) ASSERT_EQ(scanned.transactions[i].first, i + 1);
  }
  writer.join();
}

// Frames made by hand, one behind the other, in a log of one segment.
class HandMadeFrames : public ScanTest {
 protected:
  HandMadeFrames() { log_ = create(*env_); }
  void append(FrameType type, std::uint64_t commit_seq, Bytes payload) {
    chain_ =
        format::append_frame(frames_, type, kStart.lsn + frames_.size(), commit_seq, durable_, chain_, payload, kFile);
  }
  Scanned scan_frames() {
    EXPECT_TRUE(write_text(*file(), format::kLogSlotsOffset + format::kSegmentHeaderSize, frames_).is_ok());
    return scan(*env_);
  }
  std::unique_ptr<Log> log_;
  std::string frames_;
  std::uint64_t chain_ = kStart.chain;
  Lsn durable_ = kStart.lsn;
};

TEST_F(HandMadeFrames, parts_are_joined) {
  append(FrameType::Part, 1, "one, ");
  append(FrameType::Part, 1, "two, ");
  append(FrameType::Transaction, 1, "three");
  EXPECT_EQ(scan_frames().transactions, (std::vector<Transaction>{{1, "one, two, three"}}));
}

TEST_F(HandMadeFrames, a_frame_in_the_middle_of_a_block_vouches_too) {
  append(FrameType::Transaction, 1, std::string(4096 - 64, 'x'));
  append(FrameType::Transaction, 2, "appended while the first was being synced");
  durable_ = kStart.lsn + 4096;
  append(FrameType::Transaction, 3, "appended in the same group, after the sync");
  EXPECT_EQ(scan_frames().transactions.size(), 3u);
  frames_[100] = 'y';
  EXPECT_EQ(scan_frames().status.code(), ErrorCode::LogHole);
}

TEST_F(HandMadeFrames, parts_without_an_end_have_no_effect) {
  append(FrameType::Transaction, 1, "whole");
  append(FrameType::Part, 2, "begun");
  Scanned scanned = scan_frames();
  EXPECT_EQ(scanned.transactions, (std::vector<Transaction>{{1, "whole"}}));
  EXPECT_TRUE(scanned.result.torn_tail);
  EXPECT_EQ(scanned.result.end.lsn, kStart.lsn + frames_.size());  // the next frame chains to the last part
  append(FrameType::Open, 1, "session");
  append(FrameType::Transaction, 2, "anew");
  scanned = scan_frames();
  EXPECT_EQ(scanned.transactions, (std::vector<Transaction>{{1, "whole"}, {2, "anew"}}));
  EXPECT_FALSE(scanned.result.torn_tail);
}

TEST_F(HandMadeFrames, a_transaction_of_which_only_parts_were_there_is_whole_for_who_looks_again) {
  append(FrameType::Transaction, 1, "whole");
  append(FrameType::Part, 2, "begun, ");
  const Scanned first = scan_frames();
  append(FrameType::Transaction, 2, "ended");
  (void)scan_frames();
  const Scanned second = scan(*env_, first.result.complete);
  EXPECT_EQ(second.transactions, (std::vector<Transaction>{{2, "begun, ended"}}));
  EXPECT_EQ(second.result.complete.lsn, second.result.end.lsn);
}

TEST_F(HandMadeFrames, an_unknown_frame_type_is_an_error_and_no_end) {
  append(static_cast<FrameType>(5), 1, "future");
  EXPECT_EQ(scan_frames().status.code(), ErrorCode::LogMalformed);
}

TEST_F(HandMadeFrames, a_seal_inside_a_transaction_is_an_error) {
  append(FrameType::Part, 1, "begun");
  append(FrameType::Seal, 1, {});
  EXPECT_EQ(scan_frames().status.code(), ErrorCode::LogMalformed);
}

TEST_F(HandMadeFrames, parts_of_two_transactions_are_not_mixed) {
  append(FrameType::Part, 1, "begun");
  append(FrameType::Transaction, 2, "other");
  EXPECT_EQ(scan_frames().status.code(), ErrorCode::LogMalformed);
}

TEST_F(HandMadeFrames, a_frame_of_another_chain_ends_the_log) {
  append(FrameType::Transaction, 1, "one");
  chain_ ^= 1;
  append(FrameType::Transaction, 2, "two");
  const Scanned scanned = scan_frames();
  EXPECT_EQ(scanned.transactions, (std::vector<Transaction>{{1, "one"}}));
  EXPECT_TRUE(scanned.result.torn_tail);
}

}  // namespace
}  // namespace vitrine::wal
