// SPDX-License-Identifier: MIT OR Apache-2.0
#include "os/worker.hpp"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <system_error>

namespace vitrine::os {
namespace {

// A longer sleep would only risk overflow in the clock's arithmetic.
constexpr std::chrono::milliseconds kLongestSleep = std::chrono::hours(24);

// Blocks every signal while it lives. A thread started meanwhile inherits that, so handlers of the host program never
// run on a thread the host does not know.
class SignalBlock {
 public:
  SignalBlock() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalBlock() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalBlock(const SignalBlock&) = delete;
  SignalBlock& operator=(const SignalBlock&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

Result<std::unique_ptr<Worker>> Worker::start(std::function<std::chrono::milliseconds()> work) {
  std::unique_ptr<Worker> worker(new Worker);
  worker->work_ = std::move(work);
  const SignalBlock block;
  try {
    worker->thread_ = std::thread([&runner = *worker] { runner.run(); });
  } catch (const std::system_error& failure) {
    return Status::error(ErrorCode::SystemFailed, "the system has no thread to give")
        .with("operation", "start thread")
        .with("errno", static_cast<std::uint64_t>(failure.code().value()));
  }
  return worker;
}

Worker::~Worker() {
  if (!thread_.joinable()) return;  // never started
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wakeup_.notify_one();
  thread_.join();
}

void Worker::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  wakeup_.notify_one();
}

void Worker::run() {
  ::pthread_setname_np(::pthread_self(), "vitrine");
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    woken_ = false;  // a wake during work_() asks for another call
    lock.unlock();
    const std::chrono::milliseconds sleep = std::min(work_(), kLongestSleep);
    lock.lock();
    wakeup_.wait_for(lock, sleep, [this] { return woken_ || stopping_; });
  }
}

}  // namespace vitrine::os
