// SPDX-License-Identifier: MIT OR Apache-2.0
// Cuts the power before every operation of every workload, and once more inside a part of the recoveries.
#include <gtest/gtest.h>

#include <cstdio>
#include <ctime>

#include "tests/engine_crash_workloads.hpp"

namespace vitrine::testing {
namespace {

void print(const CrashWorkload& workload, const EngineCrashReport& report, double seconds) {
  const double images = static_cast<double>(report.crashes.distinct_images + report.crashes.nested_images);
  std::printf(
      "crash images: %.0f distinct\n%s: %s\n  %llu full checks, %llu reopened, %llu without a database; %.1f s of "
      "processor, %.0f us an image\n",
      images, workload.name.c_str(), report.crashes.to_string().c_str(),
      static_cast<unsigned long long>(report.counts.full_checks),
      static_cast<unsigned long long>(report.counts.reopened), static_cast<unsigned long long>(report.counts.absent),
      seconds, seconds / images * 1e6);
}

class EngineCrash : public ::testing::TestWithParam<CrashWorkload> {};

TEST_P(EngineCrash, leaves_what_was_acknowledged) {
  CrashExplorerOptions options;
  options.seed = test_seed();
  options.machine.seed = options.seed;
  options.images.seed = options.seed;
  options.images.tear_sectors = true;
  options.images.random_images = scaled(24, 72, 640, 6);
  options.images.list_limit = scaled(512, 512, 512, 24);
  options.nested_one_in = 200;
  const std::clock_t start = std::clock();
  const EngineCrashReport report = explore_engine_crashes(GetParam(), options);
  print(GetParam(), report, static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  EXPECT_TRUE(report.crashes.is_ok()) << report.crashes.to_string();
}

std::vector<CrashWorkload> all_workloads(std::uint64_t rounds) {
  std::vector<CrashWorkload> all = crash_workloads(rounds);
  all.push_back(interleaved_workload(rounds));
  return all;
}

INSTANTIATE_TEST_SUITE_P(, EngineCrash, ::testing::ValuesIn(all_workloads(scaled(1, 16, 160))),
                         [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace vitrine::testing
