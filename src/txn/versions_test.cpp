// SPDX-License-Identifier: MIT OR Apache-2.0
// Versions: what readers get, and that a page is given up when nobody can need it any more, neither before nor later.
// Each behaviour by itself, then all of them against a plain model, then from many threads.
#include "txn/versions.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "base/prng.hpp"
#include "os/testing.hpp"
#include "pool/testing.hpp"

namespace vitrine::txn {
namespace {

using format::PageNo;
using pool::testing::scaled;

State state_of(Version version, Lsn needs_durable = 0) { return {version, {}, version * 10, needs_durable}; }

// Page `page`, part of the versions [birth, freed).
RetiredPages page_of(PageNo page, Version birth, Version freed) { return {page, 1, birth, freed}; }

std::vector<PageNo> numbers_of(const std::vector<RetiredPages>& pages) {
  std::vector<PageNo> numbers;
  for (const RetiredPages& run : pages) numbers.push_back(run.page);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

using Numbers = std::vector<PageNo>;

class VersionsTest : public ::testing::Test {
 protected:
  Numbers released() { return numbers_of(versions_.take_released()); }
  void add(Version version, std::vector<RetiredPages> retired = {}) {
    versions_.add(state_of(version), std::move(retired), 0);
  }

  pool::Visits visits_;
  Versions versions_{state_of(1), visits_};
};

// --- What readers get ------------------------------------------------------------------------------------------------

TEST_F(VersionsTest, readers_get_the_newest_state_that_is_durable_enough) {
  EXPECT_EQ(versions_.pin(0).version, 1u);
  versions_.add(state_of(2, 100), {}, 50);
  EXPECT_EQ(versions_.latest().version, 2u);
  EXPECT_EQ(versions_.published().version, 1u);
  versions_.advance(99);
  EXPECT_EQ(versions_.pin(0).version, 1u);
  versions_.advance(100);
  EXPECT_EQ(versions_.pin(0).version, 2u);
}

TEST_F(VersionsTest, a_commit_that_asks_for_nothing_waits_for_an_earlier_one_that_asks_for_more) {
  versions_.add(state_of(2, 100), {}, 0);
  versions_.add(state_of(3), {}, 0);
  EXPECT_EQ(versions_.published().version, 1u);
  versions_.advance(100);
  EXPECT_EQ(versions_.published().version, 3u);
}

TEST_F(VersionsTest, several_commits_become_visible_as_far_as_the_log_is_durable) {
  for (Version version = 2; version <= 5; ++version) versions_.add(state_of(version, version * 100), {}, 0);
  versions_.advance(350);
  EXPECT_EQ(versions_.published().version, 3u);
  versions_.advance(200);
  EXPECT_EQ(versions_.published().version, 3u) << "never back";
  versions_.advance(500);
  EXPECT_EQ(versions_.published().version, 5u);
}

// --- Pages -----------------------------------------------------------------------------------------------------------

TEST_F(VersionsTest, a_state_is_amended_only_while_all_of_it_is_published) {
  Version newest_pin = 0;
  const auto change = [&](Version seen, State& latest, auto&) {
    newest_pin = seen;
    ++latest.commit_seq;
    return true;
  };
  EXPECT_TRUE(versions_.amend(change));
  EXPECT_EQ(newest_pin, 0u);
  EXPECT_EQ(versions_.published().commit_seq, 11u);
  EXPECT_EQ(versions_.pin(0).commit_seq, 11u);
  EXPECT_TRUE(versions_.amend(change));
  EXPECT_EQ(newest_pin, 1u);
  versions_.unpin(1);
  versions_.pin_checkpoint(1);
  EXPECT_TRUE(versions_.amend(change));
  EXPECT_EQ(newest_pin, 1u);
  EXPECT_FALSE(versions_.amend([](Version, State& latest, auto&) {
    latest.commit_seq = 99;
    return false;
  }));
  EXPECT_EQ(versions_.latest().commit_seq, 13u);
  versions_.add(state_of(2, 100), {}, 50);
  EXPECT_FALSE(versions_.amend(change));  // what waits to be durable may not be seen, and so may not grow
  versions_.advance(100);
  EXPECT_TRUE(versions_.amend(change));
  EXPECT_EQ(versions_.latest().commit_seq, 21u);
  versions_.unpin_checkpoint(1);
}

TEST_F(VersionsTest, a_visit_is_a_pin_for_as_long_as_it_lasts) {
  State seen;
  pool::Visits::Visit visit = versions_.visit(seen);
  ASSERT_TRUE(visit);
  EXPECT_EQ(seen.version, 1u);
  add(2, {page_of(7, 1, 2)});
  add(3, {page_of(8, 2, 3)});
  EXPECT_EQ(released(), Numbers{});
  State newer;
  EXPECT_FALSE(versions_.visit(newer)) << "there is room for one thread in a place";
  visit.leave();
  EXPECT_EQ(released(), (Numbers{7, 8}));
  visit = versions_.visit(newer);
  ASSERT_TRUE(visit);
  EXPECT_EQ(newer.version, 3u);
  EXPECT_EQ(newer.commit_seq, 30u);
  add(4, {page_of(9, 1, 3)});
  EXPECT_EQ(released(), Numbers{9}) << "gone before the visit began";
}

TEST_F(VersionsTest, a_state_is_amended_only_when_visitors_have_left_and_no_others_come_in) {
  const auto change = [&](Version, State& latest, auto&) {
    State other;
    EXPECT_FALSE(versions_.visit(other));
    ++latest.commit_seq;
    return true;
  };
  State seen;
  pool::Visits::Visit visit = versions_.visit(seen);
  ASSERT_TRUE(visit);
  EXPECT_FALSE(versions_.amend(change));
  EXPECT_EQ(versions_.published().commit_seq, 10u);
  visit.leave();
  EXPECT_TRUE(versions_.amend(change));
  visit = versions_.visit(seen);
  ASSERT_TRUE(visit);
  EXPECT_EQ(seen.commit_seq, 11u);
}

TEST_F(VersionsTest, a_page_nobody_can_see_is_released_at_once) {
  add(2, {page_of(7, 1, 2)});
  EXPECT_EQ(released(), Numbers{7});
  EXPECT_EQ(released(), Numbers{});
}

TEST_F(VersionsTest, a_snapshot_holds_what_it_sees_and_nothing_else) {
  add(2);
  const State snapshot = versions_.pin(0);
  add(3, {page_of(10, 1, 3), page_of(11, 2, 3), page_of(12, 3, 3)});
  add(4, {page_of(13, 3, 4), page_of(14, 1, 4)});
  EXPECT_EQ(released(), (Numbers{12, 13}));
  EXPECT_EQ(versions_.report().pages_held, 3u);
  versions_.unpin(snapshot.version);
  EXPECT_EQ(released(), (Numbers{10, 11, 14}));
  EXPECT_EQ(versions_.report().pages_held, 0u);
}

TEST_F(VersionsTest, a_page_goes_from_pin_to_pin_until_the_last_one_that_sees_it_is_gone) {
  const State first = versions_.pin(0);
  add(2);
  const State second = versions_.pin(0);
  add(3);
  const State third = versions_.pin(0);
  add(4, {page_of(7, 1, 3)});
  versions_.unpin(first.version);
  EXPECT_EQ(released(), Numbers{});
  versions_.unpin(second.version);
  EXPECT_EQ(released(), Numbers{7}) << "the third snapshot does not see it";
  versions_.unpin(third.version);
}

TEST_F(VersionsTest, two_snapshots_of_one_version_both_count) {
  const State snapshot = versions_.pin(0);
  (void)versions_.pin(0);
  add(2, {page_of(7, 1, 2)});
  versions_.unpin(snapshot.version);
  EXPECT_EQ(released(), Numbers{});
  versions_.unpin(snapshot.version);
  EXPECT_EQ(released(), Numbers{7});
}

TEST_F(VersionsTest, what_the_published_version_sees_stays_although_a_later_commit_freed_it) {
  versions_.add(state_of(2, 100), {page_of(7, 1, 2)}, 0);
  EXPECT_EQ(released(), Numbers{});
  const State snapshot = versions_.pin(0);
  versions_.advance(100);
  EXPECT_EQ(released(), Numbers{}) << "pinned before it was published";
  versions_.unpin(snapshot.version);
  EXPECT_EQ(released(), Numbers{7});
}

TEST_F(VersionsTest, a_checkpoint_holds_pages_and_is_no_snapshot) {
  versions_.pin_checkpoint(1);
  add(2, {page_of(7, 1, 2)});
  EXPECT_EQ(released(), Numbers{});
  EXPECT_EQ(versions_.report().pins, 0u);
  EXPECT_EQ(versions_.report().pages_held, 1u);
  versions_.unpin_checkpoint(1);
  EXPECT_EQ(released(), Numbers{7});
}

TEST_F(VersionsTest, pages_that_checkpoints_alone_need_are_told_once) {
  versions_.pin_checkpoint(1);
  add(2, {page_of(7, 1, 2), {8, 5, 1, 2}});
  EXPECT_EQ(versions_.take_unread(), Numbers{7}) << "longer runs are in no memory";
  EXPECT_EQ(versions_.take_unread(), Numbers{});
  const Version snapshot = versions_.pin(0).version;
  versions_.pin_checkpoint(2);
  add(3, {page_of(9, 1, 3), page_of(10, 2, 3)});
  EXPECT_EQ(versions_.take_unread(), Numbers{}) << "the snapshot may look at both";
  versions_.unpin(snapshot);
  EXPECT_EQ(versions_.take_unread(), Numbers{10}) << "the other one waits at the older checkpoint";
  versions_.unpin_checkpoint(1);
  EXPECT_EQ(versions_.take_unread(), Numbers{9});
}

TEST_F(VersionsTest, a_checkpoint_from_before_the_first_state_holds_what_it_is_given) {
  versions_.pin_older(0, {page_of(7, 0, 1), page_of(8, 0, 1)});
  versions_.pin_older(0, {});
  add(2, {page_of(9, 1, 2)});
  EXPECT_EQ(released(), Numbers{9});
  versions_.unpin_checkpoint(0);
  EXPECT_EQ(released(), Numbers{}) << "another one reads it, too";
  versions_.unpin_checkpoint(0);
  EXPECT_EQ(released(), (Numbers{7, 8}));
}

TEST_F(VersionsTest, the_report_names_the_oldest_snapshot) {
  versions_.pin_checkpoint(1);
  add(2);
  (void)versions_.pin(1000);
  add(3);
  (void)versions_.pin(2000);
  EXPECT_EQ(versions_.report().pins, 2u);
  EXPECT_EQ(versions_.report().oldest_seq, 20u);
  EXPECT_EQ(versions_.report().oldest_since_ns, 1000u);
  versions_.unpin(2);
  EXPECT_EQ(versions_.report().oldest_seq, 30u);
  EXPECT_EQ(versions_.report().oldest_since_ns, 2000u);
}

TEST_F(VersionsTest, a_snapshot_beside_a_checkpoint_of_its_version_has_a_time_of_its_own) {
  versions_.pin_checkpoint(1);
  (void)versions_.pin(500);
  versions_.unpin(1);
  (void)versions_.pin(700);
  EXPECT_EQ(versions_.report().oldest_since_ns, 700u);
}

// --- Against a model -------------------------------------------------------------------------------------------------

// The definition itself: a page is given up when no pin sees it and no later pin can.
struct PlainVersions {
  Version published = 1;
  std::multiset<Version> pins;
  std::map<PageNo, RetiredPages> retired;

  Numbers take_released() {
    Numbers numbers;
    for (const auto& entry : retired) {
      const RetiredPages& page = entry.second;
      const auto sees = [&](Version pin) { return page.birth <= pin && pin < page.freed; };
      const bool is_seen = std::any_of(pins.begin(), pins.end(), sees);
      if (!is_seen && published >= page.freed) numbers.push_back(page.page);
    }
    for (const PageNo number : numbers) retired.erase(number);
    return numbers;
  }
};

TEST_F(VersionsTest, random_histories_release_every_page_exactly_when_the_definition_says) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  base::Prng random(seed);
  PlainVersions plain;
  std::vector<Version> snapshots;
  std::map<Version, Lsn> waiting;
  Lsn durable = 0;
  PageNo next_page = 1;
  Version latest = 1;
  for (std::uint64_t step = 0; step < scaled(2'000, 20'000, 200'000); ++step) {
    switch (random.next() % 4) {
      case 0: {
        ++latest;
        std::vector<RetiredPages> retired;
        for (std::uint64_t i = random.next() % 4; i > 0; --i) {
          const RetiredPages page = page_of(next_page++, 1 + random.next() % latest, latest);
          retired.push_back(page);
          plain.retired[page.page] = page;
        }
        const Lsn needs = random.next() % 2 == 0 ? 0 : durable + random.next() % 3;
        versions_.add(state_of(latest, needs), std::move(retired), durable);
        waiting[latest] = needs;
        break;
      }
      case 1:
        versions_.advance(++durable);
        break;
      case 2:
        snapshots.push_back(versions_.pin(0).version);
        plain.pins.insert(snapshots.back());
        ASSERT_EQ(snapshots.back(), plain.published) << "step " << step;
        break;
      default:
        if (snapshots.empty()) break;
        std::swap(snapshots[random.next() % snapshots.size()], snapshots.back());
        versions_.unpin(snapshots.back());
        plain.pins.erase(plain.pins.find(snapshots.back()));
        snapshots.pop_back();
    }
    while (!waiting.empty() && waiting.begin()->second <= durable) {
      plain.published = waiting.begin()->first;
      waiting.erase(waiting.begin());
    }
    ASSERT_EQ(versions_.published().version, plain.published) << "step " << step;
    ASSERT_EQ(released(), plain.take_released()) << "step " << step;
  }
}

// --- Threads ---------------------------------------------------------------------------------------------------------

// Page n belongs to the versions [n, n + 3), so a snapshot of version v sees the pages v - 2, v - 1 and v.
TEST_F(VersionsTest, no_page_of_a_snapshot_is_released_whatever_the_threads_do) {
  constexpr std::size_t kReaders = 4;
  const Version last = scaled(2'000, 20'000, 100'000);
  std::vector<std::atomic<int>> released_times(last + 4);
  std::atomic<bool> is_over{false};
  std::atomic<std::uint64_t> violations{0}, pins{0};
  const auto read = [&] {
    while (!is_over.load()) {
      const Version version = versions_.pin(0).version;
      for (int look = 0; look < 2; ++look) {
        for (Version page = version > 2 ? version - 2 : 1; page <= version; ++page) {
          violations += released_times[page].load() != 0;
        }
        std::this_thread::yield();
      }
      versions_.unpin(version);
      ++pins;
    }
  };
  std::array<std::thread, kReaders> readers;
  for (std::thread& reader : readers) reader = std::thread(read);
  const auto count_released = [&] {
    for (const PageNo page : released()) ++released_times[page];
  };
  for (Version version = 2; version <= last; ++version) {
    std::vector<RetiredPages> retired;
    if (version > 3) retired.push_back(page_of(version - 3, version - 3, version));
    versions_.add(state_of(version, version % 2 == 0 ? version : 0), std::move(retired), version - 1);
    if (version % 2 == 0) versions_.advance(version);
    count_released();
    if (version % 64 == 0) std::this_thread::yield();
  }
  is_over = true;
  for (std::thread& reader : readers) reader.join();
  count_released();
  EXPECT_EQ(violations.load(), 0u);
  EXPECT_EQ(versions_.report().pins, 0u);
  for (Version page = 1; page <= last - 3; ++page) ASSERT_EQ(released_times[page].load(), 1) << page;
}

}  // namespace
}  // namespace vitrine::txn
