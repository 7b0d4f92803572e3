// SPDX-License-Identifier: MIT OR Apache-2.0
// From SQL constraints to a filter of documents that an index can answer.
//
// SQLite checks each row again, so a filter may let too many documents through, but never too few. SQL and documents
// compare differently: SQL knows numbers (also truth values), then text, then blobs, and everything that is neither is
// text to it; documents compare within a kind only. So a condition becomes the alternatives of all kinds of values that
// SQL could see in it.
#pragma once

#include <sqlite3.h>

#include <string>
#include <vector>

#include "sql/columns.hpp"

namespace vitrine::sql {

struct Condition {
  std::size_t column = 0;
  unsigned char op = 0;  // SQLITE_INDEX_CONSTRAINT_...
};

struct Plan {
  std::vector<Condition> conditions;  // each takes the next argument, except IS NULL
  std::string order;                  // a path; empty: none
  bool is_descending = false;
};

// Whether the operator is one that filter_of() understands.
bool is_supported(unsigned char op) noexcept;

// The filter of a plan with the arguments that SQLite gives for its conditions.
Document filter_of(const Plan& plan, const std::vector<Column>& columns, sqlite3_value** arguments);

// Documents whose value at `path` SQL sorts elsewhere than documents do: all but null, numbers and strings.
Document sorts_differently(const std::string& path);

}  // namespace vitrine::sql
