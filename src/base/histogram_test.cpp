// SPDX-License-Identifier: MIT OR Apache-2.0
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "base/histogram.hpp"
#include "base/prng.hpp"

namespace vitrine::base {
namespace {

TEST(Histogram, every_duration_lies_between_the_bounds_of_its_bucket) {
  Prng random(1);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t ns = random.next() >> random.below(64);
    const unsigned bucket = Histogram::bucket_of(ns);
    ASSERT_LT(bucket, Histogram::kBuckets);
    ASSERT_TRUE(ns < Histogram::bound_of(bucket) || bucket == Histogram::kBuckets - 1) << ns;
    ASSERT_TRUE(bucket == 0 || ns >= Histogram::bound_of(bucket - 1)) << ns;
  }
}

TEST(Histogram, a_bucket_is_at_most_an_eighth_of_its_beginning_wide) {
  for (unsigned bucket = 2; bucket + 1 < Histogram::kBuckets; ++bucket) {
    const std::uint64_t begin = Histogram::bound_of(bucket - 1);
    ASSERT_EQ(Histogram::bucket_of(begin), bucket);
    ASSERT_LE((Histogram::bound_of(bucket) - begin) * 8, begin) << bucket;
  }
}

TEST(Histogram, nothing_recorded_is_no_latency) {
  const Latencies none = Histogram().read();
  EXPECT_EQ(none.count, 0u);
  EXPECT_EQ(none.below_ns(0.99), 0u);
  EXPECT_EQ(none.count_below(1u << 20), 0u);
  EXPECT_TRUE(none.buckets.empty());
}

TEST(Histogram, shares_and_counts_agree_with_what_was_recorded) {
  Histogram histogram;
  for (std::uint64_t i = 1; i <= 1000; ++i) histogram.record(i * 1000);
  const Latencies read = histogram.read();
  EXPECT_EQ(read.count, 1000u);
  EXPECT_EQ(read.sum_ns, 500'500'000u);
  EXPECT_EQ(read.max_ns, 1'000'000u);
  for (const double share : {0.01, 0.5, 0.9, 0.99, 1.0}) {
    const double exact = share * 1'000'000;
    EXPECT_GT(static_cast<double>(read.below_ns(share)), exact);
    EXPECT_LE(static_cast<double>(read.below_ns(share)), exact * 1.125 + 1) << share;
  }
  EXPECT_EQ(read.count_below(1u << 19), 524u) << "bounds at powers of two are exact";
  EXPECT_EQ(read.count_below(~std::uint64_t{0}), 1000u);
}

TEST(Histogram, loses_no_record_of_any_thread) {
  Histogram histogram;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&histogram, t] {
      for (std::uint64_t i = 0; i < 10'000; ++i) histogram.record(i << t);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(histogram.read().count, 40'000u);
}

}  // namespace
}  // namespace vitrine::base
