// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/view_screen.hpp"

namespace vitrine::cli::view {
namespace {

bool is_first_byte(char c) noexcept { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }

}  // namespace

std::string text_of(const Line& line) {
  std::string text;
  for (const Span& span : line) text += span.text;
  return text;
}

std::size_t columns_of(std::string_view text) noexcept {
  std::size_t columns = 0;
  for (const char c : text) columns += is_first_byte(c) ? 1 : 0;
  return columns;
}

std::string clipped(std::string_view text, std::size_t columns) {
  std::size_t seen = 0, end = 0;
  for (; end < text.size(); ++end) {
    if (is_first_byte(text[end]) && seen++ == columns) break;
  }
  return std::string(text.substr(0, end));
}

std::string padded(std::string_view text, std::size_t columns) {
  std::string whole = clipped(text, columns);
  whole.append(columns - columns_of(whole), ' ');
  return whole;
}

}  // namespace vitrine::cli::view
