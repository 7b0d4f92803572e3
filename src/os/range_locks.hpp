// SPDX-License-Identifier: MIT OR Apache-2.0
// Byte-range locks of one file as the kernel keeps them for open file descriptions, for the environments that have no
// kernel. Owners are the addresses of handles and serve as names only.
//
// Invariant: ranges of one owner never overlap; ranges of two owners overlap only when both are shared.
// Thread safety: none; the file that holds the locks guards them.
#pragma once

#include <cstdint>
#include <vector>

#include "os/env.hpp"

namespace vitrine::os {

class RangeLocks {
 public:
  // Gives [offset, offset + size) to `owner` in `mode`, replacing what it holds there. False when another is in the
  // way.
  bool try_lock(const void* owner, std::uint64_t offset, std::uint64_t size, LockMode mode);
  void unlock(const void* owner, std::uint64_t offset, std::uint64_t size);
  void unlock_all(const void* owner);
  bool locked_by_other(const void* owner, std::uint64_t offset, std::uint64_t size) const;

 private:
  struct Lock {
    const void* owner;
    std::uint64_t begin;
    std::uint64_t end;
    LockMode mode;
  };
  std::vector<Lock> locks_;
};

}  // namespace vitrine::os
