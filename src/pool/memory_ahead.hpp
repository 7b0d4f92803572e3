// SPDX-License-Identifier: MIT OR Apache-2.0
// Touches the memory of a pool a little before its frames are needed, on a thread of its own. The first touch of a huge
// page has the kernel find and clear 2 MiB: 0.1 ms, and in a virtual machine whose host must find the memory first
// up to 6 ms, which was a third of the time of a bulk load (ADR 64).
//
// Threads: reach() by one thread at a time.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>

#include "os/memory.hpp"
#include "os/worker.hpp"

namespace vitrine::pool {

class MemoryAhead {
 public:
  // `memory` outlives this.
  explicit MemoryAhead(const os::Memory& memory) noexcept : memory_(memory) {}

  // `used` bytes of the memory have been taken: sees to half as much again, and to kMost at most. The first call starts
  // the thread; where the system has none to give, whoever needs memory touches it first, as without this class.
  void reach(std::size_t used) noexcept;
  static constexpr std::size_t kMost = std::size_t{16} << 20;

 private:
  std::chrono::milliseconds touch_some() noexcept;

  const os::Memory& memory_;
  std::atomic<std::size_t> used_{0};
  std::size_t touched_ = 0;  // of the thread
  bool has_started_ = false;
  std::unique_ptr<os::Worker> worker_;
};

}  // namespace vitrine::pool
