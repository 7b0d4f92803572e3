// SPDX-License-Identifier: MIT OR Apache-2.0
// Base64 (RFC 4648, with padding), in its one canonical form.
#pragma once

#include <string>
#include <string_view>

#include "vitrine/status.hpp"

namespace vitrine::base {

inline constexpr std::size_t kBase64Group = 4;  // characters that stand for up to three bytes

void append_base64(std::string& to, std::string_view bytes);

// Errors: ArgumentInvalid with the detail "position".
Result<std::string> decoded_base64(std::string_view text);

}  // namespace vitrine::base
