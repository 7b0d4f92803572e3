// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/assert.hpp"

#include <cstdio>
#include <cstdlib>

namespace vitrine::base {

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "vitrine: internal error: %s does not hold (%s:%d)\n", expression, file, line);
  std::abort();
}

}  // namespace vitrine::base
