// SPDX-License-Identifier: MIT OR Apache-2.0
// The buffer pool, one behaviour at a time. Threads stand at gates in the file, so that every order is made, not hoped
// for; many threads at once: pool_threads_test.cpp.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "base/codec.hpp"
#include "os/sim_env.hpp"
#include "pool/pool.hpp"
#include "pool/testing.hpp"

namespace vitrine::pool {
namespace {

using format::PageType;
using testing::TestFile;

constexpr std::uint32_t kPageSize = 4096;
constexpr std::uint64_t kSession = 5;
constexpr unsigned kFrames = Pool::kFramesMin;

constexpr std::uint64_t kNotValid = 0xbad;
Status refuse_bad(const std::byte* page, std::uint32_t) {
  if (base::load<std::uint64_t>(page + 100) != kNotValid) return {};
  return Status::error(ErrorCode::PageMalformed);
}

PageRef ref_of(PageNo page, Version version = 1, std::uint32_t rewrite = 0) {
  return {page, Generation::of(version, rewrite), kSession};
}

class PoolTest : public ::testing::Test {
 protected:
  PoolTest() { reopen(); }

  void reopen() { pool_ = Pool::create(store_, Pool::kBytesLean, refuse_bad).value(); }

  void create(const PageRef& ref, std::uint64_t content, std::uint8_t level = 0) {
    auto page = pool_->create_page(ref, level == 0 ? PageType::Leaf : PageType::Inner, level);
    ASSERT_TRUE(page.has_value()) << page.status().to_string();
    base::store(page->data() + 100, content);
  }
  Status write_all() {
    return pool_->write_back(format::kVersionMax, [](PageNo, Generation) { return true; });
  }
  // Pages [first, first + count) with their numbers as content, in the file and not in the cache.
  void put_into_file(PageNo first, unsigned count, Version version = 1) {
    for (PageNo page = first; page < first + count; ++page) {
      create(ref_of(page, version), page);
      ASSERT_TRUE(page % 200 != 0 || write_all().is_ok());
    }
    ASSERT_TRUE(write_all().is_ok());
    reopen();
  }
  std::uint64_t content_of(const PageRef& ref) {
    const auto page = pool_->fetch(ref);
    return page.has_value() ? base::load<std::uint64_t>(page->data() + 100) : ~std::uint64_t{0};
  }
  ErrorCode code_of(const PageRef& ref) { return pool_->fetch(ref).status().code(); }

