// SPDX-License-Identifier: MIT OR Apache-2.0
// One background thread that calls a function each time it is woken or a period has passed.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "vitrine/status.hpp"

namespace vitrine::os {

class Worker {
 public:
  // Starts the thread. `work` runs on it, never twice at once; it returns how long to sleep if nobody wakes it.
  // Fails with SystemFailed when the system has no thread to give.
  static Result<std::unique_ptr<Worker>> start(std::function<std::chrono::milliseconds()> work);

  // Ends the thread after the call of `work` that is under way.
  ~Worker();

  void wake();

 private:
  Worker() = default;
  void run();

  std::function<std::chrono::milliseconds()> work_;
  std::mutex mutex_;
  std::condition_variable wakeup_;
  bool woken_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace vitrine::os
