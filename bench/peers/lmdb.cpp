// SPDX-License-Identifier: MIT OR Apache-2.0
// LMDB, and LMDB with MDB_WRITEMAP as a peer of its own (LMDB_WRITEMAP). Values are read in place. Without sync:
// MDB_NOSYNC, which survives the end of the process because the pages are in the page cache by then. Readers use
// MDB_NORDAHEAD, the manual's advice for random reads, and renew their transaction instead of making a new one.
#include <lmdb.h>

#include "peers/peer.hpp"

#ifndef LMDB_WRITEMAP
#define LMDB_WRITEMAP 0
#endif

namespace vitrine::bench {
namespace {

void check(int result, const char* what) { require(result == 0, what, result == 0 ? "" : mdb_strerror(result)); }

MDB_val to_value(std::string_view bytes) { return {bytes.size(), const_cast<char*>(bytes.data())}; }
std::string_view to_view(const MDB_val& value) { return {static_cast<const char*>(value.mv_data), value.mv_size}; }

class LmdbSession final : public Session {
 public:
  LmdbSession(MDB_env* env, MDB_dbi dbi) : env_(env), dbi_(dbi) {}
  ~LmdbSession() override {
    if (write_ != nullptr) mdb_txn_abort(write_);
    if (cursor_ != nullptr) mdb_cursor_close(cursor_);
    if (read_ != nullptr) mdb_txn_abort(read_);
  }

  void begin_snapshot() override {
    if (read_ == nullptr) {
      check(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &read_), "txn_begin");
    } else {
      check(mdb_txn_renew(read_), "txn_renew");
    }
  }
  void end_snapshot() override { mdb_txn_reset(read_); }

  bool get(std::string_view key, std::string_view& value) override {
    MDB_val wanted = to_value(key);
    MDB_val found;
    const int result = mdb_get(write_ != nullptr ? write_ : read_, dbi_, &wanted, &found);
    if (result == MDB_NOTFOUND) return false;
    check(result, "get");
    value = to_view(found);
    return true;
  }
  void scan(std::string_view from, std::uint64_t limit, ScanSum& sum) override {
    if (cursor_ == nullptr) {
      check(mdb_cursor_open(read_, dbi_, &cursor_), "cursor_open");
    } else {
      check(mdb_cursor_renew(read_, cursor_), "cursor_renew");
    }
    MDB_val key = to_value(from);
    MDB_val value;
    int result = mdb_cursor_get(cursor_, &key, &value, from.empty() ? MDB_FIRST : MDB_SET_RANGE);
    for (; result == 0 && limit > 0; --limit) {
      sum.add(to_view(key), to_view(value));
      result = mdb_cursor_get(cursor_, &key, &value, MDB_NEXT);
    }
    require(result == 0 || result == MDB_NOTFOUND, "cursor_get");
  }

  void begin_write() override { check(mdb_txn_begin(env_, nullptr, 0, &write_), "txn_begin"); }
  void put(std::string_view key, std::string_view value) override { put_with(key, value, 0); }
  void append(std::string_view key, std::string_view value) override { put_with(key, value, MDB_APPEND); }
  void erase(std::string_view key) override {
    MDB_val wanted = to_value(key);
    const int result = mdb_del(write_, dbi_, &wanted, nullptr);
    require(result == 0 || result == MDB_NOTFOUND, "del");
  }
  void commit() override {
    MDB_txn* txn = write_;
    write_ = nullptr;
    check(mdb_txn_commit(txn), "txn_commit");
  }

 private:
  void put_with(std::string_view key, std::string_view value, unsigned flags) {
    MDB_val wanted = to_value(key);
    MDB_val bytes = to_value(value);
    check(mdb_put(write_, dbi_, &wanted, &bytes, flags), "put");
  }

  MDB_env* const env_;
  const MDB_dbi dbi_;
  MDB_txn* read_ = nullptr;
  MDB_cursor* cursor_ = nullptr;
  MDB_txn* write_ = nullptr;
};

class LmdbPeer final : public Peer {
 public:
  explicit LmdbPeer(const PeerOptions& options) {
    check(mdb_env_create(&env_), "env_create");
    check(mdb_env_set_mapsize(env_, (options.data_size_max * 5 + (256u << 20)) >> 21 << 21), "set_mapsize");
    check(mdb_env_set_maxreaders(env_, options.threads_max + 8), "set_maxreaders");
    unsigned flags = MDB_NORDAHEAD | MDB_NOTLS;
    if (options.survives == Survives::Process) flags |= MDB_NOSYNC;
    if (LMDB_WRITEMAP != 0) flags |= MDB_WRITEMAP;
    check(mdb_env_open(env_, options.directory.c_str(), flags, 0644), "env_open");
    MDB_txn* txn = nullptr;
    check(mdb_txn_begin(env_, nullptr, 0, &txn), "txn_begin");
    check(mdb_dbi_open(txn, nullptr, 0, &dbi_), "dbi_open");
    check(mdb_txn_commit(txn), "txn_commit");
  }
  ~LmdbPeer() override { mdb_env_close(env_); }

  std::unique_ptr<Session> session() override { return std::make_unique<LmdbSession>(env_, dbi_); }
  void checkpoint() override { check(mdb_env_sync(env_, 1), "env_sync"); }

 private:
  MDB_env* env_ = nullptr;
  MDB_dbi dbi_ = 0;
};

std::unique_ptr<Peer> open_lmdb(const PeerOptions& options) { return std::make_unique<LmdbPeer>(options); }

constexpr const char* kName = LMDB_WRITEMAP != 0 ? "lmdb_writemap" : "lmdb";
constexpr const char* kConfiguration =
    LMDB_WRITEMAP != 0
        ? "MDB_WRITEMAP, MDB_NORDAHEAD, MDB_NOSYNC where nothing is synced, MDB_APPEND in order"
        : "MDB_NORDAHEAD, MDB_NOSYNC where nothing is synced, MDB_APPEND in order, read transactions renewed";

}  // namespace
}  // namespace vitrine::bench

VITRINE_BENCH_PEER(vitrine::bench::kName,
                   VITRINE_BENCH_VERSION_OF(MDB_VERSION_MAJOR, MDB_VERSION_MINOR, MDB_VERSION_PATCH),
                   vitrine::bench::kConfiguration, false, true, vitrine::bench::open_lmdb);
