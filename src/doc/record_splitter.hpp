// SPDX-License-Identifier: MIT OR Apache-2.0
// Cuts a file that arrives in pieces into the texts of its documents, without looking at what they say. Each byte is
// looked at once, however small the pieces are, and what was handed out is forgotten.
#pragma once

#include <cstdint>
#include <optional>

#include "vitrine/document_files.hpp"

namespace vitrine::doc {

class RecordSplitter {
 public:
  explicit RecordSplitter(DocumentFormat format) noexcept : format_(format) {}

  void feed(Bytes piece);
  void end() noexcept { is_ended_ = true; }

  // The bytes of one document, line or row, valid until the next call; nothing: more is needed, or that was all.
  Result<std::optional<Bytes>> next();
  // Of the record that next() handed out or failed at: its line, or its number for BSON.
  std::uint64_t position() const noexcept { return position_; }
  // After an error of next(): false when the place of the next record is not known.
  bool can_continue() const noexcept { return !is_lost_; }

 private:
  using Record = std::optional<Bytes>;

  Result<Record> next_line();
  Result<Record> next_row();
  Result<Record> next_object();
  Result<Record> next_bson();
  Result<bool> find_object();
  bool skip_blanks() noexcept;
  bool scan_object() noexcept;
  Status lost(ErrorCode code, std::string_view why) noexcept;
  // The record from start_ to at_, less `dropped` bytes at its end.
  Bytes take(std::size_t dropped) noexcept;
  Status check_size() noexcept;

  enum class Cell : std::uint8_t { Start, Bare, Quoted, QuoteInQuoted };
  enum class Place : std::uint8_t { Beginning, Elements, BehindElement, BehindArray };

  const DocumentFormat format_;
  bool is_ended_ = false;
  bool is_lost_ = false;
  ByteString buffer_;
  std::size_t start_ = 0;  // of the record in buffer_
  std::size_t at_ = 0;     // how far it was looked at
  std::uint64_t lines_ = 1;
  std::uint64_t position_ = 0;
  bool is_at_file_start_ = true;

  // JSON
  Place place_ = Place::Beginning;
  bool is_array_ = false;
  std::size_t depth_ = 0;  // brackets that are open
  bool in_text_ = false, is_escaped_ = false;
  // CSV
  Cell cell_ = Cell::Start;
};

}  // namespace vitrine::doc
