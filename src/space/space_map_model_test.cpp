// SPDX-License-Identifier: MIT OR Apache-2.0
// Random operations on a SpaceMap beside a model of three plain sets. After every checkpoint the map on disk must be
// exactly the allocated set.
#include <gtest/gtest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/prng.hpp"
#include "format/meta.hpp"
#include "os/testing.hpp"
#include "space/space_map.hpp"
#include "space/testing.hpp"

namespace vitrine::space {
namespace {

struct Run {
  PageNo page;
  std::uint32_t count;
};

class Model {
 public:
  Model(std::uint32_t page_size, std::uint64_t seed) : page_size_(page_size), random_(seed), disk_(page_size) {
    const std::uint64_t pages = bits_per_leaf(page_size) * random_.below(3) + 50;
    map_.reset(pages);
    for (PageNo page = 0; page < format::first_page(page_size); ++page) allocated_.insert(page);
    // Most of the file is one run, so that the interesting part crosses into other leaves.
    if (pages > 1000) allocate(static_cast<std::uint32_t>(pages - random_.between(100, 900)));
  }

  void step() {
    switch (random_.below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return allocate(1);
      case 5:
        return allocate(static_cast<std::uint32_t>(random_.between(2, random_.one_in(8) ? 3000 : 9)));
      case 6:
        return allocate_below();
      case 7:
      case 8:
        return free_now();
      case 9:
      case 10:
        return hold();
      case 11:
        return unhold();
      case 12:
        return release();
      case 13:
        return random_.one_in(4) ? trim() : release();
      case 14:
        return random_.one_in(4) ? freeze_in_vain() : hold();
      default:
        return random_.one_in(4) ? checkpoint() : free_now();
    }
  }

  void compare() {
    ASSERT_EQ(map_.allocated_count(), allocated_.size());
    ASSERT_EQ(map_.held_count(), held_.size());
    ASSERT_EQ(map_.free_count(), map_.page_count() - allocated_.size() - held_.size());
    const auto state = testing::state_of(map_);
    ASSERT_EQ(std::set<PageNo>(state.allocated.begin(), state.allocated.end()), allocated_);
    ASSERT_EQ(std::set<PageNo>(state.held.begin(), state.held.end()), held_);
  }

  void checkpoint() {
    auto frozen = map_.freeze(disk_.identify());
    if (!frozen) {
      ASSERT_EQ(frozen.status().code(), ErrorCode::DiskFull);
      return compare();
    }
    apply(*frozen);
    disk_.write(*frozen);
    compare();
    SpaceMap reopened(page_size_, testing::grow_freely());
    const Status status = reopened.load(frozen->root, frozen->page_count, disk_.read());
    ASSERT_TRUE(status.is_ok()) << status.to_string();
    const auto state = testing::state_of(reopened);
    ASSERT_EQ(std::set<PageNo>(state.allocated.begin(), state.allocated.end()), allocated_);
    ASSERT_EQ(state.map_pages, testing::state_of(map_).map_pages);
    map_pages_ = {state.map_pages.begin(), state.map_pages.end()};
  }

 private:
  bool is_free(PageNo page) const { return !allocated_.contains(page) && !held_.contains(page); }

  // Where first fit puts a run: the lowest that fits, else the free pages at the end and what grows behind them.
  PageNo expected_place(std::uint32_t count) const {
    PageNo begin = 0;  // of the free pages before the used one at hand
    auto a = allocated_.begin();
    auto h = held_.begin();
    while (a != allocated_.end() || h != held_.end()) {
      const bool from_a = h == held_.end() || (a != allocated_.end() && *a < *h);
      const PageNo used = from_a ? *a++ : *h++;
      if (used - begin >= count) return begin;
      begin = used + 1;
    }
    return begin;
  }

