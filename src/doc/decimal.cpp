// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/decimal.hpp"

#include <bson/bson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

namespace vitrine::doc {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr int kDecimal128Bias = 6176;
constexpr int kDecimal128Digits = 34;
constexpr int kDoubleDigitsMax = 767;  // no double needs more decimal digits than this

void trim(Decimal& number) {
  const std::size_t first = number.digits.find_first_not_of('0');
  if (first == std::string::npos) {
    number = Decimal{};
    return;
  }
  number.digits.erase(number.digits.find_last_not_of('0') + 1);
  number.digits.erase(0, first);
  number.exponent -= static_cast<std::int32_t>(first);
}

// `coefficient` * 10^`exponent`.
Decimal scaled(bool is_negative, Wide coefficient, std::int32_t exponent) {
  Decimal number{NumberClass::Finite, is_negative, 0, {}};
  for (; coefficient != 0; coefficient /= 10) number.digits.push_back(static_cast<char>('0' + coefficient % 10));
  std::reverse(number.digits.begin(), number.digits.end());
  number.exponent = exponent + static_cast<std::int32_t>(number.digits.size());
  trim(number);
  return number;
}

Decimal exact_integer(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  return scaled(value < 0, value < 0 ? 0 - bits : bits, 0);
}

Wide decimal128_limit() {
  Wide limit = 1;
  for (int i = 0; i < kDecimal128Digits; ++i) limit *= 10;
  return limit;
}

// IEEE 754-2008 with the binary coefficient: sign, 14 bits of exponent, 113 of coefficient.
Decimal exact_decimal128(Decimal128 value) {
  const bool is_negative = value.high >> 63 != 0;
  const unsigned special = value.high >> 58 & 0x1f;
  if (special == 0x1f) return {NumberClass::NotANumber, false, 0, {}};
  if (special == 0x1e) {
    return {is_negative ? NumberClass::NegativeInfinity : NumberClass::PositiveInfinity, false, 0, {}};
  }
  // The other form would need a coefficient above the largest allowed, and means zero; so does any other such one.
  if ((value.high >> 61 & 3) == 3) return {};
  const Wide coefficient = static_cast<Wide>(value.high & 0x1ffffffffffffull) << 64 | value.low;
  static const Wide limit = decimal128_limit();
  if (coefficient >= limit) return {};
  return scaled(is_negative, coefficient, static_cast<std::int32_t>(value.high >> 49 & 0x3fff) - kDecimal128Bias);
}

}  // namespace

Decimal exact_decimal(double value) {
  if (std::isnan(value)) return {NumberClass::NotANumber, false, 0, {}};
  if (std::isinf(value)) {
    return {value < 0 ? NumberClass::NegativeInfinity : NumberClass::PositiveInfinity, false, 0, {}};
  }
  char text[kDoubleDigitsMax + 16];  // d.ddd...e-ddd
  const auto end =
      std::to_chars(text, text + sizeof text, std::fabs(value), std::chars_format::scientific, kDoubleDigitsMax - 1)
          .ptr;
  const Bytes all(text, static_cast<std::size_t>(end - text));
  const std::size_t mark = all.find('e');
  Decimal number{NumberClass::Finite, std::signbit(value), 0, {}};
  number.digits.assign(all.substr(0, 1)).append(all.substr(2, mark - 2));
  const char* exponent = text + mark + (text[mark + 1] == '+' ? 2 : 1);
  std::from_chars(exponent, end, number.exponent);
  ++number.exponent;
  trim(number);
  return number;
}

Decimal exact_decimal(const Value& value) {
  if (value.type == Type::Double) return exact_decimal(value.as_double());
  if (value.type == Type::Decimal128) return exact_decimal128(value.as_decimal());
  return exact_integer(value.as_integer());
}

int compare_magnitudes(const Decimal& a, const Decimal& b) noexcept {
  if (a.digits.empty() || b.digits.empty())
    return static_cast<int>(b.digits.empty()) - static_cast<int>(a.digits.empty());
  if (a.exponent != b.exponent) return a.exponent < b.exponent ? -1 : 1;
  return a.digits.compare(b.digits);  // as fractions, so the shorter of two with the same beginning is the smaller
}

int compare_decimals(const Decimal& a, const Decimal& b) noexcept {
  if (a.kind != b.kind) return a.kind < b.kind ? -1 : 1;
  if (a.kind != NumberClass::Finite) return 0;
  if (a.is_negative != b.is_negative) return a.is_negative ? -1 : 1;
  return a.is_negative ? compare_magnitudes(b, a) : compare_magnitudes(a, b);
}

std::optional<Decimal128> decimal128_from_text(Bytes text) {
  // Below this, libbson's int for the length cannot overflow.
  if (text.empty() || text.size() > 8192) return std::nullopt;
  bson_decimal128_t value;
  if (!bson_decimal128_from_string_w_len(text.data(), static_cast<int>(text.size()), &value)) return std::nullopt;
  return Decimal128{value.low, value.high};
}

std::string decimal128_to_text(Decimal128 value) {
  char text[BSON_DECIMAL128_STRING];
  const bson_decimal128_t given{value.low, value.high};
  bson_decimal128_to_string(&given, text);
  return text;
}

}  // namespace vitrine::doc
