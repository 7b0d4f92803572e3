// SPDX-License-Identifier: MIT OR Apache-2.0
// The public interface: each call puts the seam on the caller's transaction, and the work is done above that.
#include "vitrine/documents.hpp"

#include "doc/documents_access.hpp"
#include "doc/indexes.hpp"
#include "doc/json.hpp"
#include "doc/modify.hpp"

namespace vitrine {

using doc::checked_value_of;
using doc::kKeyspace;
using doc::on_collection;
using doc::stored;
using doc::value_of;

namespace {

template <typename Body>
Status on_catalog(WriteTransaction& txn, Body&& body) {
  return kv::safely([&]() -> Status {
    kv::NativeWriter store = TRY(kv::NativeWriter::attach(txn, kKeyspace));
    return body(store);
  });
}

}  // namespace

// --- Ids -------------------------------------------------------------------------------------------------------------

DocumentId::DocumentId(std::int64_t number) : bson_(doc::Builder().add_integer(doc::kIdName, number).finish()) {}

DocumentId::DocumentId(std::string_view text) : bson_(doc::Builder().add_string(doc::kIdName, text).finish()) {}

Result<DocumentId> DocumentId::of(const Document& document) {
  return kv::safely([&]() -> Result<DocumentId> {
    const std::optional<doc::Value> id = doc::find_member(document.bson(), doc::kIdName);
    if (!id) return Status::error(ErrorCode::DocumentIdInvalid, "the document has no _id");
    CHECK(doc::check_id(*id));
    return DocumentId(Checked{}, doc::Builder().add(doc::kIdName, *id).finish());
  });
}

Result<DocumentId> DocumentId::from_json(std::string_view json) {
  return kv::safely([&]() -> Result<DocumentId> {
    const Document holder = TRY(Document::from_json(std::string("{\"_id\":").append(json).append("}")));
    if (doc::count_members(holder.bson()) != 1) return Status::error(ErrorCode::JsonMalformed, "more than one value");
    return of(holder);
  });
}

std::string DocumentId::to_json() const {
  std::string json;
  doc::append_json(json, value_of(*this), JsonForm::Relaxed);
  return json;
}

// --- Reading ---------------------------------------------------------------------------------------------------------

Result<std::vector<ByteString>> DocumentReader::collections() const {
  return kv::safely([&]() -> Result<std::vector<ByteString>> {
    return doc::list_collections(TRY(kv::NativeReader::attach(*txn_, kKeyspace)));
  });
}

Result<std::vector<IndexInfo>> DocumentReader::list_indexes(Bytes collection) const {
  return on_collection(*txn_, collection,
                       [&](const kv::StoreReader&, const doc::Collection& in) { return doc::list_indexes(in); });
}

Result<std::optional<StoredDocument>> DocumentReader::get(Bytes collection, const DocumentId& id) const {
  using Found = std::optional<StoredDocument>;
  return on_collection(*txn_, collection,
                       [&](const kv::StoreReader& store, const doc::Collection& in) -> Result<Found> {
                         return stored(TRY(doc::read_document(store, in, TRY(checked_value_of(id)))));
                       });
}

Result<std::uint64_t> DocumentReader::count(Bytes collection) const {
  return on_collection(*txn_, collection, doc::count_documents);
}

Result<Document> DocumentReader::distinct(Bytes collection, Bytes path, const Document& filter,
                                          const FindOptions& options) const {
  return on_collection(*txn_, collection,
                       [&](const kv::StoreReader& store, const doc::Collection& in) -> Result<Document> {
                         doc::Query query = TRY(doc::Query::compile(filter.bson()));
                         query.skip = options.skip;
                         query.limit = options.limit;
                         query.steps_max = options.steps_max;
                         query.bytes_max = options.bytes_max;
                         return Document::from_bson(TRY(doc::distinct_values(store, in, query, path)));
                       });
}

Result<std::uint64_t> DocumentReader::scan(Bytes collection, const DocumentFunction& visit) const {
  using Count = Result<std::uint64_t>;
  return on_collection(*txn_, collection, [&](const kv::StoreReader& store, const doc::Collection& in) -> Count {
    Status failed;
    const std::uint64_t count = TRY(doc::scan_documents(store, in, [&](Bytes bson, std::uint64_t version) {
      Result<Document> document = doc::DocumentMaker::from_store(ByteString(bson));
      failed = document.status();
      return document.has_value() && visit({*std::move(document), version});
    }));
    CHECK(failed);
    return count;
  });
}

// --- Writing ---------------------------------------------------------------------------------------------------------

Status DocumentWriter::create_collection(Bytes name) {
  return on_catalog(*txn_, [&](kv::StoreWriter& store) { return doc::create_collection(store, name).status(); });
}

Status DocumentWriter::ensure_collection(Bytes name) {
  const Status created = create_collection(name);
  return created.code() == ErrorCode::CollectionExists ? Status{} : created;
}

Status DocumentWriter::drop_collection(Bytes name) {
  return on_catalog(*txn_, [&](kv::StoreWriter& store) { return doc::drop_collection(store, name); });
}

Status DocumentWriter::rename_collection(Bytes from, Bytes to) {
  return on_catalog(*txn_, [&](kv::StoreWriter& store) { return doc::rename_collection(store, from, to); });
}

Status DocumentWriter::create_index(Bytes collection, const IndexDefinition& definition) {
  return on_collection(*txn_, collection, [&](kv::StoreWriter& store, const doc::Collection& in) -> Status {
    return doc::create_index(store, in, definition);
  });
}

Status DocumentWriter::drop_index(Bytes collection, Bytes index) {
  return on_collection(*txn_, collection, [&](kv::StoreWriter& store, const doc::Collection& in) -> Status {
    return doc::drop_index(store, in, index);
  });
}

Result<DocumentId> DocumentWriter::insert(Bytes collection, const Document& document) {
  using Id = Result<DocumentId>;
  return on_collection(*txn_, collection, [&](kv::StoreWriter& store, const doc::Collection& in) -> Id {
    const ByteString storable = TRY(doc::storable_document(document.bson()));
    TRY(doc::write_document(store, in, storable, {.may_exist = false, .may_be_missing = true, .version = {}}));
    return doc::DocumentMaker::id_of_stored(storable);
  });
}

Result<std::vector<DocumentId>> DocumentWriter::insert_many(Bytes collection, std::span<const Document> documents) {
  using Ids = Result<std::vector<DocumentId>>;
  return on_collection(*txn_, collection, [&](kv::StoreWriter& store, const doc::Collection& in) -> Ids {
    std::vector<ByteString> made(documents.size());
    std::vector<Bytes> storable;
    std::vector<DocumentId> ids;
    storable.reserve(documents.size());
    ids.reserve(documents.size());
    for (std::size_t i = 0; i < documents.size(); ++i) {
      storable.push_back(TRY(doc::storable_bytes(documents[i].bson(), made[i])));
      ids.push_back(doc::DocumentMaker::id_of_stored(storable.back()));
    }
    CHECK(doc::insert_documents(store, in, storable));
    return ids;
  });
}

Result<bool> DocumentWriter::replace(Bytes collection, const Document& document,
                                     std::optional<std::uint64_t> expected) {
  return on_collection(*txn_, collection, [&](kv::StoreWriter& store, const doc::Collection& in) -> Result<bool> {
    const doc::Expectation expectation{.may_exist = true, .may_be_missing = false, .version = expected};
    const ByteString storable = TRY(doc::storable_document(document.bson()));
    return TRY(doc::write_document(store, in, storable, expectation)).is_done;
  });
}

Result<bool> DocumentWriter::upsert(Bytes collection, const Document& document, std::optional<std::uint64_t> expected) {
  return on_collection(*txn_, collection, [&](kv::StoreWriter& store, const doc::Collection& in) -> Result<bool> {
    const doc::Expectation expectation{.may_exist = true, .may_be_missing = true, .version = expected};
    const ByteString storable = TRY(doc::storable_document(document.bson()));
    return TRY(doc::write_document(store, in, storable, expectation)).was_there;
  });
}

Result<bool> DocumentWriter::remove(Bytes collection, const DocumentId& id, std::optional<std::uint64_t> expected) {
  return on_collection(*txn_, collection, [&](kv::StoreWriter& store, const doc::Collection& in) -> Result<bool> {
    return doc::remove_document(store, in, TRY(checked_value_of(id)), expected);
  });
}

}  // namespace vitrine