  TestFile file_;
  format::PageCodec codec_{format::FileId{1, 2}};
  PageStore store_{file_, codec_, kPageSize};
  std::unique_ptr<Pool> pool_;
};

// In pages of 4 KiB, as the system counts them.
std::uint64_t resident_pages() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t all = 0, resident = 0;
  statm >> all >> resident;
  return resident;
}

TEST_F(PoolTest, a_large_cache_takes_no_memory_before_it_is_used) {
  const std::uint64_t before = resident_pages();
  const auto large = Pool::create(store_, std::uint64_t{16} << 30, refuse_bad).value();  // 256 MiB of frames
  EXPECT_GT(large->counters().frames, 1u << 21);
  EXPECT_EQ(large->counters().used, 0u);
  EXPECT_LT(resident_pages() - before, 1000u);
  EXPECT_TRUE(large->create_page(ref_of(7), PageType::Leaf, 0).has_value());
  EXPECT_EQ(large->counters().used, 1u);
  EXPECT_LT(resident_pages() - before, 1000u);
}

TEST_F(PoolTest, a_new_page_is_readable_before_it_is_written) {
  create(ref_of(7), 77);
  EXPECT_EQ(content_of(ref_of(7)), 77u);
  EXPECT_EQ(file_.writes(), 0u);
  const auto page = pool_->fetch(ref_of(7)).value();
  const auto header = base::load<format::PageHeader>(page.data());
  EXPECT_EQ(header.type, PageType::Leaf);
  EXPECT_EQ(header.page, 7u);
  EXPECT_TRUE(header.generation == ref_of(7).generation);
  EXPECT_EQ(header.session, kSession);
}

TEST_F(PoolTest, a_written_page_comes_back_from_the_file) {
  create(ref_of(7), 77);
  ASSERT_TRUE(write_all().is_ok());
  reopen();
  EXPECT_EQ(content_of(ref_of(7)), 77u);
  EXPECT_EQ(content_of(ref_of(7)), 77u);
  EXPECT_EQ(file_.reads(), 1u);
  EXPECT_EQ(pool_->counters().misses, 1u);
  EXPECT_EQ(pool_->counters().hits, 1u);
  EXPECT_EQ(pool_->counters().used, 1u);
  EXPECT_EQ(pool_->counters().dirty, 0u);
}

TEST_F(PoolTest, more_dirty_pages_than_frames_are_written_and_come_back) {
  for (PageNo page = 1; page <= 3 * kFrames; ++page) create(ref_of(page), page);
  EXPECT_GT(file_.writes(), 0u);
  EXPECT_LT(file_.writes(), kFrames);  // in runs
  for (PageNo page = 1; page <= 3 * kFrames; ++page) EXPECT_EQ(content_of(ref_of(page)), page);
}

TEST_F(PoolTest, pages_in_use_survive_a_scan) {
  put_into_file(1, 3 * kFrames);
  for (PageNo page = 2; page <= 3 * kFrames; ++page) {
    (void)content_of(ref_of(page));
    if (page % 50 == 0) (void)content_of(ref_of(1));
  }
  EXPECT_EQ(file_.reads(), 3 * kFrames);
  EXPECT_GT(pool_->counters().evictions, kFrames);
}

TEST_F(PoolTest, inner_pages_survive_leaves_that_are_read_once) {
  create(ref_of(1000), 1, 1);
  put_into_file(1, kFrames);
  (void)content_of(ref_of(1000));
  for (PageNo page = 1; page <= kFrames; ++page) (void)content_of(ref_of(page));
  const std::uint64_t before = file_.reads();
  (void)content_of(ref_of(1000));
  EXPECT_EQ(file_.reads(), before);
}

TEST_F(PoolTest, a_pinned_page_keeps_its_place_and_content) {
  put_into_file(1, 3 * kFrames);
  const ReadGuard pinned = pool_->fetch(ref_of(1)).value();
  const std::byte* at = pinned.data();
  for (PageNo page = 2; page <= 3 * kFrames; ++page) (void)content_of(ref_of(page));
  EXPECT_EQ(pool_->fetch(ref_of(1)).value().data(), at);
  EXPECT_EQ(base::load<std::uint64_t>(at + 100), 1u);
}

TEST_F(PoolTest, a_page_that_a_visitor_looks_at_keeps_its_place_and_content) {
  put_into_file(1, 3 * kFrames);
  (void)content_of(ref_of(1));
  Visits::Visit visit = pool_->visits().enter(Visits::kNone);
  ASSERT_TRUE(visit);
  const std::byte* at = pool_->peek(ref_of(1));
  ASSERT_NE(at, nullptr);
  EXPECT_EQ(pool_->peek(ref_of(1, 2)), nullptr);
  EXPECT_EQ(pool_->peek(ref_of(2)), nullptr) << "not in memory";
  std::atomic<bool> has_read_all = false;
  std::thread other([&] {
    for (PageNo page = 2; page <= 3 * kFrames; ++page) EXPECT_EQ(content_of(ref_of(page)), page);
    has_read_all = true;
  });
  for (int i = 0; i < 20; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(base::load<std::uint64_t>(at + 100), 1u);
  }
  EXPECT_FALSE(has_read_all);
  visit.leave();
  other.join();
  EXPECT_TRUE(has_read_all);
}

TEST_F(PoolTest, a_page_that_is_given_up_stays_for_those_who_look_at_it) {
  create(ref_of(1), 11);
  Visits::Visit visit = pool_->visits().enter(Visits::kNone);
  ASSERT_TRUE(visit);
  const std::byte* at = pool_->peek(ref_of(1));
  ASSERT_NE(at, nullptr);
  pool_->discard(1);
  EXPECT_EQ(pool_->peek(ref_of(1)), nullptr);
  for (PageNo page = 2; page < kFrames; ++page) create(ref_of(page), 22);  // in the other frames
  EXPECT_EQ(base::load<std::uint64_t>(at + 100), 11u);
  visit.leave();
  create(ref_of(kFrames), 33);
  EXPECT_EQ(base::load<std::uint64_t>(at + 100), 33u);
}

// --- Identity and damage ---------------------------------------------------------------------------------------------

TEST_F(PoolTest, a_reference_that_names_no_page_is_refused) { EXPECT_EQ(code_of({}), ErrorCode::PageMalformed); }

TEST_F(PoolTest, another_generation_or_session_in_the_file_is_stale) {
  put_into_file(7, 1);
  EXPECT_EQ(code_of(ref_of(7, 2)), ErrorCode::PageStale);
  EXPECT_EQ(code_of({7, Generation::of(1, 0), kSession + 1}), ErrorCode::PageStale);
  EXPECT_EQ(content_of(ref_of(7)), 7u);
}

TEST_F(PoolTest, another_generation_of_a_dirty_page_is_stale) {
  create(ref_of(7), 77);
  EXPECT_EQ(code_of(ref_of(7, 2)), ErrorCode::PageStale);
  EXPECT_EQ(content_of(ref_of(7)), 77u);
}

TEST_F(PoolTest, a_leftover_of_an_older_checkpoint_gives_way) {
  put_into_file(7, 1, 1);
  EXPECT_EQ(content_of(ref_of(7, 1)), 7u);
  {  // another process writes a newer one
    const auto other = Pool::create(store_, Pool::kBytesLean, refuse_bad).value();
    base::store(other->create_page(ref_of(7, 2), PageType::Leaf, 0).value().data() + 100, std::uint64_t{8});
    ASSERT_TRUE(other->write_back(2, [](PageNo, Generation) { return true; }).is_ok());
  }
  EXPECT_EQ(content_of(ref_of(7, 2)), 8u);
  EXPECT_EQ(code_of(ref_of(7, 1)), ErrorCode::PageStale);
}

TEST_F(PoolTest, damage_is_noticed_and_costs_no_frame) {
  put_into_file(1, 3);
  const char damage[] = "damage";
  const os::IoSlice slice{damage, sizeof damage};
  ASSERT_TRUE(file_.write_at(2 * kPageSize + 2000, {&slice, 1}).is_ok());
  for (unsigned i = 0; i < 2 * kFrames; ++i) EXPECT_EQ(code_of(ref_of(2)), ErrorCode::PageChecksum);
  EXPECT_EQ(content_of(ref_of(1)), 1u);
  EXPECT_EQ(content_of(ref_of(3)), 3u);
  EXPECT_EQ(code_of(ref_of(1000)), ErrorCode::PageChecksum);  // behind the end of the file
}

TEST_F(PoolTest, a_page_in_the_place_of_another_is_noticed) {
  put_into_file(1, 2);
  std::vector<std::byte> image(kPageSize);
  ASSERT_TRUE(file_.read_at(1 * kPageSize, image.data(), kPageSize).has_value());
  const os::IoSlice slice{image.data(), kPageSize};
  ASSERT_TRUE(file_.write_at(2 * kPageSize, {&slice, 1}).is_ok());
  EXPECT_EQ(code_of(ref_of(2)), ErrorCode::PageMisplaced);
}

TEST_F(PoolTest, a_page_that_is_not_valid_is_refused_each_time) {
  create(ref_of(7), kNotValid);
  ASSERT_TRUE(write_all().is_ok());
  reopen();
  EXPECT_EQ(code_of(ref_of(7)), ErrorCode::PageMalformed);
  EXPECT_EQ(code_of(ref_of(7)), ErrorCode::PageMalformed);
  EXPECT_EQ(pool_->counters().used, 0u);
}

TEST_F(PoolTest, a_failed_read_can_be_repeated) {
  put_into_file(7, 1);
  file_.fail_reads_after(0);
  EXPECT_EQ(code_of(ref_of(7)), ErrorCode::ReadFailed);
  file_.heal();
  EXPECT_EQ(content_of(ref_of(7)), 7u);
}

// --- Changing pages --------------------------------------------------------------------------------------------------

TEST_F(PoolTest, only_a_dirty_page_can_be_changed_as_it_is) {
  EXPECT_FALSE(static_cast<bool>(pool_->try_dirty(ref_of(7))));
  create(ref_of(7), 77);
  EXPECT_TRUE(static_cast<bool>(pool_->try_dirty(ref_of(7))));
  EXPECT_FALSE(static_cast<bool>(pool_->try_dirty(ref_of(7, 2))));
  ASSERT_TRUE(write_all().is_ok());
  EXPECT_FALSE(static_cast<bool>(pool_->try_dirty(ref_of(7))));
}

TEST_F(PoolTest, a_renewed_page_has_a_new_identity_and_is_written_again) {
  create(ref_of(7), 77);
  ASSERT_TRUE(write_all().is_ok());
  {
    WriteGuard page = pool_->renew(pool_->fetch(ref_of(7)).value(), Generation::of(1, 5));
    base::store(page.data() + 100, std::uint64_t{78});
  }
  EXPECT_EQ(code_of(ref_of(7)), ErrorCode::PageStale);
  EXPECT_EQ(content_of(ref_of(7, 1, 5)), 78u);
  EXPECT_TRUE(static_cast<bool>(pool_->try_dirty(ref_of(7, 1, 5))));
  ASSERT_TRUE(write_all().is_ok());
  reopen();
  EXPECT_EQ(content_of(ref_of(7, 1, 5)), 78u);
}

TEST_F(PoolTest, a_discarded_page_is_forgotten_dirty_or_not) {
  create(ref_of(7), 77);
  create(ref_of(8), 88);
  pool_->discard(7);
  pool_->discard(9);  // not there
  ASSERT_TRUE(write_all().is_ok());
  pool_->discard(8);
  EXPECT_EQ(pool_->counters().used, 0u);
  EXPECT_EQ(code_of(ref_of(7)), ErrorCode::PageChecksum);  // never written
  EXPECT_EQ(content_of(ref_of(8)), 88u);
  create(ref_of(7, 2), 78);
  EXPECT_EQ(content_of(ref_of(7, 2)), 78u);
}

TEST_F(PoolTest, several_pages_are_discarded_together) {
  std::vector<PageNo> pages;
  for (PageNo page = 1; page <= 60; ++page) {
    create(ref_of(page), page);
    if (page % 3 != 0) pages.push_back(page);
  }
  pages.push_back(1000);  // not there
  pool_->discard(pages);
  EXPECT_EQ(pool_->counters().used, 20u);
  for (PageNo page = 3; page <= 60; page += 3) EXPECT_EQ(content_of(ref_of(page)), page);
}

TEST_F(PoolTest, a_clean_page_gives_up_its_memory_and_comes_back_from_the_file) {
  put_into_file(1, 40);
  for (PageNo page = 1; page <= 40; ++page) EXPECT_EQ(content_of(ref_of(page)), page);
  const std::vector<PageNo> pages = {1, 2, 3, 1000, 20, 40};
  pool_->evict(pages);
  EXPECT_EQ(pool_->counters().used, 35u);
  const std::uint64_t misses = pool_->counters().misses;
  for (PageNo page = 1; page <= 40; ++page) EXPECT_EQ(content_of(ref_of(page)), page);
  EXPECT_EQ(pool_->counters().misses, misses + 5);
}

TEST_F(PoolTest, a_copy_has_the_content_and_an_identity_of_its_own) {
  create(ref_of(7), 77, 3);
  {
    const ReadGuard old = pool_->fetch(ref_of(7)).value();
    const auto copy = [](std::byte* to, const std::byte* from, std::uint32_t page_size) {
      std::copy(from + format::kPageHeaderSize, from + page_size, to + format::kPageHeaderSize);
    };
    const WriteGuard made = pool_->create_copy(ref_of(8, 2), old, copy).value();
    EXPECT_EQ(base::load<std::uint64_t>(made.data() + 100), 77u);
    EXPECT_EQ(pool_->create_copy(ref_of(8, 3), old, copy).status().code(), ErrorCode::PageMalformed) << "in use";
  }
  ASSERT_TRUE(write_all().is_ok());
  reopen();
  EXPECT_EQ(content_of(ref_of(7)), 77u);
  const ReadGuard made = pool_->fetch(ref_of(8, 2)).value();
  const auto header = base::load<format::PageHeader>(made.data());
  EXPECT_EQ(header.type, PageType::Inner);
  EXPECT_EQ(header.level, 3u);
  EXPECT_EQ(base::load<std::uint64_t>(made.data() + 100), 77u);
}

TEST_F(PoolTest, a_page_number_in_use_is_not_made_twice) {
  create(ref_of(7), 77);
  EXPECT_EQ(pool_->create_page(ref_of(7, 2), PageType::Leaf, 0).status().code(), ErrorCode::PageMalformed);
  EXPECT_EQ(content_of(ref_of(7)), 77u);
}

// --- Writing back ----------------------------------------------------------------------------------------------------

TEST_F(PoolTest, only_versions_up_to_the_given_one_and_wanted_pages_are_written) {
  for (PageNo page = 1; page <= 30; ++page) create(ref_of(page, page % 3 + 1), page);
  ASSERT_TRUE(pool_->write_back(2, [](PageNo page, Generation) { return page != 4; }).is_ok());
  EXPECT_EQ(pool_->counters().dirty, 11u);  // ten of version 3, and page 4
  EXPECT_TRUE(static_cast<bool>(pool_->try_dirty(ref_of(4, 2))));
  EXPECT_FALSE(static_cast<bool>(pool_->try_dirty(ref_of(7, 2))));
}

TEST_F(PoolTest, neighbouring_pages_are_written_together) {
  for (PageNo page = 100; page > 0; --page) create(ref_of(page), page);
  ASSERT_TRUE(write_all().is_ok());
  EXPECT_LE(file_.writes(), 10u);
  reopen();
  for (PageNo page = 1; page <= 100; ++page) EXPECT_EQ(content_of(ref_of(page)), page);
}

// --- Failure ---------------------------------------------------------------------------------------------------------

TEST_F(PoolTest, after_a_failed_write_reads_go_on_and_writes_are_refused) {
  put_into_file(1, 100);
  for (PageNo page = 200; page < 300; ++page) create(ref_of(page), page);
  file_.fail_writes_after(0);
  EXPECT_EQ(write_all().code(), ErrorCode::WriteFailed);
  file_.heal();
  EXPECT_EQ(write_all().code(), ErrorCode::Poisoned);
  EXPECT_EQ(store_.sync().code(), ErrorCode::Poisoned);
  EXPECT_EQ(store_.failure().code(), ErrorCode::WriteFailed);
  EXPECT_EQ(pool_->counters().dirty, 100u);
  for (PageNo page = 1; page <= 100; ++page) EXPECT_EQ(content_of(ref_of(page)), page);
  for (PageNo page = 200; page < 300; ++page) EXPECT_EQ(content_of(ref_of(page)), page);
}

TEST_F(PoolTest, a_reader_that_needs_a_frame_survives_the_write_that_fails) {
  put_into_file(1, 2 * kFrames);
  file_.fail_writes_after(0);
  for (PageNo page = 1000; page < 1000 + kFrames / 2; ++page) create(ref_of(page), page);
  // Some of these find dirty pages in their way, and clean ones behind them.
  for (PageNo page = 1; page <= 2 * kFrames; ++page) ASSERT_EQ(content_of(ref_of(page)), page);
  for (PageNo page = 1000; page < 1000 + kFrames / 2; ++page) ASSERT_EQ(content_of(ref_of(page)), page);
}

TEST_F(PoolTest, a_write_without_memory_leaves_the_pool_usable) {
  put_into_file(1, 10);
  for (PageNo page = 100; page < 110; ++page) create(ref_of(page), page);
  file_.throw_on_write(true);
  EXPECT_EQ(write_all().code(), ErrorCode::OutOfMemory);
  file_.throw_on_write(false);
  EXPECT_EQ(write_all().code(), ErrorCode::Poisoned);
  for (PageNo page = 100; page < 110; ++page) EXPECT_EQ(content_of(ref_of(page)), page);
  pool_->discard(100);
  EXPECT_EQ(content_of(ref_of(1)), 1u);
}

// --- Order of two threads --------------------------------------------------------------------------------------------

// Runs `work` on a thread of its own, until it says that it is ready.
template <typename Work>
auto start(Work work) {
  return std::async(std::launch::async, std::move(work));
}

// As good as a proof that the thread waits: it has not finished after some time.
template <typename T>
bool is_waiting(const std::future<T>& thread) {
  return thread.wait_for(std::chrono::milliseconds(30)) == std::future_status::timeout;
}

TEST_F(PoolTest, two_threads_that_want_the_same_page_read_it_once) {
  put_into_file(7, 1);
  file_.close_gate(false);
  auto first = start([&] { return content_of(ref_of(7)); });
  file_.await_waiting(1);
  auto second = start([&] { return content_of(ref_of(7)); });
  EXPECT_TRUE(is_waiting(second));
  file_.open_gate(false);
  EXPECT_EQ(first.get(), 7u);
  EXPECT_EQ(second.get(), 7u);
  EXPECT_EQ(file_.reads(), 1u);
}

TEST_F(PoolTest, a_thread_tries_itself_when_the_other_failed) {
  put_into_file(7, 1);
  file_.close_gate(false);
  file_.fail_reads_after(0);
  auto first = start([&] { return content_of(ref_of(7)); });
  file_.await_waiting(1);
  auto second = start([&] { return content_of(ref_of(7)); });
  EXPECT_TRUE(is_waiting(second));
  file_.heal();  // the first has its error already
  file_.open_gate(false);
  EXPECT_EQ(first.get(), ~std::uint64_t{0});
  EXPECT_EQ(second.get(), 7u);
}

TEST_F(PoolTest, other_pages_are_read_while_one_is_slow) {
  put_into_file(7, 2);
  (void)content_of(ref_of(8));
  file_.close_gate(false);
  auto slow = start([&] { return content_of(ref_of(7)); });
  file_.await_waiting(1);
  EXPECT_EQ(content_of(ref_of(8)), 8u);
  create(ref_of(9), 9);
  EXPECT_EQ(content_of(ref_of(9)), 9u);
  file_.open_gate(false);
  EXPECT_EQ(slow.get(), 7u);
}

TEST_F(PoolTest, a_published_page_is_readable_while_it_is_written) {
  create(ref_of(7), 77);
  file_.close_gate(true);
  auto writing = start([&] { return write_all().code(); });
  file_.await_waiting(1);
  EXPECT_EQ(content_of(ref_of(7)), 77u);
  file_.open_gate(true);
  EXPECT_EQ(writing.get(), ErrorCode::Ok);
}

TEST_F(PoolTest, a_pin_keeps_the_content_of_a_discarded_page_and_does_not_stand_in_the_way) {
  create(ref_of(7), 77);
  {
    const ReadGuard pinned = pool_->fetch(ref_of(7)).value();
    pool_->discard(7);
    create(ref_of(7, 2), 78);
    // Every other frame is used meanwhile.
    for (PageNo page = 100; page < 100 + 3 * kFrames; ++page) create(ref_of(page), page);
    EXPECT_EQ(base::load<std::uint64_t>(pinned.data() + 100), 77u);
    EXPECT_EQ(content_of(ref_of(7, 2)), 78u);
  }
  EXPECT_EQ(content_of(ref_of(100)), 100u);
  std::vector<ReadGuard> all;
  for (PageNo page = 100; page < 100 + kFrames; ++page) all.push_back(pool_->fetch(ref_of(page)).value());
  EXPECT_EQ(pool_->counters().used, kFrames) << "the frame of the discarded page is used again";
}

TEST_F(PoolTest, the_deadline_for_a_frame_counts_the_time_of_the_environment) {
  const std::unique_ptr<os::SimEnv> machine = os::SimEnv::create({.seed = 1});
  pool_ = Pool::create(store_, Pool::kBytesLean, refuse_bad, *machine).value();
  std::vector<WriteGuard> all;
  for (PageNo page = 1; page <= kFrames; ++page) {
    all.push_back(pool_->create_page(ref_of(page), PageType::Leaf, 0).value());
  }
  const std::uint64_t begin = machine->monotonic_ns();
  const auto real_begin = std::chrono::steady_clock::now();
  EXPECT_EQ(pool_->create_page(ref_of(1000), PageType::Leaf, 0).status().code(), ErrorCode::Timeout);
  EXPECT_GE(machine->monotonic_ns() - begin, 10'000'000'000u);
  EXPECT_LT(std::chrono::steady_clock::now() - real_begin, std::chrono::seconds(9));
  all.pop_back();
  EXPECT_TRUE(pool_->create_page(ref_of(1000), PageType::Leaf, 0).has_value());
}

TEST_F(PoolTest, a_page_is_not_discarded_while_it_is_written) {
  create(ref_of(7), 77);
  file_.close_gate(true);
  auto writing = start([&] { return write_all().code(); });
  file_.await_waiting(1);
  auto discarding = start([&] {
    pool_->discard(7);
    return 0;
  });
  EXPECT_TRUE(is_waiting(discarding));
  file_.open_gate(true);
  EXPECT_EQ(writing.get(), ErrorCode::Ok);
  discarding.get();
  EXPECT_EQ(pool_->counters().used, 0u);
}

TEST_F(PoolTest, a_page_that_is_dirty_or_in_use_keeps_its_memory) {
  put_into_file(7, 1);
  const ReadGuard pinned = pool_->fetch(ref_of(7)).value();
  create(ref_of(8), 88);
  create(ref_of(9), 99);
  file_.close_gate(true);
  auto writing = start(
      [&] { return pool_->write_back(format::kVersionMax, [](PageNo page, Generation) { return page == 9; }).code(); });
  file_.await_waiting(1);
  const std::vector<PageNo> pages = {7, 8, 9};
  pool_->evict(pages);
  EXPECT_EQ(pool_->counters().used, 3u);
  file_.open_gate(true);
  EXPECT_EQ(writing.get(), ErrorCode::Ok);
  EXPECT_EQ(content_of(ref_of(8)), 88u);
  pool_->evict(pages);
  EXPECT_EQ(pool_->counters().used, 2u) << "page 9 is written now";
  EXPECT_EQ(content_of(ref_of(9)), 99u);
}

TEST_F(PoolTest, a_page_is_not_renewed_while_it_is_written) {
  create(ref_of(7), 77);
  file_.close_gate(true);
  auto writing = start([&] { return write_all().code(); });
  file_.await_waiting(1);
  EXPECT_FALSE(static_cast<bool>(pool_->try_dirty(ref_of(7))));
  auto renewing = start([&] {
    WriteGuard page = pool_->renew(pool_->fetch(ref_of(7)).value(), Generation::of(1, 1));
    base::store(page.data() + 100, std::uint64_t{78});
    return 0;
  });
  EXPECT_TRUE(is_waiting(renewing));
  file_.open_gate(true);
  EXPECT_EQ(writing.get(), ErrorCode::Ok);
  renewing.get();
  EXPECT_EQ(content_of(ref_of(7, 1, 1)), 78u);
  EXPECT_EQ(pool_->counters().dirty, 1u);
  // What was written is the old content under the old identity.
  const auto other = Pool::create(store_, Pool::kBytesLean, refuse_bad).value();
  EXPECT_EQ(base::load<std::uint64_t>(other->fetch(ref_of(7)).value().data() + 100), 77u);
}

TEST_F(PoolTest, a_page_that_makes_room_can_be_read_while_it_is_written) {
  file_.close_gate(true);
  auto filling = start([&] {
    for (PageNo page = 1; page <= kFrames + 1; ++page) create(ref_of(page), page);
    return 0;
  });
  file_.await_waiting(1);
  // The batch is copied; its pages are still here.
  for (PageNo page = 1; page <= kFrames; ++page) EXPECT_EQ(content_of(ref_of(page)), page);
  file_.open_gate(true);
  filling.get();
  for (PageNo page = 1; page <= kFrames + 1; ++page) EXPECT_EQ(content_of(ref_of(page)), page);
}

TEST_F(PoolTest, a_passing_reader_does_not_make_a_leftover_stale) {
  put_into_file(7, 1, 2);
  {  // the file has version 2; the cache gets version 1 by a file of its own
    std::vector<std::byte> newer(kPageSize);
    ASSERT_TRUE(file_.read_at(7 * kPageSize, newer.data(), kPageSize).has_value());
    put_into_file(7, 1, 1);
    EXPECT_EQ(content_of(ref_of(7, 1)), 7u);
    const os::IoSlice slice{newer.data(), kPageSize};
    ASSERT_TRUE(file_.write_at(7 * kPageSize, {&slice, 1}).is_ok());
  }
  ReadGuard passing = pool_->fetch(ref_of(7, 1)).value();
  auto reading = start([&] { return content_of(ref_of(7, 2)); });
  EXPECT_TRUE(is_waiting(reading));
  passing.release();
  EXPECT_EQ(reading.get(), 7u);
}

}  // namespace
}  // namespace vitrine::pool
