// SPDX-License-Identifier: MIT OR Apache-2.0
// The ring of slots in a log file: which segment each slot holds, which are free, and how the file grows. Knows places;
// must not know frames.
//
// A slot that was never used has its space, and reads as zeros. Some way ahead of what is written the zeros are really
// written, so that a later commit changes neither the size nor the extents of the file and costs one data write. They
// become durable with the syncs of the log until it comes to them. The way grows with what was written: who opens a
// database and closes it again does not pay for much.
//
// A free slot keeps the segment header of its last use, and that number may lie ahead: a crash can leave headers of
// segments that the recovered log has not reached again. take() reuses such a slot for just that segment, because two
// slots that claim one segment would have to be told apart at the next recovery.
//
// Thread safety: the owner serializes all calls; count() and file_size() may be called from any thread. prewrite() is
// for the one who writes the file, beside all others.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "format/log.hpp"
#include "os/env.hpp"
#include "vitrine/status.hpp"

namespace vitrine::wal {

class SlotRing {
 public:
  SlotRing(os::File& file, std::uint32_t segment_size, std::uint64_t size_max);

  // Takes over the slots of an existing file. `live` says which slots hold what must be kept; every other slot is free.
  // A crash may have left the last slot incomplete: what is missing is added. Errors: as grow().
  Status restore(std::span<const std::optional<format::SegmentHeader>> headers, std::span<const std::uint64_t> live);

  // Adds one free slot. Errors: LogFull at the largest size, DiskFull (nothing changed), WriteFailed.
  Status grow();
  // Before bytes up to `end` of the file are written: makes sure of zeros ahead of them. Errors: WriteFailed.
  Status prewrite(std::uint64_t end);
  bool can_grow() const noexcept { return slots_.size() < slot_count_max_; }

  // Gives segment `number` a slot and returns the offset of the slot. REQUIRES: free_count() > 0.
  std::uint64_t take(std::uint64_t number) noexcept;

  // Frees the slots of all segments before `first_kept`.
  void recycle(std::uint64_t first_kept) noexcept;

  std::size_t free_count() const noexcept { return free_count_; }
  std::uint64_t slot_count_max() const noexcept { return slot_count_max_; }
  std::uint64_t offset_of(std::uint64_t slot) const noexcept { return format::kLogSlotsOffset + slot * segment_size_; }
  std::uint64_t count() const noexcept { return count_.load(std::memory_order_relaxed); }
  std::uint64_t file_size() const noexcept { return offset_of(count()); }

 private:
  struct Slot {
    std::optional<std::uint64_t> number;  // what its segment header says
    bool is_live = false;
  };
  Status prepare(std::uint64_t from, std::uint64_t to);
  std::size_t choose(std::uint64_t number) const noexcept;

  os::File& file_;
  const std::uint32_t segment_size_;
  const std::uint64_t slot_count_max_;
  std::vector<Slot> slots_;
  std::size_t free_count_ = 0;
  std::atomic<std::uint64_t> count_{0};  // slots_.size(), for other threads
  std::uint64_t prewritten_ = 0;         // of the file; what lies behind has its space only
};

}  // namespace vitrine::wal
