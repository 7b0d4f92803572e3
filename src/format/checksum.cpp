// SPDX-License-Identifier: MIT OR Apache-2.0
#include "format/checksum.hpp"

#include <xxhash.h>

namespace vitrine::format {

std::uint64_t checksum_seed(FileId file) noexcept {
  static_assert(sizeof file == 16);
  return XXH3_64bits(&file, sizeof file);
}

Checksum checksum(const void* data, std::size_t size, std::uint64_t seed) noexcept {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(data, size, seed);
  return {hash.low64, hash.high64};
}

}  // namespace vitrine::format
