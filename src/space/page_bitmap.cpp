// SPDX-License-Identifier: MIT OR Apache-2.0
#include "space/page_bitmap.hpp"

#include <algorithm>
#include <bit>

#include "base/assert.hpp"

namespace vitrine::space {

namespace {

constexpr std::uint64_t kBitsAWord = PageBitmap::kWordBits;

std::size_t words_for(std::uint64_t bits) noexcept {
  return static_cast<std::size_t>((bits + kBitsAWord - 1) / kBitsAWord);
}

// Calls visit(word index, mask of the bits in the range) for every word that [begin, begin + count) touches, until
// one returns false. Says whether all returned true.
template <typename Visit>
bool all_words(std::uint64_t begin, std::uint64_t count, Visit visit) noexcept {
  const std::uint64_t end = begin + count;
  while (begin < end) {
    const std::uint64_t low = begin % kBitsAWord;
    const std::uint64_t length = std::min(end - begin, kBitsAWord - low);
    const std::uint64_t mask = (~std::uint64_t{0} >> (kBitsAWord - length)) << low;
    if (!visit(static_cast<std::size_t>(begin / kBitsAWord), mask)) return false;
    begin += length;
  }
  return true;
}

}  // namespace

void PageBitmap::resize(std::uint64_t size) {
  VITRINE_ASSERT(size >= size_ || !any(size, size_ - size));
  words_.resize(words_for(size));
  size_ = size;
}

void PageBitmap::clear_all() noexcept { std::fill(words_.begin(), words_.end(), 0); }

bool PageBitmap::any(std::uint64_t begin, std::uint64_t count) const noexcept {
  if (begin >= size_) return false;
  return !all_words(begin, std::min(count, size_ - begin),
                    [&](std::size_t word, std::uint64_t mask) { return (words_[word] & mask) == 0; });
}

std::uint64_t PageBitmap::count() const noexcept {
  std::uint64_t sum = 0;
  for (const std::uint64_t word : words_) sum += static_cast<std::uint64_t>(std::popcount(word));
  return sum;
}

void PageBitmap::set(std::uint64_t begin, std::uint64_t count) noexcept {
  VITRINE_ASSERT(count > 0 && begin < size_ && count <= size_ - begin);
  const bool was_clear = all_words(begin, count, [&](std::size_t word, std::uint64_t mask) {
    const std::uint64_t before = words_[word];
    words_[word] = before | mask;
    return (before & mask) == 0;
  });
  VITRINE_ASSERT(was_clear);
}

void PageBitmap::clear(std::uint64_t begin, std::uint64_t count) noexcept {
  VITRINE_ASSERT(count > 0 && begin < size_ && count <= size_ - begin);
  const bool was_set = all_words(begin, count, [&](std::size_t word, std::uint64_t mask) {
    const std::uint64_t before = words_[word];
    words_[word] = before & ~mask;
    return (before & mask) == mask;
  });
  VITRINE_ASSERT(was_set);
}

}  // namespace vitrine::space
