// SPDX-License-Identifier: MIT OR Apache-2.0
// Collections of documents in a database, beside its keyspaces.
//
//   db.write([](WriteTransaction& txn) -> Status {
//     DocumentWriter documents(txn);
//     if (Status s = documents.create_collection("users"); !s.is_ok()) return s;
//     return documents.insert("users", Document::from_json(R"({"_id": 1, "name": "Ada"})").value()).status();
//   });
//   auto txn = db.begin_read().value();
//   auto ada = DocumentReader(txn).get("users", DocumentId(1)).value();  // std::optional<StoredDocument>
//
// Readers and writers are views of a transaction, cheap to make, and must not outlive it. What they do is part of that
// transaction, also its savepoints; they hold nothing of their own. They keep their data in the keyspace
// "vitrine.documents", which nothing else may write. Thread safety: that of the transaction.
//
// All calls may return what the transaction returns; CollectionName and CollectionNotFound where a name is taken.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vitrine/database.hpp"
#include "vitrine/document.hpp"
#include "vitrine/index.hpp"
#include "vitrine/report.hpp"
#include "vitrine/transaction.hpp"

namespace vitrine {

// What names a document in its collection: the value of its member "_id", of any type but object, array and regular
// expression, whose encoded key has at most 512 bytes. Numbers are the same id when they have the same value: 30, 30.0.
class DocumentId {
 public:
  // Text that cannot be an id (not UTF-8, too long) is refused where the id is used.
  explicit DocumentId(std::int64_t number);
  explicit DocumentId(std::string_view text);
  explicit DocumentId(const char* text) : DocumentId(std::string_view(text)) {}
  explicit DocumentId(int number) : DocumentId(std::int64_t{number}) {}
  // The member "_id" of `document`. Errors: DocumentIdInvalid, also when there is none.
  static Result<DocumentId> of(const Document& document);
  // Any value as JSON: 1, "a", {"$oid": "..."}. Errors: JsonMalformed, DocumentIdInvalid.
  static Result<DocumentId> from_json(std::string_view json);

  std::string to_json() const;
  Bytes bson() const noexcept { return bson_; }  // of {"_id": ...}

 private:
  friend struct doc::DocumentMaker;
  struct Checked {};
  DocumentId(Checked, ByteString bson) noexcept : bson_(std::move(bson)) {}
  ByteString bson_;
};

struct StoredDocument {
  Document document;
  std::uint64_t version = 0;  // larger after each commit that wrote it
};

struct FindOptions {
  Document sort = {};        // {"age": -1, "name": 1}; empty: by id
  Document projection = {};  // {"name": 1} or {"photo": 0}; empty: whole documents. StoredDocument holds what is left
  std::uint64_t skip = 0;
  std::uint64_t limit = ~std::uint64_t{0};
  bool versions = true;    // false: StoredDocument::version is 0, and an index may answer without the documents
  bool any_order = false;  // without a sort order: as they are found, which can save sorting ids
  // An index to use, "$scan" for none; empty: the planner picks. Errors: IndexNotFound, HintUnusable (the index leaves
  // out documents that the filter may match).
  ByteString hint = {};
  ByteString after = {};  // a token of find_page(); `skip` then counts for nothing. Errors: TokenInvalid
  // The query ends with BudgetExhausted when it needs more. A step is about one look at a value.
  std::uint64_t steps_max = std::uint64_t{1} << 32;
  std::uint64_t bytes_max = std::uint64_t{64} << 20;  // of documents and ids held for sorting
  std::optional<std::chrono::milliseconds> time_max = {};
};

// A part of an answer, and where the next one begins.
struct Page {
  std::vector<StoredDocument> documents;
  ByteString next;  // text without spaces, for FindOptions::after; empty: that was all
};

// How a query is run, and what that took.
struct Explanation {
  std::string plan;                 // "scan", "ids", "index", "index union"
  std::vector<ByteString> indexes;  // that are read
  std::vector<std::string> bounds;  // of each of them, in words
  bool sorts = false;               // documents are held and sorted
  bool is_covered = false;          // answered from the index alone
  std::uint64_t keys_examined = 0;  // entries of indexes
  std::uint64_t documents_examined = 0;
  std::uint64_t documents_returned = 0;
  std::uint64_t planning_keys = 0;                        // entries of indexes read to choose between them
  std::optional<std::uint64_t> pages_read, cache_misses;  // where the store can tell
  std::uint64_t elapsed_us = 0;

