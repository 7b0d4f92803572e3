// SPDX-License-Identifier: MIT OR Apache-2.0
// A document: named values in order, kept as BSON, written and read as JSON.
//
//   Document ada = Document::from_json(R"({"name": "Ada", "born": {"$date": "1815-12-10T00:00:00Z"}})").value();
//   std::string text = ada.to_json();
//
// A Document is always well-formed: at most 16 MiB and 100 levels, UTF-8, no name twice in one object. All of it is
// checked when a document is made; of one that a database gives back, where it was checked on its way in, only what
// reading it relies on. A plain value; copies share nothing.
#pragma once

#include <string>

#include "vitrine/bytes.hpp"
#include "vitrine/status.hpp"

namespace vitrine {

namespace doc {
struct DocumentMaker;
}

// MongoDB Extended JSON v2. Both forms keep every value; canonical also keeps the exact number types.
enum class JsonForm : std::uint8_t { Relaxed, Canonical };

class Document {
 public:
  Document();  // empty

  // One JSON object; plain JSON or Extended JSON of either form. Integers are exact up to 34 digits: beyond 64 bits
  // they become decimals. Errors: JsonMalformed, DocumentMalformed, DocumentTooLarge, DocumentTooDeep.
  static Result<Document> from_json(std::string_view json);
  // Errors: DocumentMalformed (also for the types that BSON has deprecated), DocumentTooLarge, DocumentTooDeep.
  static Result<Document> from_bson(Bytes bson);

  Bytes bson() const noexcept { return bson_; }
  std::string to_json(JsonForm form = JsonForm::Relaxed) const;  // on one line

  // The same bytes: also the same order of members and the same types of numbers.
  friend bool operator==(const Document& a, const Document& b) noexcept { return a.bson_ == b.bson_; }

 private:
  friend struct doc::DocumentMaker;
  explicit Document(ByteString bson) noexcept : bson_(std::move(bson)) {}
  ByteString bson_;
};

}  // namespace vitrine
