// SPDX-License-Identifier: MIT OR Apache-2.0
// Replaces operator new of a test program, so that a test can let the n-th allocation fail. To be included by exactly
// one file of the program. Allocations of arrays follow where the standard library passes them on.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <new>

namespace vitrine::pool::testing {

inline thread_local std::int64_t allocations_left = -1;  // negative: no limit

// While it lives, this thread gets so many allocations and no more.
class AllocationLimit {
 public:
  explicit AllocationLimit(std::uint64_t allocations) { allocations_left = static_cast<std::int64_t>(allocations); }
  ~AllocationLimit() { allocations_left = -1; }
  AllocationLimit(const AllocationLimit&) = delete;
  AllocationLimit& operator=(const AllocationLimit&) = delete;

  bool is_used_up() const { return allocations_left == 0; }
};

inline void* allocate_if_allowed(std::size_t size) noexcept {
  if (allocations_left == 0) return nullptr;
  if (allocations_left > 0) --allocations_left;
  return std::malloc(size == 0 ? 1 : size);
}

}  // namespace vitrine::pool::testing

// Not inlined: the compiler would otherwise see memory of malloc go to delete, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  if (void* memory = vitrine::pool::testing::allocate_if_allowed(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return vitrine::pool::testing::allocate_if_allowed(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
