// SPDX-License-Identifier: MIT OR Apache-2.0
// The border to SQLite's virtual tables: owners of its handles, and calls that answer with its codes. No exception of
// ours may cross SQLite, which is C.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <new>
#include <string>

#include "kv/safely.hpp"
#include "sql/access.hpp"

namespace vitrine::sql {

struct CloseConnection {
  void operator()(sqlite3* connection) const noexcept { sqlite3_close_v2(connection); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using Connection = std::unique_ptr<sqlite3, CloseConnection>;
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

// Both bases: what SQLite sees of a table is its first member.
struct Table : sqlite3_vtab {
  explicit Table(Access& shared) : sqlite3_vtab{}, access(shared) {}
  Access& access;
};

inline Table& table_of(sqlite3_vtab* table) noexcept { return *static_cast<Table*>(table); }
inline Table& table_of(sqlite3_vtab_cursor* cursor) noexcept { return table_of(cursor->pVtab); }

// Runs `body`, which returns a Status; its error is kept for the caller of the session and told to SQLite.
template <typename Body>
int answer(Table& table, Body&& body) noexcept {
  const Status status = kv::safely([&]() -> Status { return body(); });
  if (status.is_ok()) return SQLITE_OK;
  table.access.fail(status);
  sqlite3_free(table.zErrMsg);
  table.zErrMsg = sqlite3_mprintf("%s", status.to_string().c_str());
  return status.code() == ErrorCode::OutOfMemory ? SQLITE_NOMEM : SQLITE_ERROR;
}

// What every table answers by itself.
struct TableCalls {
  decltype(sqlite3_module::xConnect) connect;
  decltype(sqlite3_module::xBestIndex) best_index;
  decltype(sqlite3_module::xFilter) filter;
  decltype(sqlite3_module::xNext) next;
  decltype(sqlite3_module::xEof) at_end;
  decltype(sqlite3_module::xColumn) column;
  decltype(sqlite3_module::xRowid) row_id;
};

// A module for reading. SQLite owns tables, which `connect` makes, and cursors, which are made and ended here.
template <typename OwnTable, typename OwnCursor>
sqlite3_module module_of(const TableCalls& calls) noexcept {
  sqlite3_module module{};
  module.xConnect = calls.connect;
  module.xBestIndex = calls.best_index;
  module.xDisconnect = [](sqlite3_vtab* table) {
    const std::unique_ptr<OwnTable> ended(static_cast<OwnTable*>(table));
    return SQLITE_OK;
  };
  module.xOpen = [](sqlite3_vtab*, sqlite3_vtab_cursor** made) {
    auto* const cursor = new (std::nothrow) OwnCursor();
    *made = cursor;
    return cursor == nullptr ? SQLITE_NOMEM : SQLITE_OK;
  };
  module.xClose = [](sqlite3_vtab_cursor* cursor) {
    const std::unique_ptr<OwnCursor> ended(static_cast<OwnCursor*>(cursor));
    return SQLITE_OK;
  };
  module.xFilter = calls.filter;
  module.xNext = calls.next;
  module.xEof = calls.at_end;
  module.xColumn = calls.column;
  module.xRowid = calls.row_id;
  return module;
}

inline void give_text(sqlite3_context* to, Bytes text) noexcept {
  sqlite3_result_text64(to, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

// "name", with its quotation marks doubled.
std::string quoted_name(Bytes name);

// Registers the modules. `access` must outlive the connection.
int register_document_tables(sqlite3* connection, Access& access);
// A table that is made when a statement names it: its columns are looked up then, and not those of other collections.
int register_collection(sqlite3* connection, Access& access, const std::string& name);
int register_internals_tables(sqlite3* connection, Access& access);

}  // namespace vitrine::sql
