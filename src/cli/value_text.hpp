// SPDX-License-Identifier: MIT OR Apache-2.0
// Values of the inspection contract as words for a terminal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vitrine/inspect.hpp"

namespace vitrine::cli {

// "-" for nothing; text and bytes safe for a terminal, bytes that are no text as 0x...; the rest as JSON.
std::string value_text(const inspect::Value* value);
// The same for a member.
std::string member_text(const inspect::Value& object, std::string_view name);
// 0 when the member is missing or no number.
std::uint64_t member_number(const inspect::Value& object, std::string_view name) noexcept;
bool member_truth(const inspect::Value& object, std::string_view name) noexcept;
// Empty when the member is missing or no list.
const inspect::Value::List& member_list(const inspect::Value& object, std::string_view name) noexcept;

}  // namespace vitrine::cli
