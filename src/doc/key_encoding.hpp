// SPDX-License-Identifier: MIT OR Apache-2.0
// Values as bytes that sort with memcmp exactly as compare_values() orders the values, for keys of documents and of
// indexes. Equal values of different number types give equal bytes; nothing is cut off, however long. No encoding is a
// prefix of another one, so that encodings can be put one after the other.
//
// The first byte is the kind. Zero bytes inside text are escaped as 00 FF, 00 01 ends it. Numbers: a sign, the double
// nearest to zero of the value, and the exact decimal digits where that double is not all of it.
#pragma once

#include "doc/bson.hpp"

namespace vitrine::doc {

enum class Direction : std::uint8_t { Ascending, Descending };

// Behind the double of a magnitude: is there more? Exponents of digits stand with a bias.
inline constexpr std::uint8_t kIsDouble = 0, kHasDigits = 1;
inline constexpr std::int32_t kExponentBias = 0x8000;

// Appends the encoding of `value`; descending, it is complemented and sorts the other way round.
void append_key(ByteString& to, const Value& value, Direction direction = Direction::Ascending);
ByteString encoded_key(const Value& value);

// Does the encoding tell the value exactly, with its type? Integers do in the narrowest type that holds them, fractions
// as doubles; objects and arrays never do.
bool decodes_exactly(const Value& value) noexcept;

// The end of the range of keys that begin with `prefix`; REQUIRES a byte in it that is not 0xff.
ByteString after_prefix(Bytes prefix);

}  // namespace vitrine::doc
