// SPDX-License-Identifier: MIT OR Apache-2.0
// The commit latch: one at a time, in order, and within a deadline. Where order matters the test waits until the queue
// itself says that a thread stands in it.
#include "txn/writer_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "pool/testing.hpp"

namespace vitrine::txn {
namespace {

using namespace std::chrono_literals;
using pool::testing::scaled;
using Clock = std::chrono::steady_clock;

constexpr auto kLongerThanPatience = WriterQueue::kPatience * 5;

// Threads that wait for the latch one after the other, write down that they had it, and let go.
class Line {
 public:
  explicit Line(WriterQueue& queue) : queue_(queue) {}
  ~Line() { join(); }

  // Returns when the new thread stands in the line.
  void add(int name, std::optional<std::chrono::milliseconds> wait = std::nullopt) {
    const std::uint64_t before = queue_.waits();
    threads_.emplace_back([this, name, wait] {
      std::optional<Clock::time_point> deadline;
      if (wait) deadline = Clock::now() + *wait;
      const bool has_it = queue_.acquire(deadline);
      {
        std::lock_guard lock(mutex_);
        (has_it ? served_ : gave_up_).push_back(name);
      }
      if (has_it) queue_.release();
    });
    while (queue_.waits() == before) std::this_thread::sleep_for(100us);
  }
  void join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }
  std::vector<int> served() const { return served_; }
  std::vector<int> gave_up() const { return gave_up_; }

 private:
  WriterQueue& queue_;
  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::vector<int> served_;
  std::vector<int> gave_up_;
};

TEST(WriterQueue, a_free_latch_is_taken_at_once_even_after_the_deadline) {
  WriterQueue queue;
  EXPECT_TRUE(queue.acquire());
  queue.release();
  EXPECT_TRUE(queue.acquire(Clock::now() - 1s));
  EXPECT_EQ(queue.waits(), 0u);
}

TEST(WriterQueue, a_held_latch_is_waited_for_until_the_deadline) {
  WriterQueue queue;
  ASSERT_TRUE(queue.acquire());
  const auto begin = Clock::now();
  EXPECT_FALSE(queue.acquire(begin + 20ms));
  EXPECT_GE(Clock::now() - begin, 20ms);
  EXPECT_FALSE(queue.acquire(begin));
  EXPECT_EQ(queue.waits(), 2u);
  queue.release();
  EXPECT_TRUE(queue.acquire(begin)) << "who gave up left nothing behind";
}

TEST(WriterQueue, those_who_wait_are_served_in_the_order_in_which_they_came) {
  WriterQueue queue;
  ASSERT_TRUE(queue.acquire());
  Line line(queue);
  for (int name = 1; name <= 8; ++name) line.add(name);
  std::this_thread::sleep_for(kLongerThanPatience);
  queue.release();
  line.join();
  EXPECT_EQ(line.served(), (std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8}));
}

TEST(WriterQueue, nobody_overtakes_one_who_has_waited_long_enough) {
  WriterQueue queue;
  ASSERT_TRUE(queue.acquire());
  Line line(queue);
  line.add(1);
  std::this_thread::sleep_for(kLongerThanPatience);
  queue.release();
  ASSERT_TRUE(queue.acquire());
  line.join();
  EXPECT_EQ(line.served(), std::vector<int>{1}) << "before the thread that came back for the latch";
}

TEST(WriterQueue, one_who_gives_up_does_not_hold_up_those_behind) {
  WriterQueue queue;
  ASSERT_TRUE(queue.acquire());
  Line line(queue);
  line.add(1, 5ms);
  line.add(2);
  line.add(3, 5ms);
  line.add(4);
  std::this_thread::sleep_for(50ms);
  queue.release();
  line.join();
  EXPECT_EQ(line.served(), (std::vector<int>{2, 4}));
  std::vector<int> gave_up = line.gave_up();
  std::sort(gave_up.begin(), gave_up.end());
  EXPECT_EQ(gave_up, (std::vector<int>{1, 3}));
}

TEST(WriterQueue, the_latch_belongs_to_no_thread) {
  WriterQueue queue;
  std::thread([&] { ASSERT_TRUE(queue.acquire()); }).join();
  queue.release();
  EXPECT_TRUE(queue.acquire(Clock::now()));
}

TEST(WriterQueue, one_at_a_time_has_the_latch_and_nobody_is_forgotten) {
  WriterQueue queue;
  constexpr int kThreads = 6;
  const std::uint64_t turns = scaled(500, 5'000, 50'000);
  std::uint64_t in_order = 0;  // unguarded but for the latch
  std::vector<std::uint64_t> had(kThreads);
  std::vector<std::thread> threads;
  for (int name = 0; name < kThreads; ++name) {
    threads.emplace_back([&, name] {
      for (std::uint64_t turn = 0; turn < turns; ++turn) {
        const bool is_patient = name % 2 == 0;
        const auto deadline = is_patient ? std::nullopt : std::optional(Clock::now() + 200us);
        if (!queue.acquire(deadline)) continue;
        ++in_order;
        ++had[static_cast<std::size_t>(name)];
        if (turn % 8 == 0) std::this_thread::yield();
        queue.release();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::uint64_t sum = 0;
  for (int name = 0; name < kThreads; ++name) {
    if (name % 2 == 0) {
      EXPECT_EQ(had[static_cast<std::size_t>(name)], turns);
    }
    sum += had[static_cast<std::size_t>(name)];
  }
  EXPECT_EQ(in_order, sum);
  EXPECT_TRUE(queue.acquire(Clock::now()));
}

}  // namespace
}  // namespace vitrine::txn
