// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/histogram.hpp"

#include <algorithm>
#include <cmath>

namespace vitrine {

std::uint64_t Latencies::below_ns(double share) const noexcept {
  if (count == 0) return 0;
  const auto wanted = static_cast<std::uint64_t>(std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count)));
  std::uint64_t seen = 0;
  for (const Bucket& bucket : buckets) {
    seen += bucket.count;
    if (seen >= wanted) return std::min(bucket.below_ns, max_ns + 1);
  }
  return max_ns + 1;
}

std::uint64_t Latencies::count_below(std::uint64_t bound_ns) const noexcept {
  std::uint64_t seen = 0;
  for (const Bucket& bucket : buckets) {
    if (bucket.below_ns <= bound_ns) seen += bucket.count;
  }
  return seen;
}

}  // namespace vitrine

namespace vitrine::base {

Latencies Histogram::read() const {
  Latencies latencies;
  for (unsigned i = 0; i < kBuckets; ++i) {
    const std::uint64_t count = counts_[i].load(std::memory_order_relaxed);
    if (count == 0) continue;
    latencies.buckets.push_back({bound_of(i), count});
    latencies.count += count;
  }
  latencies.sum_ns = sum_ns_.load(std::memory_order_relaxed);
  latencies.max_ns = max_ns_.load(std::memory_order_relaxed);
  return latencies;
}

}  // namespace vitrine::base
