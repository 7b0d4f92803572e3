// SPDX-License-Identifier: MIT OR Apache-2.0
// Feeds arbitrary bytes to the ways into a document. Checked: no crash; what is accepted is BSON and survives both
// forms of JSON by value, and its encoded key equals that of its copy; relaxed JSON becomes JSON that stays as it is.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "doc/compare.hpp"
#include "doc/key_encoding.hpp"
#include "vitrine/relaxed_json.hpp"

namespace vitrine::doc {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

// Members that spell a type wrapper cannot be told from one in JSON; stored documents have none.
bool is_plain(Bytes document) {
  for (Elements walk(document); const auto element = walk.next();) {
    if (element->name.starts_with('$')) return false;
    if (element->value.is_container() && !is_plain(element->value.bytes)) return false;
  }
  return true;
}

void check(const Document& document) {
  require(Document::from_bson(document.bson()).has_value());
  if (!is_plain(document.bson())) return;
  const Result<Document> exact = Document::from_json(document.to_json(JsonForm::Canonical));
  const Result<Document> relaxed = Document::from_json(document.to_json());
  const Value whole{Type::Object, document.bson()};
  require(exact.has_value() && relaxed.has_value());
  const Value copy{Type::Object, exact->bson()};
  require(compare_documents(document.bson(), relaxed->bson()) == 0);
  require(compare_values(whole, copy) == 0 && encoded_key(whole) == encoded_key(copy));
}

void check_relaxed(std::string_view text) {
  const Result<JsonValueText> value = take_relaxed_json(text);
  if (!value.has_value()) return;
  require(value->size <= text.size());
  const Result<JsonValueText> again = take_relaxed_json(value->json);
  require(again.has_value() && again->json == value->json && again->size == value->json.size());
}

}  // namespace
}  // namespace vitrine::doc

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vitrine;
  const Bytes bytes(reinterpret_cast<const char*>(data), size);
  if (const auto document = Document::from_bson(bytes)) doc::check(*document);
  if (const auto document = Document::from_json(bytes)) doc::check(*document);
  if (const auto document = document_from_relaxed_json(bytes)) doc::check(*document);
  doc::check_relaxed(bytes);
  return 0;
}
