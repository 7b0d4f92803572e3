// SPDX-License-Identifier: MIT OR Apache-2.0
// Every operation of every workload fails, in every way it can, once and for ever.
#include <gtest/gtest.h>

#include <cstdio>
#include <ctime>

#include "tests/engine_crash_workloads.hpp"
#include "tests/engine_fault.hpp"

namespace vitrine::testing {
namespace {

class EngineFault : public ::testing::TestWithParam<CrashWorkload> {};

TEST_P(EngineFault, is_answered_with_an_error_and_loses_nothing) {
  const std::clock_t start = std::clock();
  const FaultReport report = explore_faults(GetParam(), {.seed = test_seed(), .one_in = scaled(10, 1, 1)});
  std::printf("%s: %s\n  %.1f s of processor\n", GetParam().name.c_str(), report.to_string().c_str(),
              static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  EXPECT_TRUE(report.failures.empty()) << report.to_string();
}

INSTANTIATE_TEST_SUITE_P(, EngineFault, ::testing::ValuesIn(crash_workloads(scaled(1, 8, 80))),
                         [](const auto& parameter) { return parameter.param.name; });

// Where a call cannot return an error, the next one does.
TEST(EngineFaultOfCursor, is_reported_by_the_next_call) {
  const std::unique_ptr<os::SimEnv> env = os::SimEnv::create({});
  Database db = Database::open(kCrashPath, OpenMode::CreateNew, small_options(*env)).value();
  ASSERT_TRUE(db.put("large", random_bytes(1, 50'000)).is_ok());
  const ReadTransaction txn = db.begin_read().value();
  Cursor cursor = txn.cursor();
  ASSERT_TRUE(cursor.seek_first().is_ok());
  ASSERT_EQ(cursor.version(), 1u);
  for (const auto number : {&Cursor::version, &Cursor::value_size}) {
    env->inject({.operation = env->operations() + 1, .kinds = {os::SimOperation::Read}});
    EXPECT_EQ((cursor.*number)(), 0u);
    EXPECT_EQ(cursor.value().status().code(), ErrorCode::ReadFailed);
    EXPECT_EQ(cursor.value().value().size(), 50'000u);
  }
}

}  // namespace
}  // namespace vitrine::testing