  Document to_document() const;
};

// Of a collection. What is not set is not in force.
struct CollectionOptions {
  // A JSON Schema (docs/DOCUMENTS.md) that every document must keep to when it is written.
  Document validator;
  // Documents expire this long after the date at this path; after the earliest, when it is an array of dates.
  std::string expire_path;
  std::optional<std::uint64_t> expire_after_s;
};

// When one document expires.
struct Expiry {
  std::uint64_t ms = 0;      // since 1970; 0: never
  bool is_relative = false;  // to now
  static Expiry never() noexcept { return {}; }
  static Expiry at_ms(std::uint64_t ms_since_1970) noexcept { return {ms_since_1970, false}; }
  static Expiry after(std::chrono::milliseconds lifetime) noexcept {
    return {lifetime.count() > 0 ? static_cast<std::uint64_t>(lifetime.count()) : 0, true};
  }
};

struct SweepResult {
  std::uint64_t removed = 0;
  bool is_done = true;  // nothing more is due now
};

enum class ChangeKind : std::uint8_t { Insert, Update, Remove, Expire, Drop, Rename, Create };

struct DocumentChange {
  ChangeKind kind = ChangeKind::Insert;
  ByteString collection;
  std::uint64_t version = 0;         // of the document; the changes of one transaction have the same
  std::optional<Document> document;  // after the change, or before a removal; {"to": new name} of a renamed collection
  std::string token;                 // to go on behind this change
};

struct WatchOptions {
  std::string after;                               // a token; empty: see from_version
  std::optional<std::uint64_t> from_version = {};  // from the changes of this version; nothing: all that are held
  ByteString collection = {};                      // empty: of the whole database
  Document filter = {};                            // what the document of a change must match
  std::uint64_t limit = ~std::uint64_t{0};
  std::uint64_t steps_max = FindOptions{}.steps_max;
};

// Return false to stop.
using ChangeFunction = std::function<bool(const DocumentChange& change)>;

struct UpdateOptions {
  bool upsert = false;  // insert what filter and update say when nothing matches
  bool many = false;    // all that match, and not only the first
  Document sort;        // which one is the first; empty: by id
  // Of the document that matches (not with `many`); 0: nothing may match.
  std::optional<std::uint64_t> expected = {};
  std::uint64_t steps_max = FindOptions{}.steps_max;
  std::uint64_t bytes_max = FindOptions{}.bytes_max;  // also of the ids of what matches
};

struct UpdateResult {
  std::uint64_t matched = 0;
  std::uint64_t modified = 0;  // those that were not already as the update wants them
  std::optional<DocumentId> upserted = {};
};

enum class Returned : std::uint8_t { Old, New };

// A reference {"$ref": collection, "$id": id} that resolve_deep left as it is, and why.
enum class Unresolved : std::uint8_t {
  Dangling,  // there is no such document
  Cycle,     // it leads back to a document that it is in
  Depth,     // it is further away than was asked for
  Budget,    // more documents or bytes than allowed, or more levels than a document may have
};

struct UnresolvedReference {
  std::string path;  // "friends.0.home"
  Unresolved reason = Unresolved::Dangling;
};

struct ResolveOptions {
  unsigned depth = 8;  // 0: nothing is resolved
  std::uint64_t documents_max = 10'000;
  std::uint64_t bytes_max = std::uint64_t{16} << 20;  // of the result; 16 MiB at most
};

struct Resolved {
  StoredDocument document;
  std::vector<UnresolvedReference> unresolved;
};

struct Referrer {
  ByteString collection;
  StoredDocument document;
  std::vector<std::string> paths;  // of its references to the document in question
};

// Return false to stop.
using ReferrerFunction = std::function<bool(const Referrer& referrer)>;
using DocumentFunction = std::function<bool(const StoredDocument& found)>;

class Database;

class DocumentReader {
 public:
  explicit DocumentReader(const Transaction& txn) noexcept : txn_(&txn) {}

  // Names of the collections, sorted.
  Result<std::vector<ByteString>> collections() const;

  Result<std::vector<IndexInfo>> list_indexes(Bytes collection) const;

