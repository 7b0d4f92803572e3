// SPDX-License-Identifier: MIT OR Apache-2.0
// LevelDB: block cache as given, bloom filters of 10 bits, a write buffer of 64 MiB, no compression (the values do not
// compress). Its log is written at each commit, so without sync a commit survives the end of the process.
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>

#include "peers/peer.hpp"

namespace vitrine::bench {
namespace {

void check(const leveldb::Status& status, const char* what) {
  if (!status.ok()) throw PeerFailure(std::string(what) + ": " + status.ToString());
}
leveldb::Slice to_slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view to_view(const leveldb::Slice& slice) { return {slice.data(), slice.size()}; }

class LevelDbSession final : public Session {
 public:
  LevelDbSession(leveldb::DB& db, Survives survives) : db_(db) { write_options_.sync = survives == Survives::Power; }

  void begin_snapshot() override { read_options_.snapshot = db_.GetSnapshot(); }
  void end_snapshot() override {
    db_.ReleaseSnapshot(read_options_.snapshot);
    read_options_.snapshot = nullptr;
  }

  bool get(std::string_view key, std::string_view& value) override {
    const leveldb::Status status = db_.Get(read_options_, to_slice(key), &value_);
    if (status.IsNotFound()) return false;
    check(status, "get");
    value = value_;
    return true;
  }
  void scan(std::string_view from, std::uint64_t limit, ScanSum& sum) override {
    const std::unique_ptr<leveldb::Iterator> iterator(db_.NewIterator(read_options_));
    for (iterator->Seek(to_slice(from)); limit > 0 && iterator->Valid(); iterator->Next(), --limit) {
      sum.add(to_view(iterator->key()), to_view(iterator->value()));
    }
    check(iterator->status(), "scan");
  }

  void begin_write() override { batch_.Clear(); }
  void put(std::string_view key, std::string_view value) override { batch_.Put(to_slice(key), to_slice(value)); }
  void erase(std::string_view key) override { batch_.Delete(to_slice(key)); }
  void commit() override { check(db_.Write(write_options_, &batch_), "write"); }

 private:
  leveldb::DB& db_;
  leveldb::ReadOptions read_options_;
  leveldb::WriteOptions write_options_;
  leveldb::WriteBatch batch_;
  std::string value_;
};

class LevelDbPeer final : public Peer {
 public:
  explicit LevelDbPeer(const PeerOptions& options)
      : survives_(options.survives),
        cache_(leveldb::NewLRUCache(options.cache_size)),
        filter_(leveldb::NewBloomFilterPolicy(10)) {
    leveldb::Options wanted;
    wanted.create_if_missing = true;
    wanted.block_cache = cache_.get();
    wanted.filter_policy = filter_.get();
    wanted.write_buffer_size = std::size_t{64} << 20;
    wanted.max_open_files = 10'000;
    wanted.compression = leveldb::kNoCompression;
    leveldb::DB* db = nullptr;
    check(leveldb::DB::Open(wanted, options.directory, &db), "open");
    db_.reset(db);
  }

  std::unique_ptr<Session> session() override { return std::make_unique<LevelDbSession>(*db_, survives_); }
  void checkpoint() override { db_->CompactRange(nullptr, nullptr); }
  bool compact() override {
    checkpoint();
    return true;
  }

 private:
  const Survives survives_;
  const std::unique_ptr<leveldb::Cache> cache_;
  const std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::DB> db_;
};

std::unique_ptr<Peer> open_leveldb(const PeerOptions& options) { return std::make_unique<LevelDbPeer>(options); }

}  // namespace
}  // namespace vitrine::bench

static_assert(leveldb::kMajorVersion == 1 && leveldb::kMinorVersion == 23, "say the version below");
VITRINE_BENCH_PEER("leveldb", "1.23", "block cache as given, bloom filter 10 bits, write buffer 64 MiB, no compression",
                   false, true, vitrine::bench::open_leveldb);
