// SPDX-License-Identifier: MIT OR Apache-2.0
// Copy-on-write, identities, and what a rollback restores.
#include <gtest/gtest.h>

#include <set>
#include <utility>
#include <vector>

#include "tree/testing.hpp"

namespace vitrine::tree {
namespace {

using testing::Rig;

class WorkspaceTest : public ::testing::Test {
 protected:
  Workspace& workspace() { return rig_.workspace(); }
  std::uint64_t allocated() { return rig_.space().allocated_count() - format::first_page(rig_.page_size()); }

  // A page whose body says `mark`.
  PageRef make_page(std::uint64_t mark) {
    PageRef ref;
    auto page = workspace().create(format::PageType::Extent, 0, ref).value();
    base::store(page.data() + 100, mark);
    return ref;
  }
  std::uint64_t mark_of(const PageRef& ref) {
    const auto page = rig_.pool().fetch(ref);
    return page.has_value() ? base::load<std::uint64_t>(page->data() + 100) : ~std::uint64_t{0};
  }
  void change(PageRef& ref, std::uint64_t mark) {
    auto page = workspace().make_mutable(ref).value();
    base::store(page.data() + 100, mark);
  }
  // Fills the cache, so that every other page goes to the file.
  void push_out() {
    std::vector<PageRef> refs;
    for (int i = 0; i < 1100; ++i) refs.push_back(make_page(0));
    for (const PageRef& ref : refs) workspace().retire(ref);
  }
  // Writes all dirty pages, published or not, without changing who owns them.
  void write_out() {
    ASSERT_TRUE(rig_.pool().write_back(format::kVersionMax, [](PageNo, Generation) { return true; }).is_ok());
  }

