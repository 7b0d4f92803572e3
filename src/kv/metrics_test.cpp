// SPDX-License-Identifier: MIT OR Apache-2.0
#include "vitrine/metrics.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>

#include "kv/operations.hpp"
#include "kv/testing.hpp"

namespace vitrine::kv {
namespace {

using testing::DatabaseTest;
using testing::ok;

TEST(Metrics, the_table_has_every_member_of_the_numbers) {
  std::set<std::string_view> names;
  std::size_t bytes = 4;  // padding behind tree_depth
  for (const Metric& metric : metrics()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_FALSE(metric.help.empty()) << metric.name;
    const bool is_histogram = std::holds_alternative<Latencies Stats::*>(metric.member);
    EXPECT_EQ(is_histogram, metric.kind == MetricKind::Histogram) << metric.name;
    bytes += is_histogram                                                    ? sizeof(Latencies)
             : std::holds_alternative<std::uint32_t Stats::*>(metric.member) ? sizeof(std::uint32_t)
                                                                             : sizeof(std::uint64_t);
  }
  EXPECT_EQ(bytes, sizeof(Stats));
}

class MetricsTest : public DatabaseTest {};

TEST_F(MetricsTest, operations_are_counted_and_one_in_64_is_measured) {
  constexpr std::uint64_t kRounds = 640;
  for (std::uint64_t i = 0; i < kRounds; ++i) {  // each a transaction of its own
    ASSERT_TRUE(ok(db().put("key" + std::to_string(i), "value")));
    ASSERT_TRUE(ok(db().get("key" + std::to_string(i))));
  }
  {
    const ReadTransaction txn = db().begin_read().value();
    for (std::uint64_t i = 0; i < kRounds; ++i) ASSERT_TRUE(ok(txn.contains({}, "key" + std::to_string(i))));
    EXPECT_GE(db().stats().value().gets, 2 * kRounds - OperationMeter::kMeasuredEvery) << "seen while it is open";
    ASSERT_TRUE(ok(txn.count({})));
  }
  ASSERT_TRUE(ok(db().erase("key0")));
  const Stats stats = db().stats().value();
  EXPECT_EQ(stats.gets, 2 * kRounds);
  EXPECT_EQ(stats.puts, kRounds);
  EXPECT_EQ(stats.erases, 1u);
  EXPECT_EQ(stats.scans, 1u);
  const std::uint64_t measured = stats.get_latency.count + stats.put_latency.count;
  EXPECT_NEAR(static_cast<double>(measured), 3.0 * kRounds / OperationMeter::kMeasuredEvery, 2);
  EXPECT_EQ(stats.commit_latency.count, kRounds + 1);
  EXPECT_GT(stats.commit_latency.max_ns, 0u);
}

TEST_F(MetricsTest, what_was_put_and_what_was_written_is_told) {
  const std::string value(1000, 'x');
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(ok(db().put("key" + std::to_string(i + 100), value)));
  {
    WriteTransaction dropped = begin();
    ASSERT_TRUE(ok(dropped.put("dropped", value)));
  }
  ASSERT_TRUE(ok(db().checkpoint()));
  const Stats stats = db().stats().value();
  EXPECT_GE(stats.put_bytes, 100 * (6 + value.size()));
  EXPECT_LE(stats.put_bytes, 100 * (6 + value.size() + 16)) << "keyspace and version come on top, the rollback not";
  EXPECT_GT(stats.write_amplification, 1.5) << "each byte goes to the log and to a page";
  EXPECT_LT(stats.write_amplification, 20);
  EXPECT_GE(stats.checkpoint_latency.count, 1u);
  EXPECT_GE(stats.log_bound_bytes, stats.log_bytes);
  EXPECT_GT(stats.leaf_fill, 0.3);
  EXPECT_LE(stats.leaf_fill, 1.0);
}

TEST_F(MetricsTest, a_check_and_its_findings_are_remembered) {
  EXPECT_EQ(db().stats().value().verified_wall_ms, 0u);
  ASSERT_TRUE(ok(db().verify(VerifyLevel::Quick)));
  EXPECT_GT(db().stats().value().verified_wall_ms, 0u);
  EXPECT_EQ(db().stats().value().verify_findings, 0u);
}

TEST_F(MetricsTest, free_space_and_its_shape_are_the_same_from_outside) {
  ASSERT_TRUE(ok(db().write([](WriteTransaction& txn) -> Status {
    for (int i = 0; i < 500; ++i) {
      if (Status put = txn.put("key" + std::to_string(i), std::string(900, 'x')); !put.is_ok()) return put;
    }
    return {};
  })));
  ASSERT_TRUE(ok(db().checkpoint()));
  ASSERT_TRUE(ok(db().write([](WriteTransaction& txn) { return txn.erase_range({}, "key2", "key4").status(); })));
  ASSERT_TRUE(ok(db().checkpoint()));
  Options reading = options_;
  reading.access = Access::ReadOnly;
  const Stats seen = Database::open(path(), OpenMode::MustExist, reading).value().stats().value();
  EXPECT_GT(seen.pages_free, 10u);
  EXPECT_GT(seen.largest_free_run, 0u);
  EXPECT_LE(seen.largest_free_run, seen.pages_free);
  EXPECT_LT(seen.pages_allocated, seen.pages);
}

TEST_F(MetricsTest, pages_that_only_a_checkpoint_needs_are_in_no_memory) {
  const auto put_all = [&](char filling) {
    return db().write([&](WriteTransaction& txn) -> Status {
      for (int i = 100; i < 300; ++i) {
        if (Status put = txn.put("key" + std::to_string(i), std::string(900, filling)); !put.is_ok()) return put;
      }
      return {};
    });
  };
  ASSERT_TRUE(ok(put_all('a')));
  ASSERT_TRUE(ok(db().checkpoint()));
  const std::uint64_t pages = db().stats().value().cache_pages;
  std::optional<ReadTransaction> snapshot = db().begin_read().value();
  ASSERT_TRUE(ok(put_all('b')));  // copies every leaf
  ASSERT_TRUE(ok(db().put("another", "value")));
  EXPECT_GT(db().stats().value().cache_pages, pages * 3 / 2) << "somebody may look at the old ones";
  snapshot.reset();
  ASSERT_TRUE(ok(db().put("another", "value")));
  const Stats stats = db().stats().value();
  EXPECT_LE(stats.cache_pages, pages + 8);
  EXPECT_GT(stats.pages_held, pages / 2);
}

TEST(Warnings, come_with_their_cause_and_go_with_it) {
  EXPECT_TRUE(warnings_of({}, {}).empty());
  const auto only = [](auto&& change) {
    Stats stats;
    DatabaseInfo info;
    change(stats, info);
    const std::vector<HealthWarning> warnings = warnings_of(stats, info);
    EXPECT_LE(warnings.size(), 1u);
    EXPECT_TRUE(warnings.empty() || !warnings[0].advice.empty());
    return warnings.empty() ? std::string() : warnings[0].code;
  };
  EXPECT_EQ(only([](Stats& s, DatabaseInfo&) { s.verify_findings = 1; }), "HEALTH_VERIFY_FINDINGS");
  EXPECT_EQ(only([](Stats&, DatabaseInfo& i) { i.network_filesystem = true; }), "HEALTH_FILESYSTEM_NETWORK");
  EXPECT_EQ(only([](Stats& s, DatabaseInfo&) { s.log_bound_bytes = 100, s.log_used_bytes = 80; }), "HEALTH_LOG_FULL");
  EXPECT_EQ(only([](Stats& s, DatabaseInfo&) { s.log_bound_bytes = 100, s.log_used_bytes = 60; }), "");
  EXPECT_EQ(only([](Stats& s, DatabaseInfo&) { s.checkpoint_age_ms = 4'000'000; }), "")
      << "nothing was committed since";
  EXPECT_EQ(only([](Stats& s, DatabaseInfo&) { s.checkpoint_age_ms = 4'000'000, s.log_appended_bytes = 1; }),
            "HEALTH_CHECKPOINT_OLD");
  EXPECT_EQ(only([](Stats& s, DatabaseInfo&) { s.snapshots = 1, s.oldest_snapshot_age_ms = 700'000; }),
            "HEALTH_SNAPSHOT_OLD");
  EXPECT_EQ(only([](Stats& s, DatabaseInfo&) { s.pages = 10'000, s.pages_held = 3'000; }), "HEALTH_SPACE_HELD");
  EXPECT_EQ(only([](Stats& s, DatabaseInfo&) { s.pages = 10'000, s.pages_free = 6'000; }), "HEALTH_SPACE_FREE");
  EXPECT_EQ(only([](Stats& s, DatabaseInfo&) { s.pages = 100, s.pages_free = 90; }), "") << "a small file";
  EXPECT_EQ(only([](Stats& s, DatabaseInfo&) { s.pages_allocated = 5'000, s.leaf_fill = 0.3; }), "HEALTH_LEAVES_THIN");
  EXPECT_EQ(only([](Stats& s, DatabaseInfo&) { s.cache_hits = s.cache_misses = 100'000, s.cache_evictions = 1; }),
            "HEALTH_CACHE_SMALL");
  EXPECT_EQ(only([](Stats& s, DatabaseInfo&) { s.key_age_days = 366; }), "HEALTH_KEY_OLD");
}

}  // namespace
}  // namespace vitrine::kv