  // The document, or nothing. Errors: DocumentIdInvalid.
  Result<std::optional<StoredDocument>> get(Bytes collection, const DocumentId& id) const;
  Result<std::uint64_t> count(Bytes collection) const;
  // Visits the documents that match `filter` (docs/DOCUMENTS.md); returns how many were visited. `visit` must not
  // write. Errors: FilterMalformed (also for the order and the projection), BudgetExhausted, those of FindOptions.
  Result<std::uint64_t> find(Bytes collection, const Document& filter, const FindOptions& options,
                             const DocumentFunction& visit) const;
  // Up to `options.limit` documents. The next page goes on behind the last of them, also when documents came and went.
  Result<Page> find_page(Bytes collection, const Document& filter, const FindOptions& options) const;
  // Runs the query, without handing on what it finds.
  Result<Explanation> explain(Bytes collection, const Document& filter, const FindOptions& options = {}) const;
  // The documents whose first paths of the index have these values, in the order of the index. The members of `values`
  // stand for the paths by position, whatever their names. Errors: IndexNotFound.
  Result<std::uint64_t> query(Bytes collection, Bytes index, const Document& values,
                              const DocumentFunction& visit) const;
  // The same for values from `from` on and before `to`, in the order of the index; empty: no bound.
  Result<std::uint64_t> query_range(Bytes collection, Bytes index, const Document& from, const Document& to,
                                    const DocumentFunction& visit) const;
  Result<std::uint64_t> count(Bytes collection, const Document& filter) const;
  // The different values at `path` (elements of arrays one by one) in the documents that match, in the order of values,
  // as {"values": [...]}. Errors: FilterMalformed (also for the path), BudgetExhausted, DocumentTooLarge.
  Result<Document> distinct(Bytes collection, Bytes path, const Document& filter,
                            const FindOptions& options = {}) const;
  // Milliseconds since 1970 at which the document expires; 0: never; nothing: there is no such document.
  Result<std::optional<std::uint64_t>> expires_ms(Bytes collection, const DocumentId& id) const;
  Result<CollectionOptions> collection_options(Bytes collection) const;

  // Visits the changes that this transaction sees, in the order of their commits, and answers the token to go on with
  // later, in a new transaction; also when nothing was new. Every change is visited once. Errors: Misuse (there is no
  // log, see keep_changes), KeyNotFound (what follows the token is not held any more), FilterMalformed,
  // ArgumentInvalid (the token), BudgetExhausted.
  Result<std::string> watch(const WatchOptions& options, const ChangeFunction& visit) const;
  // The token of this moment: watch() goes on with what is committed later.
  Result<std::string> watch_token() const;

  // The document that a reference means, or nothing. Errors: DocumentMalformed when it is no reference.
  Result<std::optional<StoredDocument>> resolve(const Document& reference) const;
  // The document with its references replaced by the documents that they mean, and theirs, up to `depth` away; nothing
  // when there is no such document. References that cannot be replaced stay.
  Result<std::optional<Resolved>> resolve_deep(Bytes collection, const DocumentId& id,
                                               const ResolveOptions& options = {}) const;
  // Visits the documents, of all collections, that refer to this one, which need not exist. Reads everything. Returns
  // how many were visited. Errors: BudgetExhausted.
  Result<std::uint64_t> referrers(Bytes collection, const DocumentId& id, const ReferrerFunction& visit,
                                  std::uint64_t steps_max = FindOptions{}.steps_max) const;

  // Visits all documents in the order of their ids; returns how many were visited. `visit` must not write.
  Result<std::uint64_t> scan(Bytes collection, const DocumentFunction& visit) const;

 private:
  const Transaction* txn_;
};

// `expected`, where given: nothing is done unless the document has that version; 0 means that there is none.
// Errors: VersionDiffers.
class DocumentWriter : public DocumentReader {
 public:
  explicit DocumentWriter(WriteTransaction& txn) noexcept : DocumentReader(txn), txn_(&txn) {}

  // A name has 1 to 255 bytes of UTF-8 without control characters, and does not begin with `$`.
  // Errors: CollectionName, CollectionExists, CollectionNotFound.
  Status create_collection(Bytes name);
  Status ensure_collection(Bytes name);
  Status drop_collection(Bytes name);
  Status rename_collection(Bytes from, Bytes to);

  // Fills the index from all documents there are, within this transaction; build_index() does it in many small ones.
  // From then on it is kept with every write. Errors: IndexMalformed, FilterMalformed, IndexExists; IndexDuplicate,
  // IndexTooManyKeys: also of every later write, which then does nothing.
  Status create_index(Bytes collection, const IndexDefinition& definition);
  // Errors: IndexNotFound.
  Status drop_index(Bytes collection, Bytes index);
  // In force from now on, for documents that are written. Expiry counts for those that are there, too; all of them are
  // read for that. Errors: ArgumentInvalid.
  Status set_collection_options(Bytes collection, const CollectionOptions& options);

