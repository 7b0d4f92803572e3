// SPDX-License-Identifier: MIT OR Apache-2.0
#include "os/sim_bytes.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/codec.hpp"

namespace vitrine::os {
namespace {

// Calls visit(page index, begin in page, count, done so far) for each page that [offset, offset + size) touches.
template <typename Visit>
void for_each_page(std::uint64_t offset, std::uint64_t size, Visit visit) {
  for (std::uint64_t done = 0; done < size;) {
    const auto index = static_cast<std::size_t>((offset + done) / SimBytes::kPageSize);
    const auto begin = static_cast<std::size_t>((offset + done) % SimBytes::kPageSize);
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(size - done, SimBytes::kPageSize - begin));
    visit(index, begin, count, static_cast<std::size_t>(done));
    done += count;
  }
}

}  // namespace

std::uint64_t sim_mix(std::uint64_t value) {
  value = (value ^ (value >> 32)) * 0xd6e8feb86659fd93ull;  // constants of Pelle Evensen's "rrmxmx" family
  value = (value ^ (value >> 32)) * 0xd6e8feb86659fd93ull;
  return value ^ (value >> 32);
}

void SimBytes::read(std::uint64_t offset, void* to, std::size_t size) const {
  for_each_page(offset, size, [&](std::size_t index, std::size_t begin, std::size_t count, std::size_t done) {
    auto* target = static_cast<std::byte*>(to) + done;
    if (index < pages_.size() && pages_[index] != nullptr) {
      std::memcpy(target, pages_[index]->bytes.data() + begin, count);
    } else {
      std::memset(target, 0, count);
    }
  });
}

void SimBytes::write(std::uint64_t offset, const void* from, std::size_t size) {
  for_each_page(offset, size, [&](std::size_t index, std::size_t begin, std::size_t count, std::size_t done) {
    std::memcpy(page_for_writing(index).bytes.data() + begin, static_cast<const std::byte*>(from) + done, count);
  });
}

void SimBytes::clear_from(std::uint64_t offset) {
  const auto kept = static_cast<std::size_t>((offset + kPageSize - 1) / kPageSize);
  if (kept < pages_.size()) pages_.resize(kept);
  const auto tail = static_cast<std::size_t>(offset % kPageSize);
  if (tail == 0 || kept != pages_.size() || pages_.back() == nullptr) return;
  if (is_zero(offset, kPageSize - tail)) return;  // keep sharing the page
  std::memset(page_for_writing(kept - 1).bytes.data() + tail, 0, kPageSize - tail);
}

void SimBytes::flip_bit(std::uint64_t offset, unsigned bit) {
  Page& page = page_for_writing(static_cast<std::size_t>(offset / kPageSize));
  page.bytes[offset % kPageSize] ^= static_cast<std::byte>(1u << bit);
}

bool SimBytes::is_zero(std::uint64_t offset, std::uint64_t size) const {
  bool all_zero = true;
  for_each_page(offset, size, [&](std::size_t index, std::size_t begin, std::size_t count, std::size_t) {
    if (index >= pages_.size() || pages_[index] == nullptr) return;
    const std::byte* bytes = pages_[index]->bytes.data() + begin;
    all_zero = all_zero && std::all_of(bytes, bytes + count, [](std::byte byte) { return byte == std::byte{0}; });
  });
  return all_zero;
}

std::uint64_t SimBytes::hash() const {
  std::uint64_t sum = 0;
  for (std::size_t index = 0; index < pages_.size(); ++index) {
    if (pages_[index] == nullptr) continue;
    const std::uint64_t page = hash_of(*pages_[index]);
    if (page != 0) sum += sim_mix(page + sim_mix(index + 1));
  }
  return sum;
}

SimBytes::Page& SimBytes::page_for_writing(std::size_t index) {
  if (index >= pages_.size()) pages_.resize(index + 1);
  std::shared_ptr<Page>& page = pages_[index];
  if (page == nullptr) {
    page = std::make_shared<Page>();
  } else if (page.use_count() > 1) {
    page = std::make_shared<Page>(*page);
  }
  page->hash_is_known = false;
  return *page;
}

// 0 for a page of zeros, so that it hashes like a page that was never written.
std::uint64_t SimBytes::hash_of(const Page& page) {
  if (page.hash_is_known) return page.hash;
  std::array<std::uint64_t, 4> lanes{1, 2, 3, 4};  // four, so that the multiplications run side by side
  std::uint64_t any = 0;
  for (std::size_t at = 0; at < kPageSize; at += 32) {
    for (std::size_t lane = 0; lane < 4; ++lane) {
      const auto word = base::load<std::uint64_t>(page.bytes.data() + at + lane * 8);
      any |= word;
      lanes[lane] = std::rotl(lanes[lane] ^ (word * 0x9fb21c651e98df25ull), 29) * 0xd6e8feb86659fd93ull;
    }
  }
  const std::uint64_t joined = sim_mix(lanes[0]) + std::rotl(sim_mix(lanes[1]), 13) + std::rotl(sim_mix(lanes[2]), 27) +
                               std::rotl(sim_mix(lanes[3]), 41);
  page.hash = any == 0 ? 0 : joined | 1;
  page.hash_is_known = true;
  return page.hash;
}

}  // namespace vitrine::os
