// SPDX-License-Identifier: MIT OR Apache-2.0
// A growable set of page numbers, one bit each. Knows bits; must not know why a page is in the set.
//
// Stored as 64-bit words, bit n % 64 of word n / 64, which on disk is bit n % 8 of byte n / 8. Bits past size() in the
// last word are always clear. Only resize() can fail (std::bad_alloc), and then nothing has changed.
//
// Threads: one at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vitrine::space {

class PageBitmap {
 public:
  static constexpr std::uint64_t kWordBits = 64;

  std::uint64_t size() const noexcept { return size_; }  // in bits
  void resize(std::uint64_t size);                       // new bits are clear; REQUIRES: so are those cut off
  void clear_all() noexcept;

  bool test(std::uint64_t bit) const noexcept {
    return bit < size_ && (words_[bit / kWordBits] >> (bit % kWordBits) & 1) != 0;
  }
  bool any(std::uint64_t begin, std::uint64_t count) const noexcept;  // bits past size() count as clear
  std::uint64_t count() const noexcept;                               // set bits

  // REQUIRES: the range is not empty and ends within size(); all its bits are clear (set) before. Checked.
  void set(std::uint64_t begin, std::uint64_t count) noexcept;
  void clear(std::uint64_t begin, std::uint64_t count) noexcept;

  std::span<const std::uint64_t> words() const noexcept { return words_; }
  std::span<std::uint64_t> words() noexcept { return words_; }

 private:
  std::vector<std::uint64_t> words_;
  std::uint64_t size_ = 0;
};

}  // namespace vitrine::space
