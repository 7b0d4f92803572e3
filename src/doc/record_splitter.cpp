// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/record_splitter.hpp"

#include <algorithm>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "doc/bson.hpp"

namespace vitrine::doc {
namespace {

// The most verbose text of a document that fits is still below this.
constexpr std::size_t kRecordTextMax = 16 * kDocumentSizeMax;
// A document above our limit is skipped by its length; a length above this is taken for damage.
constexpr std::size_t kBsonMax = 4 * kDocumentSizeMax;
constexpr std::size_t kBsonMin = 5;
constexpr Bytes kByteOrderMark = "\xef\xbb\xbf";

bool is_blank(char character) noexcept {
  return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

}  // namespace

void RecordSplitter::feed(Bytes piece) {
  buffer_.erase(0, start_);
  at_ -= start_;
  start_ = 0;
  buffer_.append(piece);
}

Result<std::optional<Bytes>> RecordSplitter::next() {
  if (is_lost_) return Record();
  if (is_at_file_start_ && format_ != DocumentFormat::Bson) {
    if (buffer_.size() < kByteOrderMark.size() && !is_ended_) return Record();
    if (Bytes(buffer_).starts_with(kByteOrderMark)) start_ = at_ = kByteOrderMark.size();
  }
  is_at_file_start_ = false;
  switch (format_) {
    case DocumentFormat::JsonLines:
      return next_line();
    case DocumentFormat::Csv:
    case DocumentFormat::Tsv:
      return next_row();
    case DocumentFormat::Json:
      return next_object();
    case DocumentFormat::Bson:
      break;
  }
  return next_bson();
}

Status RecordSplitter::lost(ErrorCode code, std::string_view why) noexcept {
  is_lost_ = true;
  return Status::error(code, why);
}

Status RecordSplitter::check_size() noexcept {
  if (at_ - start_ <= kRecordTextMax) return {};
  position_ = lines_;
  return lost(ErrorCode::DocumentTooLarge, "the text of one document is too long");
}

Bytes RecordSplitter::take(std::size_t dropped) noexcept {
  const Bytes whole(buffer_.data() + start_, at_ - start_);
  position_ = lines_;
  // A line has only the line end that is dropped.
  const bool is_line = format_ == DocumentFormat::JsonLines;
  lines_ += is_line ? dropped : static_cast<std::uint64_t>(std::count(whole.begin(), whole.end(), '\n'));
  start_ = at_;
  return whole.substr(0, whole.size() - dropped);
}

// --- Lines and rows --------------------------------------------------------------------------------------------------

Result<std::optional<Bytes>> RecordSplitter::next_line() {
  const std::size_t end = buffer_.find('\n', at_);
  at_ = end == ByteString::npos ? buffer_.size() : end + 1;
  CHECK(check_size());
  if (end != ByteString::npos) return Record(take(1));
  return is_ended_ && at_ > start_ ? Record(take(0)) : Record();
}

// A quote opens only at the start of a cell, and ends the cell when no second one follows. A newline between quotes is
// part of the cell.
Result<std::optional<Bytes>> RecordSplitter::next_row() {
  const char separator = format_ == DocumentFormat::Tsv ? '\t' : ',';
  while (at_ < buffer_.size()) {
    const char character = buffer_[at_++];
    if (cell_ == Cell::Quoted) {
      if (character == '"') cell_ = Cell::QuoteInQuoted;
    } else if (character == '\n') {
      cell_ = Cell::Start;
      CHECK(check_size());
      return Record(take(1));
    } else if (character == separator) {
      cell_ = Cell::Start;
    } else if (character == '"' && cell_ != Cell::Bare) {
      cell_ = Cell::Quoted;
    } else {
      cell_ = Cell::Bare;
    }
  }
  CHECK(check_size());
  if (!is_ended_ || at_ == start_) return Record();
  position_ = lines_;
  if (cell_ == Cell::Quoted) return lost(ErrorCode::DocumentMalformed, "the file ends inside a quoted cell");
  return Record(take(0));
}

// --- JSON ------------------------------------------------------------------------------------------------------------

// False when the buffer ends before something else comes.
bool RecordSplitter::skip_blanks() noexcept {
  while (at_ < buffer_.size() && is_blank(buffer_[at_])) lines_ += buffer_[at_++] == '\n' ? 1 : 0;
  start_ = at_;
  return at_ < buffer_.size();
}

// Moves to the opening bracket of the next document; false when there is none yet, or none any more.
Result<bool> RecordSplitter::find_object() {
  while (skip_blanks()) {
    const char character = buffer_[at_];
    position_ = lines_;
    const bool wants_element = place_ != Place::BehindElement || !is_array_;
    if (character == '{' && wants_element && place_ != Place::BehindArray) return true;
    if (character == '[' && place_ == Place::Beginning) {
      is_array_ = true;
      place_ = Place::Elements;
    } else if (character == ',' && is_array_ && place_ == Place::BehindElement) {
      place_ = Place::Elements;
    } else if (character == ']' && is_array_ && place_ != Place::BehindArray) {
      place_ = Place::BehindArray;
    } else {
      return lost(ErrorCode::JsonMalformed, "neither a document nor the end of the list");
    }
    ++at_;
  }
  if (!is_ended_ || !is_array_ || place_ == Place::BehindArray) return false;
  position_ = lines_;
  return lost(ErrorCode::JsonMalformed, "the file ends inside its list");
}

// True when the brackets that are open are all closed.
bool RecordSplitter::scan_object() noexcept {
  while (at_ < buffer_.size()) {
    const char character = buffer_[at_++];
    if (in_text_) {
      if (is_escaped_ || character == '\\') {
        is_escaped_ = !is_escaped_;
      } else if (character == '"') {
        in_text_ = false;
      }
    } else if (character == '"') {
      in_text_ = true;
    } else if (character == '{' || character == '[') {
      ++depth_;
    } else if ((character == '}' || character == ']') && --depth_ == 0) {
      return true;
    }
  }
  return false;
}

Result<std::optional<Bytes>> RecordSplitter::next_object() {
  if (depth_ == 0 && !TRY(find_object())) return Record();
  const bool is_whole = scan_object();
  CHECK(check_size());
  if (is_whole) {
    place_ = Place::BehindElement;
    return Record(take(0));
  }
  if (!is_ended_) return Record();
  position_ = lines_;
  return lost(ErrorCode::JsonMalformed, "the file ends inside a document");
}

// --- BSON ------------------------------------------------------------------------------------------------------------

Result<std::optional<Bytes>> RecordSplitter::next_bson() {
  const std::size_t there = buffer_.size() - start_;
  const std::size_t size = there >= 4 ? base::load<std::uint32_t>(buffer_.data() + start_) : 0;
  if (there >= 4 && (size < kBsonMin || size > kBsonMax)) {
    ++position_;
    return lost(ErrorCode::DocumentMalformed, "not the length of a document");
  }
  if (there < 4 || there < size) {
    if (!is_ended_ || there == 0) return Record();
    ++position_;
    return lost(ErrorCode::DocumentMalformed, "the file ends inside a document");
  }
  const Bytes record(buffer_.data() + start_, size);
  start_ += size;
  at_ = start_;
  ++position_;
  return Record(record);
}

}  // namespace vitrine::doc
