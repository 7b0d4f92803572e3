// SPDX-License-Identifier: MIT OR Apache-2.0
// One writer, readers and a thread that writes back, all at once over the smallest cache. Every page says who it is, so
// that a reader notices a wrong one at once. Meant for the thread sanitizer; finds most without it, too.
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/codec.hpp"
#include "base/prng.hpp"
#include "os/testing.hpp"
#include "pool/pool.hpp"
#include "pool/testing.hpp"

namespace vitrine::pool {
namespace {

constexpr std::uint32_t kPageSize = 4096;
constexpr std::uint64_t kSession = 5;
constexpr unsigned kSlots = 500;  // live pages; more than frames
constexpr PageNo kPages = 900;

Status accept(const std::byte*, std::uint32_t) { return {}; }

// What a page of that identity has in its body.
std::uint64_t content_of(const PageRef& ref) { return ref.page() * 0x9e3779b97f4a7c15ull ^ ref.generation.word; }

void fill(std::byte* page, const PageRef& ref) {
  for (std::size_t at = 64; at < kPageSize - 64; at += 512) base::store(page + at, content_of(ref));
}

bool is_filled(const std::byte* page, const PageRef& ref) {
  bool all = base::load<format::PageHeader>(page).page == ref.page();
  for (std::size_t at = 64; at < kPageSize - 64; at += 512) {
    all &= base::load<std::uint64_t>(page + at) == content_of(ref);
  }
  return all;
}

class Stress {
 public:
  explicit Stress(std::uint64_t seed) : random_(seed) {
    for (PageNo page = 1; page <= kPages; ++page) free_.push_back(page);
    for (unsigned slot = 0; slot < kSlots; ++slot) live_[slot] = make_page();
    publish();
  }

  void run(unsigned transactions) {
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < 3; ++i) threads.emplace_back([this, seed = random_.next()] { read(seed); });
    threads.emplace_back([this] { write_back(); });
    while (reads_ == 0 && failures_ == 0) std::this_thread::yield();
    for (unsigned i = 0; i < transactions && failures_ == 0; ++i) {
      random_.one_in(5) ? roll_back() : change();
    }
    is_over_ = true;
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(failures_, 0u);
    EXPECT_GT(reads_, 0u);
    EXPECT_GT(looks_, 0u);
    EXPECT_GT(pool_->counters().evictions, 0u);
  }

  void check_file() {
    ASSERT_TRUE(pool_->write_back(version_, [](PageNo, Generation) { return true; }).is_ok());
    pool_ = Pool::create(store_, Pool::kBytesLean, accept).value();
    for (const PageRef& ref : live_) {
      const auto page = pool_->fetch(ref);
      ASSERT_TRUE(page.has_value()) << page.status().to_string();
      ASSERT_TRUE(is_filled(page->data(), ref));
    }
  }

 private:
  PageRef identity(PageNo page) { return {page, Generation::of(version_, rewrite_++), kSession}; }

  void fail() { ++failures_; }

  PageRef make_page() {
    const std::size_t at = random_.below(free_.size());
    const PageRef ref = identity(free_[at]);
    free_[at] = free_.back();
    free_.pop_back();
    auto page = pool_->create_page(ref, format::PageType::Leaf, static_cast<std::uint8_t>(random_.below(2)));
    if (page.has_value()) {
      fill(page->data(), ref);
    } else {
      fail();
    }
    return ref;
  }

  // As Workspace::make_mutable does with a page of the working version.
  void touch(PageRef& ref) {
    if (WriteGuard page = pool_->try_dirty(ref)) return fill(page.data(), ref);
    auto clean = pool_->fetch(ref);
    if (!clean.has_value() || !is_filled(clean->data(), ref)) return fail();
    ref = identity(ref.page());
    WriteGuard page = pool_->renew(std::move(*clean), ref.generation);
    fill(page.data(), ref);
  }

  std::vector<std::pair<unsigned, PageRef>> make_changes() {
    std::vector<std::pair<unsigned, PageRef>> changes;
    for (std::uint64_t i = random_.between(1, 60); i > 0; --i) {
      const auto slot = static_cast<unsigned>(random_.below(kSlots));
      changes.emplace_back(slot, make_page());
      if (random_.one_in(2)) touch(changes[random_.below(changes.size())].second);
    }
    return changes;
  }

  void change() {
    const auto changes = make_changes();
    std::vector<PageRef> retired;
    {
      writer_waits_ = true;  // or readers that follow each other without a gap would never let it in
      const std::unique_lock lock(mutex_);
      writer_waits_ = false;
      for (const auto& [slot, ref] : changes) {
        retired.push_back(live_[slot]);
        live_[slot] = ref;
      }
      publish();
    }
    for (const PageRef& ref : retired) {
      pool_->discard(ref.page());
      free_.push_back(ref.page());
    }
  }

  void roll_back() {
    for (const auto& [slot, ref] : make_changes()) {
      pool_->discard(ref.page());
      free_.push_back(ref.page());
    }
    ++version_;
    rewrite_ = 0;
  }

  void publish() {
    published_ = version_++;
    rewrite_ = 0;
  }

  void read(std::uint64_t seed) {
    base::Prng random(seed);
    while (!is_over_) {
      while (writer_waits_) std::this_thread::yield();
      const std::shared_lock lock(mutex_);
      for (std::uint64_t i = random.below(20); i > 0; --i) {
        const PageRef ref = live_[random.one_in(3) ? random.below(kSlots) : random.below(40)];
        if (random.one_in(2)) look(ref);
        const auto page = pool_->fetch(ref);
        if (!page.has_value() || !is_filled(page->data(), ref)) fail();
        ++reads_;
      }
    }
  }

  // Without a pin, if it is in memory.
  void look(const PageRef& ref) {
    const Visits::Visit visit = pool_->visits().enter(Visits::kNone);
    if (!visit) return;
    const std::byte* page = pool_->peek(ref);
    if (page == nullptr) return;
    if (!is_filled(page, ref)) fail();
    ++looks_;
  }

  void write_back() {
    while (!is_over_) {
      if (!pool_->write_back(published_, [](PageNo, Generation) { return true; }).is_ok()) fail();
      std::this_thread::yield();
    }
  }

  base::Prng random_;
  testing::TestFile file_;
  format::PageCodec codec_{format::FileId{1, 2}};
  PageStore store_{file_, codec_, kPageSize};
  std::unique_ptr<Pool> pool_ = Pool::create(store_, Pool::kBytesLean, accept).value();
  std::shared_mutex mutex_;
  PageRef live_[kSlots];
  std::vector<PageNo> free_;
  Version version_ = 1;
  std::uint32_t rewrite_ = 0;
  std::atomic<Version> published_ = 0;
  std::atomic<bool> is_over_ = false;
  std::atomic<bool> writer_waits_ = false;
  std::atomic<unsigned> failures_ = 0;
  std::atomic<std::uint64_t> reads_ = 0;
  std::atomic<std::uint64_t> looks_ = 0;
};

TEST(PoolThreads, readers_see_only_what_their_references_name) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  Stress stress(seed);
  stress.run(static_cast<unsigned>(testing::scaled(150, 1000, 20'000)));
  stress.check_file();
}

}  // namespace
}  // namespace vitrine::pool
