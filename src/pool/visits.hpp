// SPDX-License-Identifier: MIT OR Apache-2.0
// Threads that look at pages without pinning them, for the length of one look-up. Each says so in a place of its own;
// what was taken away is used again when everybody has left who might still look at it. So a look-up writes words that
// no other thread writes, whatever it looks at (after Fraser, "Practical lock-freedom", 2004: epoch-based reclamation,
// with one epoch a look-up).
//
// Invariants
//   E1  Inside a visit nobody waits: no mutex, no page read from the file, no function of the user. So a visit ends
//       soon, unless the system takes the processor away from its thread.
//   E2  A visitor takes its place first and looks second; who takes something away makes it unreachable first and looks
//       at the places second. Both in the single order of sequentially consistent operations, so one of them notices.
//   E3  What was taken away in era e may be looked at by those alone whose visit began in era e or before.
//
// Threads: all methods from any thread; a visit belongs to the thread that entered.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <thread>
#include <utility>

#include "base/thread_stripe.hpp"
#include "format/page.hpp"

namespace vitrine::pool {

class Visits {
 private:
  struct alignas(64) Place {
    std::atomic<std::uint64_t> turn{0};       // odd: somebody is here
    std::atomic<format::Version> version{0};  // 0: nobody here, or the visitor has not said yet
    std::atomic<std::uint64_t> era{0};        // the same
  };

 public:
  static constexpr format::Version kNone = std::numeric_limits<format::Version>::max();

  // Ends the visit when it goes. Movable.
  class Visit {
   public:
    Visit() = default;
    explicit Visit(Place* place) noexcept : place_(place) {}
    ~Visit() { leave(); }
    Visit(Visit&& other) noexcept : place_(std::exchange(other.place_, nullptr)) {}
    Visit& operator=(Visit&& other) noexcept {
      std::swap(place_, other.place_);
      return *this;
    }
    explicit operator bool() const noexcept { return place_ != nullptr; }
    void leave() noexcept {
      if (place_ == nullptr) return;
      place_->version.store(0, std::memory_order_relaxed);
      place_->era.store(0, std::memory_order_relaxed);
      place_->turn.store(place_->turn.load(std::memory_order_relaxed) + 1, std::memory_order_release);
      place_ = nullptr;
    }

   private:
    Place* place_ = nullptr;
  };

  // `version`: the published one the visitor wants to look at, without a pin; kNone when it only spares the pins of
  // frames. An empty visit when another thread is in the place of this one: then one must pin.
  Visit enter(format::Version version) noexcept {
    Place& place = places_[base::thread_stripe()];
    std::uint64_t turn = place.turn.load(std::memory_order_relaxed);
    if ((turn & 1) != 0 || !place.turn.compare_exchange_strong(turn, turn + 1)) return {};
    // Until these are seen the place shows zeros, as leave() left it: that is on the safe side.
    place.version.store(version, std::memory_order_release);
    place.era.store(era_.load(), std::memory_order_release);
    return Visit(&place);
  }

  // The oldest version that a visitor looks at without a pin; kNone when none does.
  format::Version oldest_version() const noexcept { return oldest(&Place::version); }
  // What was taken away in an earlier era than this is looked at by nobody; kNone when nobody is here.
  std::uint64_t oldest_era() const noexcept { return oldest(&Place::era); }
  // The era in which something has just been taken away; the next one begins.
  std::uint64_t end_era() noexcept { return era_.fetch_add(1); }

  // Until every visit that is under way now has ended.
  void wait_for_all() const noexcept { (void)wait(std::numeric_limits<unsigned>::max()); }
  // The same for about as long as a look-up takes. False when somebody is still here: the system may have taken the
  // processor away from it.
  bool wait_briefly() const noexcept { return wait(kRoundsAwake); }

 private:
  static constexpr unsigned kRoundsAwake = 200;

  std::uint64_t oldest(std::atomic<std::uint64_t> Place::*what) const noexcept {
    std::uint64_t oldest = kNone;
    for (const Place& place : places_) {
      if ((place.turn.load() & 1) != 0) oldest = std::min(oldest, (place.*what).load(std::memory_order_acquire));
    }
    return oldest;
  }

  bool wait(unsigned rounds) const noexcept {
    for (const Place& place : places_) {
      const std::uint64_t turn = place.turn.load();
      if ((turn & 1) == 0) continue;
      for (unsigned round = 0; place.turn.load(std::memory_order_acquire) == turn; ++round) {
        if (round == rounds) return false;
        if (round > kRoundsAwake) std::this_thread::yield();
      }
    }
    return true;
  }

  std::atomic<std::uint64_t> era_{1};
  std::array<Place, base::kStripes> places_;
};

}  // namespace vitrine::pool