  // Stores a new document and answers its id: its member "_id", which moves to the front, or a new UUID (version 7)
  // when it has none. Errors: DocumentExists, DocumentIdInvalid; DocumentMalformed when a name begins with `$` that is
  // not $ref, $id or $db; DocumentTooLarge.
  Result<DocumentId> insert(Bytes collection, const Document& document);
  // All of them, or on an error none.
  Result<std::vector<DocumentId>> insert_many(Bytes collection, std::span<const Document> documents);
  // Stores `document` in place of the one with the same "_id". False, and nothing is done, when there is none.
  Result<bool> replace(Bytes collection, const Document& document, std::optional<std::uint64_t> expected = {});
  // Stores `document` whether there was one or not. True when there was.
  Result<bool> upsert(Bytes collection, const Document& document, std::optional<std::uint64_t> expected = {});
  // The same, and answers what was there before.
  Result<std::optional<StoredDocument>> exchange(Bytes collection, const Document& document,
                                                 std::optional<std::uint64_t> expected = {});
  // True when there was one.
  Result<bool> remove(Bytes collection, const DocumentId& id, std::optional<std::uint64_t> expected = {});

  // As upsert, with a time at which the document expires: from then on no call sees it. Writing a document in any other
  // way than update() and find_and_modify() takes that time away again.
  Result<bool> set_ex(Bytes collection, const Document& document, Expiry expiry,
                      std::optional<std::uint64_t> expected = {});
  // Sets the time of a document that is there. True when there was one.
  Result<bool> set_expiry(Bytes collection, const DocumentId& id, Expiry expiry,
                          std::optional<std::uint64_t> expected = {});
  // Removes documents that have expired, the oldest first, up to `documents_max` of all collections. Call it now and
  // then, or let a DocumentSweeper do it; it only frees space, and nobody can tell whether it has run.
  Result<SweepResult> sweep_expired(std::uint64_t documents_max = 1000);

  // Keeps a log of up to `entries_max` changes of documents and collections for watch(); older ones are given up.
  // 0: ends the log. It is part of the transaction that makes the changes.
  Status keep_changes(std::uint64_t entries_max);

  // Changes what matches `filter` by the operators of `update` (docs/DOCUMENTS.md). After an error nothing is done.
  // Errors: UpdateMalformed, UpdatePathConflict, UpdateTypeMismatch, UpdateOverflow, DocumentIdChanged,
  // FilterMalformed, BudgetExhausted, and those of insert.
  Result<UpdateResult> update(Bytes collection, const Document& filter, const Document& update,
                              const UpdateOptions& options = {});
  // Changes the first that matches and answers how it was, or how it is now; nothing when there was (is) none.
  // REQUIRES: not options.many.
  Result<std::optional<StoredDocument>> find_and_modify(Bytes collection, const Document& filter,
                                                        const Document& update, Returned returned = Returned::Old,
                                                        const UpdateOptions& options = {});
  // Removes the first that matches and answers how it was.
  Result<std::optional<StoredDocument>> find_and_remove(Bytes collection, const Document& filter,
                                                        const UpdateOptions& options = {});
  // Removes all that match (options.many), or the first. Returns how many.
  Result<std::uint64_t> remove(Bytes collection, const Document& filter, const UpdateOptions& options);

 private:
  WriteTransaction* txn_;
};

// Makes an index in many small transactions, while others read and write; goes on where it stopped when the same index
// is being built already, also after a crash. An error other than Cancelled drops the index, if the database lets it.
// Must not be called by a thread that has a write transaction open.
Status build_index(Database& db, Bytes collection, const IndexDefinition& definition,
                   const ProgressFunction& progress = {});

// Compares all indexes with what their documents say; adds findings to `report`.
Status verify_documents(const Transaction& txn, VerifyReport& report);

// Sweeps a database in a thread of its own, in small transactions, as long as it lives. It must end before the
// database.
class DocumentSweeper {
 public:
  // Errors: SystemFailed (no thread).
  static Result<DocumentSweeper> start(Database& db, std::chrono::milliseconds period = std::chrono::seconds(1));
  ~DocumentSweeper();
  DocumentSweeper(DocumentSweeper&&) noexcept;
  DocumentSweeper& operator=(DocumentSweeper&&) noexcept;

  Status status() const;  // how the last step ended

 private:
  struct Impl;
  explicit DocumentSweeper(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitrine
