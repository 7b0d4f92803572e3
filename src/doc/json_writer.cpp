// SPDX-License-Identifier: MIT OR Apache-2.0
// BSON to Extended JSON v2, on one line, without blanks.
#include <charconv>
#include <chrono>
#include <cmath>

#include "base/base64.hpp"
#include "doc/decimal.hpp"
#include "doc/json.hpp"

namespace vitrine::doc {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kYear10000Ms = 253'402'300'800'000;

void append_hex(std::string& to, Bytes bytes) {
  for (const char byte : bytes) {
    to.push_back(kHexDigits[static_cast<std::uint8_t>(byte) >> 4]);
    to.push_back(kHexDigits[static_cast<std::uint8_t>(byte) & 15]);
  }
}

void append_quoted(std::string& to, Bytes text) {
  to.push_back('"');
  for (const char character : text) {
    const auto byte = static_cast<std::uint8_t>(character);
    if (character == '"' || character == '\\') {
      to.append({'\\', character});
    } else if (character == '\n') {
      to.append("\\n");
    } else if (character == '\t') {
      to.append("\\t");
    } else if (character == '\r') {
      to.append("\\r");
    } else if (byte < 0x20 || byte == 0x7f) {
      to.append("\\u00");
      append_hex(to, Bytes(&character, 1));
    } else {
      to.push_back(character);
    }
  }
  to.push_back('"');
}

// {"NAME":"TEXT"}
void append_wrapped(std::string& to, std::string_view name, std::string_view text) {
  to.append("{\"").append(name).append("\":\"").append(text).append("\"}");
}

template <typename T>
std::string text_of(T number) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

// The shortest text that reads back as the same double, with a point or an exponent so that it stays one.
std::string double_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  std::string text = text_of(value);
  if (text.find_first_of(".e") == std::string::npos) text.append(".0");
  return text;
}

void append_double(std::string& to, double value, JsonForm form) {
  if (form == JsonForm::Relaxed && std::isfinite(value)) {
    to.append(double_text(value));
  } else {
    append_wrapped(to, "$numberDouble", double_text(value));
  }
}

void append_integer(std::string& to, const Value& value, JsonForm form) {
  const std::string text = text_of(value.as_integer());
  if (form == JsonForm::Relaxed) {
    to.append(text);
  } else {
    append_wrapped(to, value.type == Type::Int32 ? "$numberInt" : "$numberLong", text);
  }
}

void append_padded(std::string& to, std::int64_t number, std::size_t width) {
  const std::string text = text_of(number);
  to.append(text.size() < width ? width - text.size() : 0, '0').append(text);
}

// Of a date in the years 1970 to 9999.
std::string date_text(std::int64_t ms) {
  const std::chrono::year_month_day day{std::chrono::sys_days(std::chrono::days(ms / kDayMs))};
  const std::int64_t rest = ms % kDayMs;
  std::string text;
  append_padded(text, static_cast<int>(day.year()), 4);
  append_padded(text.append("-"), static_cast<unsigned>(day.month()), 2);
  append_padded(text.append("-"), static_cast<unsigned>(day.day()), 2);
  append_padded(text.append("T"), rest / 3'600'000, 2);
  append_padded(text.append(":"), rest / 60'000 % 60, 2);
  append_padded(text.append(":"), rest / 1'000 % 60, 2);
  if (rest % 1'000 != 0) append_padded(text.append("."), rest % 1'000, 3);
  return text.append("Z");
}

void append_date(std::string& to, std::int64_t ms, JsonForm form) {
  if (form == JsonForm::Relaxed && ms >= 0 && ms < kYear10000Ms) return append_wrapped(to, "$date", date_text(ms));
  append_wrapped(to.append("{\"$date\":"), "$numberLong", text_of(ms));
  to.push_back('}');
}

void append_binary(std::string& to, const Value& value) {
  to.append("{\"$binary\":{\"base64\":\"");
  base::append_base64(to, value.as_binary());
  to.append("\",\"subType\":\"");
  const auto subtype = static_cast<char>(value.binary_subtype());
  append_hex(to, Bytes(&subtype, 1));
  to.append("\"}}");
}

void append_regex(std::string& to, const Value& value) {
  to.append("{\"$regularExpression\":{\"pattern\":");
  append_quoted(to, value.regex_pattern());
  to.append(",\"options\":");
  append_quoted(to, value.regex_options());
  to.append("}}");
}

void append_timestamp(std::string& to, std::uint64_t value) {
  to.append("{\"$timestamp\":{\"t\":").append(text_of(value >> 32));
  to.append(",\"i\":").append(text_of(value & 0xffffffffu)).append("}}");
}

void append_members(std::string& to, Bytes document, Type type, JsonForm form) {
  to.push_back(type == Type::Array ? '[' : '{');
  bool is_first = true;
  for (Elements walk(document); const auto element = walk.next(); is_first = false) {
    if (!is_first) to.push_back(',');
    if (type == Type::Object) {
      append_quoted(to, element->name);
      to.push_back(':');
    }
    append_json(to, element->value, form);
  }
  to.push_back(type == Type::Array ? ']' : '}');
}

}  // namespace

void append_json(std::string& to, Bytes document, JsonForm form) { append_members(to, document, Type::Object, form); }

void append_json(std::string& to, const Value& value, JsonForm form) {
  switch (value.type) {
    case Type::Double:
      return append_double(to, value.as_double(), form);
    case Type::Int32:
    case Type::Int64:
      return append_integer(to, value, form);
    case Type::Decimal128:
      return append_wrapped(to, "$numberDecimal", decimal128_to_text(value.as_decimal()));
    case Type::String:
      return append_quoted(to, value.as_string());
    case Type::Object:
    case Type::Array:
      return append_members(to, value.bytes, value.type, form);
    case Type::Binary:
      return append_binary(to, value);
    case Type::ObjectId:
      to.append("{\"$oid\":\"");
      append_hex(to, value.bytes);
      to.append("\"}");
      return;
    case Type::Bool:
      to.append(value.as_bool() ? "true" : "false");
      return;
    case Type::Date:
      return append_date(to, value.as_date(), form);
    case Type::Null:
      to.append("null");
      return;
    case Type::Regex:
      return append_regex(to, value);
    case Type::Timestamp:
      return append_timestamp(to, value.as_timestamp());
    case Type::MinKey:
      to.append("{\"$minKey\":1}");
      return;
    case Type::MaxKey:
      to.append("{\"$maxKey\":1}");
      return;
  }
}

}  // namespace vitrine::doc
