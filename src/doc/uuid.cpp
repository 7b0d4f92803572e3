// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/uuid.hpp"

#include <array>

#include "base/try.hpp"

namespace vitrine::doc {

Result<ByteString> make_uuid(os::Env& env) {
  std::array<std::byte, 16> bytes;
  CHECK(env.random_bytes(bytes));
  const std::uint64_t ms = env.wall_ms();
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<std::byte>(ms >> (40 - 8 * i));
  bytes[6] = (bytes[6] & std::byte{0x0f}) | std::byte{0x70};  // version 7
  bytes[8] = (bytes[8] & std::byte{0x3f}) | std::byte{0x80};  // variant
  return ByteString(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace vitrine::doc
