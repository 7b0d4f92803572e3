// SPDX-License-Identifier: MIT OR Apache-2.0
// Counts durations in buckets: log-linear, eight to each power of two from 64 ns to 69 s, so 2 KiB for each histogram
// whatever it is given, and a bound at most 12.5 % off. Shorter and longer ones go to the first and the last bucket.
//
// Thread safety: any number of threads. A record is three relaxed additions; a reader may see one without the others.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstdint>

#include "vitrine/report.hpp"

namespace vitrine::base {

class Histogram {
 public:
  static constexpr unsigned kStepBits = 3;    // eight buckets to a power of two
  static constexpr unsigned kFirstPower = 6;  // below 64 ns nothing is told apart
  static constexpr unsigned kLastPower = 36;  // 2^36 ns are 69 s
  static constexpr unsigned kBuckets = ((kLastPower - kFirstPower) << kStepBits) + 2;

  static constexpr unsigned bucket_of(std::uint64_t ns) noexcept {
    if (ns < (std::uint64_t{1} << kFirstPower)) return 0;
    if (ns >= (std::uint64_t{1} << kLastPower)) return kBuckets - 1;
    const unsigned power = static_cast<unsigned>(std::bit_width(ns)) - 1;
    const auto step = static_cast<unsigned>(ns >> (power - kStepBits)) & ((1u << kStepBits) - 1);
    return 1 + ((power - kFirstPower) << kStepBits) + step;
  }
  // Durations in the bucket are shorter than this.
  static constexpr std::uint64_t bound_of(unsigned bucket) noexcept {
    if (bucket == 0) return std::uint64_t{1} << kFirstPower;
    if (bucket == kBuckets - 1) return ~std::uint64_t{0};
    const unsigned power = kFirstPower + ((bucket - 1) >> kStepBits);
    const std::uint64_t step = (bucket - 1) & ((1u << kStepBits) - 1);
    return ((std::uint64_t{1} << kStepBits) + step + 1) << (power - kStepBits);
  }

  void record(std::uint64_t ns) noexcept {
    counts_[bucket_of(ns)].fetch_add(1, std::memory_order_relaxed);
    sum_ns_.fetch_add(ns, std::memory_order_relaxed);
    std::uint64_t longest = max_ns_.load(std::memory_order_relaxed);
    while (ns > longest && !max_ns_.compare_exchange_weak(longest, ns, std::memory_order_relaxed)) {
    }
  }

  Latencies read() const;

 private:
  std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
  std::atomic<std::uint64_t> sum_ns_{0};
  std::atomic<std::uint64_t> max_ns_{0};
};

}  // namespace vitrine::base
