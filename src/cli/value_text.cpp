// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/value_text.hpp"

#include "cli/encoding.hpp"

namespace vitrine::cli {

using inspect::Value;

std::string value_text(const Value* value) {
  if (value == nullptr || value->is_null()) return "-";
  if (const auto* text = value->text()) return encoded(*text, Encoding::Text);
  if (const Value* hex = value->find("hex"); hex != nullptr && hex->text() != nullptr) return "0x" + *hex->text();
  return inspect::to_json(*value);
}

std::string member_text(const Value& object, std::string_view name) { return value_text(object.find(name)); }

std::uint64_t member_number(const Value& object, std::string_view name) noexcept {
  const Value* const value = object.find(name);
  return value != nullptr && value->number() != nullptr ? *value->number() : 0;
}

bool member_truth(const Value& object, std::string_view name) noexcept {
  const Value* const value = object.find(name);
  return value != nullptr && value->truth() != nullptr && *value->truth();
}

const Value::List& member_list(const Value& object, std::string_view name) noexcept {
  static const Value::List kNone;
  const Value* const value = object.find(name);
  return value != nullptr && value->list() != nullptr ? *value->list() : kNone;
}

}  // namespace vitrine::cli
