// SPDX-License-Identifier: MIT OR Apache-2.0
// The three encodings, written out by hand: exact errors with positions.
#include "cli/encoding.hpp"

#include "base/base64.hpp"
#include "base/try.hpp"

namespace vitrine::cli {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

Status bad_text(std::string_view message, std::size_t position) {
  return Status::error(ErrorCode::ArgumentInvalid, message).with("position", position);
}

std::uint8_t byte_at(Bytes bytes, std::size_t at) noexcept { return static_cast<std::uint8_t>(bytes[at]); }

// Length of the well-formed UTF-8 sequence at the front of `bytes` (Unicode 15, table 3-7); 0 when there is none.
std::size_t utf8_size(Bytes bytes) noexcept {
  const std::uint8_t first = byte_at(bytes, 0);
  if (first < 0x80) return 1;
  std::size_t size = 0;
  std::uint8_t low = 0x80, high = 0xbf;  // bounds of the second byte
  if (first >= 0xc2 && first <= 0xdf) {
    size = 2;
  } else if (first >= 0xe0 && first <= 0xef) {
    size = 3;
    if (first == 0xe0) low = 0xa0;   // no overlong forms
    if (first == 0xed) high = 0x9f;  // no surrogates
  } else if (first >= 0xf0 && first <= 0xf4) {
    size = 4;
    if (first == 0xf0) low = 0x90;
    if (first == 0xf4) high = 0x8f;  // nothing above U+10FFFF
  }
  if (size == 0 || bytes.size() < size || byte_at(bytes, 1) < low || byte_at(bytes, 1) > high) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if ((byte_at(bytes, i) & 0xc0) != 0x80) return 0;
  }
  return size;
}

// C0, DEL and C1 controls; terminals act on the last as on ESC sequences.
bool is_control(Bytes sequence) noexcept {
  const std::uint8_t first = byte_at(sequence, 0);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
  return sequence.size() == 2 && first == 0xc2 && byte_at(sequence, 1) < 0xa0;
}

void append_hex_byte(std::string& to, std::uint8_t byte) {
  to.push_back(kHexDigits[byte >> 4]);
  to.push_back(kHexDigits[byte & 15]);
}

enum class Backslash : std::uint8_t { Double, Keep };

void append_text(std::string& to, Bytes bytes, Backslash backslash) {
  while (!bytes.empty()) {
    const std::size_t valid = utf8_size(bytes);
    const Bytes sequence = bytes.substr(0, valid == 0 ? 1 : valid);
    if (sequence == "\\") {
      to.append(backslash == Backslash::Double ? "\\\\" : "\\");
    } else if (sequence == "\t") {
      to.append("\\t");
    } else if (sequence == "\n") {
      to.append("\\n");
    } else if (valid == 0 || is_control(sequence)) {
      for (std::size_t i = 0; i < sequence.size(); ++i) {
        to.append("\\x");
        append_hex_byte(to, byte_at(sequence, i));
      }
    } else {
      to.append(sequence);
    }
    bytes.remove_prefix(sequence.size());
  }
}

int hex_value(char digit) noexcept {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

// The byte that two digits at `at` stand for, or -1.
int hex_pair(Bytes text, std::size_t at) noexcept {
  if (at + 2 > text.size()) return -1;
  const int high = hex_value(text[at]), low = hex_value(text[at + 1]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

Result<std::string> decoded_text(Bytes text) {
  std::string bytes;
  bytes.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      bytes.push_back(text[at]);
      continue;
    }
    const char escape = at + 1 < text.size() ? text[at + 1] : '\0';
    if (escape == 't' || escape == 'n' || escape == '\\') {
      bytes.push_back(escape == 't' ? '\t' : escape == 'n' ? '\n' : '\\');
      at += 1;
    } else if (const int byte = escape == 'x' ? hex_pair(text, at + 2) : -1; byte >= 0) {
      bytes.push_back(static_cast<char>(byte));
      at += 3;
    } else {
      return bad_text("after a backslash only t, n, x and two hexadecimal digits, or another backslash", at);
    }
  }
  return bytes;
}

Result<std::string> decoded_hex(Bytes text) {
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t at = 0; at < text.size(); at += 2) {
    const int byte = hex_pair(text, at);
    if (byte < 0) return bad_text("not pairs of hexadecimal digits", at);
    bytes.push_back(static_cast<char>(byte));
  }
  return bytes;
}

}  // namespace

std::string_view encoding_name(Encoding encoding) noexcept {
  switch (encoding) {
    case Encoding::Hex:
      return "hex";
    case Encoding::Base64:
      return "base64";
    case Encoding::Text:
      break;
  }
  return "text";
}

bool is_utf8(Bytes bytes) noexcept {
  while (!bytes.empty()) {
    const std::size_t size = utf8_size(bytes);
    if (size == 0) return false;
    bytes.remove_prefix(size);
  }
  return true;
}

void append_encoded(std::string& to, Bytes bytes, Encoding encoding) {
  switch (encoding) {
    case Encoding::Text:
      append_text(to, bytes, Backslash::Double);
      break;
    case Encoding::Hex:
      for (std::size_t i = 0; i < bytes.size(); ++i) append_hex_byte(to, byte_at(bytes, i));
      break;
    case Encoding::Base64:
      base::append_base64(to, bytes);
      break;
  }
}

std::string encoded(Bytes bytes, Encoding encoding) {
  std::string text;
  append_encoded(text, bytes, encoding);
  return text;
}

Result<std::string> decoded(Bytes text, Encoding encoding) {
  switch (encoding) {
    case Encoding::Hex:
      return decoded_hex(text);
    case Encoding::Base64:
      return base::decoded_base64(text);
    case Encoding::Text:
      break;
  }
  return decoded_text(text);
}

std::string printable(Bytes text) {
  std::string safe;
  append_text(safe, text, Backslash::Keep);
  return safe;
}

Result<Bytes> PieceDecoder::feed(Bytes piece) {
  if (encoding_ == Encoding::Text) return piece;
  for (const char character : piece) {
    const bool is_space = character == ' ' || (character >= '\t' && character <= '\r');
    if (!is_space) pending_.push_back(character);
  }
  const std::size_t group = encoding_ == Encoding::Hex ? 2 : base::kBase64Group;
  const std::size_t whole = pending_.size() / group * group;
  if (whole == 0) return Bytes{};
  if (is_ended_) return bad_text("base64 goes on after its padding", 0);
  output_ = TRY(decoded(Bytes(pending_).substr(0, whole), encoding_));
  is_ended_ = encoding_ == Encoding::Base64 && pending_[whole - 1] == '=';
  pending_.erase(0, whole);
  return Bytes(output_);
}

Status PieceDecoder::finish() const {
  if (pending_.empty()) return {};
  return Status::error(ErrorCode::ArgumentInvalid, "the text ends inside a group of digits")
      .with("encoding", encoding_name(encoding_));
}

}  // namespace vitrine::cli
