// SPDX-License-Identifier: MIT OR Apache-2.0
// Read and write transactions.
//
// A read transaction is a snapshot: it sees one committed state, never blocks and is never blocked. It may be used by
// one thread at a time, whichever. While it lives, pages it can see are not reused; long ones cost disk space.
//
// A write transaction sees its own writes. There is one at a time in a database; begin_write() waits its turn in order
// of arrival. Destroying it without commit() rolls it back. After an operation failed half-way (no memory, disk full,
// damaged page) every further call answers TransactionFailed and only rollback is possible; errors that concern one
// argument (KeyTooLong and the like) change nothing and leave it usable.
//
// All calls may return the page errors, ReadFailed and OutOfMemory beside what they name.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "vitrine/bytes.hpp"
#include "vitrine/cursor.hpp"
#include "vitrine/options.hpp"
#include "vitrine/status.hpp"
#include "vitrine/value_stream.hpp"

namespace vitrine {

// Names an open keyspace. A plain value; valid while the keyspace exists. Default-constructed: the keyspace "default",
// which every database has.
struct Keyspace {
  std::uint32_t id = 1;
  bool versions = true;
};

struct Entry {
  ByteString value;
  std::uint64_t version = 0;  // commit sequence number that wrote it; 0 in a keyspace without versions
};

struct KeyspaceInfo {
  ByteString name;
  Keyspace keyspace;
};

struct ScanOptions {
  Bytes prefix;               // only keys that start with it
  std::optional<Bytes> from;  // only keys >= it
  std::optional<Bytes> to;    // only keys < it
  std::uint64_t limit = ~std::uint64_t{0};
  bool reverse = false;
};

// Return false to stop. The views are valid during the call.
using ScanFunction = std::function<bool(Bytes key, Bytes value)>;
// Told the place of a key in the list, and its value or that there is none. The view is valid during the call, and the
// call must not write through the transaction.
using GetFunction = std::function<void(std::size_t place, std::optional<Bytes> value)>;

struct TransactionImpl;

// What both kinds of transaction can do.
class Transaction {
 public:
  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) noexcept;

  // Errors: KeyspaceNotFound, KeyspaceName.
  Result<Keyspace> keyspace(Bytes name) const;
  Result<std::vector<KeyspaceInfo>> keyspaces() const;

  // The value of `key`, or nothing.
  Result<std::optional<ByteString>> get(Keyspace keyspace, Bytes key) const;
  Result<std::optional<ByteString>> get(Bytes key) const { return get(Keyspace{}, key); }
  // The same into a buffer of the caller, which keeps its capacity; false when there is no such key.
  Result<bool> get(Keyspace keyspace, Bytes key, ByteString& value) const;
  // The values of many keys, each told once, in the order of the list. Much faster than one get() after another:
  // groups of keys wait for memory together. After an error some may have been told.
  Status multi_get(Keyspace keyspace, std::span<const Bytes> keys, const GetFunction& tell) const;
  Result<std::vector<std::optional<ByteString>>> multi_get(Keyspace keyspace, std::span<const Bytes> keys) const;
  Result<std::optional<Entry>> get_entry(Keyspace keyspace, Bytes key) const;
  Result<bool> contains(Keyspace keyspace, Bytes key) const;
  // Errors: KeyNotFound.
  Result<ValueReader> open_value(Keyspace keyspace, Bytes key) const;

  Cursor cursor(Keyspace keyspace = {}) const;
  // Visits entries in order; returns how many were visited.
  Result<std::uint64_t> scan(Keyspace keyspace, const ScanOptions& options, const ScanFunction& visit) const;
  Result<std::uint64_t> count(Keyspace keyspace, const ScanOptions& options = {}) const;

  // Commit sequence number of the state this transaction sees (its own writes not counted).
  std::uint64_t snapshot_seq() const noexcept;

 protected:
  explicit Transaction(std::unique_ptr<TransactionImpl>&& impl);
  ~Transaction();
  std::unique_ptr<TransactionImpl> impl_;
};

class ReadTransaction : public Transaction {
 public:
  explicit ReadTransaction(std::unique_ptr<TransactionImpl>&& impl) : Transaction(std::move(impl)) {}
};

enum class CommitOutcome : std::uint8_t {
  NotCommitted,  // nothing of the transaction will ever be seen; `status` says why
  Committed,     // applied, and as durable as was asked for with Durability::Full
  Pending,       // applied and visible; not yet durable (Durability::Periodic, None), or the sync was not waited for
  Unknown,       // the sync failed: reopening will show all of it or nothing; `status` says why
};

struct [[nodiscard]] Commit {
  CommitOutcome outcome = CommitOutcome::NotCommitted;
  std::uint64_t seq = 0;  // of this commit, when it was made
  Status status;          // ok for Committed and Pending; Committed with AnchorFailed: durable, but not anchored
  std::uint64_t session = 0;

  // Proves later that a database has this commit: Options::min_commit.
  CommitToken token() const noexcept { return {seq, session}; }
  bool is_applied() const noexcept { return outcome == CommitOutcome::Committed || outcome == CommitOutcome::Pending; }
};

struct Savepoint {
  std::uint64_t id = 0;
};

class WriteTransaction : public Transaction {
 public:
  explicit WriteTransaction(std::unique_ptr<TransactionImpl>&& impl) : Transaction(std::move(impl)) {}

  // Keyspaces. Errors: KeyspaceName, KeyspaceExists, KeyspaceNotFound; "default" cannot be dropped (ArgumentInvalid).
  Result<Keyspace> create_keyspace(Bytes name, const KeyspaceOptions& options = {});
  Result<Keyspace> ensure_keyspace(Bytes name, const KeyspaceOptions& options = {});
  Status drop_keyspace(Bytes name);

  // Entries. Errors: KeyEmpty, KeyTooLong, ValueTooLarge.
  Status put(Keyspace keyspace, Bytes key, Bytes value);
  Status put(Bytes key, Bytes value) { return put(Keyspace{}, key, value); }
  // False, and nothing is changed, when the key exists.
  Result<bool> put_if_absent(Keyspace keyspace, Bytes key, Bytes value);
  // Writes only if the entry's version is `expected` (0: the key must not exist). Errors: VersionDiffers, Unversioned.
  Status compare_and_set(Keyspace keyspace, Bytes key, std::uint64_t expected, Bytes value);
  // True when the key existed.
  Result<bool> erase(Keyspace keyspace, Bytes key);
  Result<bool> erase(Bytes key) { return erase(Keyspace{}, key); }
  // Erases [from, to); no `to` means to the end. Returns how many entries went.
  Result<std::uint64_t> erase_range(Keyspace keyspace, Bytes from, std::optional<Bytes> to);
  Result<ValueWriter> write_value(Keyspace keyspace, Bytes key);

  // Savepoints. Rolling back to one undoes everything since, and keeps it and the earlier ones.
  Result<Savepoint> savepoint();
  Status rollback_to(Savepoint savepoint);

  // Ends the transaction. Without `durability` the database's own applies.
  Commit commit(std::optional<Durability> durability = std::nullopt);
  void rollback() noexcept;
};

}  // namespace vitrine
