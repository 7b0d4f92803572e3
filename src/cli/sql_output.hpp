// SPDX-License-Identifier: MIT OR Apache-2.0
// Rows of SQL on standard output: a table for people, CSV (RFC 4180), or one JSON object a line.
#pragma once

#include <memory>

#include "cli/console.hpp"
#include "vitrine/sql.hpp"

namespace vitrine::cli {

class SqlOutput {
 public:
  virtual ~SqlOutput() = default;
  virtual Status add(const sql::Row& row) = 0;
  virtual Status finish() { return {}; }
};

// JSON when the console writes JSON. The console must outlive what is returned.
std::unique_ptr<SqlOutput> make_sql_output(Console& console, bool as_csv);

}  // namespace vitrine::cli
