// SPDX-License-Identifier: MIT OR Apache-2.0
// Berkeley DB: B-tree in a private transactional environment, cache as given, pages of 4 KiB. Reads are its cheapest
// ones, outside of transactions: each sees what is committed, many together are no snapshot. Without sync:
// DB_TXN_WRITE_NOSYNC, which writes the log to the system, so that a commit survives the end of the process.
#include <db.h>

#include <array>
#include <cstring>

#include "peers/peer.hpp"

namespace vitrine::bench {
namespace {

void check(int result, const char* what) { require(result == 0, what, result == 0 ? "" : db_strerror(result)); }

DBT to_dbt(std::string_view bytes) {
  DBT dbt;
  std::memset(&dbt, 0, sizeof dbt);
  dbt.data = const_cast<char*>(bytes.data());
  dbt.size = static_cast<u_int32_t>(bytes.size());
  return dbt;
}
std::string_view to_view(const DBT& dbt) { return {static_cast<const char*>(dbt.data), dbt.size}; }

class BerkeleyDbSession final : public Session {
 public:
  BerkeleyDbSession(DB_ENV* env, DB* db) : env_(env), db_(db), value_(std::size_t{1} << 16, '\0') {}
  ~BerkeleyDbSession() override {
    if (write_ != nullptr) write_->abort(write_);
  }

  void begin_snapshot() override {}
  void end_snapshot() override {}

  bool get(std::string_view key, std::string_view& value) override {
    DBT wanted = to_dbt(key);
    DBT found = to_dbt(value_);
    found.ulen = static_cast<u_int32_t>(value_.size());
    found.flags = DB_DBT_USERMEM;
    const int result = db_->get(db_, write_, &wanted, &found, 0);
    if (result == DB_NOTFOUND) return false;
    check(result, "get");
    value = to_view(found);
    return true;
  }
  // Bulk reads: a buffer of many entries for each call.
  void scan(std::string_view from, std::uint64_t limit, ScanSum& sum) override {
    DBC* cursor = nullptr;
    check(db_->cursor(db_, nullptr, &cursor, 0), "cursor");
    if (bulk_.empty()) bulk_.resize(std::size_t{256} << 10);
    DBT key = to_dbt(from);
    DBT block = to_dbt(bulk_);
    block.ulen = limit <= 1000 ? 32u << 10 : static_cast<u_int32_t>(bulk_.size());
    block.flags = DB_DBT_USERMEM;
    int result = cursor->get(cursor, &key, &block, DB_MULTIPLE_KEY | (from.empty() ? DB_FIRST : DB_SET_RANGE));
    while (result == 0 && limit > 0) {
      limit -= add_block(block, limit, sum);
      if (limit > 0) result = cursor->get(cursor, &key, &block, DB_MULTIPLE_KEY | DB_NEXT);
    }
    cursor->close(cursor);
    require(result == 0 || result == DB_NOTFOUND, "cursor get");
  }

  void begin_write() override {
    check(env_->txn_begin(env_, nullptr, &write_, 0), "txn_begin");
    is_empty_ = true;
  }
  void put(std::string_view key, std::string_view value) override {
    DBT wanted = to_dbt(key);
    DBT bytes = to_dbt(value);
    int result = db_->put(db_, write_, &wanted, &bytes, 0);
    while (result == DB_LOCK_DEADLOCK && is_empty_) {  // locks are on pages; a transaction that lost starts again
      write_->abort(write_);
      write_ = nullptr;
      begin_write();
      result = db_->put(db_, write_, &wanted, &bytes, 0);
    }
    check(result, "put");
    is_empty_ = false;
  }
  void erase(std::string_view key) override {
    DBT wanted = to_dbt(key);
    const int result = db_->del(db_, write_, &wanted, 0);
    require(result == 0 || result == DB_NOTFOUND, "del");
  }
  void commit() override {
    DB_TXN* txn = write_;
    write_ = nullptr;
    check(txn->commit(txn, 0), "commit");
  }