  Rig rig_;
};

TEST_F(WorkspaceTest, a_page_of_the_working_version_is_changed_in_place) {
  const PageRef first = make_page(1);
  PageRef ref = first;
  change(ref, 2);
  EXPECT_TRUE(ref.same(first));
  EXPECT_EQ(mark_of(ref), 2u);
}

TEST_F(WorkspaceTest, a_page_of_an_older_version_is_copied) {
  const PageRef old = make_page(1);
  EXPECT_TRUE(workspace().publish().empty());
  PageRef ref = old;
  change(ref, 2);
  EXPECT_NE(ref.page(), old.page());
  EXPECT_EQ(mark_of(old), 1u);
  EXPECT_EQ(mark_of(ref), 2u);
  EXPECT_TRUE(rig_.space().is_held(old.page()));
  const auto retired = workspace().publish();
  ASSERT_EQ(retired.size(), 1u);
  EXPECT_EQ(retired[0].page, old.page());
  EXPECT_EQ(retired[0].birth, old.generation.version());
  EXPECT_EQ(retired[0].freed, ref.generation.version());
}

TEST_F(WorkspaceTest, a_page_of_another_session_is_copied) {
  Workspace other(rig_.pool(), rig_.space(), testing::kTestSession + 1, workspace().working(), 8192);
  PageRef ref = make_page(1);
  const PageRef old = ref;
  ASSERT_TRUE(other.make_mutable(ref).has_value());
  EXPECT_NE(ref.page(), old.page());
}

TEST_F(WorkspaceTest, a_page_that_was_written_keeps_its_place_and_takes_a_new_generation) {
  PageRef ref = make_page(1);
  const PageRef first = ref;
  for (std::uint64_t i = 2; i < 6; ++i) {
    const PageRef before = ref;
    write_out();
    change(ref, i);
    EXPECT_EQ(ref.page(), first.page());
    EXPECT_FALSE(ref.generation == before.generation);
    EXPECT_EQ(mark_of(ref), i);
  }
  push_out();
  EXPECT_EQ(mark_of(ref), 5u);  // from the file again
  change(ref, 6);
  push_out();
  EXPECT_EQ(mark_of(ref), 6u);
}

TEST_F(WorkspaceTest, a_page_that_is_retired_at_once_is_used_again) {
  const PageRef first = make_page(1);
  workspace().retire(first);
  EXPECT_EQ(allocated(), 1u);
  const PageRef second = make_page(2);
  EXPECT_EQ(second.page(), first.page());
  EXPECT_FALSE(second.generation == first.generation);
  workspace().retire(second);
  EXPECT_TRUE(workspace().publish().empty());
  EXPECT_EQ(allocated(), 0u);
  EXPECT_EQ(rig_.space().held_count(), 0u);
}

TEST_F(WorkspaceTest, no_identity_comes_twice) {
  std::set<std::pair<PageNo, std::uint64_t>> seen;
  const auto is_new = [&](const PageRef& ref) { return seen.emplace(ref.page(), ref.generation.word).second; };
  for (int round = 0; round < 200; ++round) {
    std::vector<PageRef> refs;
    for (int i = 0; i < 5; ++i) refs.push_back(make_page(1));
    if (round % 3 == 0) write_out();
    const auto mark = workspace().mark().value();
    for (PageRef& ref : refs) change(ref, 2);
    for (const PageRef& ref : refs) ASSERT_TRUE(is_new(ref));
    if (round % 2 == 0) workspace().rollback_to(mark);
    refs.push_back(make_page(1));
    ASSERT_TRUE(is_new(refs.back()));
    if (round % 5 == 0) {
      for (const RetiredPages& pages : workspace().publish()) rig_.release(pages);
    } else {
      workspace().rollback();
    }
  }
}

TEST_F(WorkspaceTest, a_version_out_of_identities_gives_way_to_the_next) {
  const Version version = workspace().working();
  PageRef ref = make_page(1);
  const PageRef first = ref;
  PageRef last;
  for (std::uint32_t i = 0; i < Generation::kRewriteMax; ++i) {
    const PageRef next = workspace().identity(99);
    ASSERT_GT(next.generation.word, last.generation.word);
    last = next;
  }
  EXPECT_GT(workspace().working(), version);
  EXPECT_EQ(last.generation.version(), workspace().working());
  change(ref, 2);  // once more copied: no longer of the working version
  EXPECT_NE(ref.page(), first.page());
  for (const RetiredPages& pages : workspace().publish()) rig_.release(pages);
  EXPECT_EQ(allocated(), 1u);
}

TEST_F(WorkspaceTest, versions_come_to_an_end_with_an_error) {
  Workspace last(rig_.pool(), rig_.space(), testing::kTestSession, format::kVersionMax - 2, 8192);
  ASSERT_TRUE(last.mark().has_value());
  EXPECT_EQ(last.mark().status().code(), ErrorCode::SpaceExhausted);
}

TEST_F(WorkspaceTest, a_rollback_restores_both_sets) {
  PageRef kept = make_page(1);
  const PageRef dropped = make_page(1);
  (void)workspace().publish();
  const PageRef before = kept;
  change(kept, 2);
  workspace().retire(dropped);
  const PageRef run = workspace().allocate_run(5).value();
  workspace().retire(run, 5);
  workspace().retire(make_page(3));
  (void)make_page(4);
  workspace().rollback();
  EXPECT_EQ(allocated(), 2u);
  EXPECT_EQ(rig_.space().held_count(), 0u);
  EXPECT_EQ(mark_of(before), 1u);
  EXPECT_EQ(mark_of(dropped), 1u);
  EXPECT_FALSE(workspace().has_changes());
}

TEST_F(WorkspaceTest, a_savepoint_restores_the_moment_it_was_set) {
  PageRef early = make_page(1);
  const PageRef recycled = make_page(1);
  workspace().retire(recycled);
  const auto mark = workspace().mark().value();
  EXPECT_EQ(allocated(), 1u);  // what nobody took again is free
  const PageRef before = early;
  for (int round = 0; round < 3; ++round) {
    PageRef ref = before;
    change(ref, 2);
    EXPECT_NE(ref.page(), before.page());
    const PageRef late = make_page(3);
    workspace().retire(late);
    const PageRef run = workspace().allocate_run(3).value();
    if (round == 1) workspace().retire(run, 3);
    if (round == 2) (void)workspace().mark().value();
    (void)make_page(5);
    workspace().rollback_to(mark);
    EXPECT_EQ(allocated(), 1u);
    EXPECT_EQ(rig_.space().held_count(), 0u);
    EXPECT_EQ(mark_of(before), 1u);
  }
  EXPECT_TRUE(workspace().publish().empty());
  EXPECT_EQ(mark_of(before), 1u);
}

TEST_F(WorkspaceTest, a_page_number_that_comes_back_never_shows_its_old_content) {
  for (int round = 0; round < 50; ++round) {
    const PageRef first = make_page(1);
    if (round % 2 == 0) write_out();
    workspace().rollback();
    const PageRef second = make_page(2);
    EXPECT_EQ(second.page(), first.page());
    EXPECT_EQ(mark_of(second), 2u);
    if (round % 3 == 0) push_out();
    EXPECT_EQ(mark_of(second), 2u);
    workspace().rollback();
  }
}

TEST_F(WorkspaceTest, a_page_moves_below_the_limit_or_not_at_all) {
  const PageRef low = make_page(1);
  PageRef high = make_page(2);
  for (const RetiredPages& pages : workspace().publish()) rig_.release(pages);
  EXPECT_FALSE(static_cast<bool>(workspace().relocate_below(high.page(), high).value()));  // no room
  EXPECT_EQ(mark_of(high), 2u);
  workspace().retire(low);
  for (const RetiredPages& pages : workspace().publish()) rig_.release(pages);
  EXPECT_TRUE(static_cast<bool>(workspace().relocate_below(high.page(), high).value()));
  EXPECT_EQ(high.page(), low.page());
  EXPECT_EQ(mark_of(high), 2u);
}

TEST_F(WorkspaceTest, a_page_that_the_map_does_not_know_as_allocated_is_an_error) {
  const PageRef ref = make_page(1);
  (void)workspace().publish();
  workspace().retire(ref);
  EXPECT_TRUE(workspace().failure().is_ok());
  workspace().retire(ref);
  EXPECT_EQ(workspace().failure().code(), ErrorCode::PageMalformed);
  workspace().rollback();
  EXPECT_TRUE(workspace().failure().is_ok());
  EXPECT_EQ(mark_of(ref), 1u);
  workspace().retire({1u << 20, {1}, 1});
  EXPECT_EQ(workspace().failure().code(), ErrorCode::PageMalformed);
}

}  // namespace
}  // namespace vitrine::tree
