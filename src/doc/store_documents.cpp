// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/store_documents.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "doc/index_changes.hpp"
#include "doc/key_encoding.hpp"
#include "doc/uuid.hpp"

namespace vitrine::doc {
namespace {

constexpr char kRecordFormat = 0x01;

Status damaged() { return Status::error(ErrorCode::DocumentMalformed, "a damaged entry of a document"); }

// Looks at everything that later code takes for granted, because a file may hold anything.
Result<RecordView> decode_record(Bytes entry) {
  const RecordView record = TRY(view_record(entry));
  return check_document(record.bson).is_ok() ? Result<RecordView>(record) : damaged();
}

ByteString encode_record(const kv::StoreReader& txn, Bytes document) {
  ByteString entry(1, kRecordFormat);
  base::append_varint(entry, txn.read_version() + 1);
  return entry.append(document);
}

// A name with `$` would be taken for an operator or a type wrapper in JSON. References need three of them.
Status check_names(Bytes document) {
  for (Elements walk(document); const auto element = walk.next();) {
    const Bytes name = element->name;
    if (name.starts_with('$') && !is_reference_name(name)) {
      return Status::error(ErrorCode::DocumentMalformed, "a member's name begins with $");
    }
    if (element->value.is_container()) CHECK(check_names(element->value.bytes));
  }
  return {};
}

}  // namespace

Status check_version(std::optional<std::uint64_t> expected, std::uint64_t found) {
  if (!expected || *expected == found) return {};
  return Status::error(ErrorCode::VersionDiffers).with("expected", *expected).with("found", found);
}

Value id_of(Bytes storable) {
  const std::optional<Element> first = Elements(storable).next();
  return first ? first->value : kNull;
}

Status check_id(const Value& id) {
  if (id.is_container() || id.type == Type::Regex) {
    return Status::error(ErrorCode::DocumentIdInvalid, "an id is neither object nor array nor regular expression");
  }
  const std::size_t size = id.bytes.size() <= 2 * kIdSizeMax ? encoded_key(id).size() : id.bytes.size();
  return size <= kIdSizeMax ? Status{} : Status::error(ErrorCode::DocumentIdInvalid, "an id is too long");
}

Result<RecordView> view_record(Bytes entry) {
  if (entry.empty() || entry.front() != kRecordFormat) return damaged();
  entry.remove_prefix(1);
  const std::optional<std::uint64_t> version = base::take_varint(entry);
  if (!version || entry.size() > kDocumentSizeMax || !Elements(entry).is_well_formed()) return damaged();
  return RecordView{entry, *version};
}

Result<std::optional<Record>> read_document(const kv::StoreReader& txn, const Collection& collection, const Value& id) {
  return read_document_at(txn, collection, encoded_key(id));
}

Result<std::optional<Record>> read_document_at(const kv::StoreReader& txn, const Collection& collection, Bytes id) {
  const std::optional<ByteString> entry = TRY(txn.get(document_prefix(collection).append(id)));
  if (!entry) return std::optional<Record>();
  const RecordView record = TRY(decode_record(*entry));
  return std::optional<Record>({ByteString(record.bson), record.version});
}

Result<std::uint64_t> scan_documents(const kv::StoreReader& txn, const Collection& collection,
                                     base::FunctionRef<bool(Bytes bson, std::uint64_t version)> visit) {
  const ByteString prefix = document_prefix(collection);
  Status failed;
  const std::uint64_t count = TRY(txn.scan(prefix, after_prefix(prefix), {}, [&](Bytes, Bytes entry) {
    const Result<RecordView> record = view_record(entry);
    failed = record.status();
    return record.has_value() && visit(record->bson, record->version);
  }));
  CHECK(failed);
  return count;
}

Status scan_documents_after(const kv::StoreReader& txn, const Collection& collection, Bytes after,
                            base::FunctionRef<bool(Bytes id, Bytes bson)> visit) {
  const ByteString prefix = document_prefix(collection);
  // No encoded id is the beginning of another one.
  const ByteString begin = after.empty() ? prefix : after_prefix(prefix + ByteString(after));
  Status failed;
  TRY(txn.scan(begin, after_prefix(prefix), {}, [&](Bytes key, Bytes entry) {
    const Result<RecordView> record = decode_record(entry);
    failed = record.status();
    return record.has_value() && visit(key.substr(prefix.size()), record->bson);
  }));
  return failed;
}

Result<std::uint64_t> count_documents(const kv::StoreReader& txn, const Collection& collection) {
  const ByteString prefix = document_prefix(collection);
  return txn.scan(prefix, after_prefix(prefix), {}, [](Bytes, Bytes) { return true; });
}

Result<ByteString> storable_document(Bytes document) {
  CHECK(check_names(document));
  Builder builder;
  const std::optional<Value> id = find_member(document, kIdName);
  if (id) {
    CHECK(check_id(*id));
    builder.add(kIdName, *id);
  } else {
    builder.add_binary(kIdName, TRY(make_uuid(os::system_env())), kUuidSubtype);
  }
  for (Elements walk(document); const auto element = walk.next();) {
    if (element->name != kIdName) builder.add(element->name, element->value);
  }
  ByteString storable = builder.finish();
  if (storable.size() > kDocumentSizeMax) return Status::error(ErrorCode::DocumentTooLarge);
  return storable;
}

Result<WriteResult> write_document(kv::StoreWriter& txn, const Collection& collection, Bytes document,
                                   const Expectation& expectation) {
  const ByteString id = encoded_key(id_of(document));
  const ByteString key = document_prefix(collection) + id;
  const std::optional<ByteString> there = TRY(txn.get(key));
  RecordView before;
  if (there) before = TRY(decode_record(*there));
  CHECK(check_version(expectation.version, before.version));
  if (there && !expectation.may_exist) return Status::error(ErrorCode::DocumentExists);
  if (!there && !expectation.may_be_missing) return WriteResult{};
  IndexChanges changes(collection);
  CHECK(changes.add(before.bson, document, id));
  CHECK(changes.check(txn));
  CHECK(txn.put(key, encode_record(txn, document)));
  CHECK(changes.apply(txn));
  return WriteResult{there.has_value(), true};
}

Status insert_documents(kv::StoreWriter& txn, const Collection& collection, const std::vector<ByteString>& documents) {
  const ByteString prefix = document_prefix(collection);
  IndexChanges changes(collection);
  std::vector<ByteString> keys;
  keys.reserve(documents.size());
  for (const ByteString& document : documents) {
    const ByteString id = encoded_key(id_of(document));
    keys.push_back(prefix + id);
    CHECK(changes.add({}, document, id));
  }
  std::vector<ByteString> sorted = keys;
  std::sort(sorted.begin(), sorted.end());
  const bool repeats = std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
  if (repeats) return Status::error(ErrorCode::DocumentExists, "two of the documents have the same id");
  const std::vector<std::optional<ByteString>> there = TRY(txn.multi_get(keys));
  for (std::size_t i = 0; i < there.size(); ++i) {
    if (there[i]) return Status::error(ErrorCode::DocumentExists).with("index", i);
  }
  CHECK(changes.check(txn));
  for (std::size_t i = 0; i < keys.size(); ++i) CHECK(txn.put(keys[i], encode_record(txn, documents[i])));
  return changes.apply(txn);
}

Result<bool> remove_document(kv::StoreWriter& txn, const Collection& collection, const Value& id,
                             std::optional<std::uint64_t> expected) {
  const ByteString encoded = encoded_key(id);
  const ByteString key = document_prefix(collection) + encoded;
  const std::optional<ByteString> there = TRY(txn.get(key));
  RecordView before;
  if (there) before = TRY(decode_record(*there));
  CHECK(check_version(expected, before.version));
  if (!there) return false;
  IndexChanges changes(collection);
  CHECK(changes.add(before.bson, {}, encoded));
  CHECK(txn.erase(key));
  CHECK(changes.apply(txn));
  return true;
}

}  // namespace vitrine::doc
