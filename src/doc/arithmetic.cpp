// SPDX-License-Identifier: MIT OR Apache-2.0
// Decimals are computed by Intel's library, whose format is that of BSON.
#include "doc/arithmetic.hpp"

#include <charconv>

#include "doc/compare.hpp"
#include "doc/decimal.hpp"

// How Debian built the archive that we link: values by value, rounding and flags as arguments.
#define DECIMAL_CALL_BY_REFERENCE 0
#define DECIMAL_GLOBAL_ROUNDING 0
#define DECIMAL_GLOBAL_EXCEPTION_FLAGS 0
#include <bid_conf.h>
#include <bid_functions.h>

namespace vitrine::doc {
namespace {

constexpr unsigned kNearestEven = 0;

template <typename T>
Number number(Type type, T value) {
  Number result{type, {}};
  base::append_fixed(result.bytes, value);
  return result;
}

bool is_integer(const Value& value) noexcept { return value.type == Type::Int32 || value.type == Type::Int64; }

double to_double(const Value& value) noexcept {
  return value.type == Type::Double ? value.as_double() : static_cast<double>(value.as_integer());
}

BID_UINT128 to_decimal(const Value& value) {
  unsigned flags = 0;
  if (is_integer(value)) return bid128_from_int64(value.as_integer());
  if (value.type == Type::Double) return binary64_to_bid128(value.as_double(), kNearestEven, &flags);
  const Decimal128 decimal = value.as_decimal();
  BID_UINT128 result;
  result.w[0] = decimal.low;
  result.w[1] = decimal.high;
  return result;
}

// A double as the shortest digits that give it back.
BID_UINT128 as_written(const Value& value) {
  if (value.type != Type::Double) return to_decimal(value);
  char text[32];
  const char* end = std::to_chars(text, text + sizeof text, value.as_double()).ptr;
  const std::optional<Decimal128> decimal = decimal128_from_text(Bytes(text, static_cast<std::size_t>(end - text)));
  if (!decimal) return to_decimal(value);
  BID_UINT128 result;
  result.w[0] = decimal->low;
  result.w[1] = decimal->high;
  return result;
}

Number compute_decimals(Arithmetic operation, BID_UINT128 a, BID_UINT128 b) {
  unsigned flags = 0;  // inexact results are rounded, too large ones infinite, as with doubles
  const BID_UINT128 result =
      operation == Arithmetic::Add ? bid128_add(a, b, kNearestEven, &flags) : bid128_mul(a, b, kNearestEven, &flags);
  return number(Type::Decimal128, Decimal128{result.w[0], result.w[1]});
}

Result<Number> compute_integers(Arithmetic operation, const Value& a, const Value& b) {
  std::int64_t result = 0;
  const bool overflows = operation == Arithmetic::Add ? __builtin_add_overflow(a.as_integer(), b.as_integer(), &result)
                                                      : __builtin_mul_overflow(a.as_integer(), b.as_integer(), &result);
  if (overflows) return Status::error(ErrorCode::UpdateOverflow);
  const auto narrow = static_cast<std::int32_t>(result);
  const bool is_narrow = a.type == Type::Int32 && b.type == Type::Int32 && narrow == result;
  return is_narrow ? number(Type::Int32, narrow) : number(Type::Int64, result);
}

}  // namespace

Result<Number> compute(Arithmetic operation, const Value& a, const Value& b) {
  if (a.type == Type::Decimal128 || b.type == Type::Decimal128) {
    return compute_decimals(operation, to_decimal(a), to_decimal(b));
  }
  if (is_integer(a) && is_integer(b)) return compute_integers(operation, a, b);
  const double x = to_double(a), y = to_double(b);
  return number(Type::Double, operation == Arithmetic::Add ? x + y : x * y);
}

Number zero_like(const Value& value) {
  switch (value.type) {
    case Type::Int32:
      return number(Type::Int32, std::int32_t{0});
    case Type::Int64:
      return number(Type::Int64, std::int64_t{0});
    case Type::Double:
      return number(Type::Double, 0.0);
    default: {
      const BID_UINT128 zero = bid128_from_int64(0);
      return number(Type::Decimal128, Decimal128{zero.w[0], zero.w[1]});
    }
  }
}

bool is_multiple(const Value& a, const Value& b) {
  if (is_integer(a) && is_integer(b)) return a.as_integer() % b.as_integer() == 0;
  unsigned flags = 0;
  const BID_UINT128 rest = bid128_fmod(as_written(a), as_written(b), &flags);
  return bid128_isZero(rest) != 0;
}

std::optional<std::int64_t> whole_number(const Value& value) {
  if (is_integer(value)) return value.as_integer();
  if (!value.is_number()) return std::nullopt;
  unsigned flags = 0;
  const std::int64_t whole = bid128_to_int64_int(to_decimal(value), &flags);
  const Number back = number(Type::Int64, whole);
  return compare_values(value, {back.type, back.bytes}) == 0 ? std::optional(whole) : std::nullopt;
}

}  // namespace vitrine::doc
