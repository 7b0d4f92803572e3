// SPDX-License-Identifier: MIT OR Apache-2.0
// Documents of a collection as entries of the store: reading, and the one way to write, which keeps the indexes too. An
// error of a write leaves the transaction as it was. An entry is
//
//   01 VERSION BSON           VERSION: a varint, the read version of the transaction that wrote it, plus one
//   02 VERSION EXPIRES BSON   EXPIRES: a varint, the time that was set for this document, see expiry.hpp
//
// A document that has expired is nowhere to be seen, but for what says so. Changes go to the log of changes, too.
//
// Whoever writes a document has read it in the same transaction, so its version grows with each commit that writes it,
// on stores with one writer and on those that refuse conflicts.
#pragma once

#include "base/function_ref.hpp"
#include "doc/bson.hpp"
#include "doc/catalog.hpp"

namespace vitrine::doc {

inline constexpr std::size_t kIdSizeMax = 512;  // encoded
inline constexpr Bytes kIdName = "_id";

// May this value be an id? Errors: DocumentIdInvalid.
Status check_id(const Value& id);

struct Record {
  ByteString bson;
  std::uint64_t version = 0;
};

// The id of a stored document, which is its first member.
Value id_of(Bytes storable);

struct RecordView {
  Bytes bson;
  std::uint64_t version = 0;
  std::uint64_t own_expires_ms = 0;  // 0: none was set
};

// Looks at an entry of the store in place. Says nothing of what is inside the document, which every reader of BSON here
// takes as it comes. Errors: DocumentMalformed.
Result<RecordView> view_record(Bytes entry);
// False when it has expired, or is none.
bool is_visible(const Collection& collection, const RecordView& record);

// Errors: DocumentMalformed when the entry is damaged.
Result<std::optional<Record>> read_document(const kv::StoreReader& txn, const Collection& collection, const Value& id);
// The same by the encoded id.
Result<std::optional<Record>> read_document_at(const kv::StoreReader& txn, const Collection& collection, Bytes id);
// `visit` gets a record that is not checked inside, and is valid during the call, and answers false to stop.
Result<std::uint64_t> scan_documents(const kv::StoreReader& txn, const Collection& collection,
                                     base::FunctionRef<bool(Bytes bson, std::uint64_t version)> visit);
// Those that follow the encoded id `after`, or all when it is empty, also such as are as good as gone.
Status scan_documents_after(const kv::StoreReader& txn, const Collection& collection, Bytes after,
                            base::FunctionRef<bool(Bytes id, Bytes bson)> visit);
Result<std::uint64_t> count_documents(const kv::StoreReader& txn, const Collection& collection);

// For those who keep expiry: documents that follow the encoded id `after`, also such as have expired.
Status scan_records(const kv::StoreReader& txn, const Collection& collection, Bytes after,
                    base::FunctionRef<bool(Bytes id, const RecordView& record)> visit);
// When the document of an encoded id expires or has expired, 0: never; nothing: there is no entry of it.
Result<std::optional<std::uint64_t>> read_expiry(const kv::StoreReader& txn, const Collection& collection, Bytes id);
// Removes what is left of a document that has expired.
Status remove_expired(kv::StoreWriter& txn, const Collection& collection, Bytes id);

// A document as it is stored: "_id" first, made up when it is missing, names checked.
// Errors: DocumentIdInvalid, DocumentMalformed, DocumentTooLarge.
Result<ByteString> storable_document(Bytes document);
// The same without a copy where it can be stored as it is; otherwise it lies in `made`.
Result<Bytes> storable_bytes(Bytes document, ByteString& made);

// What writing expects of the document that is there.
struct Expectation {
  bool may_exist = true;
  bool may_be_missing = true;
  std::optional<std::uint64_t> version;         // 0: it is missing
  std::optional<std::uint64_t> expires_ms = 0;  // of the document from now on; nothing: as it was
};

struct WriteResult {
  bool was_there = false;
  bool is_done = false;  // not when it is missing and must not be
};

// Errors: VersionDiffers. `found` is 0 when there is no document.
Status check_version(std::optional<std::uint64_t> expected, std::uint64_t found);

// Stores a storable document. Errors: DocumentExists, VersionDiffers, IndexDuplicate, IndexTooManyKeys;
// DocumentMalformed when the validator says so.
Result<WriteResult> write_document(kv::StoreWriter& txn, const Collection& collection, Bytes document,
                                   const Expectation& expectation);
// All or none; `documents` are storable.
Status insert_documents(kv::StoreWriter& txn, const Collection& collection, const std::vector<Bytes>& documents);
// True when it was there. Errors: VersionDiffers.
Result<bool> remove_document(kv::StoreWriter& txn, const Collection& collection, const Value& id,
                             std::optional<std::uint64_t> expected);

}  // namespace vitrine::doc
