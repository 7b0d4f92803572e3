// SPDX-License-Identifier: MIT OR Apache-2.0
// SQLite, and SQLCipher from the same text (VITRINE_BENCH_SQLCIPHER): one table WITHOUT ROWID, prepared statements,
// WAL, cache and map of the file as given, one connection a session. Without sync: synchronous=OFF, whose log is
// written at each commit, so that a commit survives the end of the process.
#include "peers/peer.hpp"

#ifdef VITRINE_BENCH_SQLCIPHER
#define SQLITE_HAS_CODEC
#include <sqlcipher/sqlite3.h>
#else
#include <sqlite3.h>
#endif

namespace vitrine::bench {
namespace {

#ifdef VITRINE_BENCH_SQLCIPHER
constexpr bool kEncrypts = true;
constexpr const char* kName = "sqlcipher";
constexpr const char* kPut = "REPLACE INTO entries VALUES (?, ?)";  // its SQLite is older than ON CONFLICT
#else
constexpr bool kEncrypts = false;
constexpr const char* kName = "sqlite";
constexpr const char* kPut = "INSERT INTO entries VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value";
#endif

class Connection {
 public:
  Connection(const PeerOptions& options, const std::string& path) {
    check(
        sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr));
    check(sqlite3_busy_timeout(db_, 60'000));
    if (options.encrypted) {
      // A raw key: no time goes into deriving one.
      run("PRAGMA key = \"x'" + std::string(64, '7') + "'\"");
      run("PRAGMA cipher_page_size = 4096");
    } else {
      run("PRAGMA page_size = 4096");
      run("PRAGMA mmap_size = " + std::to_string(options.cache_size * 4));
    }
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA cache_size = -" + std::to_string(options.cache_size >> 10));
    run("PRAGMA wal_autocheckpoint = 4000");  // 16 MiB
    run(options.survives == Survives::Power ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = OFF");
    run("CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID");
  }
  ~Connection() { sqlite3_close_v2(db_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void check(int result) const { require(result == SQLITE_OK, "sqlite", sqlite3_errmsg(db_)); }
  void run(const std::string& sql) { check(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr)); }
  sqlite3* handle() const noexcept { return db_; }

 private:
  sqlite3* db_ = nullptr;
};

class Statement {
 public:
  Statement(Connection& connection, const char* sql) : connection_(connection) {
    connection.check(sqlite3_prepare_v2(connection.handle(), sql, -1, &statement_, nullptr));
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int index, std::string_view bytes) {
    const char* data = bytes.empty() ? "" : bytes.data();  // a null pointer would be NULL, not the empty blob
    connection_.check(sqlite3_bind_blob(statement_, index, data, static_cast<int>(bytes.size()), SQLITE_STATIC));
    return *this;
  }
  Statement& bind(int index, std::uint64_t number) {
    connection_.check(sqlite3_bind_int64(statement_, index, static_cast<sqlite3_int64>(number)));
    return *this;
  }
  bool step() {
    const int result = sqlite3_step(statement_);
    if (result == SQLITE_ROW) return true;
    require(result == SQLITE_DONE, "step", sqlite3_errmsg(connection_.handle()));
    return false;
  }
  std::string_view column(int index) const {
    const void* bytes = sqlite3_column_blob(statement_, index);
    return {static_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(statement_, index))};
  }
  void reset() { sqlite3_reset(statement_); }
  void run() {
    step();
    reset();
  }

 private:
  Connection& connection_;
  sqlite3_stmt* statement_ = nullptr;
};

class SqliteSession final : public Session {
 public:
  SqliteSession(const PeerOptions& options, const std::string& path) : connection_(options, path) {}

  void begin_snapshot() override { begin_.run(); }
  void end_snapshot() override {
    get_.reset();
    commit_.run();
  }
  bool get(std::string_view key, std::string_view& value) override {
    get_.reset();  // ends the value of the call before
    if (!get_.bind(1, key).step()) return false;
    value = get_.column(0);
    return true;
  }
  void scan(std::string_view from, std::uint64_t limit, ScanSum& sum) override {
    const auto count = static_cast<std::uint64_t>(std::min<std::uint64_t>(limit, INT64_MAX));
    scan_.bind(1, from).bind(2, count);
    while (scan_.step()) sum.add(scan_.column(0), scan_.column(1));
    scan_.reset();
  }

  void begin_write() override { begin_write_.run(); }
  void put(std::string_view key, std::string_view value) override { put_.bind(1, key).bind(2, value).run(); }
  void erase(std::string_view key) override { erase_.bind(1, key).run(); }
  void commit() override {
    get_.reset();
    commit_.run();
  }

 private:
  Connection connection_;
  Statement begin_{connection_, "BEGIN"};
  Statement begin_write_{connection_, "BEGIN IMMEDIATE"};
  Statement commit_{connection_, "COMMIT"};
  Statement get_{connection_, "SELECT value FROM entries WHERE key = ?"};
  Statement scan_{connection_, "SELECT key, value FROM entries WHERE key >= ? ORDER BY key LIMIT ?"};
  Statement put_{connection_, kPut};
  Statement erase_{connection_, "DELETE FROM entries WHERE key = ?"};
};

class SqlitePeer final : public Peer {
 public:
  explicit SqlitePeer(const PeerOptions& options)
      : options_(options), path_(options.directory + "/bench.db"), connection_(options, path_) {}

  std::unique_ptr<Session> session() override { return std::make_unique<SqliteSession>(options_, path_); }
  void checkpoint() override { connection_.run("PRAGMA wal_checkpoint(TRUNCATE)"); }
  bool compact() override {
    connection_.run("VACUUM");
    return true;
  }

 private:
  const PeerOptions options_;
  const std::string path_;
  Connection connection_;
};

std::unique_ptr<Peer> open_sqlite(const PeerOptions& options) { return std::make_unique<SqlitePeer>(options); }

}  // namespace
}  // namespace vitrine::bench

VITRINE_BENCH_PEER(vitrine::bench::kName, SQLITE_VERSION,
                   "WAL, WITHOUT ROWID, prepared statements, cache as given, memory map unless encrypted, synchronous "
                   "FULL or OFF",
                   vitrine::bench::kEncrypts, !vitrine::bench::kEncrypts, vitrine::bench::open_sqlite);
