// SPDX-License-Identifier: MIT OR Apache-2.0
// RocksDB: block cache as given, whole-key bloom filters in files and memtables, a hash index in data blocks, recycled
// log files (a synced commit then changes no metadata), MultiGet for batches. Its log is written at each commit, so
// without sync a commit survives the end of the process.
#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/version.h>
#include <rocksdb/write_batch.h>

#include <array>
#include <thread>

#include "peers/peer.hpp"

namespace vitrine::bench {
namespace {

void check(const rocksdb::Status& status, const char* what) {
  if (!status.ok()) throw PeerFailure(std::string(what) + ": " + status.ToString());
}
rocksdb::Slice to_slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view to_view(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

class RocksDbSession final : public Session {
 public:
  RocksDbSession(rocksdb::DB& db, Survives survives) : db_(db) {
    write_options_.sync = survives == Survives::Power;
    read_options_.verify_checksums = true;
  }

  void begin_snapshot() override { read_options_.snapshot = db_.GetSnapshot(); }
  void end_snapshot() override {
    db_.ReleaseSnapshot(read_options_.snapshot);
    read_options_.snapshot = nullptr;
  }

  bool get(std::string_view key, std::string_view& value) override {
    value_.Reset();
    const rocksdb::Status status = db_.Get(read_options_, db_.DefaultColumnFamily(), to_slice(key), &value_);
    if (status.IsNotFound()) return false;
    check(status, "get");
    value = to_view(value_);
    return true;
  }
  std::uint64_t get_all(std::span<const std::string_view> keys, ScanSum& sum) override {
    constexpr std::size_t kBatch = 32;
    std::array<rocksdb::Slice, kBatch> slices;
    std::array<rocksdb::PinnableSlice, kBatch> values;
    std::array<rocksdb::Status, kBatch> statuses;
    require(keys.size() <= kBatch, "get_all", "more than 32 keys");
    for (std::size_t i = 0; i < keys.size(); ++i) slices[i] = to_slice(keys[i]);
    db_.MultiGet(read_options_, db_.DefaultColumnFamily(), keys.size(), slices.data(), values.data(), statuses.data());
    std::uint64_t found = 0;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (statuses[i].IsNotFound()) continue;
      check(statuses[i], "multi_get");
      sum.add(keys[i], to_view(values[i]));
      ++found;
    }
    return found;
  }
  void scan(std::string_view from, std::uint64_t limit, ScanSum& sum) override {
    const std::unique_ptr<rocksdb::Iterator> iterator(db_.NewIterator(read_options_));
    for (iterator->Seek(to_slice(from)); limit > 0 && iterator->Valid(); iterator->Next(), --limit) {
      sum.add(to_view(iterator->key()), to_view(iterator->value()));
    }
    check(iterator->status(), "scan");
  }

  void begin_write() override { batch_.Clear(); }
  void put(std::string_view key, std::string_view value) override {
    check(batch_.Put(to_slice(key), to_slice(value)), "put");
  }
  void erase(std::string_view key) override { check(batch_.Delete(to_slice(key)), "delete"); }
  void commit() override { check(db_.Write(write_options_, &batch_), "write"); }

 private:
  rocksdb::DB& db_;
  rocksdb::ReadOptions read_options_;
  rocksdb::WriteOptions write_options_;
  rocksdb::WriteBatch batch_;
  rocksdb::PinnableSlice value_;
};

class RocksDbPeer final : public Peer {
 public:
  explicit RocksDbPeer(const PeerOptions& options) : survives_(options.survives) {
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = rocksdb::NewLRUCache(options.cache_size);
    table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.data_block_index_type = rocksdb::BlockBasedTableOptions::kDataBlockBinaryAndHash;
    table.format_version = 5;
    rocksdb::Options wanted;
    wanted.create_if_missing = true;
    wanted.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    wanted.compression = rocksdb::kNoCompression;
    wanted.write_buffer_size = std::size_t{64} << 20;
    wanted.memtable_whole_key_filtering = true;
    wanted.memtable_prefix_bloom_size_ratio = 0.1;
    wanted.recycle_log_file_num = 4;
    wanted.max_open_files = -1;
    wanted.IncreaseParallelism(static_cast<int>(std::max(2u, std::thread::hardware_concurrency())));
    rocksdb::DB* db = nullptr;
    check(rocksdb::DB::Open(wanted, options.directory, &db), "open");
    db_.reset(db);
  }
  ~RocksDbPeer() override { static_cast<void>(db_->Close()); }

  std::unique_ptr<Session> session() override { return std::make_unique<RocksDbSession>(*db_, survives_); }
  void checkpoint() override {
    check(db_->Flush({}), "flush");
    check(db_->CompactRange({}, nullptr, nullptr), "compact");
  }
  bool compact() override {
    checkpoint();
    return true;
  }

 private:
  const Survives survives_;
  std::unique_ptr<rocksdb::DB> db_;
};

std::unique_ptr<Peer> open_rocksdb(const PeerOptions& options) { return std::make_unique<RocksDbPeer>(options); }

}  // namespace
}  // namespace vitrine::bench

VITRINE_BENCH_PEER("rocksdb", VITRINE_BENCH_VERSION_OF(ROCKSDB_MAJOR, ROCKSDB_MINOR, ROCKSDB_PATCH),
                   "block cache as given, bloom filter 10 bits, block hash index, write buffer 64 MiB, recycled logs, "
                   "MultiGet, no compression",
                   false, true, vitrine::bench::open_rocksdb);
