// SPDX-License-Identifier: MIT OR Apache-2.0
// Documents of bytes that were checked before, so that it is not done again for each of many.
#pragma once

#include "base/try.hpp"
#include "doc/bson.hpp"
#include "doc/store_documents.hpp"
#include "vitrine/documents.hpp"

namespace vitrine::doc {

struct DocumentMaker {
  // REQUIRES: check_document() said yes, or for bytes of the store check_structure().
  static Document from_checked(ByteString bson) { return Document(std::move(bson)); }
  // Bytes of the store, or made of such: checked when they came in. Errors: DocumentMalformed.
  static Result<Document> from_store(ByteString bson) {
    CHECK(check_structure(bson));
    return Document(std::move(bson));
  }
  // The same, into a document whose memory is used again.
  static Status take_from_store(Bytes bson, Document& to) {
    CHECK(check_structure(bson));
    to.bson_.assign(bson);
    return {};
  }
  // REQUIRES: `storable` is a document as it is stored.
  static DocumentId id_of_stored(Bytes storable) {
    return DocumentId(DocumentId::Checked{}, Builder().add(kIdName, id_of(storable)).finish());
  }
};

}  // namespace vitrine::doc
