// SPDX-License-Identifier: MIT OR Apache-2.0
// Tells whether this process is a child forked after the guard was made, at the cost of one load: the guard keeps a
// mark in a page that the kernel wipes in a child.
//
// Thread safety: has_forked() from any thread.
#pragma once

#include <cstdint>

#include "os/memory.hpp"
#include "vitrine/status.hpp"

namespace vitrine::os {

class ForkGuard {
 public:
  // Fails with OutOfMemory.
  static Result<ForkGuard> make();
  bool has_forked() const noexcept;

 private:
  Memory page_;
  std::int64_t process_ = 0;  // used where the kernel does not wipe; else 0
};

}  // namespace vitrine::os
