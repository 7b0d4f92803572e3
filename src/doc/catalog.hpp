// SPDX-License-Identifier: MIT OR Apache-2.0
// Which collections there are, and where their documents lie. All of it is entries of the store, so it changes and is
// undone with everything else of a transaction. What is parsed of it is kept beside the store, with the bytes that it
// was parsed from.
//
//   01 NAME                   a collection: BSON {"id": ..., "indexes": [...] (index.hpp), "options": {...},
//                             "expires": true}
//   02                        the next free id of a collection or index, a varint; ids are never used again
//   03 INDEX                  how far the building of an index has come: the encoded id of the last document
//   10 COLLECTION ID          a document: COLLECTION is four bytes, big-endian; ID is encoded by key_encoding.hpp
//   11 INDEX ...              an entry of an index, see index_entry.hpp
#pragma once

#include <set>

#include "doc/index.hpp"
#include "kv/store.hpp"
#include "vitrine/documents.hpp"

namespace vitrine::doc {

class Schema;

struct Collection {
  std::uint32_t id = 0;
  ByteString name = {};
  std::vector<Index> indexes = {};
  CollectionOptions options = {};
  bool may_expire = false;                    // some document has, or had, a time at which it expires
  std::uint64_t now_ms = 0;                   // when the collection was opened, if it may expire
  std::shared_ptr<const Schema> schema = {};  // the validator; null: none

  const Index* find_index(Bytes index) const noexcept;
};

// What the catalog says in this transaction; parsed once for all transactions that read the same (kv/memo.hpp).
// Errors: CollectionNotFound, DocumentMalformed (a damaged catalog entry).
Result<std::shared_ptr<const Collection>> find_collection(const kv::StoreReader& txn, Bytes name);
// The same, to be changed.
Result<Collection> open_collection(const kv::StoreReader& txn, Bytes name);
Result<std::vector<ByteString>> list_collections(const kv::StoreReader& txn);

// Errors: CollectionName, CollectionExists, CollectionNotFound.
Result<Collection> create_collection(kv::StoreWriter& txn, Bytes name);
Status drop_collection(kv::StoreWriter& txn, Bytes name);
Status rename_collection(kv::StoreWriter& txn, Bytes from, Bytes to);

// Errors: CollectionName. The names of indexes keep the same rules.
Status check_name(Bytes name);

// An id that was never used before.
Result<std::uint32_t> take_id(kv::StoreWriter& txn);
// Writes the list of its indexes to the catalog.
Status save_indexes(kv::StoreWriter& txn, const Collection& collection);
// What every document must keep to from now on, and when documents expire. Errors: ArgumentInvalid.
Status set_options(kv::StoreWriter& txn, Bytes name, const CollectionOptions& options);
// From now on some of its documents expire.
Status mark_expiring(kv::StoreWriter& txn, const Collection& collection);

// --- For a catalog that lost entries ---------------------------------------------------------------------------------

// Numbers of collections that have documents, and of indexes that have entries, whether the catalog knows them or not.
struct Numbers {
  std::set<std::uint32_t> collections = {};
  std::set<std::uint32_t> indexes = {};
};
Result<Numbers> numbers_in_use(const kv::StoreReader& txn);
// Makes a collection of the documents that have its number. REQUIRES: `name` is free and good.
Status adopt_collection(kv::StoreWriter& txn, Bytes name, std::uint32_t number);
Status erase_index_entries(kv::StoreWriter& txn, std::uint32_t number);
// take_id() gives no number up to `last` any more.
Status reserve_numbers(kv::StoreWriter& txn, std::uint32_t last);

// What the keys of the documents of a collection begin with.
ByteString document_prefix(const Collection& collection);
// What the keys of the entries of an index begin with, and the key of its progress.
ByteString index_prefix(const Index& index);
ByteString index_progress_key(const Index& index);

}  // namespace vitrine::doc
