// SPDX-License-Identifier: MIT OR Apache-2.0
// Documents in the files of other programs: JSON, JSON lines, CSV and BSON as mongodump writes it. Both directions work
// on pieces of any size, hold one document at a time and do no input or output themselves.
//
//   DocumentDecoder decoder({.format = DocumentFormat::Csv});
//   decoder.feed(piece);  // ... until the file ends, then
//   decoder.end();
//   while (auto document = decoder.next().value()) use(*document);
//
// JSON is an array of documents, or documents one after the other. JSON lines are one document a line. BSON is one
// document after the other.
//
// CSV (RFC 4180; TSV is the same with tabs) has names in its first row; `a.b` makes an object `a` with a member `b`. A
// row may have fewer cells than names, not more. An empty cell is no member, "" an empty text. Cells become what the
// CellTypes say. Out of a document, objects are spread over columns; arrays and types that CSV cannot tell are JSON. A
// text that would come back as something else is quoted, so null, booleans, numbers and texts survive.
//
// Thread safety: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "vitrine/document.hpp"

namespace vitrine {

enum class DocumentFormat : std::uint8_t { Json, JsonLines, Csv, Tsv, Bson };

// The format that the end of a file's name tells: .json, .ndjson and .jsonl, .csv, .tsv, .bson.
std::optional<DocumentFormat> document_format_of(std::string_view path) noexcept;

// Which cells of CSV become null, true, false and numbers where they look like that; all others are texts.
enum class CellTypes : std::uint8_t {
  Bare,  // cells without quotes
  All,
  None,
};

struct DecodeOptions {
  DocumentFormat format = DocumentFormat::JsonLines;
  CellTypes types = CellTypes::Bare;
};

class DocumentDecoder {
 public:
  explicit DocumentDecoder(const DecodeOptions& options);
  ~DocumentDecoder();
  DocumentDecoder(DocumentDecoder&&) noexcept;
  DocumentDecoder& operator=(DocumentDecoder&&) noexcept;

  // Errors: OutOfMemory.
  Status feed(Bytes piece);
  void end() noexcept;

  // The next document. Nothing: feed more, or after end(), that was the last one. Errors: JsonMalformed,
  // DocumentMalformed (also for CSV), DocumentTooLarge, DocumentTooDeep.
  Result<std::optional<Document>> next();
  // Where that document, or the error, begins: the line in the file, from 1; for BSON the number of the document.
  std::uint64_t position() const noexcept;
  // After an error: false when nobody can tell where the next document would begin.
  bool can_continue() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The columns that CSV needs for some documents, in the order in which they first appear.
class DocumentColumns {
 public:
  DocumentColumns();
  ~DocumentColumns();
  DocumentColumns(DocumentColumns&&) noexcept;
  DocumentColumns& operator=(DocumentColumns&&) noexcept;

  // Errors: DocumentMalformed when there are more than 10,000.
  Status add(const Document& document);
  const std::vector<std::string>& names() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct EncodeOptions {
  DocumentFormat format = DocumentFormat::JsonLines;
  JsonForm form = JsonForm::Relaxed;
  std::vector<std::string> columns;  // of CSV and TSV; what a document has beside them is left out
};

// Appends to texts of the caller, who writes and clears them: head, documents, tail.
class DocumentEncoder {
 public:
  explicit DocumentEncoder(EncodeOptions options);
  ~DocumentEncoder();
  DocumentEncoder(DocumentEncoder&&) noexcept;
  DocumentEncoder& operator=(DocumentEncoder&&) noexcept;

  void append_head(std::string& to);
  void append(std::string& to, const Document& document);
  void append_tail(std::string& to);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitrine
