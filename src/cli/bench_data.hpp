// SPDX-License-Identifier: MIT OR Apache-2.0
// The entries that `bench` stores: keys of 16 bytes, in order or scattered, and values that do not compress. The same
// index gives the same key, so nothing needs to be remembered.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/prng.hpp"
#include "vitrine/bytes.hpp"

namespace vitrine::cli {

enum class KeyOrder : bool { Sequential, Scattered };

class BenchKey {
 public:
  BenchKey(std::uint64_t index, KeyOrder order) noexcept {
    // The first output of the generator is a one-to-one mixing of its seed, so scattered keys never collide.
    const std::uint64_t number = order == KeyOrder::Scattered ? base::Prng(index).next() : index;
    for (std::size_t i = 0; i < digits_.size(); ++i) digits_[i] = "0123456789abcdef"[number >> (60 - 4 * i) & 15];
  }
  Bytes bytes() const noexcept { return {digits_.data(), digits_.size()}; }

 private:
  std::array<char, 16> digits_;
};

class BenchValues {
 public:
  explicit BenchValues(std::size_t size) : size_(size), pool_(size + kShifts, '\0') {
    base::Prng prng(size);
    for (char& byte : pool_) byte = static_cast<char>(prng.next());
  }
  // A window on one pool of random bytes: different for neighbours, and free of charge.
  Bytes of(std::uint64_t index) const noexcept { return Bytes(pool_).substr(index * 61 % kShifts, size_); }

 private:
  static constexpr std::size_t kShifts = 4096;
  std::size_t size_;
  std::string pool_;
};

}  // namespace vitrine::cli
