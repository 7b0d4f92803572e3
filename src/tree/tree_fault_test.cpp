// SPDX-License-Identifier: MIT OR Apache-2.0
// Every kind of change of a tree, stopped at every point where it can fail: the disk is full, memory ends, a read or a
// write fails. Afterwards a rollback must leave exactly what was there before, and the change must still be possible.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/prng.hpp"
#include "base/try.hpp"
#include "pool/failing_new.hpp"
#include "tree/testing.hpp"

namespace vitrine::tree {
namespace {

using pool::testing::AllocationLimit;
using testing::Rig;

using Content = std::map<std::string, std::string>;

std::string key_of(unsigned number) {
  char text[32];
  std::snprintf(text, sizeof text, "%-20u", number * 7919 % 10007);
  return text;
}

// Small values, values of some pages, and values of several extents.
std::string value_of(unsigned number) {
  const std::size_t size = number % 41 == 0 ? 30'000 : number % 13 == 0 ? 5000 : number * 37 % 300;
  return std::string(size, static_cast<char>('a' + number % 26));
}

struct Change {
  std::string name;
  std::function<Status(Rig&)> run;
};
void PrintTo(const Change& change, std::ostream* to) { *to << change.name; }

Status ignore(const Result<bool>& result) { return result.status(); }
template <typename T>
Status ignore(const Result<T>& result) {
  return result.status();
}

Status put_many(Rig& rig, unsigned first, unsigned count) {
  for (unsigned i = first; i < first + count; ++i) CHECK(rig.tree().put(key_of(i), {}, value_of(i)));
  return {};
}

std::vector<Change> changes() {
  return {
      {"puts_of_new_keys", [](Rig& rig) { return put_many(rig, 1000, 60); }},
      {"ascending_puts",
       [](Rig& rig) -> Status {
         for (unsigned i = 0; i < 60; ++i) {
           CHECK(rig.tree().put("z" + std::to_string(1000 + i), "head", std::string(100, 'v')));
         }
         return {};
       }},
      {"puts_of_known_keys",
       [](Rig& rig) -> Status {
         for (unsigned i = 0; i < 60; ++i) CHECK(rig.tree().put(key_of(i), {}, value_of(i + 7)));
         return {};
       }},
      {"a_long_value", [](Rig& rig) { return rig.tree().put("large", "head", std::string(200'000, 'L')); }},
      {"an_abandoned_value",
       [](Rig& rig) -> Status {
         LargeValueWriter writer(rig.workspace());
         for (int i = 0; i < 10; ++i) CHECK(writer.append(std::string(9000, 'L')));
         return {};
       }},
      {"erases",
       [](Rig& rig) -> Status {
         for (unsigned i = 0; i < 150; ++i) CHECK(ignore(rig.tree().erase(key_of(i))));
         return {};
       }},
      {"a_range_in_the_middle", [](Rig& rig) { return ignore(rig.tree().erase_range("3", "7")); }},
      {"everything", [](Rig& rig) { return ignore(rig.tree().erase_range({}, {})); }},
      {"moves", [](Rig& rig) { return ignore(rig.tree().move_below(rig.space().page_count() / 2, {}, 50)); }},
      {"merges", [](Rig& rig) { return ignore(rig.tree().merge_thin({}, 20)); }},
      {"savepoints",
       [](Rig& rig) -> Status {
         for (unsigned i = 0; i < 4; ++i) {
           CHECK(put_many(rig, 1000 + i * 10, 10));
           const Workspace::Mark mark = TRY(rig.workspace().mark());
           const TreeRoot root = rig.tree().root();
           CHECK(put_many(rig, 1005 + i * 10, 10));
           CHECK(ignore(rig.tree().erase_range("4", "5")));
           if (i % 2 == 0) continue;
           rig.workspace().rollback_to(mark);
           rig.tree().set_root(root);
         }
         return {};
       }},
  };
}

// A tree of 300 entries over three levels with some holes, and what must be there.
class Fixture {
 public:
  Fixture() {
    for (unsigned i = 0; i < 400; ++i) expect_ok(rig_.tree().put(key_of(i), {}, value_of(i)));
    rig_.publish();
    for (unsigned i = 0; i < 100; ++i) expect_ok(rig_.tree().erase(key_of(i * 4)).status());
    rig_.publish();
    for (unsigned i = 0; i < 400; ++i) {
      if (i % 4 != 0) content_[key_of(i)] = value_of(i);
    }
    root_ = rig_.tree().root();
  }

  Rig& rig() { return rig_; }

  void roll_back() {
    {
      const AllocationLimit none(0);  // a rollback must not need memory
      rig_.workspace().rollback();
    }
    rig_.tree().set_root(root_);
  }

  // `hogged`: pages the test itself has allocated.
  void expect_untouched(std::uint64_t hogged = 0) {
    testing::Survey found = testing::survey(rig_.pool(), root_);
    EXPECT_EQ(rig_.space().allocated_count(), found.pages.size() + hogged + format::first_page(rig_.page_size()));
    EXPECT_EQ(rig_.space().held_count(), 0u);
    EXPECT_FALSE(rig_.workspace().has_changes());
    TreeCursor cursor(rig_.pool(), root_);
    expect_ok(cursor.seek_first());
    for (const auto& [key, value] : content_) {
      ASSERT_TRUE(cursor.is_valid());
      ASSERT_EQ(cursor.key(), key);
      std::string stored;
      expect_ok(read_value(rig_.pool(), cursor.value(), cursor.is_large(), stored));
      ASSERT_TRUE(stored == value) << key;
      expect_ok(cursor.next());
    }
    EXPECT_FALSE(cursor.is_valid());
  }

  void expect_possible(const Change& change) {
    expect_ok(change.run(rig_));
    expect_ok(rig_.workspace().failure());
    (void)testing::survey(rig_.pool(), rig_.tree().root());
    roll_back();
  }

 private:
  static void expect_ok(const Status& status) { ASSERT_TRUE(status.is_ok()) << status.to_string(); }

  Rig rig_;
  Content content_;
  TreeRoot root_;
};

class TreeFault : public ::testing::TestWithParam<Change> {
 protected:
  // A failed change says so, in its answer or in the state of its workspace.
  static ErrorCode code_of(Rig& rig, const Status& status) {
    return status.is_ok() ? rig.workspace().failure().code() : status.code();
  }
};

INSTANTIATE_TEST_SUITE_P(Changes, TreeFault, ::testing::ValuesIn(changes()),
                         [](const auto& chosen) { return chosen.param.name; });

TEST_P(TreeFault, a_full_disk_can_be_rolled_back) {
  Fixture fixture;
  Rig& rig = fixture.rig();
  rig.limit_pages(rig.space().page_count());
  std::vector<PageNo> hogged;
  while (const auto page = rig.space().allocate()) hogged.push_back(*page);
  unsigned failures = 0;
  for (bool done = false; !done && !HasFatalFailure(); ++failures) {
    const ErrorCode code = code_of(rig, GetParam().run(rig));
    done = code == ErrorCode::Ok;
    ASSERT_TRUE(done || code == ErrorCode::DiskFull);
    fixture.roll_back();
    fixture.expect_untouched(hogged.size());
    if (hogged.empty()) break;
    rig.space().free_now(hogged.back());
    hogged.pop_back();
  }
  for (const PageNo page : hogged) rig.space().free_now(page);
  rig.limit_pages(~std::uint64_t{0});
  fixture.expect_possible(GetParam());
  fixture.expect_untouched();
  EXPECT_GT(failures, 0u);
}

TEST_P(TreeFault, the_end_of_memory_can_be_rolled_back) {
  Fixture fixture;
  std::uint64_t limit = 0;
  const std::uint64_t step = pool::testing::scaled(7, 1, 1);
  for (bool done = false; !done && !HasFatalFailure(); limit += step) {
    ErrorCode code = ErrorCode::Ok;
    {
      const AllocationLimit allocations(limit);
      try {
        code = code_of(fixture.rig(), GetParam().run(fixture.rig()));
      } catch (const std::bad_alloc&) {
        code = ErrorCode::OutOfMemory;
      }
      done = !allocations.is_used_up();
    }
    ASSERT_TRUE(code == ErrorCode::Ok || (code == ErrorCode::OutOfMemory && !done));
    fixture.roll_back();
    if (limit < 50 || limit % 16 == 0) fixture.expect_untouched();
  }
  EXPECT_GT(limit, step);
  fixture.expect_possible(GetParam());
  fixture.expect_untouched();
}

TEST_P(TreeFault, a_failing_read_can_be_rolled_back) {
  Fixture fixture;
  Rig& rig = fixture.rig();
  for (std::uint64_t reads = 0;; ++reads) {
    rig.reopen_pool();
    rig.file().fail_reads_after(reads);
    const ErrorCode code = code_of(rig, GetParam().run(rig));
    rig.file().heal();
    fixture.roll_back();
    if (reads % 8 == 0) fixture.expect_untouched();
    if (code == ErrorCode::Ok || HasFatalFailure()) break;
    ASSERT_EQ(code, ErrorCode::ReadFailed);
  }
  fixture.expect_possible(GetParam());
  fixture.expect_untouched();
}

TEST_P(TreeFault, a_failing_write_leaves_what_was_there_readable) {
  for (std::uint64_t writes = 0; writes < 40; ++writes) {
    Fixture fixture;
    Rig& rig = fixture.rig();
    rig.reopen_pool();
    rig.file().fail_writes_after(writes);
    const ErrorCode code = code_of(rig, GetParam().run(rig));
    fixture.roll_back();
    fixture.expect_untouched();
    if (code == ErrorCode::Ok || HasFatalFailure()) break;
    ASSERT_EQ(code, ErrorCode::WriteFailed);
    ASSERT_EQ(rig.store().sync().code(), ErrorCode::Poisoned);
  }
}

TEST(TreeFault, a_failing_write_of_pages_that_make_room_leaves_the_rest_readable) {
  for (std::uint64_t writes = 0; writes < 30; ++writes) {
    Fixture fixture;
    Rig& rig = fixture.rig();
    rig.file().fail_writes_after(writes);
    Status status;
    for (unsigned i = 0; i < 2000 && status.is_ok(); ++i) {  // twice the cache
      status = rig.tree().put("more" + std::to_string(i * 7919 % 10007), {}, std::string(1000, 'm'));
    }
    ASSERT_EQ(status.code(), ErrorCode::WriteFailed) << writes;
    fixture.roll_back();
    fixture.expect_untouched();
  }
}

}  // namespace
}  // namespace vitrine::tree
