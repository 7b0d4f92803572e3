// SPDX-License-Identifier: MIT OR Apache-2.0
// Which collections there are, and where their documents lie. All of it is entries of the store, so it changes and is
// undone with everything else of a transaction. Nothing is remembered outside of the store.
//
//   01 NAME                   a collection: BSON {"id": ...}
//   02                        the next free collection id, a varint; ids are never used again
//   10 COLLECTION ID          a document: COLLECTION is four bytes, big-endian; ID is encoded by key_encoding.hpp
#pragma once

#include "kv/store.hpp"
#include "vitrine/documents.hpp"

namespace vitrine::doc {

struct Collection {
  std::uint32_t id = 0;
};

// Errors: CollectionNotFound, DocumentMalformed (a damaged catalog entry).
Result<Collection> open_collection(const kv::StoreReader& txn, Bytes name);
Result<std::vector<ByteString>> list_collections(const kv::StoreReader& txn);

// Errors: CollectionName, CollectionExists, CollectionNotFound.
Result<Collection> create_collection(kv::StoreWriter& txn, Bytes name);
Status drop_collection(kv::StoreWriter& txn, Bytes name);
Status rename_collection(kv::StoreWriter& txn, Bytes from, Bytes to);

// What the keys of the documents of a collection begin with.
ByteString document_prefix(const Collection& collection);

}  // namespace vitrine::doc
