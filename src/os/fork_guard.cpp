// SPDX-License-Identifier: MIT OR Apache-2.0
#include "os/fork_guard.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>

#include "base/try.hpp"

namespace vitrine::os {
namespace {

constexpr std::size_t kPageSize = 4096;

}  // namespace

Result<ForkGuard> ForkGuard::make() {
  ForkGuard guard;
  guard.page_ = TRY(Memory::allocate(kPageSize));
  *reinterpret_cast<std::uint64_t*>(guard.page_.data()) = 1;
  if (::madvise(guard.page_.data(), kPageSize, MADV_WIPEONFORK) != 0) guard.process_ = ::getpid();
  return guard;
}

bool ForkGuard::has_forked() const noexcept {
  if (page_.data() == nullptr) return false;  // never made
  if (process_ != 0) return ::getpid() != process_;
  return std::atomic_ref(*reinterpret_cast<std::uint64_t*>(page_.data())).load(std::memory_order_relaxed) == 0;
}

}  // namespace vitrine::os
