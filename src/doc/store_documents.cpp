// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/store_documents.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "doc/change_log.hpp"
#include "doc/expiry.hpp"
#include "doc/index_changes.hpp"
#include "doc/key_encoding.hpp"
#include "doc/schema.hpp"
#include "doc/uuid.hpp"

namespace vitrine::doc {
namespace {

constexpr char kRecordFormat = 0x01, kExpiringFormat = 0x02;

Status damaged() { return Status::error(ErrorCode::DocumentMalformed, "a damaged entry of a document"); }

// Looks at what later code takes for granted, because a file may hold anything.
Result<RecordView> decode_record(Bytes entry) {
  const RecordView record = TRY(view_record(entry));
  CHECK(check_structure(record.bson));
  return record;
}

// Without a BSON when there is no entry.
Result<RecordView> decode_if_any(const std::optional<ByteString>& entry) {
  return entry ? decode_record(*entry) : Result<RecordView>(RecordView{});
}

std::uint64_t time_of(const Collection& collection, const RecordView& record) {
  return record.bson.empty() ? 0 : expires_ms(collection, record.bson, record.own_expires_ms);
}

// Writes entries of a collection, with what that takes beside the indexes.
class RecordWriter {
 public:
  static Result<RecordWriter> open(kv::StoreWriter& txn, const Collection& collection) {
    return RecordWriter(txn, collection, TRY(keeps_changes(txn)));
  }

  // `before` may have expired, or be none.
  Status put(Bytes id, const RecordView& before, Bytes document, std::uint64_t expires) {
    const RecordView after{document, 0, expires};
    if (expires != 0) CHECK(mark_expiring(txn_, collection_));
    CHECK(move_expiry(txn_, collection_, id, time_of(collection_, before), time_of(collection_, after)));
    key_.assign(prefix_).append(id);
    entry_.assign(1, expires != 0 ? kExpiringFormat : kRecordFormat);
    base::append_varint(entry_, txn_.read_version() + 1);
    if (expires != 0) base::append_varint(entry_, expires);
    return txn_.put(key_, entry_.append(document));
  }
  // `before` as it was for put().
  Status log(const RecordView& before, Bytes document) {
    if (!logs_) return {};
    const ChangeKind kind = is_visible(collection_, before) ? ChangeKind::Update : ChangeKind::Insert;
    return log_change(txn_, kind, collection_.name, document);
  }

 private:
  RecordWriter(kv::StoreWriter& txn, const Collection& collection, bool logs)
      : txn_(txn), collection_(collection), prefix_(document_prefix(collection)), logs_(logs) {}

