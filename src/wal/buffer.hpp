// SPDX-License-Identifier: MIT OR Apache-2.0
// Bytes of the log on their way to the file: one piece of memory, and the runs of it that lie together in the file.
// Knows places in the file; must not know frames.
//
// Invariant: every run starts at a block boundary of the buffer and of the file, and every run but the last is whole
// blocks, so a write never makes the system read a block first.
//
// Thread safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "base/codec.hpp"
#include "format/log.hpp"

namespace vitrine::wal {

class LogBuffer {
 public:
  struct Run {
    std::uint64_t file_offset;
    std::size_t begin;  // in the buffer
    std::size_t end;
  };

  LogBuffer() = default;
  explicit LogBuffer(std::size_t capacity)
      : capacity_(base::align_up(capacity, format::kLogBlockSize)),
        bytes_(std::make_unique_for_overwrite<std::byte[]>(capacity_)) {
    // A run after the first holds a segment header and a frame, in whole blocks; so runs never need memory later.
    runs_.reserve(capacity_ / (2 * format::kLogBlockSize) + 2);
  }

  std::size_t room() const noexcept { return capacity_ - size_; }
  bool is_empty() const noexcept { return size_ == 0; }
  const std::vector<Run>& runs() const noexcept { return runs_; }
  const std::byte* data() const noexcept { return bytes_.get(); }

  // What follows goes to `file_offset`. REQUIRES: a block boundary; the buffer is empty or padded.
  void open_run(std::uint64_t file_offset) noexcept {
    if (!runs_.empty()) {
      const Run& last = runs_.back();
      if (last.file_offset + (last.end - last.begin) == file_offset) return;
    }
    runs_.push_back({file_offset, size_, size_});
  }

  // The next `size` bytes, to be filled by the caller. REQUIRES: an open run and this much room.
  std::byte* extend(std::size_t size) noexcept {
    std::byte* at = bytes_.get() + size_;
    size_ += size;
    runs_.back().end = size_;
    return at;
  }

  // Zeros up to the next block boundary. Always finds room, because the capacity is whole blocks.
  void pad_to_block() noexcept {
    const std::size_t gap = base::align_up(size_, format::kLogBlockSize) - size_;
    if (gap > 0) std::memset(extend(gap), 0, gap);
  }

  // The last block of a padded buffer that is not empty.
  const std::byte* last_block() const noexcept { return bytes_.get() + size_ - format::kLogBlockSize; }

  void clear() noexcept {
    size_ = 0;
    runs_.clear();
  }

 private:
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::unique_ptr<std::byte[]> bytes_;
  std::vector<Run> runs_;
};

}  // namespace vitrine::wal
