// SPDX-License-Identifier: MIT OR Apache-2.0
// Spreads threads over the places of a counter, so that those that count at the same time rarely touch one cache line.
#pragma once

#include <atomic>

namespace vitrine::base {

inline constexpr unsigned kStripes = 16;

// A number below kStripes, always the same in one thread.
inline unsigned thread_stripe() noexcept {
  static std::atomic<unsigned> threads{0};
  static thread_local const unsigned mine = threads.fetch_add(1, std::memory_order_relaxed) % kStripes;
  return mine;
}

}  // namespace vitrine::base
