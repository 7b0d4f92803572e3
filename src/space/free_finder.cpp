// SPDX-License-Identifier: MIT OR Apache-2.0
#include "space/free_finder.hpp"

#include <algorithm>
#include <bit>

#include "base/assert.hpp"

namespace vitrine::space {

namespace {

constexpr std::uint64_t kBits = PageBitmap::kWordBits;
constexpr std::uint64_t kAll = ~std::uint64_t{0};

// The bits of `free` at which `count` set bits in a row begin; 1 <= count <= 64. Doubles the proven length each step.
std::uint64_t starts_in_word(std::uint64_t free, std::uint64_t count) noexcept {
  for (std::uint64_t proven = 1; proven < count && free != 0;) {
    const std::uint64_t step = std::min(proven, count - proven);
    free &= free >> step;
    proven += step;
  }
  return free;
}

}  // namespace

// The pages of one word that are not free; those outside [begin, end) count as used.
std::uint64_t FreeFinder::used_word(std::uint64_t index, std::uint64_t begin, std::uint64_t end) const noexcept {
  std::uint64_t used = first_.words()[index] | second_.words()[index];
  const std::uint64_t base = index * kBits;
  if (begin > base) used |= begin - base >= kBits ? kAll : ~(kAll << (begin - base));
  if (end < base + kBits) used |= end <= base ? kAll : kAll << (end - base);
  return used;
}

std::optional<std::uint64_t> FreeFinder::find(std::uint64_t count, std::uint64_t end, std::uint64_t words) noexcept {
  VITRINE_ASSERT(count > 0 && end <= first_.size() && end <= second_.size());
  const std::uint64_t begin = positions_[std::min(count, kTrackedLength) - 1];
  std::uint64_t run = 0;  // free pages directly before the word at hand
  std::uint64_t index = begin / kBits;
  for (; index * kBits < end && words > 0; ++index, --words) {
    ++words_scanned_;
    const std::uint64_t used = used_word(index, begin, end);
    const std::uint64_t base = index * kBits;
    if (run + static_cast<std::uint64_t>(std::countr_zero(used)) >= count) {
      raise(count, base - run);
      return base - run;
    }
    if (used == 0) {
      run += kBits;
      continue;
    }
    if (const std::uint64_t starts = count <= kBits ? starts_in_word(~used, count) : 0; starts != 0) {
      const std::uint64_t found = base + static_cast<std::uint64_t>(std::countr_zero(starts));
      raise(count, found);
      return found;
    }
    run = static_cast<std::uint64_t>(std::countl_zero(used));
  }
  // Free pages at the end of what was seen may be the begin of a run that goes on behind it, now or in a longer file.
  const std::uint64_t seen = std::min(index * kBits, end);
  if (seen > begin) raise(count, seen - free_before(seen, std::min(seen - begin, count)));
  return std::nullopt;
}

void FreeFinder::raise(std::uint64_t count, std::uint64_t position) noexcept {
  for (std::uint64_t n = count; n <= kTrackedLength && positions_[n - 1] < position; ++n) positions_[n - 1] = position;
}

void FreeFinder::freed(std::uint64_t begin, std::uint64_t count, std::uint64_t end) noexcept {
  const std::uint64_t before = free_before(begin, std::min(begin, kTrackedLength - 1));
  const std::uint64_t after = free_after(begin + count, end, kTrackedLength - 1);
  const std::uint64_t first = begin - before;
  const bool is_open_ended = begin + count + after == end;  // grows with the file
  std::uint64_t n = is_open_ended ? kTrackedLength : std::min(before + count + after, kTrackedLength);
  for (; n > 0 && positions_[n - 1] > first; --n) positions_[n - 1] = first;
}

// Free pages that end directly before `page`, at most `most`; most <= page.
std::uint64_t FreeFinder::free_before(std::uint64_t page, std::uint64_t most) const noexcept {
  std::uint64_t free = 0;
  while (free < most) {
    const std::uint64_t last = page - free - 1;
    const std::uint64_t used = used_word(last / kBits, 0, page);
    const std::uint64_t to_top = kBits - 1 - last % kBits;
    const auto run = static_cast<std::uint64_t>(std::countl_zero(used << to_top));
    free += std::min(run, last % kBits + 1);
    if (run <= last % kBits) break;
  }
  return std::min(free, most);
}

// Free pages from `page` on that end at or before `end`, at most `most`.
std::uint64_t FreeFinder::free_after(std::uint64_t page, std::uint64_t end, std::uint64_t most) const noexcept {
  std::uint64_t free = 0;
  while (free < most && page + free < end) {
    const std::uint64_t next = page + free;
    const std::uint64_t used = used_word(next / kBits, 0, end);
    const auto run = static_cast<std::uint64_t>(std::countr_zero(used >> (next % kBits)));
    free += std::min(run, kBits - next % kBits);
    if (run < kBits - next % kBits) break;
  }
  return std::min(free, most);
}

std::uint64_t FreeFinder::used_end(std::uint64_t end) const noexcept { return end - free_before(end, end); }

}  // namespace vitrine::space
