// SPDX-License-Identifier: MIT OR Apache-2.0
// What stands behind the public transaction, cursor and value stream classes.
//
// A cursor holds a pin on a page, and a page of the writer may go away with any change: before each change every cursor
// of the transaction is suspended, and when the transaction ends all of them are cut off.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engine/write_session.hpp"
#include "kv/keyspace.hpp"
#include "kv/operations.hpp"
#include "tree/cursor.hpp"
#include "vitrine/cursor.hpp"
#include "vitrine/transaction.hpp"
#include "vitrine/value_stream.hpp"

namespace vitrine {

struct DatabaseImpl;

namespace kv {

// Key of a user operation. Errors: KeyEmpty, KeyTooLong.
Status check_key(const engine::Engine& engine, Bytes key);
// Entry to be put. Errors: those of the key, ValueTooLarge.
Status check_entry(const engine::Engine& engine, Bytes key, Bytes value);
// Whether there is such a keyspace. `known` is the number of one that is known to be there; this one afterwards.
// Errors: KeyspaceNotFound.
Status check_keyspace(pool::Pool& pool, const tree::TreeRoot& root, Keyspace keyspace, std::uint32_t& known);
// Value and version of what was found: views into the page, or of a large value into `large`.
Result<Record> view_record(pool::Pool& pool, Keyspace keyspace, const tree::Found& found, std::string& large);
// The same, the value copied. Returns the version.
Result<std::uint64_t> read_record(pool::Pool& pool, Keyspace keyspace, const tree::Found& found, std::string& value);

// Whether the entry is there, and its value, copied; nothing when that takes more than a look at memory.
// REQUIRES: a visit that may see `root`.
std::optional<bool> glimpse_record(pool::Pool& pool, const tree::TreeRoot& root, Keyspace keyspace, Bytes tree_key,
                                   std::string& value);

}  // namespace kv

struct TransactionImpl {
  TransactionImpl(std::shared_ptr<DatabaseImpl> database, std::shared_ptr<engine::Engine> engine);  // reads
  TransactionImpl(std::shared_ptr<DatabaseImpl> database, std::shared_ptr<engine::Engine> engine,
                  std::unique_ptr<engine::WriteSession> session);  // writes
  ~TransactionImpl();
  TransactionImpl(const TransactionImpl&) = delete;
  TransactionImpl& operator=(const TransactionImpl&) = delete;

  // Rolls a write transaction back, gives a snapshot up, cuts cursors and streams off. Harmless when ended before.
  void end() noexcept;
  bool is_open() const noexcept { return is_open_; }
  // What every operation but the end asks first. Puts held entries into the tree, so that the operation sees them.
  Status usable() const;
  Status writable() const;

  pool::Pool& pool() const noexcept { return engine->pool(); }
  tree::TreeRoot root() const noexcept { return session ? session->root() : snapshot.root; }
  Status check_key(Bytes key) const { return kv::check_key(*engine, key); }

  // The stored record of the key, if there is one.
  Result<tree::Found> find(Keyspace keyspace, Bytes key) const;
  // Whether it is there, and its value, copied; nothing when that takes more than a look at memory.
  std::optional<bool> glimpse(Keyspace keyspace, Bytes key, std::string& value) const;
  // REQUIRES: at most tree::kFindLanes keys, and as many places in `found`.
  Status find_many(Keyspace keyspace, std::span<const Bytes> keys, std::span<tree::Found> found) const;
  Result<kv::Record> view(Keyspace keyspace, const tree::Found& found, std::string& large) const {
    return kv::view_record(pool(), keyspace, found, large);
  }
  Result<std::uint64_t> read(Keyspace keyspace, const tree::Found& found, std::string& value) const {
    return kv::read_record(pool(), keyspace, found, value);
  }

  bool may_hold(Bytes key, Bytes value) const noexcept;
  Status hold(Keyspace keyspace, Bytes key, Bytes value);
  std::vector<tree::Put> held_puts() const;
  Status place_held() const;

  void suspend_cursors() noexcept;
  // Before each change: the keyspace must exist (the catalog is none), cursors let go.
  Status prepare_change(Keyspace keyspace);
  // When keyspaces may have gone.
  void forget_keyspaces() noexcept {
    known_keyspace = kv::kDefaultId;
    named.clear();
  }
  // Puts are only held as long as the transaction does nothing else, and committed together.
  Status put(Keyspace keyspace, Bytes key, Bytes value);
  Commit commit(Durability durability);
  Status put_catalog(Bytes key, Bytes value);
  void cut_writers(const Status& why) noexcept;
  // To be held while the operation runs.
  [[nodiscard]] kv::Operating operating(kv::Operation operation) const noexcept {
    return kv::Operating(meter, engine->env(), operation);
  }

  std::shared_ptr<DatabaseImpl> database;
  std::shared_ptr<engine::Engine> engine;
  engine::State snapshot;
  std::unique_ptr<engine::WriteSession> session;  // write transactions
  std::vector<Cursor::Impl*> cursors;
  std::vector<ValueReader::Impl*> readers;
  std::vector<ValueWriter::Impl*> writers;
  std::uint32_t known_keyspace = kv::kDefaultId;  // checked to exist in this transaction
  mutable ByteString named;                       // the keyspace that was found last, and its name
  mutable Keyspace named_keyspace;
  mutable std::string tree_key;  // scratch
  std::string put_key;           // scratch of put(): a look at the catalog needs the other one
  struct HeldPut {               // where its parts end in held_bytes
    std::size_t key_end, header_end, value_end;
  };
  mutable std::vector<HeldPut> held;
  mutable std::string held_bytes;
  mutable kv::OperationMeter meter;
  bool is_open_ = true;
  TransactionImpl* previous = nullptr;  // among the open ones of the database, under its mutex
  TransactionImpl* next = nullptr;
};

struct Cursor::Impl {
  Impl(TransactionImpl& owner, Keyspace of);
  ~Impl();
  void suspend() noexcept;
  void cut_off() noexcept;
  // Back onto the key the cursor was on before the change, or the next one. True: the key itself is still there.
  Result<bool> resume();
  Status next();  // of the tree cursor, also when the transaction wrote since
  Status prev();
  bool in_keyspace() const noexcept;
  Status usable() const;
  template <typename Move>
  Status move(Move&& step);

  TransactionImpl* txn;  // null: the transaction has ended
  Keyspace keyspace;
  std::string prefix;  // of the tree keys
  tree::TreeCursor cursor;
  bool suspended = false;
  Status deferred;    // a failure met where none could be returned
  std::string value;  // buffer of large values
};

struct ValueReader::Impl {
  explicit Impl(TransactionImpl& owner);
  ~Impl();
  TransactionImpl* txn;  // null: the transaction has ended
  std::string inline_value;
  std::optional<tree::LargeValueReader> large;
  std::uint64_t header = 0;  // bytes before the value
};

struct ValueWriter::Impl {
  Impl(TransactionImpl& owner, Keyspace of, Bytes key_bytes);
  ~Impl();
  Status usable() const;
  TransactionImpl* txn;  // null: nothing more can be written, `ended` says why
  Status ended;
  Keyspace keyspace;
  std::string key;
  std::unique_ptr<tree::LargeValueWriter> writer;
  std::uint64_t size = 0;
};

}  // namespace vitrine
