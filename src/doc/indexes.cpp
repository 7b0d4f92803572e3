// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/indexes.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "doc/expiry.hpp"
#include "doc/index_changes.hpp"
#include "doc/store_documents.hpp"

namespace vitrine::doc {
namespace {

constexpr std::size_t kBatchBytes = std::size_t{64} << 20;

Status erase_entries(kv::StoreWriter& txn, const Index& index) {
  const ByteString prefix = index_prefix(index);
  CHECK(txn.erase_range(prefix, after_prefix(prefix)));
  return txn.erase(index_progress_key(index));
}

Status add_index(kv::StoreWriter& txn, Collection& collection, const IndexDefinition& definition) {
  Index index = TRY(index_from_definition(definition));
  if (collection.find_index(index.name) != nullptr) {
    return Status::error(ErrorCode::IndexExists).with("index", index.name);
  }
  if (collection.indexes.size() >= kIndexesMax) {
    return Status::error(ErrorCode::IndexMalformed, "a collection has at most 64 indexes");
  }
  index.id = TRY(take_id(txn));
  collection.indexes.push_back(std::move(index));
  return {};
}

}  // namespace

Status create_index(kv::StoreWriter& txn, Collection collection, const IndexDefinition& definition) {
  CHECK(add_index(txn, collection, definition));
  CHECK(save_indexes(txn, collection));
  const Index& index = collection.indexes.back();
  ByteString after;
  for (;;) {
    Result<IndexedBatch> batch = index_some_documents(txn, collection, index, after, kBatchBytes);
    if (!batch.has_value()) {
      CHECK(drop_index(txn, std::move(collection), definition.name));
      return batch.status();
    }
    if (batch->is_last) return definition.expire_after_s ? rebuild_expiry(txn, collection) : Status{};
    after = std::move(batch->last_id);
  }
}

Result<Index> start_index(kv::StoreWriter& txn, Collection collection, const IndexDefinition& definition) {
  CHECK(add_index(txn, collection, definition));
  collection.indexes.back().is_building = true;
  CHECK(save_indexes(txn, collection));
  return collection.indexes.back();
}

Status drop_index(kv::StoreWriter& txn, Collection collection, Bytes name) {
  const Index* const index = collection.find_index(name);
  if (index == nullptr) return Status::error(ErrorCode::IndexNotFound).with("index", name);
  CHECK(erase_entries(txn, *index));
  const bool expires = index->expire_after_s.has_value();
  collection.indexes.erase(collection.indexes.begin() + (index - collection.indexes.data()));
  CHECK(save_indexes(txn, collection));
  return expires ? rebuild_expiry(txn, collection) : Status{};
}

Result<std::vector<IndexInfo>> list_indexes(const Collection& collection) {
  std::vector<IndexInfo> all;
  for (const Index& index : collection.indexes) {
    all.push_back({TRY(definition_of(index)), index.multikey != 0, index.is_building});
  }
  return all;
}

Result<IndexedBatch> index_some_documents(kv::StoreWriter& txn, const Collection& collection, const Index& index,
                                          Bytes after, std::size_t bytes_max) {
  // Reading a document costs something, too, when a partial index wants none of them.
  constexpr std::size_t kEntriesPerRead = 4;
  IndexChanges changes(collection);
  IndexedBatch batch;
  batch.is_last = true;
  std::size_t bytes_read = 0;
  Status failed;
  const auto add = [&](Bytes id, const RecordView& record) {
    if (changes.bytes() > bytes_max || bytes_read / kEntriesPerRead > bytes_max) {
      batch.is_last = false;
      return false;
    }
    bytes_read += record.bson.size();
    batch.last_id = ByteString(id);
    ++batch.documents;
    failed = changes.add_to(index, record, id);
    return failed.is_ok();
  };
  CHECK(scan_records(txn, collection, after, add));
  CHECK(failed);
  CHECK(changes.check(txn));
  CHECK(changes.apply(txn));
  return batch;
}

}  // namespace vitrine::doc
