// SPDX-License-Identifier: MIT OR Apache-2.0
#include "txn/writer_queue.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace vitrine::txn {

bool WriterQueue::acquire(std::optional<std::chrono::steady_clock::time_point> deadline) {
  std::unique_lock lock(mutex_);
  const bool may_overtake = waiting_.empty() || std::chrono::steady_clock::now() - waiting_.front()->since < kPatience;
  if (!held_ && may_overtake) {
    held_ = true;
    return true;
  }
  ++waits_;
  Waiter self;
  self.since = std::chrono::steady_clock::now();
  waiting_.push_back(&self);
  for (;;) {
    // A free latch with nobody granted: the first in line takes it itself.
    if (self.granted || (!held_ && waiting_.front() == &self)) break;
    if (!deadline) {
      self.ready.wait(lock);
    } else if (self.ready.wait_until(lock, *deadline) == std::cv_status::timeout && !self.granted &&
               (held_ || waiting_.front() != &self)) {
      waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &self));
      return false;
    }
  }
  if (!self.granted) {
    waiting_.pop_front();
    held_ = true;
  }
  return true;
}

void WriterQueue::release() {
  std::lock_guard lock(mutex_);
  VITRINE_ASSERT(held_);
  held_ = false;
  if (waiting_.empty()) return;
  Waiter* first = waiting_.front();
  if (std::chrono::steady_clock::now() - first->since >= kPatience) {
    waiting_.pop_front();
    held_ = true;
    first->granted = true;
  }
  first->ready.notify_one();
}

std::uint64_t WriterQueue::waits() const {
  std::lock_guard lock(mutex_);
  return waits_;
}

}  // namespace vitrine::txn
