// SPDX-License-Identifier: MIT OR Apache-2.0
// Assertions on our own invariants, on in every build: a crash is better than a corrupt file. They never guard bytes
// that come from a disk, a network or a caller; those return a Status. No needed call goes inside one.
#pragma once

namespace vitrine::base {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace vitrine::base

#define VITRINE_ASSERT(expression) \
  (__builtin_expect(!!(expression), 1) ? void(0) : ::vitrine::base::assertion_failed(#expression, __FILE__, __LINE__))

// For loops too hot for a check in release builds.
#ifdef NDEBUG
#define VITRINE_DEBUG_ASSERT(expression) void(0)
#else
#define VITRINE_DEBUG_ASSERT(expression) VITRINE_ASSERT(expression)
#endif
