// SPDX-License-Identifier: MIT OR Apache-2.0
// SQLite lives in memory and keeps nothing: not a byte of a database goes to a file of SQLite's, not even to sort.
#include "vitrine/sql.hpp"

#include "base/try.hpp"
#include "sql/document_table.hpp"

namespace vitrine {
namespace sql {

struct SessionImpl {
  SessionImpl(Database* db, std::string path, const Options& options) : access(db, std::move(path), options) {}
  Access access;  // outlives the connection, whose tables refer to it
  Connection connection;
};

namespace {

constexpr int kAttempts = 10;  // of a statement that met another writer before it wrote

// Tables of SQLite's own would be gone with the session, and other files are not ours to open.
int authorize(void*, int action, const char*, const char*, const char*, const char*) noexcept {
  switch (action) {
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
    case SQLITE_CREATE_TABLE:
    case SQLITE_CREATE_INDEX:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_CREATE_VIEW:
    case SQLITE_ALTER_TABLE:
      return SQLITE_DENY;
    default:
      return SQLITE_OK;
  }
}

ErrorCode code_of(int result) noexcept {
  switch (result & 0xff) {
    case SQLITE_NOMEM:
      return ErrorCode::OutOfMemory;
    case SQLITE_INTERRUPT:
      return ErrorCode::Cancelled;
    default:
      return ErrorCode::SqlRejected;
  }
}

// The failure behind a table if there was one, else what SQLite says.
Status failure(SessionImpl& session, int result) {
  Status status = session.access.take_failure();
  if (!status.is_ok()) return status;
  if (result == SQLITE_AUTH) {
    return Status::error(ErrorCode::SqlRejected, "statements make no tables, indexes or views, and open no other file");
  }
  return Status::error(code_of(result), sqlite3_errmsg(session.connection.get()));
}

Status execute(SessionImpl& session, const std::string& text) {
  const int result = sqlite3_exec(session.connection.get(), text.c_str(), nullptr, nullptr, nullptr);
  return result == SQLITE_OK ? Status() : failure(session, result);
}

Status make_tables(SessionImpl& session) {
  if (session.access.database() == nullptr) return {};
  const Transaction* const txn = TRY(session.access.reader());
  for (const ByteString& name : TRY(DocumentReader(*txn).collections())) {
    if (name.starts_with("sqlite_")) continue;  // SQLite keeps such names to itself
    const int code = register_collection(session.connection.get(), session.access, std::string(name));
    if (code != SQLITE_OK) return failure(session, code);
  }
  session.access.end_read();
  return {};
}

Result<std::unique_ptr<SessionImpl>> make_session(std::unique_ptr<SessionImpl> session) {
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(":memory:", &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  session->connection.reset(raw);
  if (opened != SQLITE_OK) return Status::error(code_of(opened), "SQLite did not open");
  CHECK(execute(*session, "pragma temp_store = memory"));
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  if (const int code = register_document_tables(raw, session->access); code != SQLITE_OK)
    return failure(*session, code);
  if (const int code = register_internals_tables(raw, session->access); code != SQLITE_OK)
    return failure(*session, code);
  CHECK(make_tables(*session));
  sqlite3_set_authorizer(raw, authorize, nullptr);
  return session;
}

// --- Running ---------------------------------------------------------------------------------------------------------

Result<Statement> prepare(SessionImpl& session, std::string_view& text) {
  sqlite3_stmt* raw = nullptr;
  const char* tail = nullptr;
  const int result =
      sqlite3_prepare_v2(session.connection.get(), text.data(), static_cast<int>(text.size()), &raw, &tail);
  if (result != SQLITE_OK) return failure(session, result);
  text.remove_prefix(static_cast<std::size_t>(tail - text.data()));
  return Statement(raw);
}

Value value_of(sqlite3_stmt* statement, int column) {
  const auto size = [&] { return static_cast<std::size_t>(sqlite3_column_bytes(statement, column)); };
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return static_cast<std::int64_t>(sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      return std::string(text == nullptr ? "" : text, size());
    }
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
      return Blob{ByteString(bytes == nullptr ? "" : bytes, size())};
    }
    default:
      return std::monostate{};
  }
}

// Steps through the statement; SQLITE_DONE, also when the visitor stopped it, or an error.
int step_through(sqlite3_stmt* statement, RunResult& result, const RowFunction& visit) {
  const int count = sqlite3_column_count(statement);
  if (count > 0) result.columns.clear();
  for (int i = 0; i < count; ++i) result.columns.emplace_back(sqlite3_column_name(statement, i));
  std::vector<Value> values(static_cast<std::size_t>(count));
  for (;;) {
    const int stepped = sqlite3_step(statement);
    if (stepped != SQLITE_ROW) return stepped;
    for (int i = 0; i < count; ++i) values[static_cast<std::size_t>(i)] = value_of(statement, i);
    ++result.rows;
    if (!visit({result.columns, values})) return SQLITE_DONE;
  }
}

Status run_statement(SessionImpl& session, std::string_view& text, RunResult& result, const RowFunction& visit) {
  sqlite3* const connection = session.connection.get();
  const std::string_view all = text;
  for (int attempt = 1;; ++attempt) {
    text = all;
    session.access.begin_statement();
    const bool is_alone = sqlite3_get_autocommit(connection) != 0;
    Statement statement = TRY(prepare(session, text));
    if (statement == nullptr) return {};  // a comment, or nothing
    const int changes = sqlite3_total_changes(connection);
    const int stepped = step_through(statement.get(), result, visit);
    statement.reset();
    const bool has_ended = sqlite3_get_autocommit(connection) != 0;
    if (stepped == SQLITE_DONE) {
      result.changes += static_cast<std::uint64_t>(sqlite3_total_changes(connection) - changes);
      if (has_ended) session.access.end_read();
      return {};
    }
    const Status status = failure(session, stepped);
    if (has_ended) session.access.rollback();
    if (!is_alone || attempt == kAttempts || status.code() != ErrorCode::CommitConflict) return status;
  }
}

}  // namespace

Session::Session(std::unique_ptr<SessionImpl> impl) : impl_(std::move(impl)) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

Result<Session> Session::open(Database& db, const Options& options) {
  return kv::safely([&]() -> Result<Session> {
    const DatabaseInfo info = TRY(db.info());
    return Session(TRY(make_session(std::make_unique<SessionImpl>(&db, info.path, options))));
  });
}

Result<Session> Session::open_internals(const std::string& path, const Options& options) {
  return kv::safely([&]() -> Result<Session> {
    return Session(TRY(make_session(std::make_unique<SessionImpl>(nullptr, path, options))));
  });
}

Result<RunResult> Session::run(std::string_view text, const RowFunction& visit) {
  return kv::safely([&]() -> Result<RunResult> {
    RunResult result;
    while (!text.empty()) CHECK(run_statement(*impl_, text, result, visit));
    return result;
  });
}

Result<bool> Session::only_reads(std::string_view text) {
  return kv::safely([&]() -> Result<bool> {
    bool reads = true;
    while (!text.empty() && reads) {
      const Statement statement = TRY(prepare(*impl_, text));
      reads = statement == nullptr || sqlite3_stmt_readonly(statement.get()) != 0;
    }
    impl_->access.end_read();
    return reads;
  });
}

}  // namespace sql
}  // namespace vitrine
