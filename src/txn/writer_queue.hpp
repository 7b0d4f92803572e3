// SPDX-License-Identifier: MIT OR Apache-2.0
// The commit latch: one writer at a time. A thread that finds it free takes it; those that wait are served in order of
// arrival, and once the first of them has waited kPatience nobody overtakes it.
//
// Overtaking matters: handing the latch to a sleeping thread costs a wake-up for each commit, while a running thread
// that comes back for its next commit can have it at once. Patience bounds what that costs the others.
//
// Threads: any. Not tied to the thread that acquired it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

namespace vitrine::txn {

class WriterQueue {
 public:
  static constexpr auto kPatience = std::chrono::milliseconds(1);

  // False when `deadline` passed first. Without one: waits as long as it takes.
  bool acquire(std::optional<std::chrono::steady_clock::time_point> deadline = std::nullopt);
  void release();

  std::uint64_t waits() const;  // how often a thread had to wait

 private:
  struct Waiter {
    std::condition_variable ready;
    std::chrono::steady_clock::time_point since;
    bool granted = false;
  };

  mutable std::mutex mutex_;
  bool held_ = false;
  std::deque<Waiter*> waiting_;
  std::uint64_t waits_ = 0;
};

}  // namespace vitrine::txn