  kv::StoreWriter& txn_;
  const Collection& collection_;
  const ByteString prefix_;
  const bool logs_;
  ByteString key_, entry_;  // of the last one; their memory is used again
};

Status erase_record(kv::StoreWriter& txn, const Collection& collection, Bytes id, const RecordView& before,
                    ChangeKind kind) {
  IndexChanges changes(collection);
  CHECK(changes.add(before.bson, {}, id));
  CHECK(move_expiry(txn, collection, id, time_of(collection, before), 0));
  CHECK(txn.erase(document_prefix(collection).append(id)));
  CHECK(changes.apply(txn));
  return log_change(txn, kind, collection.name, before.bson);
}

Status check_validator(const Collection& collection, Bytes document) {
  return collection.schema ? collection.schema->check(document) : Status{};
}

// A name with `$` would be taken for an operator or a type wrapper in JSON. References need three of them.
Status check_names(Bytes document) {
  const auto may_be_stored = [](Bytes name) { return !name.starts_with('$') || is_reference_name(name); };
  if (all_names(document, may_be_stored)) return {};
  return Status::error(ErrorCode::DocumentMalformed, "a member's name begins with $");
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
  // No encoding takes more than twice the bytes of the value and these.
  constexpr std::size_t kEncodedMore = 16;
  if (2 * id.bytes.size() + kEncodedMore <= kIdSizeMax) return {};
  const std::size_t size = id.bytes.size() <= 2 * kIdSizeMax ? encoded_key(id).size() : id.bytes.size();
  return size <= kIdSizeMax ? Status{} : Status::error(ErrorCode::DocumentIdInvalid, "an id is too long");
}

Result<RecordView> view_record(Bytes entry) {
  const char format = entry.empty() ? '\0' : entry.front();
  if (format != kRecordFormat && format != kExpiringFormat) return damaged();
  entry.remove_prefix(1);
  const std::optional<std::uint64_t> version = base::take_varint(entry);
  const std::optional<std::uint64_t> expires = format == kExpiringFormat ? base::take_varint(entry) : 0;
  if (!version || !expires || entry.size() > kDocumentSizeMax || !Elements(entry).is_well_formed()) return damaged();
  return RecordView{entry, *version, *expires};
}

bool is_visible(const Collection& collection, const RecordView& record) {
  if (record.bson.empty()) return false;
  return !collection.may_expire || !is_past(time_of(collection, record), collection.now_ms);
}

Result<std::optional<Record>> read_document(const kv::StoreReader& txn, const Collection& collection, const Value& id) {
  return read_document_at(txn, collection, encoded_key(id));
}

Result<std::optional<Record>> read_document_at(const kv::StoreReader& txn, const Collection& collection, Bytes id) {
  std::optional<ByteString> entry = TRY(txn.get(document_prefix(collection).append(id)));
  const RecordView record = TRY(decode_if_any(entry));
  if (!is_visible(collection, record)) return std::optional<Record>();
  entry->erase(0, entry->size() - record.bson.size());  // what stands before the document
  return std::optional<Record>({*std::move(entry), record.version});
}

Result<std::uint64_t> scan_documents(const kv::StoreReader& txn, const Collection& collection,
                                     base::FunctionRef<bool(Bytes bson, std::uint64_t version)> visit) {
  const ByteString prefix = document_prefix(collection);
  Status failed;
  std::uint64_t count = 0;
  TRY(txn.scan(prefix, after_prefix(prefix), {}, [&](Bytes, Bytes entry) {
    const Result<RecordView> record = view_record(entry);
    failed = record.status();
    if (!record.has_value()) return false;
    if (!is_visible(collection, *record)) return true;
    ++count;
    return visit(record->bson, record->version);
  }));
  CHECK(failed);
  return count;
}

Status scan_documents_after(const kv::StoreReader& txn, const Collection& collection, Bytes after,
                            base::FunctionRef<bool(Bytes id, Bytes bson)> visit) {
  return scan_records(txn, collection, after,
                      [&](Bytes id, const RecordView& record) { return visit(id, record.bson); });
}

Status scan_records(const kv::StoreReader& txn, const Collection& collection, Bytes after,
                    base::FunctionRef<bool(Bytes id, const RecordView& record)> visit) {
  const ByteString prefix = document_prefix(collection);
  // No encoded id is the beginning of another one.
  const ByteString begin = after.empty() ? prefix : after_prefix(prefix + ByteString(after));
  Status failed;
  TRY(txn.scan(begin, after_prefix(prefix), {}, [&](Bytes key, Bytes entry) {
    const Result<RecordView> record = view_record(entry);
    failed = record.status();
    if (record.has_value() && !check_document(record->bson).is_ok()) failed = damaged();
    return failed.is_ok() && visit(key.substr(prefix.size()), *record);
  }));
  return failed;
}

Result<std::optional<std::uint64_t>> read_expiry(const kv::StoreReader& txn, const Collection& collection, Bytes id) {
  const std::optional<ByteString> entry = TRY(txn.get(document_prefix(collection).append(id)));
  if (!entry) return std::optional<std::uint64_t>();
  return std::optional(time_of(collection, TRY(decode_record(*entry))));
}

Status remove_expired(kv::StoreWriter& txn, const Collection& collection, Bytes id) {
  const std::optional<ByteString> entry = TRY(txn.get(document_prefix(collection).append(id)));
  const RecordView before = TRY(decode_if_any(entry));
  return before.bson.empty() ? Status{} : erase_record(txn, collection, id, before, ChangeKind::Expire);
}

Result<std::uint64_t> count_documents(const kv::StoreReader& txn, const Collection& collection) {
  if (collection.may_expire) return scan_documents(txn, collection, [](Bytes, std::uint64_t) { return true; });
  const ByteString prefix = document_prefix(collection);
  return txn.scan(prefix, after_prefix(prefix), {}, [](Bytes, Bytes) { return true; });
}

Result<Bytes> storable_bytes(Bytes document, ByteString& made) {
  CHECK(check_names(document));
  Builder builder;
  const std::optional<Value> id = find_member(document, kIdName);
  if (id) {
    CHECK(check_id(*id));
    if (id->bytes.data() == id_of(document).bytes.data()) return document;
    builder.add(kIdName, *id);
  } else {
    builder.add_binary(kIdName, TRY(make_uuid(os::system_env())), kUuidSubtype);
  }
  for (Elements walk(document); const auto element = walk.next();) {
    if (element->name != kIdName) builder.add(element->name, element->value);
  }
  made = builder.finish();
  if (made.size() > kDocumentSizeMax) return Status::error(ErrorCode::DocumentTooLarge);
  return Bytes(made);
}

Result<ByteString> storable_document(Bytes document) {
  ByteString made;
  const Bytes storable = TRY(storable_bytes(document, made));
  return made.empty() ? ByteString(storable) : std::move(made);
}

Result<WriteResult> write_document(kv::StoreWriter& txn, const Collection& collection, Bytes document,
                                   const Expectation& expectation) {
  const ByteString id = encoded_key(id_of(document));
  const std::optional<ByteString> entry = TRY(txn.get(document_prefix(collection).append(id)));
  const RecordView before = TRY(decode_if_any(entry));
  const bool is_there = is_visible(collection, before);
  CHECK(check_version(expectation.version, is_there ? before.version : 0));
  if (is_there && !expectation.may_exist) return Status::error(ErrorCode::DocumentExists);
  if (!is_there && !expectation.may_be_missing) return WriteResult{};
  CHECK(check_validator(collection, document));
  IndexChanges changes(collection);
  CHECK(changes.add(before.bson, document, id));
  CHECK(changes.check(txn));
  const std::uint64_t kept = is_there ? before.own_expires_ms : 0;
  RecordWriter writer = TRY(RecordWriter::open(txn, collection));
  CHECK(writer.put(id, before, document, expectation.expires_ms.value_or(kept)));
  CHECK(writer.log(before, document));
  CHECK(changes.apply(txn));
  return WriteResult{is_there, true};
}

namespace {

// Documents to be inserted: what comes before them, and the order of their keys, in which the tree is written.
class Insertion {
 public:
  explicit Insertion(const Collection& collection)
      : collection_(collection), prefix_(document_prefix(collection)), changes_(collection) {}

