// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kv/native_store.hpp"

#include "base/try.hpp"
#include "kv/database_impl.hpp"
#include "kv/safely.hpp"
#include "kv/transaction_impl.hpp"

namespace vitrine::kv {
namespace {

// What stands behind a transaction of the caller.
struct Inside : Transaction {
  static const TransactionImpl& of(const Transaction& txn) { return *(txn.*&Inside::impl_); }
};

Result<std::optional<Keyspace>> find_keyspace(const Transaction& txn, Bytes name) {
  const TransactionImpl& behind = Inside::of(txn);
  CHECK(behind.usable());
  LastKeyspace& last = behind.database->last_keyspace;
  if (!behind.session) {
    if (const std::optional<Keyspace> known = last.find(name, txn.snapshot_seq())) return known;
  }
  const Result<Keyspace> found = txn.keyspace(name);
  if (found.status().code() == ErrorCode::KeyspaceNotFound) return std::optional<Keyspace>();
  CHECK(found.status());
  if (!behind.session) last.keep(name, txn.snapshot_seq(), *found);
  return std::optional<Keyspace>(*found);
}

}  // namespace

// --- Reading ---------------------------------------------------------------------------------------------------------

Result<NativeReader> NativeReader::attach(const Transaction& txn, Bytes keyspace) {
  return NativeReader(txn, TRY(find_keyspace(txn, keyspace)));
}

bool NativeReader::is_snapshot() const { return !Inside::of(*txn_).session; }

std::uint64_t NativeReader::clock_ms() const {
  const TransactionImpl& behind = Inside::of(*txn_);
  return behind.database->clock_ms(behind.engine->env());
}

Result<bool> NativeReader::read(Bytes key, ByteString& value) const {
  CHECK(check_store_key(key));
  if (keyspace_) return txn_->get(*keyspace_, key, value);
  CHECK(txn_->keyspaces().status());  // has the transaction ended?
  return false;
}

Status NativeReader::multi_get(std::span<const Bytes> keys, StoreTeller tell) const {
  for (const Bytes key : keys) CHECK(check_store_key(key));
  if (keyspace_) return txn_->multi_get(*keyspace_, keys, tell);
  CHECK(txn_->keyspaces().status());  // has the transaction ended?
  for (std::size_t i = 0; i < keys.size(); ++i) tell(i, std::nullopt);
  return {};
}

Result<std::uint64_t> NativeReader::scan(Bytes begin, Bytes end, const StoreScan& options, StoreVisitor visit) const {
  const ScanOptions range{.prefix = {}, .from = begin, .to = end, .limit = options.limit, .reverse = options.reverse};
  if (keyspace_) return txn_->scan(*keyspace_, range, visit);
  CHECK(txn_->keyspaces().status());
  return std::uint64_t{0};
}

std::optional<StoreCounters> NativeReader::counters() const {
  const pool::PoolCounters pool = Inside::of(*txn_).pool().counters();
  return StoreCounters{pool.hits + pool.misses, pool.misses};
}

Memo* NativeReader::memo() const { return &Inside::of(*txn_).database->memo; }

// --- Writing ---------------------------------------------------------------------------------------------------------

Result<NativeWriter> NativeWriter::attach(WriteTransaction& txn, Bytes keyspace) {
  return NativeWriter(txn, TRY(NativeReader::attach(txn, keyspace)), keyspace);
}

Status NativeWriter::put(Bytes key, Bytes value) {
  CHECK(check_store_key(key));
  if (!reader_.keyspace_) reader_.keyspace_ = TRY(txn_->ensure_keyspace(name_, KeyspaceOptions{.versions = false}));
  return txn_->put(*reader_.keyspace_, key, value);
}

Status NativeWriter::erase(Bytes key) {
  CHECK(check_store_key(key));
  if (reader_.keyspace_) return txn_->erase(*reader_.keyspace_, key).status();
  return txn_->keyspaces().status();
}

Status NativeWriter::erase_range(Bytes begin, Bytes end) {
  if (reader_.keyspace_) return txn_->erase_range(*reader_.keyspace_, begin, end).status();
  return txn_->keyspaces().status();
}

// --- The store -------------------------------------------------------------------------------------------------------

Result<std::unique_ptr<StoreReader>> NativeStore::begin_read() {
  return safely([&]() -> Result<std::unique_ptr<StoreReader>> {
    auto txn = std::make_unique<const ReadTransaction>(TRY(db_->begin_read()));
    auto reader = std::make_unique<NativeReader>(TRY(NativeReader::attach(*txn, keyspace_)));
    reader->owned_ = std::move(txn);
    return std::unique_ptr<StoreReader>(std::move(reader));
  });
}

Result<std::unique_ptr<StoreWriter>> NativeStore::begin_write() {
  return safely([&]() -> Result<std::unique_ptr<StoreWriter>> {
    auto txn = std::make_unique<WriteTransaction>(TRY(db_->begin_write()));
    auto writer = std::make_unique<NativeWriter>(TRY(NativeWriter::attach(*txn, keyspace_)));
    writer->owned_ = std::move(txn);
    return std::unique_ptr<StoreWriter>(std::move(writer));
  });
}

}  // namespace vitrine::kv
