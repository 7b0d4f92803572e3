// SPDX-License-Identifier: MIT OR Apache-2.0
// Byte strings. Keys and values are bytes without an encoding; `std::string_view` is used as the view type because it
// compares exactly as the store orders keys (unsigned, memcmp) and takes literals.
#pragma once

#include <string>
#include <string_view>

namespace vitrine {

using Bytes = std::string_view;  // a view; the callee says how long it stays valid
using ByteString = std::string;  // owned bytes

}  // namespace vitrine
