// SPDX-License-Identifier: MIT OR Apache-2.0
// Making and dropping indexes, as part of a transaction like everything else.
#pragma once

#include "doc/catalog.hpp"

namespace vitrine::doc {

// Fills the index from all documents of the collection in this one transaction. An error leaves no trace of it.
// Errors: IndexMalformed, FilterMalformed, IndexExists, IndexDuplicate, IndexTooManyKeys.
Status create_index(kv::StoreWriter& txn, Collection collection, const IndexDefinition& definition);
// The same, but without its entries: see index_build.hpp.
Result<Index> start_index(kv::StoreWriter& txn, Collection collection, const IndexDefinition& definition);
// Errors: IndexNotFound.
Status drop_index(kv::StoreWriter& txn, Collection collection, Bytes name);
Result<std::vector<IndexInfo>> list_indexes(const Collection& collection);

struct IndexedBatch {
  ByteString last_id;  // encoded
  std::uint64_t documents = 0;
  bool is_last = false;
};

// Adds the entries of documents that follow the encoded id `after`, up to about `bytes_max` of entries.
Result<IndexedBatch> index_some_documents(kv::StoreWriter& txn, const Collection& collection, const Index& index,
                                          Bytes after, std::size_t bytes_max);

}  // namespace vitrine::doc
