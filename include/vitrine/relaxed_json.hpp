// SPDX-License-Identifier: MIT OR Apache-2.0
// JSON as people type it, for command lines and prompts.
//
//   {name: 'Bob', tags: ["a",], seen: ISODate("2024-02-29T11:04:56Z"), boss: $ref("users", 7), code: /^a/i}
//
// Beside all of JSON: names without quotes (letters, digits, `_`, `$` and dots), single quotes, a comma behind the last
// element, NaN and Infinity, regular expressions between slashes, and calls that stand for a value:
//   $ref("collection", id)   ObjectId("...")   UUID("...")   ISODate("...") Date("...")
//   NumberInt(1)   NumberLong("1")   NumberDecimal("1.10")   MinKey()   MaxKey()
#pragma once

#include <string>
#include <string_view>

#include "vitrine/document.hpp"

namespace vitrine {

// One value of relaxed JSON, as Extended JSON that every reader understands.
struct JsonValueText {
  std::string json;
  std::size_t size = 0;  // how many bytes of the text it took, blanks before it included
};

// Takes the value at the start of `text`; what follows it is not looked at. Errors: JsonMalformed with the detail
// "offset", and "ends" when only the end of the text is wrong, so that more of it may make it whole; DocumentTooDeep.
Result<JsonValueText> take_relaxed_json(std::string_view text);

// The whole text is one object. Errors: as above, and those of Document::from_json.
Result<Document> document_from_relaxed_json(std::string_view text);

}  // namespace vitrine
