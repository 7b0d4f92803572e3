// SPDX-License-Identifier: MIT OR Apache-2.0
// WiredTiger: row store, cache as given, log preallocated, snapshot isolation, one session and one kept cursor for each
// thread. Its bulk cursor is no transaction, so loads in order go the usual way. Without sync: transaction_sync with
// method=none, which writes the log to the system, so that a commit survives the end of the process.
#include <wiredtiger.h>

#include "peers/peer.hpp"

namespace vitrine::bench {
namespace {

constexpr const char* kTable = "table:bench";

void check(int result, const char* what) { require(result == 0, what, result == 0 ? "" : wiredtiger_strerror(result)); }

WT_ITEM to_item(std::string_view bytes) {
  WT_ITEM item{};
  item.data = bytes.data();
  item.size = bytes.size();
  return item;
}
std::string_view to_view(const WT_ITEM& item) { return {static_cast<const char*>(item.data), item.size}; }

class WiredTigerSession final : public Session {
 public:
  explicit WiredTigerSession(WT_CONNECTION* connection) {
    check(connection->open_session(connection, nullptr, "isolation=snapshot", &session_), "open_session");
    check(session_->open_cursor(session_, kTable, nullptr, "raw", &cursor_), "open_cursor");
  }
  ~WiredTigerSession() override { session_->close(session_, nullptr); }

  void begin_snapshot() override { check(session_->begin_transaction(session_, nullptr), "begin_transaction"); }
  void end_snapshot() override {
    cursor_->reset(cursor_);
    check(session_->rollback_transaction(session_, nullptr), "rollback_transaction");
  }

  bool get(std::string_view key, std::string_view& value) override {
    const WT_ITEM wanted = to_item(key);
    cursor_->set_key(cursor_, &wanted);
    const int result = cursor_->search(cursor_);
    if (result == WT_NOTFOUND) return false;
    check(result, "search");
    WT_ITEM found{};
    check(cursor_->get_value(cursor_, &found), "get_value");
    value = to_view(found);
    return true;
  }
  void scan(std::string_view from, std::uint64_t limit, ScanSum& sum) override {
    int result = from.empty() ? cursor_->next(cursor_) : seek(from);
    for (; result == 0 && limit > 0; --limit) {
      WT_ITEM key{};
      WT_ITEM value{};
      check(cursor_->get_key(cursor_, &key), "get_key");
      check(cursor_->get_value(cursor_, &value), "get_value");
      sum.add(to_view(key), to_view(value));
      result = cursor_->next(cursor_);
    }
    require(result == 0 || result == WT_NOTFOUND, "next");
    check(cursor_->reset(cursor_), "reset");
  }

  void begin_write() override { check(session_->begin_transaction(session_, nullptr), "begin_transaction"); }
  void put(std::string_view key, std::string_view value) override {
    const WT_ITEM wanted = to_item(key);
    const WT_ITEM bytes = to_item(value);
    cursor_->set_key(cursor_, &wanted);
    cursor_->set_value(cursor_, &bytes);
    check(cursor_->insert(cursor_), "insert");
  }
  void erase(std::string_view key) override {
    const WT_ITEM wanted = to_item(key);
    cursor_->set_key(cursor_, &wanted);
    const int result = cursor_->remove(cursor_);
    require(result == 0 || result == WT_NOTFOUND, "remove");
  }
  void commit() override {
    cursor_->reset(cursor_);
    check(session_->commit_transaction(session_, nullptr), "commit_transaction");
  }

 private:
  // The first entry at or after `from`.
  int seek(std::string_view from) {
    const WT_ITEM wanted = to_item(from);
    cursor_->set_key(cursor_, &wanted);
    int where = 0;
    const int result = cursor_->search_near(cursor_, &where);
    return result == 0 && where < 0 ? cursor_->next(cursor_) : result;
  }

  WT_SESSION* session_ = nullptr;
  WT_CURSOR* cursor_ = nullptr;
};

class WiredTigerPeer final : public Peer {
 public:
  explicit WiredTigerPeer(const PeerOptions& options) {
    const std::string method = options.survives == Survives::Power ? "fsync" : "none";
    const std::string cache = std::to_string((options.cache_size >> 20) + 1) + "MB";
    const std::string config =
        "create,cache_size=" + cache + ",session_max=" + std::to_string(options.threads_max + 64) +
        ",log=(enabled=true,prealloc=true,file_max=64MB),checkpoint=(log_size=64MB)" +
        ",transaction_sync=(enabled=true,method=" + method + ")" + ",eviction=(threads_min=1,threads_max=2)";
    check(wiredtiger_open(options.directory.c_str(), nullptr, config.c_str(), &connection_), "wiredtiger_open");
    WT_SESSION* session = nullptr;
    check(connection_->open_session(connection_, nullptr, nullptr, &session), "open_session");
    check(session->create(session, kTable, "key_format=u,value_format=u,leaf_page_max=8KB,leaf_value_max=64KB"),
          "create");
    session->close(session, nullptr);
  }
  ~WiredTigerPeer() override { connection_->close(connection_, nullptr); }

  std::unique_ptr<Session> session() override { return std::make_unique<WiredTigerSession>(connection_); }
  void checkpoint() override {
    WT_SESSION* session = nullptr;
    check(connection_->open_session(connection_, nullptr, nullptr, &session), "open_session");
    const int result = session->checkpoint(session, "force=true");
    session->close(session, nullptr);
    check(result, "checkpoint");
  }

 private:
  WT_CONNECTION* connection_ = nullptr;
};

std::unique_ptr<Peer> open_wiredtiger(const PeerOptions& options) { return std::make_unique<WiredTigerPeer>(options); }

}  // namespace
}  // namespace vitrine::bench

VITRINE_BENCH_PEER("wiredtiger",
                   VITRINE_BENCH_VERSION_OF(WIREDTIGER_VERSION_MAJOR, WIREDTIGER_VERSION_MINOR,
                                            WIREDTIGER_VERSION_PATCH),
                   "row store, cache as given, log with preallocated files, cursors kept, method=none where nothing is "
                   "synced",
                   false, true, vitrine::bench::open_wiredtiger);
