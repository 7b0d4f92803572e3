// SPDX-License-Identifier: MIT OR Apache-2.0
// Random operations through the public interface beside std::map: on files and in memory, with every page size, caches
// that hold everything and caches that hold nearly nothing.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "tests/engine_testing.hpp"
#include "tests/model_run.hpp"

namespace vitrine::testing {
namespace {

struct Case {
  const char* name;
  ModelSetup setup;
  std::uint64_t checked;  // in thousands, at full size
};

constexpr std::uint64_t kSmallCache = 1u << 20;
constexpr std::uint64_t kLargeCache = 64u << 20;
const Case kCases[] = {
    {"file_with_4k_pages_and_a_small_cache", {4096, kSmallCache, false}, 1800},
    {"file_with_4k_pages_and_a_large_cache", {4096, kLargeCache, false}, 1500},
    {"file_with_8k_pages_and_a_small_cache", {8192, kSmallCache, false}, 1600},
    {"file_with_8k_pages_and_a_large_cache", {8192, kLargeCache, false}, 1500},
    {"file_with_16k_pages", {16384, kSmallCache, false}, 1000},
    {"file_with_32k_pages", {32768, kSmallCache, false}, 700},
    {"file_with_64k_pages", {65536, kSmallCache, false}, 500},
    {"memory_with_4k_pages", {4096, kSmallCache, true}, 1500},
    {"memory_with_64k_pages", {65536, kLargeCache, true}, 500},
};

class DatabaseModel : public ::testing::TestWithParam<Case> {};

TEST_P(DatabaseModel, agrees_with_an_ordered_map) {
  base::Prng random(test_seed() + GetParam().setup.page_size + GetParam().setup.cache_size);
  const std::uint64_t wanted = GetParam().checked * scaled(40, 1500, 15'000);
  std::uint64_t checked = 0;
  std::uint64_t databases = 0;
  while (checked < wanted) {
    const std::uint64_t seed = random.next();
    const std::uint64_t share = wanted / random.between(8, 80);  // long lives and short ones
    try {
      ModelRun(GetParam().setup, seed, checked).run(share + 1);
    } catch (const Error& difference) {
      FAIL() << "database " << databases << ", after " << checked << " operations: " << difference.what();
    }
    ++databases;
  }
  std::printf("%llu operations compared with the model, on %llu databases\n", static_cast<unsigned long long>(checked),
              static_cast<unsigned long long>(databases));
  RecordProperty("operations", std::to_string(checked));
}

INSTANTIATE_TEST_SUITE_P(Setups, DatabaseModel, ::testing::ValuesIn(kCases),
                         [](const auto& chosen) { return std::string(chosen.param.name); });

}  // namespace
}  // namespace vitrine::testing
