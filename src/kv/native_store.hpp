// SPDX-License-Identifier: MIT OR Apache-2.0
// The seam over the engine: one keyspace of a database. NativeReader and NativeWriter also sit on a transaction that
// the caller owns, so that one transaction can hold changes of this keyspace and of others.
//
// The keyspace is made by the first write. Whether it exists is looked up when a reader or writer is made; make a new
// one after the transaction was rolled back to a savepoint. Thread safety: that of the transaction below.
#pragma once

#include "kv/store.hpp"
#include "vitrine/database.hpp"

namespace vitrine::kv {

class NativeReader final : public StoreReader {
 public:
  // Errors: KeyspaceName, TransactionFinished. The transaction must outlive the reader.
  static Result<NativeReader> attach(const Transaction& txn, Bytes keyspace);

  std::uint64_t read_version() const override { return txn_->snapshot_seq(); }
  bool is_snapshot() const override;
  std::uint64_t clock_ms() const override;
  Result<bool> read(Bytes key, ByteString& value) const override;
  Status multi_get(std::span<const Bytes> keys, StoreTeller tell) const override;
  Result<std::uint64_t> scan(Bytes begin, Bytes end, const StoreScan& options, StoreVisitor visit) const override;
  std::optional<StoreCounters> counters() const override;
  Memo* memo() const override;

 private:
  friend class NativeStore;
  friend class NativeWriter;
  NativeReader(const Transaction& txn, std::optional<Keyspace> keyspace) : txn_(&txn), keyspace_(keyspace) {}

  std::unique_ptr<const ReadTransaction> owned_;  // when the store began it
  const Transaction* txn_;
  std::optional<Keyspace> keyspace_;  // nothing: there is none, which reads as an empty one
};

class NativeWriter final : public StoreWriter {
 public:
  static Result<NativeWriter> attach(WriteTransaction& txn, Bytes keyspace);

  std::uint64_t read_version() const override { return reader_.read_version(); }
  std::uint64_t clock_ms() const override { return reader_.clock_ms(); }
  Result<bool> read(Bytes key, ByteString& value) const override { return reader_.read(key, value); }
  Status multi_get(std::span<const Bytes> keys, StoreTeller tell) const override {
    return reader_.multi_get(keys, tell);
  }
  Result<std::uint64_t> scan(Bytes begin, Bytes end, const StoreScan& options, StoreVisitor visit) const override {
    return reader_.scan(begin, end, options, visit);
  }
  std::optional<StoreCounters> counters() const override { return reader_.counters(); }
  Memo* memo() const override { return reader_.memo(); }
  Status put(Bytes key, Bytes value) override;
  Status erase(Bytes key) override;
  Status erase_range(Bytes begin, Bytes end) override;
  Commit commit(std::optional<Durability> durability) override { return txn_->commit(durability); }

 private:
  friend class NativeStore;
  NativeWriter(WriteTransaction& txn, NativeReader reader, Bytes keyspace)
      : txn_(&txn), reader_(std::move(reader)), name_(keyspace) {}

  std::unique_ptr<WriteTransaction> owned_;  // when the store began it
  WriteTransaction* txn_;
  NativeReader reader_;
  ByteString name_;
};

// A keyspace of `db`, which must outlive the store. It must hold nothing that was not written through this interface.
class NativeStore final : public Store {
 public:
  NativeStore(Database& db, Bytes keyspace) : db_(&db), keyspace_(keyspace) {}

  Result<std::unique_ptr<StoreReader>> begin_read() override;
  Result<std::unique_ptr<StoreWriter>> begin_write() override;

 private:
  Database* db_;
  ByteString keyspace_;
};

}  // namespace vitrine::kv
