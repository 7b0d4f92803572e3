// SPDX-License-Identifier: MIT OR Apache-2.0
// The published state as a visitor reads it: without a mutex, and without waiting for whoever changes it. A sequence
// lock (Boehm, "Can seqlocks get along with programming language memory models?", MSPC 2012).
//
// Threads: read() from any thread; the rest by one thread at a time.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

#include "base/assert.hpp"
#include "pool/visits.hpp"
#include "txn/state.hpp"

namespace vitrine::txn {

class ShownState {
 public:
  explicit ShownState(const State& first) noexcept { store(first); }

  // From here on visits come back empty, until show().
  void hide() noexcept {
    VITRINE_ASSERT((changes_.load(std::memory_order_relaxed) & 1) == 0);
    changes_.fetch_add(1);
  }
  // REQUIRES: hide() came before.
  void show(const State& state) noexcept {
    store(state);
    changes_.fetch_add(1);
  }

  // The state, good as long as the visit lasts; an empty visit when one must pin instead.
  pool::Visits::Visit read(pool::Visits& visits, State& state) const noexcept {
    const std::uint64_t before = changes_.load(std::memory_order_acquire);
    if ((before & 1) != 0) return {};
    Words words;
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = words_[i].load(std::memory_order_acquire);
    state = std::bit_cast<State>(words);
    pool::Visits::Visit visit = visits.enter(state.version);
    if (changes_.load() != before) return {};  // and this visit ends
    return visit;
  }

 private:
  static_assert(sizeof(State) % sizeof(std::uint64_t) == 0);
  using Words = std::array<std::uint64_t, sizeof(State) / sizeof(std::uint64_t)>;

  // Release and acquire word by word: who reads one that was written after hide() sees hide() too.
  void store(const State& state) noexcept {
    const auto words = std::bit_cast<Words>(state);
    for (std::size_t i = 0; i < words.size(); ++i) words_[i].store(words[i], std::memory_order_release);
  }

  std::atomic<std::uint64_t> changes_{0};  // odd: hidden
  std::array<std::atomic<std::uint64_t>, std::tuple_size_v<Words>> words_;
};

}  // namespace vitrine::txn
