// SPDX-License-Identifier: MIT OR Apache-2.0
// How the public interface reaches the layer: the seam is put on the caller's transaction for each call.
#pragma once

#include "base/try.hpp"
#include "base/utf8.hpp"
#include "doc/document_maker.hpp"
#include "doc/query.hpp"
#include "kv/native_store.hpp"
#include "kv/safely.hpp"
#include "vitrine/documents.hpp"

namespace vitrine::doc {

inline constexpr Bytes kKeyspace = "vitrine.documents";
inline constexpr Bytes kDocumentKeys = "\x10";  // what the keys of documents begin with

inline Value value_of(const DocumentId& id) { return find_member(id.bson(), kIdName).value_or(kNull); }

inline Result<Value> checked_value_of(const DocumentId& id) {
  const Value value = value_of(id);
  // Nothing else of it can be wrong.
  const bool is_text = value.type == Type::String;
  if (is_text && !base::is_utf8(value.as_string())) {
    return Status::error(ErrorCode::DocumentIdInvalid, "an id is not UTF-8");
  }
  CHECK(check_id(value));
  return value;
}

// Runs `body(store, collection)` on a collection of the transaction.
template <typename Body>
auto on_collection(const Transaction& txn, Bytes name, Body&& body)
    -> std::invoke_result_t<Body, const kv::StoreReader&, const Collection&> {
  return kv::safely([&]() -> std::invoke_result_t<Body, const kv::StoreReader&, const Collection&> {
    const kv::NativeReader store = TRY(kv::NativeReader::attach(txn, kKeyspace));
    const std::shared_ptr<const Collection> collection = TRY(find_collection(store, name));
    return body(store, *collection);
  });
}

template <typename Body>
auto on_collection(WriteTransaction& txn, Bytes name, Body&& body)
    -> std::invoke_result_t<Body, kv::StoreWriter&, const Collection&> {
  return kv::safely([&]() -> std::invoke_result_t<Body, kv::StoreWriter&, const Collection&> {
    kv::NativeWriter store = TRY(kv::NativeWriter::attach(txn, kKeyspace));
    const std::shared_ptr<const Collection> collection = TRY(find_collection(store, name));
    return body(store, *collection);
  });
}

inline Result<std::optional<StoredDocument>> stored(std::optional<Record> record) {
  if (!record) return std::optional<StoredDocument>();
  return std::optional<StoredDocument>({DocumentMaker::from_checked(std::move(record->bson)), record->version});
}

}  // namespace vitrine::doc
