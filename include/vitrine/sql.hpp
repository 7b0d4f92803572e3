// SPDX-License-Identifier: MIT OR Apache-2.0
// SQL over a database: SQLite parses and runs the statements; collections are its tables, and so are the internals of
// the file (docs/SQL.md).
//
//   sql::Session session = sql::Session::open(db).value();
//   session.run("select name, age from users where age > 30 order by name", [](const sql::Row& row) {
//     return std::puts(std::get<std::string>(row.values[0]).c_str()) >= 0;
//   });
//
// A statement sees one snapshot. What it writes is one transaction of the database; `begin` and `commit` put several
// into one. Thread safety: a session is used by one thread at a time; it must not outlive its database.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vitrine/database.hpp"

namespace vitrine::sql {

struct Blob {
  ByteString bytes;
};
// Nothing is NULL; text is UTF-8.
using Value = std::variant<std::monostate, std::int64_t, double, std::string, Blob>;

// Views of the session; valid during the call.
struct Row {
  const std::vector<std::string>& columns;
  const std::vector<Value>& values;
};

// Return false to stop; the statement then ends as if it had no more rows.
using RowFunction = std::function<bool(const Row& row)>;

struct RunResult {
  std::vector<std::string> columns;  // of the last statement that answers with rows
  std::uint64_t rows = 0;            // visited
  std::uint64_t changes = 0;         // documents inserted, updated and deleted
};

struct SessionImpl;

class Session {
 public:
  // `options` as the database was opened with: the tables of internals read its file themselves.
  static Result<Session> open(Database& db, const Options& options = {});
  // Of a file that need not open as a database: only the tables of internals.
  static Result<Session> open_internals(const std::string& path, const Options& options = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  // Runs the statements of `text` one after the other, up to the first error. Errors: SqlRejected (SQLite refuses it),
  // CommitConflict, and those of the documents and transactions behind the tables.
  Result<RunResult> run(std::string_view text, const RowFunction& visit);
  // Whether all statements of `text` only read. Errors: SqlRejected.
  Result<bool> only_reads(std::string_view text);

 private:
  explicit Session(std::unique_ptr<SessionImpl> impl);
  std::unique_ptr<SessionImpl> impl_;
};

}  // namespace vitrine::sql
