// SPDX-License-Identifier: MIT OR Apache-2.0
#include "vitrine/document.hpp"

#include "base/try.hpp"
#include "doc/json.hpp"
#include "kv/safely.hpp"

namespace vitrine {

Document::Document() : bson_(doc::Builder().finish()) {}

Result<Document> Document::from_json(std::string_view json) {
  return kv::safely([&]() -> Result<Document> { return Document(TRY(doc::bson_from_json(json))); });
}

Result<Document> Document::from_bson(Bytes bson) {
  return kv::safely([&]() -> Result<Document> {
    CHECK(doc::check_document(bson));
    return Document(ByteString(bson));
  });
}

std::string Document::to_json(JsonForm form) const {
  std::string json;
  doc::append_json(json, bson_, form);
  return json;
}

}  // namespace vitrine
