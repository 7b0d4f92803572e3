// SPDX-License-Identifier: MIT OR Apache-2.0
// Bytes of a simulated file, in 4 KiB pages shared between copies until one of them writes. A copy costs a pointer per
// page, so thousands of crash images of one file fit in little memory. Pages remember their hash, so hashing a copy
// costs no more than the pages it changed.
//
// Invariant: a null page is all zeros. Reading beyond the last page gives zeros.
// Thread safety: none, not even between copies (they share pages and the cached hashes).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace vitrine::os {

class SimBytes {
 public:
  static constexpr std::size_t kPageSize = 4096;

  void read(std::uint64_t offset, void* to, std::size_t size) const;
  void write(std::uint64_t offset, const void* from, std::size_t size);
  void clear_from(std::uint64_t offset);  // every byte at `offset` or later becomes zero
  void flip_bit(std::uint64_t offset, unsigned bit);
  bool is_zero(std::uint64_t offset, std::uint64_t size) const;

  // Equal content gives equal hashes, however it came about.
  std::uint64_t hash() const;

 private:
  struct Page {
    std::array<std::byte, kPageSize> bytes;
    mutable std::uint64_t hash;
    mutable bool hash_is_known;
  };

  Page& page_for_writing(std::size_t index);
  static std::uint64_t hash_of(const Page& page);

  std::vector<std::shared_ptr<Page>> pages_;
};

// Turns a number into one that looks unrelated; the building block of the hashes of this simulation.
std::uint64_t sim_mix(std::uint64_t value);

}  // namespace vitrine::os
