// SPDX-License-Identifier: MIT OR Apache-2.0
// Group commit: one thread at a time has the turn to write (and sync) the file, for all that wait; the others append to
// the second buffer meanwhile. No thread of our own: the first who needs a sync takes the turn, so a lone writer never
// waits for another thread to wake up.
//
// A turn: begin_turn() takes the buffer under the lock, write_taken() works without it, lead() publishes the outcome.
// Frames appended during sync turn n belong to group n + 1. Each group waits at the gate of its parity: the end of a
// sync turn opens the gate of its group to all, and lets one of the next group through, who takes the next turn.
//
// Single turns matter for errors, too: the system reports a failed write-back to one sync only, so no other sync of the
// file may run beside it and succeed.
#include <algorithm>
#include <cstring>
#include <utility>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "wal/log.hpp"

namespace vitrine::wal {

using format::kLogBlockSize;

Status Log::sync(Lsn lsn) {
  for (;;) {
    if (durable() >= lsn) return {};
    Lock lock(mutex_);
    lsn = std::min(lsn, end_);  // a position may lie in the padding behind the last frame
    if (durable() >= lsn) return {};
    CHECK(failure_);
    if (turn_runs_) {
      wait_for_turn(lock, lsn);
    } else {
      lead(lock, Turn::Sync);
    }
  }
}

Status Log::write_out(Lsn lsn) {
  for (;;) {
    if (written() >= lsn) return {};
    Lock lock(mutex_);
    lsn = std::min(lsn, end_);
    if (written() >= lsn) return {};
    CHECK(failure_);
    if (turn_runs_) {
      idle_.wait(lock);
    } else {
      lead(lock, Turn::Write);
    }
  }
}

// Makes the active buffer emptier, or waits until it may be.
Status Log::make_room(Lock& lock) {
  if (turn_runs_) {
    idle_.wait(lock);
  } else {
    lead(lock, Turn::Write);
    lock.lock();
  }
  return failure_;
}

// Takes the turn. REQUIRES: no turn runs. Returns unlocked.
void Log::lead(Lock& lock, Turn turn) {
  begin_turn(turn);
  lock.unlock();
  const Status status = write_taken(turn);
  lock.lock();
  turn_runs_ = false;
  const unsigned group_gate = group_ % 2;
  if (!status.is_ok()) {
    fail(status);
  } else {
    written_.store(turn_end_, std::memory_order_release);
    if (turn == Turn::Sync) {
      vouched_ = turn_watermark_;
      durable_seq_.store(turn_commit_seq_, std::memory_order_release);
      durable_.store(turn_end_, std::memory_order_release);
    }
    gates_[0].fetch_add(1, std::memory_order_release);
    gates_[1].fetch_add(1, std::memory_order_release);
  }
  lock.unlock();
  if (status.is_ok()) {
    if (turn == Turn::Sync) gates_[group_gate].notify_all();
    gates_[1 - group_gate].notify_one();
  }
  idle_.notify_all();
}

// Everything appended so far is for this turn; later frames go to the other buffer. A sync turn ends in whole blocks
// (W1). After a write turn the last block is still open: its beginning moves on and is written again with what follows.
void Log::begin_turn(Turn turn) {
  const std::size_t tail = next_ % kLogBlockSize;
  const bool keeps_block_open = turn == Turn::Write && tail > 0;
  if (keeps_block_open) taken_.open_run(file_offset(next_ - tail));
  turn_runs_ = true;
  turn_syncs_ = turn == Turn::Sync;
  turn_end_ = end_;
  turn_watermark_ = watermark_;
  turn_commit_seq_ = commit_seq_;
  active_.pad_to_block();
  std::swap(active_, taken_);
  if (keeps_block_open) {
    std::memcpy(active_.extend(tail), taken_.last_block(), tail);
  }
  if (turn == Turn::Sync) {
    next_ = base::align_up(next_, kLogBlockSize);
    ++group_;
  }
}

// Writes what the turn took, and syncs. The buffer is empty afterwards. LOCKS: none held; only the turn is here.
Status Log::write_taken(Turn turn) noexcept {
  try {
    if (turn_end_ > written()) {
      for (const LogBuffer::Run& run : taken_.runs()) {
        const os::IoSlice slice{taken_.data() + run.begin, run.end - run.begin};
        CHECK(slots_.prewrite(run.file_offset + slice.size));
        CHECK(file_->write_at(run.file_offset, {&slice, 1}));
        written_bytes_.fetch_add(slice.size, std::memory_order_relaxed);
      }
    }
    taken_.clear();
    if (turn == Turn::Write) return {};
    syncs_.fetch_add(1, std::memory_order_relaxed);
    const std::uint64_t begin_ns = env_.monotonic_ns();
    CHECK(file_->sync());
    sync_latency_.record(env_.monotonic_ns() - begin_ns);
    return {};
  } catch (...) {
    return Status::out_of_memory();  // how far it came is unknown, as after any other failure
  }
}

// Waits until the turn that runs has ended, or until it is time for this thread to take the next one. Returns unlocked.
void Log::wait_for_turn(Lock& lock, Lsn lsn) {
  const bool is_in_group = turn_syncs_ && lsn <= turn_end_;
  std::atomic<std::uint32_t>& gate = gates_[(is_in_group ? group_ : group_ + 1) % 2];
  const std::uint32_t seen = gate.load(std::memory_order_relaxed);
  lock.unlock();
  gate.wait(seen, std::memory_order_acquire);
}

// W4. LOCKS: mutex_ is held.
void Log::fail(Status status) {
  if (failure_.is_ok()) failure_ = std::move(status);
  has_failed_.store(true, std::memory_order_release);
  for (std::atomic<std::uint32_t>& gate : gates_) {
    gate.fetch_add(1, std::memory_order_release);
    gate.notify_all();
  }
  idle_.notify_all();
}

}  // namespace vitrine::wal