  Status prepare(const kv::StoreReader& txn, const std::vector<Bytes>& documents) {
    keys_.reserve(documents.size());
    order_.reserve(documents.size());
    for (const Bytes document : documents) {
      order_.push_back(keys_.size());
      keys_.push_back(prefix_);
      append_key(keys_.back(), id_of(document));
      CHECK(check_validator(collection_, document));
    }
    CHECK(put_in_order());
    there_.resize(keys_.size());
    before_.resize(keys_.size());
    if (!keys_.empty() && !TRY(lies_behind(txn, keys_[order_.front()]))) CHECK(read_there(txn));
    for (std::size_t i = 0; i < keys_.size(); ++i) CHECK(changes_.add(before_[i].bson, documents[i], id(i)));
    return changes_.check(txn);
  }

  Status write(kv::StoreWriter& txn, const std::vector<Bytes>& documents) {
    RecordWriter writer = TRY(RecordWriter::open(txn, collection_));
    for (const std::size_t i : order_) CHECK(writer.put(id(i), before_[i], documents[i], 0));
    for (std::size_t i = 0; i < documents.size(); ++i) CHECK(writer.log(before_[i], documents[i]));
    return changes_.apply(txn);
  }

 private:
  Bytes id(std::size_t i) const { return Bytes(keys_[i]).substr(prefix_.size()); }

  Status put_in_order() {
    const auto is_below = [&](std::size_t a, std::size_t b) { return keys_[a] < keys_[b]; };
    if (!std::is_sorted(order_.begin(), order_.end(), is_below)) std::sort(order_.begin(), order_.end(), is_below);
    const auto is_same = [&](std::size_t a, std::size_t b) { return keys_[a] == keys_[b]; };
    const bool repeats = std::adjacent_find(order_.begin(), order_.end(), is_same) != order_.end();
    if (!repeats) return {};
    return Status::error(ErrorCode::DocumentExists, "two of the documents have the same id");
  }

  // Ids that are made one after the other mostly lie behind all that are there.
  Result<bool> lies_behind(const kv::StoreReader& txn, Bytes key) const {
    return TRY(txn.scan(key, after_prefix(prefix_), {.limit = 1}, [](Bytes, Bytes) { return true; })) == 0;
  }

  // What is there can only be documents that have expired.
  Status read_there(const kv::StoreReader& txn) {
    CHECK(txn.multi_get(std::vector<Bytes>(keys_.begin(), keys_.end()), [&](std::size_t i, std::optional<Bytes> value) {
      if (value) there_[i].emplace(*value);
    }));
    for (std::size_t i = 0; i < there_.size(); ++i) {
      before_[i] = TRY(decode_if_any(there_[i]));
      if (is_visible(collection_, before_[i])) return Status::error(ErrorCode::DocumentExists).with("index", i);
    }
    return {};
  }

  const Collection& collection_;
  const ByteString prefix_;
  std::vector<ByteString> keys_;
  std::vector<std::size_t> order_;
  std::vector<std::optional<ByteString>> there_;  // entries
  std::vector<RecordView> before_;                // views of them
  IndexChanges changes_;
};

}  // namespace

Status insert_documents(kv::StoreWriter& txn, const Collection& collection, const std::vector<Bytes>& documents) {
  Insertion insertion(collection);
  CHECK(insertion.prepare(txn, documents));
  return insertion.write(txn, documents);
}

Result<bool> remove_document(kv::StoreWriter& txn, const Collection& collection, const Value& id,
                             std::optional<std::uint64_t> expected) {
  const ByteString encoded = encoded_key(id);
  const std::optional<ByteString> entry = TRY(txn.get(document_prefix(collection).append(encoded)));
  const RecordView before = TRY(decode_if_any(entry));
  const bool is_there = is_visible(collection, before);
  CHECK(check_version(expected, is_there ? before.version : 0));
  if (!is_there) return false;
  CHECK(erase_record(txn, collection, encoded, before, ChangeKind::Remove));
  return true;
}

}  // namespace vitrine::doc
