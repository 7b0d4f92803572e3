// SPDX-License-Identifier: MIT OR Apache-2.0
// Is a byte string well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF)?
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/codec.hpp"

namespace vitrine::base {

inline bool is_utf8(std::string_view bytes) noexcept {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;  // of eight bytes that are no ASCII
  for (std::size_t i = 0; i < bytes.size();) {
    if (i + 8 <= bytes.size() && (load<std::uint64_t>(bytes.data() + i) & kHighBits) == 0) {
      i += 8;
      continue;
    }
    const auto lead = static_cast<unsigned char>(bytes[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || i + size > bytes.size()) return false;
    unsigned code = lead & (0xffu >> (size + 1));
    for (std::size_t k = 1; k < size; ++k) {
      const auto next = static_cast<unsigned char>(bytes[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      code = code << 6 | (next & 0x3fu);
    }
    const bool overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
    if (overlong || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return false;
    i += size;
  }
  return true;
}

}  // namespace vitrine::base
