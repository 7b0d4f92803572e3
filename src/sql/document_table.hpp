// SPDX-License-Identifier: MIT OR Apache-2.0
// A collection as a virtual table of SQLite:
//
//   create virtual table NAME using collection(users)                          columns as the documents have them
//   create virtual table NAME using collection(users, name, city address.city) these columns: name [path]
//
// A session makes one for each collection. The hidden column _doc is the whole document as JSON.
#pragma once

#include <vector>

#include "sql/table.hpp"

namespace vitrine::sql {

struct DocumentTable : Table {
  DocumentTable(Access& shared, std::string name, std::vector<Column> all)
      : Table(shared), collection(std::move(name)), columns(std::move(all)) {}

  std::string collection;
  std::vector<Column> columns;  // SQL's last one, behind them, is _doc
};

inline DocumentTable& documents_of(sqlite3_vtab* table) noexcept { return *static_cast<DocumentTable*>(table); }

// document_write.cpp: xUpdate.
int write_row(sqlite3_vtab* table, int count, sqlite3_value** values, sqlite3_int64* row_id) noexcept;

}  // namespace vitrine::sql
