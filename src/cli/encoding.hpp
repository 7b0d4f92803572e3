// SPDX-License-Identifier: MIT OR Apache-2.0
// How keys and values, which are bytes, look as text on a command line, in a list and in a batch.
//
// Text     UTF-8 stays as it is; TAB, newline and backslash become \t, \n and \\; every control character and every
//          byte that is not part of valid UTF-8 becomes \xNN. One entry is one line, and nothing that is stored can
//          steer a terminal.
// Hex      two digits a byte, lower case out, any case in.
// Base64   RFC 4648 section 4, padded, nothing but the canonical form accepted.
//
// decode(encode(x)) == x for every encoding and every x.
#pragma once

#include <cstdint>
#include <string>

#include "vitrine/bytes.hpp"
#include "vitrine/status.hpp"

namespace vitrine::cli {

enum class Encoding : std::uint8_t { Text, Hex, Base64 };

std::string_view encoding_name(Encoding encoding) noexcept;

bool is_utf8(Bytes bytes) noexcept;

void append_encoded(std::string& to, Bytes bytes, Encoding encoding);
std::string encoded(Bytes bytes, Encoding encoding);

// Errors: ArgumentInvalid with the detail "position".
Result<std::string> decoded(Bytes text, Encoding encoding);

// A message made safe for a terminal: as Text, but backslashes stay single. Not meant to be decoded.
std::string printable(Bytes text);

// Decodes a value that arrives in pieces. Text passes through untouched, because a whole file or stream needs no
// escapes; hexadecimal and base64 may be broken by white space, as the usual tools write them.
class PieceDecoder {
 public:
  explicit PieceDecoder(Encoding encoding) noexcept : encoding_(encoding) {}

  // The bytes that `piece` completes. The view is valid until the next call.
  Result<Bytes> feed(Bytes piece);
  // Fails when the text ended inside a group of digits.
  Status finish() const;

 private:
  Encoding encoding_;
  std::string pending_;  // digits of a group not yet complete
  std::string output_;
  bool is_ended_ = false;  // base64 padding was seen
};

}  // namespace vitrine::cli
