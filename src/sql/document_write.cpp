// SPDX-License-Identifier: MIT OR Apache-2.0
// insert, update and delete of rows. Values that a statement leaves as they are keep their type: they never pass
// through SQL.
#include "base/try.hpp"
#include "doc/json.hpp"
#include "sql/document_table.hpp"

namespace vitrine::sql {
namespace {

Status rejected(std::string_view what) { return Status::error(ErrorCode::SqlRejected, what); }

// The columns of a row in the order of the table, _doc last.
struct RowValues {
  sqlite3_value** values;
  std::size_t count;  // without _doc

  sqlite3_value* column(std::size_t i) const noexcept { return values[i]; }
  sqlite3_value* document() const noexcept { return values[count]; }
  bool has_document() const noexcept { return is_given(document()); }
  static bool is_given(sqlite3_value* value) noexcept {
    return !sqlite3_value_nochange(value) && sqlite3_value_type(value) != SQLITE_NULL;
  }
};

Result<Document> document_of(sqlite3_value* value) {
  const auto* const text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  if (text == nullptr) return Status::out_of_memory();
  return Document::from_json(std::string_view(text, static_cast<std::size_t>(sqlite3_value_bytes(value))));
}

// _doc and the columns given beside it.
Result<Document> new_document(const DocumentTable& table, const RowValues& row) {
  Document given;
  if (row.has_document()) given = TRY(document_of(row.document()));
  doc::Builder builder;
  std::vector<bool> used(row.count, false);
  for (doc::Elements walk(given.bson()); const auto element = walk.next();) {
    std::size_t i = 0;
    while (i < row.count && table.columns[i].path != element->name) ++i;
    if (i < row.count && RowValues::is_given(row.column(i))) {
      used[i] = true;
      CHECK(append_value(builder, element->name, row.column(i), table.columns[i].kind));
    } else {
      builder.add(element->name, element->value);
    }
  }
  for (std::size_t i = 0; i < row.count; ++i) {
    if (used[i] || !RowValues::is_given(row.column(i))) continue;
    const Column& column = table.columns[i];
    if (column.path.find('.') != std::string::npos) return rejected("a nested member is inserted with _doc");
    CHECK(append_value(builder, column.path, row.column(i), column.kind));
  }
  return Document::from_bson(builder.finish());
}

Status update_row(DocumentWriter& documents, const DocumentTable& table, const DocumentId& id, const RowValues& row) {
  const Document by_id = TRY(Document::from_bson(id.bson()));
  if (row.has_document()) {
    Document whole = TRY(new_document(table, row));
    if (TRY(DocumentId::of(whole)).bson() != id.bson()) return Status::error(ErrorCode::DocumentIdChanged);
    return documents.replace(table.collection, whole).status();
  }
  doc::Builder update;
  update.open_member("$set", doc::Type::Object);
  std::size_t changed = 0;
  for (std::size_t i = 0; i < row.count; ++i) {
    if (sqlite3_value_nochange(row.column(i))) continue;
    CHECK(append_value(update, table.columns[i].path, row.column(i), table.columns[i].kind));
    ++changed;
  }
  if (changed == 0) return {};
  update.close_member();
  return documents.update(table.collection, by_id, TRY(Document::from_bson(update.finish()))).status();
}

}  // namespace

int write_row(sqlite3_vtab* base, int count, sqlite3_value** values, sqlite3_int64* row_id) noexcept {
  DocumentTable& table = documents_of(base);
  return answer(table, [&]() -> Status {
    DocumentWriter documents(table.access.writer());
    const bool is_old = sqlite3_value_type(values[0]) != SQLITE_NULL;
    const DocumentId* const id = is_old ? table.access.remembered(sqlite3_value_int64(values[0])) : nullptr;
    if (is_old && id == nullptr) return rejected("no such row");
    if (count == 1) return documents.remove(table.collection, *id).status();
    const RowValues row{values + 2, table.columns.size()};
    if (is_old) return update_row(documents, table, *id, row);
    const DocumentId inserted = TRY(documents.insert(table.collection, TRY(new_document(table, row))));
    *row_id = table.access.remember(inserted);
    return {};
  });
}

}  // namespace vitrine::sql