 private:
  static std::uint64_t add_block(DBT& block, std::uint64_t limit, ScanSum& sum) {
    void* position = nullptr;
    DB_MULTIPLE_INIT(position, &block);
    std::uint64_t added = 0;
    while (added < limit) {
      void* key = nullptr;
      void* value = nullptr;
      std::size_t key_size = 0;
      std::size_t value_size = 0;
      DB_MULTIPLE_KEY_NEXT(position, &block, key, key_size, value, value_size);
      if (position == nullptr) break;
      sum.add({static_cast<const char*>(key), key_size}, {static_cast<const char*>(value), value_size});
      ++added;
    }
    return added;
  }

  DB_ENV* const env_;
  DB* const db_;
  DB_TXN* write_ = nullptr;
  bool is_empty_ = true;
  std::string value_;
  std::string bulk_;
};

class BerkeleyDbPeer final : public Peer {
 public:
  explicit BerkeleyDbPeer(const PeerOptions& options) {
    check(db_env_create(&env_, 0), "env_create");
    const auto gigabytes = static_cast<u_int32_t>(options.cache_size >> 30);
    const auto rest = static_cast<u_int32_t>(options.cache_size & ((1u << 30) - 1));
    check(env_->set_cachesize(env_, gigabytes, rest, 1), "set_cachesize");
    check(env_->set_lg_bsize(env_, 8u << 20), "set_lg_bsize");
    check(env_->set_lg_max(env_, 64u << 20), "set_lg_max");
    check(env_->set_lk_max_locks(env_, 100'000), "set_lk_max_locks");
    check(env_->set_lk_max_objects(env_, 100'000), "set_lk_max_objects");
    check(env_->set_lk_detect(env_, DB_LOCK_DEFAULT), "set_lk_detect");
    check(env_->log_set_config(env_, DB_LOG_AUTO_REMOVE, 1), "log_set_config");
    if (options.survives == Survives::Process) check(env_->set_flags(env_, DB_TXN_WRITE_NOSYNC, 1), "set_flags");
    const u_int32_t parts = DB_INIT_MPOOL | DB_INIT_TXN | DB_INIT_LOG | DB_INIT_LOCK;
    check(env_->open(env_, options.directory.c_str(), DB_CREATE | DB_THREAD | DB_PRIVATE | DB_RECOVER | parts, 0644),
          "env open");
    check(db_create(&db_, env_, 0), "db_create");
    check(db_->set_pagesize(db_, 4096), "set_pagesize");
    check(db_->open(db_, nullptr, "bench.bdb", nullptr, DB_BTREE, DB_CREATE | DB_AUTO_COMMIT | DB_THREAD, 0644),
          "db open");
  }
  ~BerkeleyDbPeer() override {
    if (db_ != nullptr) db_->close(db_, 0);
    if (env_ != nullptr) env_->close(env_, 0);
  }

  std::unique_ptr<Session> session() override { return std::make_unique<BerkeleyDbSession>(env_, db_); }
  void checkpoint() override { check(env_->txn_checkpoint(env_, 0, 0, DB_FORCE), "txn_checkpoint"); }
  bool compact() override {
    check(db_->compact(db_, nullptr, nullptr, nullptr, nullptr, DB_FREE_SPACE, nullptr), "compact");
    return true;
  }

 private:
  DB_ENV* env_ = nullptr;
  DB* db_ = nullptr;
};

std::unique_ptr<Peer> open_berkeleydb(const PeerOptions& options) { return std::make_unique<BerkeleyDbPeer>(options); }

}  // namespace
}  // namespace vitrine::bench

VITRINE_BENCH_PEER("berkeleydb", VITRINE_BENCH_VERSION_OF(DB_VERSION_MAJOR, DB_VERSION_MINOR, DB_VERSION_PATCH),
                   "private transactional environment, B-tree with 4 KiB pages, cache as given, bulk cursors, "
                   "DB_TXN_WRITE_NOSYNC where nothing is synced",
                   false, true, vitrine::bench::open_berkeleydb);
