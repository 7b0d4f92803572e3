// SPDX-License-Identifier: MIT OR Apache-2.0
#include "base/base64.hpp"

#include <array>
#include <cstdint>

namespace vitrine::base {
namespace {

constexpr std::string_view kBase64Digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

Status bad_text(std::string_view message, std::size_t position) {
  return Status::error(ErrorCode::ArgumentInvalid, message).with("position", position);
}

std::uint8_t byte_at(std::string_view bytes, std::size_t at) noexcept { return static_cast<std::uint8_t>(bytes[at]); }

std::array<std::int8_t, 256> make_base64_values() noexcept {
  std::array<std::int8_t, 256> values;
  values.fill(-1);
  for (std::size_t i = 0; i < kBase64Digits.size(); ++i) {
    values[static_cast<std::uint8_t>(kBase64Digits[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}

}  // namespace

void append_base64(std::string& to, std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    const std::size_t count = bytes.size() - at < 3 ? bytes.size() - at : 3;
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < 3; ++i) group = group << 8 | (i < count ? byte_at(bytes, at + i) : 0u);
    for (std::size_t i = 0; i < kBase64Group; ++i) {
      to.push_back(i <= count ? kBase64Digits[group >> (18 - 6 * i) & 63] : '=');
    }
  }
}

Result<std::string> decoded_base64(std::string_view text) {
  static const std::array<std::int8_t, 256> values = make_base64_values();
  if (text.size() % kBase64Group != 0) return bad_text("base64 comes in groups of four characters", text.size());
  std::string bytes;
  bytes.reserve(text.size() / kBase64Group * 3);
  for (std::size_t at = 0; at < text.size(); at += kBase64Group) {
    std::size_t padding = 0;
    if (at + kBase64Group == text.size()) {
      if (text[at + 3] == '=') padding = text[at + 2] == '=' ? 2 : 1;
    }
    std::uint32_t group = 0;
    for (std::size_t i = 0; i < kBase64Group; ++i) {
      const int value = i < kBase64Group - padding ? values[byte_at(text, at + i)] : 0;
      if (value < 0) return bad_text("not a base64 character", at + i);
      group = group << 6 | static_cast<std::uint32_t>(value);
    }
    // The bits that padding cuts off are zero in the one canonical form.
    if ((group & ((1u << (8 * padding)) - 1)) != 0) return bad_text("base64 with stray bits at its end", at);
    for (std::size_t i = 0; i < 3 - padding; ++i) bytes.push_back(static_cast<char>(group >> (16 - 8 * i) & 0xff));
  }
  return bytes;
}

}  // namespace vitrine::base
