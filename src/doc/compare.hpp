// SPDX-License-Identifier: MIT OR Apache-2.0
// The one order of values: by kind of type (least key, null, numbers, strings, objects, arrays, binary, object ids,
// booleans, dates, timestamps, regular expressions, greatest key), then by value, numbers across their types. It is
// MongoDB's. key_encoding.hpp makes bytes that sort the same way.
#pragma once

#include "doc/bson.hpp"

namespace vitrine::doc {

// Rank of the kind of type. The values are the first bytes of encoded keys, and so part of the file format.
enum class Kind : std::uint8_t {
  MinKey = 0x10,
  Null = 0x18,
  Number = 0x20,  // and the three after it: not a number, negative, zero, positive
  String = 0x28,
  Object = 0x30,
  Array = 0x38,
  Binary = 0x40,
  ObjectId = 0x48,
  Bool = 0x50,
  Date = 0x58,
  Timestamp = 0x60,
  Regex = 0x68,
  MaxKey = 0xf0,
};

Kind kind_of(Type type) noexcept;

// Less than 0, 0 or greater than 0. Strings compare as bytes. Recursion is bounded by the depth of documents.
int compare_values(const Value& a, const Value& b);
int compare_documents(Bytes a, Bytes b);

}  // namespace vitrine::doc
