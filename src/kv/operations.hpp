// SPDX-License-Identifier: MIT OR Apache-2.0
// Counts the operations of a handle, and measures one in 64. A transaction, which one thread uses at a time, counts for
// itself with plain numbers and hands them over every 64 operations and at its end, so that an operation costs an
// addition and a comparison, and reading the clock twice is shared by 64.
//
// Thread safety: OperationCounters from any thread; an OperationMeter belongs to its transaction.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/histogram.hpp"
#include "base/thread_stripe.hpp"
#include "os/env.hpp"

namespace vitrine::kv {

enum class Operation : std::uint8_t { Get, Put, Erase, Scan };
inline constexpr std::size_t kOperations = 4;

class OperationCounters {
 public:
  struct alignas(64) Stripe {
    std::array<std::atomic<std::uint64_t>, kOperations> counts{};

    std::uint64_t all() const noexcept {
      std::uint64_t sum = 0;
      for (const auto& count : counts) sum += count.load(std::memory_order_relaxed);
      return sum;
    }
  };

  Stripe& mine() noexcept { return stripes_[base::thread_stripe()]; }
  base::Histogram& latency(Operation operation) noexcept { return latencies_[static_cast<std::size_t>(operation)]; }

  void read(Stats& stats) const {
    const std::array<std::uint64_t Stats::*, kOperations> counts{&Stats::gets, &Stats::puts, &Stats::erases,
                                                                 &Stats::scans};
    const std::array<Latencies Stats::*, kOperations> latencies{&Stats::get_latency, &Stats::put_latency,
                                                                &Stats::erase_latency, &Stats::scan_latency};
    for (std::size_t i = 0; i < kOperations; ++i) {
      stats.*counts[i] = 0;
      for (const Stripe& stripe : stripes_) stats.*counts[i] += stripe.counts[i].load(std::memory_order_relaxed);
      stats.*latencies[i] = latencies_[i].read();
    }
  }

 private:
  std::array<Stripe, base::kStripes> stripes_;
  std::array<base::Histogram, kOperations> latencies_;
};

class OperationMeter {
 public:
  static constexpr std::uint64_t kMeasuredEvery = 64;

  // The measured ones are every 64th of a thread, also when each transaction has but one operation.
  explicit OperationMeter(OperationCounters& to) noexcept
      : to_(to), until_measured_(kMeasuredEvery - to.mine().all() % kMeasuredEvery) {}
  ~OperationMeter() { hand_over(); }
  OperationMeter(const OperationMeter&) = delete;
  OperationMeter& operator=(const OperationMeter&) = delete;

  // True: this one is to be measured.
  bool count(Operation operation) noexcept {
    ++counts_[static_cast<std::size_t>(operation)];
    if (--until_measured_ > 0) return false;
    until_measured_ = kMeasuredEvery;
    hand_over();
    return true;
  }
  base::Histogram& latency(Operation operation) noexcept { return to_.latency(operation); }

 private:
  void hand_over() noexcept {
    OperationCounters::Stripe& stripe = to_.mine();
    for (std::size_t i = 0; i < kOperations; ++i) {
      if (counts_[i] == 0) continue;
      stripe.counts[i].fetch_add(counts_[i], std::memory_order_relaxed);
      counts_[i] = 0;
    }
  }

  OperationCounters& to_;
  std::array<std::uint64_t, kOperations> counts_{};
  std::uint64_t until_measured_;
};

// One operation, from here to the end of the scope.
class Operating {
 public:
  Operating(OperationMeter& meter, os::Env& env, Operation operation) noexcept : env_(env) {
    if (!meter.count(operation)) return;
    latency_ = &meter.latency(operation);
    begin_ns_ = env_.monotonic_ns();
  }
  ~Operating() {
    if (latency_ != nullptr) latency_->record(env_.monotonic_ns() - begin_ns_);
  }
  Operating(const Operating&) = delete;
  Operating& operator=(const Operating&) = delete;

 private:
  os::Env& env_;
  base::Histogram* latency_ = nullptr;  // null: not measured
  std::uint64_t begin_ns_ = 0;
};

}  // namespace vitrine::kv
