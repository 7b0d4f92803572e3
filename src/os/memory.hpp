// SPDX-License-Identifier: MIT OR Apache-2.0
// A block of anonymous memory from the system: zeroed, aligned to its pages, huge ones where the kernel has them, left
// out of core dumps. Costs nothing until touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "vitrine/status.hpp"

namespace vitrine::os {

class Memory {
 public:
  Memory() = default;
  // Fails with OutOfMemory. The first touch of a huge page clears 2 MiB. `HugeLater` spares whoever needs little of it:
  // the first 2 MiB are small pages until make_huge(). `Small` is for what is used here and there.
  enum class Pages : std::uint8_t { Huge, HugeLater, Small };
  static Result<Memory> allocate(std::size_t size, Pages pages = Pages::Huge);
  static constexpr std::size_t kHugePageSize = std::size_t{2} << 20;
  void make_huge() noexcept;
  // Has the system provide this part at once, as writing to it would; the content stays. A wish.
  void touch(std::size_t offset, std::size_t size) const noexcept;
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
