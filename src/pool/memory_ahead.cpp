// SPDX-License-Identifier: MIT OR Apache-2.0
#include "pool/memory_ahead.hpp"

#include <algorithm>
#include <new>

namespace vitrine::pool {

void MemoryAhead::reach(std::size_t used) noexcept {
  used_.store(used, std::memory_order_relaxed);
  if (worker_) return worker_->wake();
  if (std::exchange(has_started_, true)) return;
  try {
    Result<std::unique_ptr<os::Worker>> worker = os::Worker::start([this] { return touch_some(); });
    if (worker.has_value()) worker_ = std::move(*worker);
  } catch (const std::bad_alloc&) {
    // A help, not a need.
  }
}

std::chrono::milliseconds MemoryAhead::touch_some() noexcept {
  const std::size_t used = used_.load(std::memory_order_relaxed);
  const std::size_t wanted = std::min(used + std::min(used / 2, kMost), memory_.size());
  touched_ = std::max(touched_, used);
  if (touched_ >= wanted) return std::chrono::hours(1);
  const std::size_t size = std::min(os::Memory::kHugePageSize, wanted - touched_);
  memory_.touch(touched_, size);
  touched_ += size;
  return std::chrono::milliseconds(0);
}

}  // namespace vitrine::pool
