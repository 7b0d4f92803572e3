// SPDX-License-Identifier: MIT OR Apache-2.0
// The text form of a UUID, the same wherever one is shown or asked for. Thread safety: stateless.
#pragma once

#include <cstddef>
#include <string>

namespace vitrine::base {

// 32 hexadecimal digits as 8-4-4-4-12. REQUIRES: digits.size() == 32.
inline std::string dashed_uuid(std::string digits) {
  for (const std::size_t at : {std::size_t{20}, std::size_t{16}, std::size_t{12}, std::size_t{8}}) {
    digits.insert(at, 1, '-');
  }
  return digits;
}

}  // namespace vitrine::base
