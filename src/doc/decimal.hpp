// SPDX-License-Identifier: MIT OR Apache-2.0
// Numbers of any BSON type as exact decimals, so that they compare by value across types. Slow and exact: used where
// types mix; equal types are compared directly.
#pragma once

#include <optional>
#include <string>

#include "doc/bson.hpp"

namespace vitrine::doc {

enum class NumberClass : std::uint8_t { NotANumber, NegativeInfinity, Finite, PositiveInfinity };

// 0.DIGITS * 10^exponent, with a sign. Digits without zeros at either end; none for zero, which has no sign either.
struct Decimal {
  NumberClass kind = NumberClass::Finite;
  bool is_negative = false;
  std::int32_t exponent = 0;
  std::string digits;
};

// REQUIRES: value.is_number().
Decimal exact_decimal(const Value& value);
Decimal exact_decimal(double value);

// Less than 0, 0 or greater than 0. Not-a-number is below everything and equal to itself.
int compare_decimals(const Decimal& a, const Decimal& b) noexcept;
// The same without signs. REQUIRES: both finite.
int compare_magnitudes(const Decimal& a, const Decimal& b) noexcept;

// Text as the decimal128 specification has it. Nothing when `text` is not a number or needs more than 34 digits.
std::optional<Decimal128> decimal128_from_text(Bytes text);
std::string decimal128_to_text(Decimal128 value);

}  // namespace vitrine::doc
