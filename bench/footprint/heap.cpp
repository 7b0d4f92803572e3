// SPDX-License-Identifier: MIT OR Apache-2.0
// Counts the bytes that operator new has given and delete has not taken back, and the most there ever were.
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "footprint/heap.hpp"

namespace {

std::atomic<std::size_t> g_now{0};
std::atomic<std::size_t> g_peak{0};

void* take(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) return nullptr;
  const std::size_t now = g_now += malloc_usable_size(memory);
  for (std::size_t peak = g_peak; peak < now && !g_peak.compare_exchange_weak(peak, now);) continue;
  return memory;
}

void give(void* memory) noexcept {
  if (memory == nullptr) return;
  g_now -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

namespace vitrine::bench {

std::size_t heap_peak() noexcept { return g_peak; }

}  // namespace vitrine::bench

void* operator new(std::size_t size) {
  void* memory = take(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void operator delete(void* memory) noexcept { give(memory); }
void operator delete(void* memory, std::size_t) noexcept { give(memory); }
