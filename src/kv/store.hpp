// SPDX-License-Identifier: MIT OR Apache-2.0
// The seam: what the layers above ask of an ordered transactional store, and nothing more (docs/adr/0020).
//
// Keys are bytes in memcmp order, values are bytes. Transactions see one committed state and their own writes. A store
// either lets one writer in at a time, or lets all in and refuses at commit those that read what another one changed
// since; users must expect both, and store_test.cpp runs one suite over all stores.
//
// A store may be used by many threads, a transaction by one at a time. Transactions must not outlive their store.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "base/function_ref.hpp"
#include "kv/memo.hpp"
#include "vitrine/transaction.hpp"

namespace vitrine::kv {

// Every store takes keys of 1 to this many bytes, whatever its page size, so that entries can move between stores.
inline constexpr std::size_t kStoreKeyMax = 1000;

// KeyEmpty or KeyTooLong for a key that not every store takes.
inline Status check_store_key(Bytes key) {
  if (key.empty()) return Status::error(ErrorCode::KeyEmpty);
  if (key.size() <= kStoreKeyMax) return {};
  return Status::error(ErrorCode::KeyTooLong).with("size", key.size()).with("largest", kStoreKeyMax);
}

struct StoreScan {
  std::uint64_t limit = ~std::uint64_t{0};
  bool reverse = false;
};

// What reading has cost, of the whole store and since any time: differences count.
struct StoreCounters {
  std::uint64_t pages_read = 0;    // looked at, in memory or not
  std::uint64_t cache_misses = 0;  // of them, not in memory
};

// Views are valid during the call. A visitor answers false to stop.
using StoreVisitor = base::FunctionRef<bool(Bytes key, Bytes value)>;
// Told the place of a key in the list, and its value or that there is none. Must not write through the transaction.
using StoreTeller = base::FunctionRef<void(std::size_t place, std::optional<Bytes> value)>;

// Errors of all calls: TransactionFinished, and what the store adds of its own (damaged pages, failed reads).
class StoreReader {
 public:
  virtual ~StoreReader() = default;

  // Number of the committed state that this transaction sees. A later state has a larger number, and a commit of this
  // transaction a larger one still.
  virtual std::uint64_t read_version() const = 0;
  // Does it see that state and nothing else? Not where it may have written.
  virtual bool is_snapshot() const { return false; }
  // The time, in milliseconds since 1970. Never less than what was answered before, whatever the machine's clock does;
  // what is kept of that when the store is opened again is the store's affair.
  virtual std::uint64_t clock_ms() const = 0;

  // The value of `key` into a buffer of the caller, which keeps its capacity; false when there is none.
  // Errors: KeyEmpty, KeyTooLong.
  virtual Result<bool> read(Bytes key, ByteString& value) const = 0;
  Result<std::optional<ByteString>> get(Bytes key) const;
  // Tells the values of keys that do not depend on each other, in one round trip where trips cost. After an error some
  // may have been told.
  virtual Status multi_get(std::span<const Bytes> keys, StoreTeller tell) const = 0;
  // Visits the entries of [begin, end) in order until `visit` answers false; returns how many were visited. `visit` may
  // read through this transaction but not write.
  virtual Result<std::uint64_t> scan(Bytes begin, Bytes end, const StoreScan& options, StoreVisitor visit) const = 0;
  // Nothing where a store cannot tell.
  virtual std::optional<StoreCounters> counters() const { return std::nullopt; }
  // Of the whole store; null where it keeps none, and everything is made again.
  virtual Memo* memo() const { return nullptr; }
};

class StoreWriter : public StoreReader {
 public:
  // Errors: KeyEmpty, KeyTooLong, ValueTooLarge.
  virtual Status put(Bytes key, Bytes value) = 0;
  virtual Status erase(Bytes key) = 0;  // of a key that is not there: nothing happens
  virtual Status erase_range(Bytes begin, Bytes end) = 0;
  // Ends the transaction; destroying it without commit undoes it. Status CommitConflict: nothing was done, and the
  // same work may succeed in a new transaction.
  virtual Commit commit(std::optional<Durability> durability) = 0;
};

class Store {
 public:
  virtual ~Store() = default;
  virtual Result<std::unique_ptr<StoreReader>> begin_read() = 0;
  // May wait for another writer.
  virtual Result<std::unique_ptr<StoreWriter>> begin_write() = 0;
};

// Runs `body` in a transaction and commits, again after each conflict, up to `attempts` times. An error of `body`
// undoes its writes and is the answer. CommitUnknown is not tried again: the first attempt may have been done.
Commit run_in_transaction(Store& store, const std::function<Status(StoreWriter&)>& body, unsigned attempts = 10);

}  // namespace vitrine::kv
