// SPDX-License-Identifier: MIT OR Apache-2.0
#include "os/worker.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <future>

namespace vitrine::os {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

// Waits for the n-th call of the work without depending on time.
class CallCount {
 public:
  void add() {
    const std::lock_guard lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  bool reaches(int count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return count_ >= count; });
  }
  int count() {
    const std::lock_guard lock(mutex_);
    return count_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

TEST(Worker, calls_again_when_the_period_has_passed) {
  CallCount calls;
  auto worker = Worker::start([&] {
                  calls.add();
                  return milliseconds(1);
                }).value();
  EXPECT_TRUE(calls.reaches(3));
}

TEST(Worker, calls_again_when_woken) {
  CallCount calls;
  auto worker = Worker::start([&] {
                  calls.add();
                  return milliseconds::max();
                }).value();
  ASSERT_TRUE(calls.reaches(1));
  worker->wake();
  EXPECT_TRUE(calls.reaches(2));
}

TEST(Worker, a_wake_during_the_work_is_not_lost) {
  CallCount calls;
  std::promise<void> entered;
  std::promise<void> go_on;
  auto worker = Worker::start([&]() -> milliseconds {
                  if (calls.count() == 0) {
                    entered.set_value();
                    go_on.get_future().wait();
                  }
                  calls.add();
                  return hours(1);
                }).value();
  entered.get_future().wait();
  worker->wake();
  go_on.set_value();
  EXPECT_TRUE(calls.reaches(2));
}

TEST(Worker, ends_while_it_sleeps_and_after_the_call_under_way) {
  std::atomic<bool> finished{false};
  std::promise<void> entered;
  auto worker = Worker::start([&]() -> milliseconds {
                  entered.set_value();
                  std::this_thread::sleep_for(milliseconds(20));
                  finished = true;
                  return hours(1);
                }).value();
  entered.get_future().wait();
  worker.reset();
  EXPECT_TRUE(finished);
}

TEST(Worker, takes_no_signals_of_the_host) {
  std::promise<bool> blocked;
  auto worker = Worker::start([&]() -> milliseconds {
                  sigset_t mask;
                  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
                  blocked.set_value(::sigismember(&mask, SIGINT) == 1 && ::sigismember(&mask, SIGTERM) == 1);
                  return hours(1);
                }).value();
  EXPECT_TRUE(blocked.get_future().get());
  sigset_t mask;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &mask);
  EXPECT_EQ(::sigismember(&mask, SIGINT), 0) << "the host's own mask is as it was";
}

}  // namespace
}  // namespace vitrine::os
