// SPDX-License-Identifier: MIT OR Apache-2.0
// The crash exploration must notice an engine that forgets to make something durable. Here the engine is right and the
// disk drops one kind of sync, which comes to the same.
#include <gtest/gtest.h>

#include "tests/engine_crash_workloads.hpp"

namespace vitrine::testing {
namespace {

CrashWorkload find_workload(const std::string& name) {
  for (CrashWorkload& workload : crash_workloads(4)) {
    if (workload.name == name) return workload;
  }
  return {};
}

CrashReport explore_without(os::SimOperation kind, const std::string& path, const std::string& name) {
  CrashWorkload workload = find_workload(name);
  const auto run = workload.run;
  workload.run = [=](Stage& stage) {
    stage.env().inject({.for_ever = true, .kinds = {kind}, .path = path, .effect = os::SimEffect::Lose});
    return run(stage);
  };
  CrashExplorerOptions options{.nested_one_in = 0};
  return explore_engine_crashes(workload, options).crashes;
}

TEST(PlantedFault, a_log_that_is_not_synced_is_found) {
  // The log is made under another name, which its handle keeps.
  const CrashReport report = explore_without(os::SimOperation::Sync, "/db.vtr-wal.new", "plain_commits");
  ASSERT_FALSE(report.failures.empty()) << report.to_string();
}

TEST(PlantedFault, pages_that_are_not_synced_are_found) {
  const CrashReport report = explore_without(os::SimOperation::Sync, "/db.vtr", "many_checkpoints");
  ASSERT_FALSE(report.failures.empty()) << report.to_string();
}

TEST(PlantedFault, names_that_are_not_synced_are_found) {
  const CrashReport report = explore_without(os::SimOperation::SyncDirectory, "/db.vtr", "create");
  ASSERT_FALSE(report.failures.empty()) << report.to_string();
}

TEST(PlantedFault, the_name_of_the_log_that_is_not_synced_is_found) {
  const CrashReport report = explore_without(os::SimOperation::SyncDirectory, "/db.vtr-wal", "open_and_close");
  ASSERT_FALSE(report.failures.empty()) << report.to_string();
}

TEST(PlantedFault, a_backup_that_is_not_synced_is_found) {
  const CrashReport report = explore_without(os::SimOperation::SyncDirectory, "/backup.vtr", "backup");
  ASSERT_FALSE(report.failures.empty()) << report.to_string();
}

TEST(PlantedFault, is_found_only_where_one_is) {
  const CrashReport report = explore_without(os::SimOperation::Sync, "/another", "plain_commits");
  EXPECT_TRUE(report.is_ok()) << report.to_string();
}

}  // namespace
}  // namespace vitrine::testing
