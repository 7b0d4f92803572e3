// SPDX-License-Identifier: MIT OR Apache-2.0
// A block of anonymous memory from the system: zeroed, 2 MiB aligned, on huge pages where the kernel has them, left out
// of core dumps. Costs nothing until touched.
#pragma once

#include <cstddef>
#include <utility>

#include "vitrine/status.hpp"

namespace vitrine::os {

class Memory {
 public:
  Memory() = default;
  // Fails with OutOfMemory.
  static Result<Memory> allocate(std::size_t size);
  ~Memory();
  Memory(Memory&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Memory& operator=(Memory&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  std::byte* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace vitrine::os
