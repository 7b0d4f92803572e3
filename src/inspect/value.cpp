// SPDX-License-Identifier: MIT OR Apache-2.0
// Values, and their JSON form. Written by hand: the engine's library carries no JSON library for one writer.
#include <cmath>
#include <cstdio>

#include "base/assert.hpp"
#include "base/utf8.hpp"
#include "vitrine/inspect.hpp"
#include "vitrine/errors.hpp"

namespace vitrine::inspect {
namespace {

void append_escaped(std::string& to, unsigned char c) {
  switch (c) {
    case '"':
      to.append("\\\"");
      return;
    case '\\':
      to.append("\\\\");
      return;
    case '\n':
      to.append("\\n");
      return;
    default:
      break;
  }
  if (c >= 0x20 && c != 0x7f) {
    to.push_back(static_cast<char>(c));
    return;
  }
  char code[8];
  std::snprintf(code, sizeof code, "\\u%04x", c);
  to.append(code);
}

void append_text(std::string& to, std::string_view text) {
  const bool is_good = base::is_utf8(text);
  to.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (!is_good && byte >= 0x80) {
      to.append("\xef\xbf\xbd");
    } else {
      append_escaped(to, byte);
    }
  }
  to.push_back('"');
}

void append_json(std::string& to, const Value& value);

void append_list(std::string& to, const Value::List& list) {
  to.push_back('[');
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) to.push_back(',');
    append_json(to, list[i]);
  }
  to.push_back(']');
}

void append_members(std::string& to, const Value::Members& members) {
  to.push_back('{');
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i > 0) to.push_back(',');
    append_text(to, members[i].name);
    to.push_back(':');
    append_json(to, members[i].value);
  }
  to.push_back('}');
}

void append_fraction(std::string& to, double value) {
  if (!std::isfinite(value)) value = 0;  // JSON has no other numbers
  char digits[40];
  std::snprintf(digits, sizeof digits, "%.6g", value);
  to.append(digits);
}

void append_json(std::string& to, const Value& value) {
  if (const auto* members = value.members()) {
    append_members(to, *members);
  } else if (const auto* list = value.list()) {
    append_list(to, *list);
  } else if (const auto* text = value.text()) {
    append_text(to, *text);
  } else if (const auto* number = value.number()) {
    to.append(std::to_string(*number));
  } else if (const auto* fraction = value.fraction()) {
    append_fraction(to, *fraction);
  } else if (const auto* truth = value.truth()) {
    to.append(*truth ? "true" : "false");
  } else {
    to.append("null");
  }
}

Value error_value(const Status& status) {
  Value details = Value::object();
  for (const ErrorDetail& detail : own_details(status)) details.add(detail.key, detail.value);
  Value value = Value::object()
                    .add("code", status.name())
                    .add("status", kind_name(status.kind()))
                    .add("message", status.message())
                    .add("details", std::move(details))
                    .add("retryable", error_retryable(status.code()))
                    .add("advice", error_advice(status.code()));
  if (const std::optional<Status> cause = cause_of(status)) value.add("cause", error_value(*cause));
  return value;
}

}  // namespace

// Here, where Member is complete.
Value::Value() noexcept = default;
Value::Value(bool value) noexcept : data_(value) {}
Value::Value(std::uint64_t value) noexcept : data_(value) {}
Value::Value(std::uint32_t value) noexcept : data_(std::uint64_t{value}) {}
Value::Value(double value) noexcept : data_(value) {}
Value::Value(std::string value) : data_(std::move(value)) {}
Value::Value(std::string_view value) : data_(std::string(value)) {}
Value::Value(const char* value) : data_(std::string(value)) {}
Value::Value(List value) : data_(std::move(value)) {}
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

Value Value::object() {
  Value value;
  value.data_ = Members{};
  return value;
}

Value& Value::add(std::string_view name, Value value) & {
  auto* const members = std::get_if<Members>(&data_);
  VITRINE_ASSERT(members != nullptr);
  members->push_back({std::string(name), std::move(value)});
  return *this;
}

Value&& Value::add(std::string_view name, Value value) && { return std::move(add(name, std::move(value))); }

const Value* Value::find(std::string_view name) const noexcept {
  const auto* const all = members();
  if (all == nullptr) return nullptr;
  for (const Member& member : *all) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

std::string to_json(const Value& value) {
  std::string json;
  append_json(json, value);
  return json;
}

Value envelope(std::string_view command, const Result<Value>& payload, const Status& verdict) {
  const Status status = payload.has_value() ? verdict : payload.status();
  return Value::object()
      .add("schema", kSchemaVersion)
      .add("command", command)
      .add("ok", status.is_ok())
      .add("payload", payload.has_value() ? *payload : Value())
      .add("error", status.is_ok() ? Value() : error_value(status));
}

}  // namespace vitrine::inspect
