// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/store_documents.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "doc/key_encoding.hpp"
#include "doc/uuid.hpp"

namespace vitrine::doc {
namespace {

constexpr char kRecordFormat = 0x01;

ByteString document_key(const Collection& collection, const Value& id) {
  ByteString key = document_prefix(collection);
  append_key(key, id);
  return key;
}

Value id_of(Bytes storable) {
  const std::optional<Element> first = Elements(storable).next();
  return first ? first->value : kNull;
}

struct RecordView {
  Bytes bson;
  std::uint64_t version = 0;
};

// Looks at everything that later code takes for granted, because a file may hold anything.
Result<RecordView> decode_record(Bytes entry) {
  const Status damaged = Status::error(ErrorCode::DocumentMalformed, "a damaged entry of a document");
  if (entry.empty() || entry.front() != kRecordFormat) return damaged;
  entry.remove_prefix(1);
  const std::optional<std::uint64_t> version = base::take_varint(entry);
  if (!version || !check_document(entry).is_ok()) return damaged;
  return RecordView{entry, *version};
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

Status check_id(const Value& id) {
  if (id.is_container() || id.type == Type::Regex) {
    return Status::error(ErrorCode::DocumentIdInvalid, "an id is neither object nor array nor regular expression");
  }
  const std::size_t size = id.bytes.size() <= 2 * kIdSizeMax ? encoded_key(id).size() : id.bytes.size();
  return size <= kIdSizeMax ? Status{} : Status::error(ErrorCode::DocumentIdInvalid, "an id is too long");
}

Result<std::optional<Record>> read_document(const kv::StoreReader& txn, const Collection& collection, const Value& id) {
  const std::optional<ByteString> entry = TRY(txn.get(document_key(collection, id)));
  if (!entry) return std::optional<Record>();
  const RecordView record = TRY(decode_record(*entry));
  return std::optional<Record>({ByteString(record.bson), record.version});
}

Result<std::uint64_t> scan_documents(const kv::StoreReader& txn, const Collection& collection,
                                     const std::function<bool(Bytes bson, std::uint64_t version)>& visit) {
  const ByteString prefix = document_prefix(collection);
  Status damaged;
  const std::uint64_t count = TRY(txn.scan(prefix, after_prefix(prefix), {}, [&](Bytes, Bytes entry) {
    const Result<RecordView> record = decode_record(entry);
    damaged = record.status();
    return record.has_value() && visit(record->bson, record->version);
  }));
  CHECK(damaged);
  return count;
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
  const ByteString key = document_key(collection, id_of(document));
  const std::optional<ByteString> there = TRY(txn.get(key));
  CHECK(check_version(expectation.version, there ? TRY(decode_record(*there)).version : 0));
  if (there && !expectation.may_exist) return Status::error(ErrorCode::DocumentExists);
  if (!there && !expectation.may_be_missing) return WriteResult{};
  CHECK(txn.put(key, encode_record(txn, document)));
  return WriteResult{there.has_value(), true};
}

Status insert_documents(kv::StoreWriter& txn, const Collection& collection, const std::vector<ByteString>& documents) {
  std::vector<ByteString> keys;
  keys.reserve(documents.size());
  for (const ByteString& document : documents) keys.push_back(document_key(collection, id_of(document)));
  std::vector<ByteString> sorted = keys;
  std::sort(sorted.begin(), sorted.end());
  const bool repeats = std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end();
  if (repeats) return Status::error(ErrorCode::DocumentExists, "two of the documents have the same id");
  const std::vector<std::optional<ByteString>> there = TRY(txn.multi_get(keys));
  for (std::size_t i = 0; i < there.size(); ++i) {
    if (there[i]) return Status::error(ErrorCode::DocumentExists).with("index", i);
  }
  for (std::size_t i = 0; i < keys.size(); ++i) CHECK(txn.put(keys[i], encode_record(txn, documents[i])));
  return {};
}

Result<bool> remove_document(kv::StoreWriter& txn, const Collection& collection, const Value& id,
                             std::optional<std::uint64_t> expected) {
  const ByteString key = document_key(collection, id);
  const std::optional<ByteString> there = TRY(txn.get(key));
  CHECK(check_version(expected, there ? TRY(decode_record(*there)).version : 0));
  if (!there) return false;
  CHECK(txn.erase(key));
  return true;
}

}  // namespace vitrine::doc
