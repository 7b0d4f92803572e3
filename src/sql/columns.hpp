// SPDX-License-Identifier: MIT OR Apache-2.0
// Columns of a collection, and values on their way between BSON and SQLite (docs/SQL.md has the table).
//
// Columns have no declared type: a value keeps its own, and SQLite compares by that alone. With a type in the
// declaration SQLite would convert values before it compares them, and a filter pushed down to an index could not know.
#pragma once

#include <sqlite3.h>

#include <optional>
#include <string>
#include <vector>

#include "doc/bson.hpp"
#include "vitrine/documents.hpp"

namespace vitrine::sql {

// What the sampled values of a column all are; decides what written text and numbers become.
enum class Kind : std::uint8_t { Any, Bool, Date, Json };

struct Column {
  std::string name;  // in SQL
  std::string path;  // in documents; with dots for members of members
  Kind kind = Kind::Any;
};

// "_id" and the top-level members of the first documents, in order of appearance.
Result<std::vector<Column>> infer_columns(const DocumentReader& documents, Bytes collection);

// The value at a path of members, nothing when there is none. Arrays are not looked into.
std::optional<doc::Value> value_at(Bytes document, std::string_view path) noexcept;

void give_value(sqlite3_context* to, const doc::Value& value);

// Errors: SqlRejected when the value does not fit the kind of the column, JsonMalformed.
Status append_value(doc::Builder& to, Bytes name, sqlite3_value* value, Kind kind);

}  // namespace vitrine::sql
