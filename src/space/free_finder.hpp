// SPDX-License-Identifier: MIT OR Apache-2.0
// Finds the lowest run of free pages of a given length: bits clear in both of two bitmaps. Knows where not to look;
// must not change the bitmaps.
//
// For every length up to kTrackedLength it remembers a position below which no such run begins. A search starts there
// and moves it up; only freed() moves it down, and only for lengths that the run around the freed pages really has. So
// a fragmented map is not scanned again and again for long runs: pages freed one by one do not make it look for them.
//
// Invariant: positions_ never falls with growing length, since a long run is a short run, too.
//
// Threads: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>

#include "space/page_bitmap.hpp"

namespace vitrine::space {

class FreeFinder {
 public:
  static constexpr std::uint64_t kTrackedLength = 256;  // longer runs share the position of this length
  static constexpr std::uint64_t kScanWords = 8192;     // usual limit of one search: 512 Ki pages
  static constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

  // Both must outlive this.
  FreeFinder(const PageBitmap& first, const PageBitmap& second) noexcept : first_(first), second_(second) {}

  // The lowest page where `count` > 0 free pages begin that end at or before `end`, which is at most the size of either
  // bitmap. Looks at no more than `words` words; nothing found then does not mean that there is nothing, and the next
  // search goes on there.
  std::optional<std::uint64_t> find(std::uint64_t count, std::uint64_t end, std::uint64_t words = kScanWords) noexcept;

  // To be called after [begin, begin + count) became free; `end` as in find().
  void freed(std::uint64_t begin, std::uint64_t count, std::uint64_t end) noexcept;

  // One past the last page below `end` that is not free; 0 when all are.
  std::uint64_t used_end(std::uint64_t end) const noexcept;

  void forget() noexcept { positions_.fill(0); }

  std::uint64_t words_scanned() const noexcept { return words_scanned_; }  // since construction

 private:
  std::uint64_t used_word(std::uint64_t index, std::uint64_t begin, std::uint64_t end) const noexcept;
  std::uint64_t free_before(std::uint64_t page, std::uint64_t most) const noexcept;
  std::uint64_t free_after(std::uint64_t page, std::uint64_t end, std::uint64_t most) const noexcept;
  void raise(std::uint64_t count, std::uint64_t position) noexcept;

  const PageBitmap& first_;
  const PageBitmap& second_;
  std::array<std::uint64_t, kTrackedLength> positions_{};  // [n - 1]: below it no run of n free pages begins
  std::uint64_t words_scanned_ = 0;
};

}  // namespace vitrine::space
