// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/key_encoding.hpp"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/assert.hpp"
#include "doc/compare.hpp"
#include "doc/decimal.hpp"

namespace vitrine::doc {
namespace {

// Offsets from Kind::Number.
constexpr std::uint8_t kNotANumber = 0, kNegative = 1, kZero = 2, kPositive = 3;

void append_byte(ByteString& to, std::uint8_t byte) { to.push_back(static_cast<char>(byte)); }

void append_kind(ByteString& to, Kind kind, std::uint8_t offset = 0) {
  append_byte(to, static_cast<std::uint8_t>(static_cast<std::uint8_t>(kind) + offset));
}

template <typename T>
void append_big_endian(ByteString& to, T value) {
  for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8) {
    append_byte(to, static_cast<std::uint8_t>(value >> shift));
  }
}

void append_signed(ByteString& to, std::int64_t value) {
  append_big_endian(to, static_cast<std::uint64_t>(value) ^ std::uint64_t{1} << 63);
}

void append_text(ByteString& to, Bytes text) {
  for (std::size_t zero; (zero = text.find('\0')) != Bytes::npos; text.remove_prefix(zero + 1)) {
    to.append(text.substr(0, zero + 1)).push_back('\xff');
  }
  to.append(text).append("\0\1", 2);
}

void complement_from(ByteString& bytes, std::size_t start) {
  for (std::size_t i = start; i < bytes.size(); ++i) bytes[i] = static_cast<char>(~bytes[i]);
}

// Two digits a byte, 1 to 100, and 0 as the end.
void append_digits(ByteString& to, const Decimal& number) {
  append_big_endian(to, static_cast<std::uint16_t>(number.exponent + kExponentBias));
  for (std::size_t i = 0; i < number.digits.size(); i += 2) {
    const int tens = number.digits[i] - '0', ones = i + 1 < number.digits.size() ? number.digits[i + 1] - '0' : 0;
    append_byte(to, static_cast<std::uint8_t>(tens * 10 + ones + 1));
  }
  append_byte(to, 0);
}

// The largest double that is not above the magnitude of `number`.
double truncated_to_double(const Decimal& number) {
  const std::string text = "0." + number.digits + "e" + std::to_string(number.exponent);
  double nearest = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), nearest);
  if (parsed.ec == std::errc::result_out_of_range) {
    nearest = number.exponent > 0 ? std::numeric_limits<double>::max() : 0;
  }
  const bool is_above = compare_magnitudes(exact_decimal(nearest), number) > 0;
  return is_above ? std::nextafter(nearest, 0.0) : nearest;
}

void append_magnitude(ByteString& to, double magnitude) {
  append_big_endian(to, std::bit_cast<std::uint64_t>(magnitude));
  to.push_back(kIsDouble);
}

void append_magnitude(ByteString& to, const Decimal& number) {
  const double low = truncated_to_double(number);
  append_magnitude(to, low);
  if (compare_magnitudes(exact_decimal(low), number) == 0) return;
  to.back() = kHasDigits;
  append_digits(to, number);
}

void append_exact(ByteString& to, const Decimal& number) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const bool is_finite = number.kind == NumberClass::Finite;
  if (number.kind == NumberClass::NotANumber) return append_kind(to, Kind::Number, kNotANumber);
  if (is_finite && number.digits.empty()) return append_kind(to, Kind::Number, kZero);
  const bool is_negative = number.is_negative || number.kind == NumberClass::NegativeInfinity;
  append_kind(to, Kind::Number, is_negative ? kNegative : kPositive);
  const std::size_t start = to.size();
  if (is_finite) {
    append_magnitude(to, number);
  } else {
    append_magnitude(to, kInfinity);
  }
  if (is_negative) complement_from(to, start);
}

void append_double(ByteString& to, double value) {
  if (std::isnan(value)) return append_kind(to, Kind::Number, kNotANumber);
  if (value == 0) return append_kind(to, Kind::Number, kZero);
  append_kind(to, Kind::Number, value < 0 ? kNegative : kPositive);
  const std::size_t start = to.size();
  append_magnitude(to, std::fabs(value));
  if (value < 0) complement_from(to, start);
}

void append_number(ByteString& to, const Value& value) {
  constexpr std::int64_t kExactMax = std::int64_t{1} << 53;
  if (value.type == Type::Double) return append_double(to, value.as_double());
  if (value.type != Type::Decimal128) {
    const std::int64_t integer = value.as_integer();
    if (-kExactMax <= integer && integer <= kExactMax) return append_double(to, static_cast<double>(integer));
  }
  append_exact(to, exact_decimal(value));
}

void append_ascending(ByteString& to, const Value& value, std::size_t depth);

// 00 ends a container; a member begins with its kind, which is above that. What nests deeper than documents may is
// passed over: a damaged file could hold it.
void append_container(ByteString& to, const Value& value, std::size_t depth) {
  if (depth > kDocumentDepthMax) return;
  for (Elements walk(value.bytes); const auto element = walk.next();) {
    if (value.type == Type::Object) {
      append_kind(to, kind_of(element->value.type));
      append_text(to, element->name);
    }
    append_ascending(to, element->value, depth + 1);
  }
  to.push_back('\0');
}

void append_ascending(ByteString& to, const Value& value, std::size_t depth) {
  const Kind kind = kind_of(value.type);
  if (kind == Kind::Number) return append_number(to, value);
  append_kind(to, kind, value.type == Type::Bool && value.as_bool() ? 1 : 0);
  switch (kind) {
    case Kind::String:
      return append_text(to, value.as_string());
    case Kind::Object:
    case Kind::Array:
      return append_container(to, value, depth);
    case Kind::Binary:
      append_big_endian(to, static_cast<std::uint32_t>(value.as_binary().size()));
      append_byte(to, value.binary_subtype());
      to.append(value.as_binary());
      return;
    case Kind::ObjectId:
      to.append(value.bytes);
      return;
    case Kind::Date:
      return append_signed(to, value.as_date());
    case Kind::Timestamp:
      return append_big_endian(to, value.as_timestamp());
    case Kind::Regex:
      append_text(to, value.regex_pattern());
      return append_text(to, value.regex_options());
    default:
      return;
  }
}

}  // namespace

void append_key(ByteString& to, const Value& value, Direction direction) {
  const std::size_t start = to.size();
  append_ascending(to, value, 0);
  if (direction == Direction::Descending) complement_from(to, start);
}

ByteString encoded_key(const Value& value) {
  ByteString key;
  append_key(key, value);
  return key;
}

bool decodes_exactly(const Value& value) noexcept {
  constexpr double kBound = 9223372036854775808.0;
  switch (value.type) {
    case Type::Int64:
      return static_cast<std::int32_t>(value.as_integer()) != value.as_integer();
    case Type::Double: {
      const double number = value.as_double();
      const bool is_integer = number >= -kBound && number < kBound && number == std::trunc(number);
      return !std::isnan(number) && !is_integer;
    }
    case Type::Decimal128:
    case Type::Object:
    case Type::Array:
      return false;
    default:
      return true;
  }
}

ByteString after_prefix(Bytes prefix) {
  const std::size_t last = prefix.find_last_not_of('\xff');
  VITRINE_ASSERT(last != Bytes::npos);
  ByteString end(prefix.substr(0, last + 1));
  end.back() = static_cast<char>(end.back() + 1);
  return end;
}

}  // namespace vitrine::doc
