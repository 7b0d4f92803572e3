// SPDX-License-Identifier: MIT OR Apache-2.0
// Little-endian loads and stores of fixed width, and LEB128 variable-length integers. All on-disk integers are
// little-endian, except key heads, which are big-endian so that they compare as bytes do.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace vitrine::base {

static_assert(std::endian::native == std::endian::little, "the codecs below assume a little-endian machine");

template <typename T>
inline T load(const void* from) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <typename T>
inline void store(void* to, T value) noexcept {
  static_assert(std::is_trivially_copyable_v<T>);
  std::memcpy(to, &value, sizeof value);
}

// Appends `value` in 1 to 10 bytes, seven bits each, low bits first.
inline void append_varint(std::string& to, std::uint64_t value) {
  while (value >= 0x80) {
    to.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  to.push_back(static_cast<char>(value));
}

// Takes one varint off the front of `from`. Nothing when it is cut short, longer than needed, or above 64 bits.
inline std::optional<std::uint64_t> take_varint(std::string_view& from) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < from.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(from[i]);
    if (i == 9 && byte > 1) return std::nullopt;
    value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      if (byte == 0 && i > 0) return std::nullopt;
      from.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

inline std::size_t varint_size(std::uint64_t value) noexcept {
  return value == 0 ? 1 : (static_cast<std::size_t>(std::bit_width(value)) + 6) / 7;
}

// Appends the fixed-width little-endian bytes of `value`.
template <typename T>
inline void append_fixed(std::string& to, T value) {
  char bytes[sizeof value];
  store(bytes, value);
  to.append(bytes, sizeof value);
}

inline std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) noexcept {
  return (value + alignment - 1) / alignment * alignment;
}

}  // namespace vitrine::base
