// SPDX-License-Identifier: MIT OR Apache-2.0
// The one checksum of the file format: XXH3-128. Pages and log frames are seeded with the id of their file, so that a
// block of another file does not verify; header blocks are not, because they are what names the file.
//
// Stateless; safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#include "format/page.hpp"

namespace vitrine::format {

struct Checksum {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const Checksum&) const = default;
};

// XXH3-64 of the 16 bytes of the id, low half first.
std::uint64_t checksum_seed(FileId file) noexcept;

// Seed 0 is the plain, unseeded XXH3-128.
Checksum checksum(const void* data, std::size_t size, std::uint64_t seed = 0) noexcept;

}  // namespace vitrine::format
