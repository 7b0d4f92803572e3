// SPDX-License-Identifier: MIT OR Apache-2.0
// JSON at the edges: MongoDB Extended JSON v2 to BSON and back. Plain JSON is a part of it.
//
// Reading: integers become Int32, Int64 or, up to 34 digits, Decimal128, always exactly; numbers with a point or an
// exponent become Double. The order of members is kept. Refused: a name twice, NUL in a name, an integer of more than
// 34 digits, a number outside the range of doubles, a type wrapper that is not exactly one, more than 100 levels.
#pragma once

#include <memory>

#include "doc/bson.hpp"
#include "vitrine/document.hpp"

namespace vitrine::doc {

// Reads one JSON object after the other with the same memory. One thread at a time.
class JsonReader {
 public:
  JsonReader();
  ~JsonReader();
  JsonReader(const JsonReader&) = delete;
  JsonReader& operator=(const JsonReader&) = delete;

  // Errors: JsonMalformed (detail "offset" where known), DocumentMalformed, DocumentTooLarge, DocumentTooDeep,
  // OutOfMemory.
  Result<ByteString> read(Bytes json);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

inline Result<ByteString> bson_from_json(Bytes json) { return JsonReader().read(json); }

bool is_json_number(Bytes text) noexcept;
// Errors: JsonMalformed when it is not one, or cannot be kept.
Status add_json_number(Builder& to, Bytes name, Bytes text);

void append_json(std::string& to, Bytes document, JsonForm form);
void append_json(std::string& to, const Value& value, JsonForm form);

// A date as ISO 8601 with a zone, to milliseconds since 1970; nothing when it is not one.
std::optional<std::int64_t> date_from_text(Bytes text);

}  // namespace vitrine::doc
