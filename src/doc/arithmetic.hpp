// SPDX-License-Identifier: MIT OR Apache-2.0
// Sums and products of numbers of any BSON type, for updates. The result has the widest type of the two: 32 bits,
// 64 bits, double, decimal; a 32-bit result that does not fit becomes 64 bits, a 64-bit one is an error.
#pragma once

#include "doc/bson.hpp"

namespace vitrine::doc {

enum class Arithmetic : std::uint8_t { Add, Multiply };

struct Number {
  Type type = Type::Int32;
  ByteString bytes;
};

// REQUIRES: both are numbers. Errors: UpdateOverflow.
Result<Number> compute(Arithmetic operation, const Value& a, const Value& b);

// Zero of the type of `value`.
Number zero_like(const Value& value);

// Is `a` a whole multiple of `b`, both as they are written in decimal digits: 0.3 is one of 0.1?
// REQUIRES: both are numbers, `b` is above zero.
bool is_multiple(const Value& a, const Value& b);

// The number as 64 bits, when it is one exactly.
std::optional<std::int64_t> whole_number(const Value& value);

}  // namespace vitrine::doc
