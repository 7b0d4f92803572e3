// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/index_build.hpp"

#include "base/try.hpp"
#include "doc/expiry.hpp"
#include "doc/indexes.hpp"
#include "doc/store_documents.hpp"

namespace vitrine::doc {
namespace {

// The definition must be the same in everything for a build to go on.
Result<bool> is_same(const Index& index, const IndexDefinition& definition) {
  Index wanted = TRY(index_from_definition(definition));
  wanted.id = index.id;
  wanted.multikey = index.multikey;
  wanted.is_building = true;
  return encode_index(wanted) == encode_index(index);
}

class Build {
 public:
  Build(kv::Store& store, Bytes collection, const IndexDefinition& definition, const ProgressFunction& progress,
        std::size_t batch_bytes)
      : store_(store), name_(collection), definition_(definition), progress_(progress), batch_bytes_(batch_bytes) {}

  Status start() {
    const Status started = in_transaction([&](kv::StoreWriter& txn) -> Status {
      Collection collection = TRY(open_collection(txn, name_));
      const Index* const there = collection.find_index(definition_.name);
      if (there == nullptr) return start_index(txn, std::move(collection), definition_).status();
      const bool goes_on = there->is_building && TRY(is_same(*there, definition_));
      return goes_on ? Status{} : Status::error(ErrorCode::IndexExists).with("index", definition_.name);
    });
    CHECK(started);
    const std::unique_ptr<kv::StoreReader> txn = TRY(store_.begin_read());
    total_ = TRY(count_documents(*txn, TRY(open_collection(*txn, name_))));
    return {};
  }

  Status run() {
    while (!is_done_) {
      CHECK(in_transaction([&](kv::StoreWriter& txn) { return add_batch(txn); }));
      done_ += batch_documents_;
      if (progress_ && !progress_({done_, total_, "documents"})) return Status::error(ErrorCode::Cancelled);
    }
    return {};
  }

  void drop() {
    (void)in_transaction([&](kv::StoreWriter& txn) -> Status {
      return drop_index(txn, TRY(open_collection(txn, name_)), definition_.name);
    });
  }

 private:
  Status in_transaction(const std::function<Status(kv::StoreWriter&)>& body) {
    return kv::run_in_transaction(store_, body).status;
  }

  Status add_batch(kv::StoreWriter& txn) {
    Collection collection = TRY(open_collection(txn, name_));
    const Index* const index = collection.find_index(definition_.name);
    if (index == nullptr || !index->is_building) {
      return Status::error(ErrorCode::IndexNotFound, "it was dropped while it was built")
          .with("index", definition_.name);
    }
    const ByteString mark = index_progress_key(*index);
    const std::optional<ByteString> after = TRY(txn.get(mark));
    const IndexedBatch batch = TRY(index_some_documents(txn, collection, *index, after.value_or(""), batch_bytes_));
    batch_documents_ = batch.documents;
    is_done_ = batch.is_last;
    if (!batch.is_last) return txn.put(mark, batch.last_id);
    CHECK(txn.erase(mark));
    // The batch may have changed the catalog.
    collection = TRY(open_collection(txn, name_));
    for (Index& each : collection.indexes) {
      if (each.name == definition_.name) each.is_building = false;
    }
    CHECK(save_indexes(txn, collection));
    return definition_.expire_after_s ? rebuild_expiry(txn, collection) : Status{};
  }

  kv::Store& store_;
  const Bytes name_;
  const IndexDefinition& definition_;
  const ProgressFunction& progress_;
  const std::size_t batch_bytes_;
  std::uint64_t done_ = 0, total_ = 0, batch_documents_ = 0;
  bool is_done_ = false;
};

}  // namespace

Status build_index(kv::Store& store, Bytes collection, const IndexDefinition& definition,
                   const ProgressFunction& progress, std::size_t batch_bytes) {
  Build build(store, collection, definition, progress, batch_bytes);
  CHECK(build.start());
  Status built = build.run();
  if (!built.is_ok() && built.code() != ErrorCode::Cancelled) build.drop();
  return built;
}

}  // namespace vitrine::doc
