// SPDX-License-Identifier: MIT OR Apache-2.0
// Feeds arbitrary bytes to the decoder of each format: the first byte picks the format, the second the size of pieces.
// Checked: no crash, an end, and the same documents whatever the pieces are.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "vitrine/document_files.hpp"

namespace vitrine {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

std::vector<Document> decode(const DecodeOptions& options, Bytes bytes, std::size_t piece_size) {
  DocumentDecoder decoder(options);
  std::vector<Document> documents;
  for (bool is_ended = false; !is_ended;) {
    is_ended = bytes.empty();
    if (is_ended) decoder.end();
    require(decoder.feed(bytes.substr(0, piece_size)).is_ok());
    bytes.remove_prefix(std::min(piece_size, bytes.size()));
    for (;;) {
      Result<std::optional<Document>> document = decoder.next();
      if (!document.has_value() && !decoder.can_continue()) return documents;
      if (!document.has_value()) continue;
      if (!*document) break;
      documents.push_back(**std::move(document));
    }
  }
  return documents;
}

std::string table_of(const std::vector<Document>& documents) {
  DocumentColumns columns;
  for (const Document& document : documents) {
    if (!columns.add(document).is_ok()) return {};
  }
  DocumentEncoder encoder({.format = DocumentFormat::Csv, .columns = columns.names()});
  std::string text;
  encoder.append_head(text);
  for (const Document& document : documents) encoder.append(text, document);
  return text;
}

}  // namespace
}  // namespace vitrine

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vitrine;
  if (size < 2) return 0;
  const DecodeOptions options{static_cast<DocumentFormat>(data[0] % 5), static_cast<CellTypes>(data[0] / 5 % 3)};
  const Bytes bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  const std::vector<Document> documents = decode(options, bytes, 1 + data[1]);
  require(documents == decode(options, bytes, size));
  (void)table_of(documents);
  return 0;
}
