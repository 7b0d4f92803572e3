// SPDX-License-Identifier: MIT OR Apache-2.0
#include "os/zeros.hpp"

#include <algorithm>
#include <array>

#include "base/try.hpp"

namespace vitrine::os {
namespace {

alignas(64) constexpr std::array<std::byte, 4096> kZeros{};
constexpr std::size_t kSlices = 256;  // 1 MiB a call; the slices take 4 KiB of the stack

}  // namespace

Status write_zeros(File& file, std::uint64_t offset, std::uint64_t size) {
  std::array<IoSlice, kSlices> slices;
  while (size > 0) {
    std::size_t used = 0;
    std::uint64_t step = 0;
    for (; used < slices.size() && step < size; ++used) {
      slices[used] = {kZeros.data(), static_cast<std::size_t>(std::min<std::uint64_t>(kZeros.size(), size - step))};
      step += slices[used].size;
    }
    CHECK(file.write_at(offset, std::span(slices).first(used)));
    offset += step;
    size -= step;
  }
  return {};
}

}  // namespace vitrine::os
