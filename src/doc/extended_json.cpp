// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/extended_json.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>

#include "base/base64.hpp"
#include "base/try.hpp"
#include "doc/decimal.hpp"
#include "doc/json.hpp"

namespace vitrine::doc {
namespace {

Status bad(std::string_view why) { return Status::error(ErrorCode::JsonMalformed, why); }

template <typename T>
bool parse_all(Bytes text, T& number) {
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  return parsed.ec == std::errc{} && parsed.ptr == end;
}

int hex_digit(char digit) noexcept {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

std::optional<ByteString> bytes_of_hex(Bytes text) {
  if (text.size() % 2 != 0) return std::nullopt;
  ByteString bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

Status add_object_id(Builder& to, Bytes name, Bytes text) {
  const auto bytes = bytes_of_hex(text);
  if (!bytes || bytes->size() != 12) return bad("$oid takes 24 hexadecimal digits");
  to.add_object_id(name, *bytes);
  return {};
}

Status add_int(Builder& to, Bytes name, Bytes text) {
  std::int32_t number = 0;
  if (!parse_all(text, number)) return bad("$numberInt takes a whole number of 32 bits as text");
  to.add_int32(name, number);
  return {};
}

Status add_long(Builder& to, Bytes name, Bytes text) {
  std::int64_t number = 0;
  if (!parse_all(text, number)) return bad("$numberLong takes a whole number of 64 bits as text");
  to.add_int64(name, number);
  return {};
}

Status add_double(Builder& to, Bytes name, Bytes text) {
  double number = 0;
  if (text == "NaN") {
    number = std::numeric_limits<double>::quiet_NaN();
  } else if (text == "Infinity" || text == "-Infinity") {
    number = std::numeric_limits<double>::infinity() * (text[0] == '-' ? -1 : 1);
  } else if (text.empty() || text.find_first_not_of("0123456789+-.eE") != Bytes::npos || !parse_all(text, number)) {
    return bad("$numberDouble takes a number as text");
  }
  to.add_double(name, number);
  return {};
}

Status add_decimal(Builder& to, Bytes name, Bytes text) {
  const auto number = decimal128_from_text(text);
  if (!number) return bad("$numberDecimal takes a number of at most 34 digits as text");
  to.add_decimal(name, *number);
  return {};
}

Status add_uuid(Builder& to, Bytes name, Bytes text) {
  ByteString digits(text);
  const bool has_dashes = text.size() == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-';
  if (has_dashes) digits.erase(std::remove(digits.begin(), digits.end(), '-'), digits.end());
  const auto bytes = bytes_of_hex(digits);
  if (!has_dashes || !bytes || bytes->size() != 16) return bad("$uuid takes 8-4-4-4-12 hexadecimal digits");
  to.add_binary(name, *bytes, kUuidSubtype);
  return {};
}

Status add_date(Builder& to, Bytes name, const Value& value) {
  if (value.type == Type::Int64 || value.type == Type::Int32) {
    to.add_date(name, value.as_integer());
    return {};
  }
  const auto ms = value.type == Type::String ? date_from_text(value.as_string()) : std::nullopt;
  if (!ms) return bad("$date takes ISO 8601 text with a zone, or milliseconds");
  to.add_date(name, *ms);
  return {};
}

// The two members `first` and `second` of `value`, and nothing else.
bool take_two(const Value& value, Bytes first, Bytes second, Value& a, Value& b) {
  if (value.type != Type::Object || count_members(value.bytes) != 2) return false;
  const auto found_a = find_member(value.bytes, first), found_b = find_member(value.bytes, second);
  if (!found_a || !found_b) return false;
  a = *found_a;
  b = *found_b;
  return true;
}

Status add_binary(Builder& to, Bytes name, const Value& value) {
  Value text, subtype;
  const bool is_whole = take_two(value, "base64", "subType", text, subtype);
  if (!is_whole || text.type != Type::String || subtype.type != Type::String) {
    return bad("$binary takes an object of base64 and subType");
  }
  Bytes digits = subtype.as_string();
  const auto number = bytes_of_hex(digits.size() == 1 ? "0" + ByteString(digits) : ByteString(digits));
  const Result<std::string> bytes = base::decoded_base64(text.as_string());
  if (!number || number->size() != 1) return bad("the subType of $binary is one or two hexadecimal digits");
  if (!bytes.has_value()) return bad("the base64 of $binary is not base64");
  to.add_binary(name, *bytes, static_cast<std::uint8_t>(number->front()));
  return {};
}

Status add_regex(Builder& to, Bytes name, const Value& value) {
  Value pattern, options;
  const bool is_whole = take_two(value, "pattern", "options", pattern, options);
  if (!is_whole || pattern.type != Type::String || options.type != Type::String) {
    return bad("$regularExpression takes an object of pattern and options");
  }
  ByteString letters(options.as_string());
  std::sort(letters.begin(), letters.end());
  if ((letters + ByteString(pattern.as_string())).find('\0') != ByteString::npos) {
    return bad("a regular expression has no NUL");
  }
  to.add_regex(name, pattern.as_string(), letters);
  return {};
}

Status add_timestamp(Builder& to, Bytes name, const Value& value) {
  constexpr std::int64_t kMax = std::numeric_limits<std::uint32_t>::max();
  Value t, i;
  const auto fits = [](const Value& number) {
    const bool is_integer = number.type == Type::Int32 || number.type == Type::Int64;
    return is_integer && number.as_integer() >= 0 && number.as_integer() <= kMax;
  };
  if (!take_two(value, "t", "i", t, i) || !fits(t) || !fits(i)) {
    return bad("$timestamp takes an object of t and i, whole numbers of 32 bits");
  }
  to.add_timestamp(name, static_cast<std::uint64_t>(t.as_integer()) << 32 | static_cast<std::uint64_t>(i.as_integer()));
  return {};
}

Status add_end_key(Builder& to, Bytes name, const Value& value, Type type) {
  const bool is_one = value.is_number() && value.type == Type::Int32 && value.as_integer() == 1;
  if (!is_one) return bad("$minKey and $maxKey take 1");
  to.add(name, {type, {}});
  return {};
}

using AddText = Status (*)(Builder&, Bytes, Bytes);
using AddValue = Status (*)(Builder&, Bytes, const Value&);

struct Wrapper {
  Bytes name;
  AddText add_text;  // takes a string; or else
  AddValue add_value;
};

constexpr Wrapper kWrappers[] = {
    {"$oid", add_object_id, nullptr},
    {"$numberInt", add_int, nullptr},
    {"$numberLong", add_long, nullptr},
    {"$numberDouble", add_double, nullptr},
    {"$numberDecimal", add_decimal, nullptr},
    {"$uuid", add_uuid, nullptr},
    {"$date", nullptr, add_date},
    {"$binary", nullptr, add_binary},
    {"$regularExpression", nullptr, add_regex},
    {"$timestamp", nullptr, add_timestamp},
    {"$minKey", nullptr,
     [](Builder& to, Bytes name, const Value& v) { return add_end_key(to, name, v, Type::MinKey); }},
    {"$maxKey", nullptr,
     [](Builder& to, Bytes name, const Value& v) { return add_end_key(to, name, v, Type::MaxKey); }},
};

const Wrapper* find_wrapper(Bytes name) noexcept {
  const auto* found = std::find_if(std::begin(kWrappers), std::end(kWrappers),
                                   [&](const Wrapper& wrapper) { return wrapper.name == name; });
  return found == std::end(kWrappers) ? nullptr : found;
}

// Takes `width` digits off the front.
bool take_digits(Bytes& text, std::size_t width, int& number) {
  if (text.size() < width || !parse_all(text.substr(0, width), number) || text[0] == '-') return false;
  text.remove_prefix(width);
  return true;
}

bool take_character(Bytes& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

// Z, +HH:MM, -HHMM. In minutes.
std::optional<int> take_zone(Bytes text) {
  if (text == "Z") return 0;
  if (text.empty() || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  int hours = 0, minutes = 0;
  if (!take_digits(text, 2, hours)) return std::nullopt;
  (void)take_character(text, ':');
  if (!take_digits(text, 2, minutes) || !text.empty() || hours > 23 || minutes > 59) return std::nullopt;
  return sign * (hours * 60 + minutes);
}

// Up to three digits after the point; 0 when there is no point.
std::optional<int> take_milliseconds(Bytes& text) {
  int ms = 0;
  if (!take_character(text, '.')) return 0;
  const std::size_t width = std::min(text.find_first_not_of("0123456789"), text.size());
  if (width == 0 || width > 3 || !take_digits(text, width, ms)) return std::nullopt;
  for (std::size_t i = width; i < 3; ++i) ms *= 10;
  return ms;
}

}  // namespace

bool is_wrapper_name(Bytes name) noexcept { return name.starts_with('$') && find_wrapper(name) != nullptr; }

Status add_wrapped(Builder& to, Bytes name, Bytes object) {
  Elements walk(object);
  const auto element = walk.next();
  const Wrapper* wrapper = element ? find_wrapper(element->name) : nullptr;
  if (wrapper == nullptr || walk.next()) return bad("a type wrapper has exactly one member");
  if (wrapper->add_value != nullptr) return wrapper->add_value(to, name, element->value);
  if (element->value.type != Type::String) return bad("this type wrapper takes text");
  return wrapper->add_text(to, name, element->value.as_string());
}

std::optional<std::int64_t> date_from_text(Bytes text) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  const bool is_read = take_digits(text, 4, year) && take_character(text, '-') && take_digits(text, 2, month) &&
                       take_character(text, '-') && take_digits(text, 2, day) && take_character(text, 'T') &&
                       take_digits(text, 2, hour) && take_character(text, ':') && take_digits(text, 2, minute) &&
                       take_character(text, ':') && take_digits(text, 2, second);
  if (!is_read || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const auto ms = take_milliseconds(text);
  const auto zone = take_zone(text);
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!ms || !zone || !date.ok()) return std::nullopt;
  const std::int64_t days = sys_days(date).time_since_epoch().count();
  return ((days * 24 + hour) * 60 + minute - *zone) * 60'000 + second * 1'000 + *ms;
}

}  // namespace vitrine::doc