  void allocate(std::uint32_t count) {
    disk_is_full_ = random_.one_in(10);
    const PageNo expected = expected_place(count);
    const auto page = map_.allocate(count);
    disk_is_full_ = false;
    if (!page) {
      ASSERT_EQ(page.status().code(), ErrorCode::DiskFull);
      ASSERT_GT(expected + count, map_.page_count());
      return;
    }
    if (count == 1) {
      ASSERT_TRUE(is_free(*page)) << *page;  // one that became free of late, or the lowest
    } else {
      ASSERT_EQ(*page, expected) << count;
    }
    ASSERT_LE(*page + count, map_.page_count());
    for (PageNo p = *page; p < *page + count; ++p) allocated_.insert(p);
  }

  void allocate_below() {
    const PageNo limit = random_.below(map_.page_count() + 10);
    const PageNo expected = expected_place(1);
    const auto page = map_.allocate_below(limit);
    ASSERT_EQ(page.has_value(), expected < std::min(limit, map_.page_count()));
    if (page) {
      ASSERT_EQ(*page, expected);
      allocated_.insert(*page);
    }
  }

  // A run of pages of one set, at a random place; never header or map pages.
  std::optional<Run> pick(const std::set<PageNo>& from) {
    auto at = from.lower_bound(random_.below(map_.page_count()));
    while (at != from.end() && is_reserved(*at)) ++at;
    if (at == from.end()) return std::nullopt;
    Run run{*at, 0};
    const std::uint64_t most = random_.one_in(20) ? 5000 : random_.between(1, 6);
    while (at != from.end() && *at == run.page + run.count && run.count < most && !is_reserved(*at)) {
      ++run.count;
      ++at;
    }
    return run;
  }

  bool is_reserved(PageNo page) const { return page < format::first_page(page_size_) || map_pages_.contains(page); }

  void move(const Run& run, std::set<PageNo>* from, std::set<PageNo>* to) {
    for (PageNo page = run.page; page < run.page + run.count; ++page) {
      from->erase(page);
      if (to != nullptr) to->insert(page);
    }
  }

  void free_now() {
    if (const auto run = pick(allocated_)) {
      map_.free_now(run->page, run->count);
      move(*run, &allocated_, nullptr);
    }
  }
  void hold() {
    if (const auto run = pick(allocated_)) {
      map_.hold(run->page, run->count);
      move(*run, &allocated_, &held_);
    }
  }
  void unhold() {
    if (const auto run = pick(held_)) {
      map_.unhold(run->page, run->count);
      move(*run, &held_, &allocated_);
    }
  }
  void release() {
    if (const auto run = pick(held_)) {
      map_.release(run->page, run->count);
      move(*run, &held_, nullptr);
    }
  }

  void trim() {
    PageNo end = *allocated_.rbegin() + 1;
    if (!held_.empty()) end = std::max(end, *held_.rbegin() + 1);
    ASSERT_EQ(map_.trim_end(), end);
    ASSERT_EQ(map_.page_count(), end);
  }

  void apply(const FrozenMap& frozen) {
    for (const MapPage& page : frozen.pages) allocated_.insert(page.ref.page());
    for (const PageRef& ref : frozen.retired) {
      allocated_.erase(ref.page());
      held_.insert(ref.page());
    }
  }

  // A freeze that fails, or one that is undone: neither leaves a trace.
  void freeze_in_vain() {
    disk_is_full_ = random_.one_in(2);
    const auto frozen = map_.freeze(disk_.identify());
    disk_is_full_ = false;
    if (frozen) map_.unfreeze(*frozen);
    compare();
  }

  std::uint32_t page_size_;
  base::Prng random_;
  testing::MapDisk disk_;
  bool disk_is_full_ = false;
  SpaceMap map_{page_size_,
                [this](std::uint64_t) { return disk_is_full_ ? Status::error(ErrorCode::DiskFull) : Status{}; }};
  std::set<PageNo> allocated_;
  std::set<PageNo> held_;
  std::set<PageNo> map_pages_;  // of the last checkpoint
};

TEST(SpaceMapModel, the_map_and_three_sets_agree) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  base::Prng random(seed);
  for (int round = 0; round < 12; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Model model(4096u << random.below(2), random.next());
    for (int step = 0; step < 1200 && !::testing::Test::HasFatalFailure(); ++step) model.step();
    model.compare();
    model.checkpoint();
    if (::testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace vitrine::space
