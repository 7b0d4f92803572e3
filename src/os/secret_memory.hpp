// SPDX-License-Identifier: MIT OR Apache-2.0
// Memory for keys and passphrases: kept out of swap, core dumps and child processes, and wiped before it is given back.
// Locking it into memory may be refused by the system (a limit of the process); then the rest still holds.
//
// SecretArray is for the short moments in which a key stands on the stack: not locked, but wiped.
//
// Thread safety: none beyond that of plain memory.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <utility>

#include "vitrine/status.hpp"

namespace vitrine::os {

// Overwrites with zeros, in a way that the compiler must not leave out.
void wipe(void* memory, std::size_t size) noexcept;

class SecretMemory {
 public:
  SecretMemory() = default;
  // Fails with OutOfMemory.
  static Result<SecretMemory> copy_of(std::span<const std::byte> bytes);
  ~SecretMemory();
  SecretMemory(SecretMemory&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  SecretMemory& operator=(SecretMemory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

template <std::size_t N>
class SecretArray : public std::array<std::byte, N> {
 public:
  SecretArray() noexcept { this->fill(std::byte{0}); }
  ~SecretArray() { wipe(this->data(), N); }
  SecretArray(const SecretArray&) = delete;
  SecretArray& operator=(const SecretArray&) = delete;
};

}  // namespace vitrine::os
