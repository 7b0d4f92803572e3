// SPDX-License-Identifier: MIT OR Apache-2.0
#include "sql/document_table.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <string_view>

#include "base/try.hpp"

namespace vitrine::sql {
namespace {

// A page grows from few documents, for statements with a limit, to about this many bytes.
constexpr std::uint64_t kPageFirst = 16;
constexpr std::uint64_t kPageMax = 1024;
constexpr std::uint64_t kPageBytes = std::uint64_t{2} << 20;

// SQLite only compares these; they say that a scan of everything is what to avoid.
constexpr double kScanCost = 1e6, kRangeCost = 1e5, kEqualCost = 100, kIdCost = 1;

struct DocumentCursor : sqlite3_vtab_cursor {
  Document filter;
  FindOptions options;
  Page page;
  std::size_t at = 0;
};

DocumentCursor& cursor_of(sqlite3_vtab_cursor* cursor) noexcept { return *static_cast<DocumentCursor*>(cursor); }

// --- Declaration -----------------------------------------------------------------------------------------------------

std::string unquoted(std::string_view word) {
  if (word.size() < 2 || (word.front() != '"' && word.front() != '\'')) return std::string(word);
  std::string text;
  for (std::size_t i = 1; i + 1 < word.size(); ++i) {
    text.push_back(word[i]);
    if (word[i] == word.front()) ++i;  // doubled
  }
  return text;
}

// "name" or "name path", either in quotation marks or not.
Result<Column> declared_column(std::string_view text) {
  std::size_t end = text.find(' ');
  if (!text.empty() && (text[0] == '"' || text[0] == '\'')) {
    const std::size_t close = text.find(text[0], 1);
    end = close == std::string_view::npos ? close : text.find(' ', close);
  }
  Column column;
  column.name = unquoted(text.substr(0, end));
  column.path = column.name;
  if (end != std::string_view::npos) column.path = unquoted(text.substr(text.find_first_not_of(' ', end)));
  if (column.name.empty() || column.path.empty()) {
    return Status::error(ErrorCode::SqlRejected, "a column is a name, or a name and a path");
  }
  return column;
}

std::string declaration(const std::vector<Column>& columns) {
  std::string text = "create table documents(";
  for (const Column& column : columns) text.append(quoted_name(column.name)).append(",");
  return text.append("_doc hidden)");
}

Result<std::unique_ptr<DocumentTable>> make_table(Access& access, int count, const char* const* words) {
  // A module that is named after a collection is asked for its table when a statement names it.
  std::string collection = count < 4 ? words[0] : unquoted(words[3]);
  const Transaction* const txn = TRY(access.reader());
  std::vector<Column> columns = TRY(infer_columns(DocumentReader(*txn), collection));
  if (count > 4) {
    const std::vector<Column> inferred = std::move(columns);
    columns.clear();
    for (int i = 4; i < count; ++i) {
      Column column = TRY(declared_column(words[i]));
      for (const Column& known : inferred) {
        if (known.path == column.path) column.kind = known.kind;
      }
      columns.push_back(std::move(column));
    }
  }
  return std::make_unique<DocumentTable>(access, std::move(collection), std::move(columns));
}

int connect(sqlite3* connection, void* shared, int count, const char* const* words, sqlite3_vtab** made,
            char** error) noexcept {
  Access& access = *static_cast<Access*>(shared);
  std::unique_ptr<DocumentTable> table;
  const Status status = kv::safely([&]() -> Status {
    table = TRY(make_table(access, count, words));
    if (sqlite3_declare_vtab(connection, declaration(table->columns).c_str()) != SQLITE_OK) {
      return Status::error(ErrorCode::SqlRejected, sqlite3_errmsg(connection));
    }
    return {};
  });
  if (status.is_ok()) {
    *made = table.release();
    return SQLITE_OK;
  }
  access.fail(status);
  *error = sqlite3_mprintf("%s", status.to_string().c_str());
  return SQLITE_ERROR;
}

// --- Planning --------------------------------------------------------------------------------------------------------

// An index that answers conditions on this path, and holds every document.
const IndexInfo* index_on(const std::vector<IndexInfo>& indexes, std::string_view path) noexcept {
  for (const IndexInfo& index : indexes) {
    const IndexDefinition& definition = index.definition;
    const std::optional<doc::Element> first = doc::Elements(definition.key.bson()).next();
    const bool is_whole = !definition.sparse && doc::count_members(definition.partial.bson()) == 0;
    if (!index.is_building && is_whole && first && first->name == path) return &index;
  }
  return nullptr;
}

// Whether documents in the order of this path are rows in the order of its column.
Result<bool> keeps_order(const DocumentReader& documents, const DocumentTable& table, const std::string& path,
                         const std::vector<IndexInfo>& indexes) {
  const IndexInfo* const index = index_on(indexes, path);
  if (path != "_id" && (index == nullptr || index->is_multikey)) return false;
  FindOptions one;
  one.limit = 1;
  one.any_order = true;
  return TRY(documents.find(table.collection, sorts_differently(path), one,
                            [](const StoredDocument&) { return false; })) == 0;
}

struct Choice {
  Plan plan;
  double cost = kScanCost;
  bool is_unique = false;
  std::string words;  // what `explain query plan` shows
};

void choose_conditions(sqlite3_index_info& info, const DocumentTable& table, const std::vector<IndexInfo>& indexes,
                       Choice& choice) {
  for (int i = 0; i < info.nConstraint; ++i) {
    const auto& constraint = info.aConstraint[i];
    const bool is_column =
        constraint.iColumn >= 0 && static_cast<std::size_t>(constraint.iColumn) < table.columns.size();
    if (!constraint.usable || !is_column || !is_supported(constraint.op)) continue;
    if (std::strcmp(sqlite3_vtab_collation(&info, i), "BINARY") != 0) continue;
    const auto number = static_cast<std::size_t>(constraint.iColumn);
    const Column& column = table.columns[number];
    const bool is_null_test = constraint.op == SQLITE_INDEX_CONSTRAINT_ISNULL;
    if (is_null_test && column.path.find('.') != std::string::npos) continue;  // arrays on the way differ
    choice.plan.conditions.push_back({number, constraint.op});
    info.aConstraintUsage[i].argvIndex = static_cast<int>(choice.plan.conditions.size());
    const bool is_equal = constraint.op == SQLITE_INDEX_CONSTRAINT_EQ || constraint.op == SQLITE_INDEX_CONSTRAINT_IS;
    const IndexInfo* const index = index_on(indexes, column.path);
    choice.words.append(choice.words.empty() ? "" : " and ").append(column.path).append(is_equal ? "=?" : " range");
    if (column.path == "_id") {
      choice.cost = std::min(choice.cost, is_equal ? kIdCost : kRangeCost);
      choice.words.append(" by id");
      choice.is_unique = choice.is_unique || is_equal;
    } else if (index != nullptr) {
      choice.cost = std::min(choice.cost, is_equal || is_null_test ? kEqualCost : kRangeCost);
      choice.words.append(" by index ").append(index->definition.name);
    }
  }
}

Status choose_order(sqlite3_index_info& info, const DocumentReader& documents, const DocumentTable& table,
                    const std::vector<IndexInfo>& indexes, Choice& choice) {
  if (info.nOrderBy != 1 || info.aOrderBy[0].iColumn < 0) return {};
  const auto number = static_cast<std::size_t>(info.aOrderBy[0].iColumn);
  if (number >= table.columns.size()) return {};
  const std::string& path = table.columns[number].path;
  if (!TRY(keeps_order(documents, table, path, indexes))) return {};
  choice.plan.order = path;
  choice.plan.is_descending = info.aOrderBy[0].desc != 0;
  choice.words.append(choice.words.empty() ? "" : " ").append("ordered by ").append(path);
  info.orderByConsumed = 1;
  return {};
}

int best_index(sqlite3_vtab* base, sqlite3_index_info* info) noexcept {
  DocumentTable& table = documents_of(base);
  return answer(table, [&]() -> Status {
    const Transaction* const txn = TRY(table.access.reader());
    const DocumentReader documents(*txn);
    const std::vector<IndexInfo> indexes = TRY(documents.list_indexes(table.collection));
    Choice choice;
    choose_conditions(*info, table, indexes, choice);
    CHECK(choose_order(*info, documents, table, indexes, choice));
    info->estimatedCost = choice.cost;
    info->estimatedRows = static_cast<sqlite3_int64>(choice.cost);
    if (choice.is_unique) info->estimatedRows = 1;
    info->idxNum = static_cast<int>(table.access.plans().size());
    table.access.plans().push_back(std::move(choice.plan));
    info->idxStr = sqlite3_mprintf("%s", choice.words.empty() ? "scan" : choice.words.c_str());
    info->needToFreeIdxStr = 1;
    return info->idxStr == nullptr ? Status::out_of_memory() : Status();
  });
}

// --- Reading ---------------------------------------------------------------------------------------------------------

Status read_page(const DocumentTable& table, DocumentCursor& cursor) {
  const Transaction* const txn = TRY(documents_of(cursor.pVtab).access.reader());
  cursor.page = TRY(DocumentReader(*txn).find_page(table.collection, cursor.filter, cursor.options));
  cursor.at = 0;
  cursor.options.after = cursor.page.next;
  std::uint64_t bytes = 1;
  for (const StoredDocument& found : cursor.page.documents) bytes += found.document.bson().size();
  const std::uint64_t average =
      std::max<std::uint64_t>(1, bytes / std::max<std::size_t>(1, cursor.page.documents.size()));
  cursor.options.limit =
      std::clamp<std::uint64_t>(kPageBytes / average, 1, std::min(cursor.options.limit * 4, kPageMax));
  return {};
}

int filter(sqlite3_vtab_cursor* base, int number, const char*, int, sqlite3_value** arguments) noexcept {
  DocumentCursor& cursor = cursor_of(base);
  DocumentTable& table = documents_of(base->pVtab);
  return answer(table, [&]() -> Status {
    const Plan& plan = table.access.plans().at(static_cast<std::size_t>(number));
    cursor.filter = filter_of(plan, table.columns, arguments);
    cursor.options = FindOptions();
    cursor.options.limit = kPageFirst;
    cursor.options.versions = false;
    if (!plan.order.empty()) {
      cursor.options.sort =
          TRY(Document::from_bson(doc::Builder().add_int32(plan.order, plan.is_descending ? -1 : 1).finish()));
    }
    return read_page(table, cursor);
  });
}

int next(sqlite3_vtab_cursor* base) noexcept {
  DocumentCursor& cursor = cursor_of(base);
  if (++cursor.at < cursor.page.documents.size() || cursor.page.next.empty()) return SQLITE_OK;
  return answer(table_of(base), [&] { return read_page(documents_of(base->pVtab), cursor); });
}

int at_end(sqlite3_vtab_cursor* base) noexcept {
  const DocumentCursor& cursor = cursor_of(base);
  return cursor.at >= cursor.page.documents.size() ? 1 : 0;
}

int column(sqlite3_vtab_cursor* base, sqlite3_context* to, int number) noexcept {
  if (sqlite3_vtab_nochange(to)) return SQLITE_OK;  // an update that leaves it as it is
  const DocumentCursor& cursor = cursor_of(base);
  const DocumentTable& table = documents_of(base->pVtab);
  const Document& document = cursor.page.documents[cursor.at].document;
  return answer(table_of(base), [&]() -> Status {
    if (static_cast<std::size_t>(number) >= table.columns.size()) {
      give_text(to, document.to_json());
    } else if (const auto value = value_at(document.bson(), table.columns[static_cast<std::size_t>(number)].path)) {
      give_value(to, *value);
    }
    return {};
  });
}

int row_id(sqlite3_vtab_cursor* base, sqlite3_int64* number) noexcept {
  const DocumentCursor& cursor = cursor_of(base);
  return answer(table_of(base), [&]() -> Status {
    *number = table_of(base).access.remember(TRY(DocumentId::of(cursor.page.documents[cursor.at].document)));
    return {};
  });
}

// --- Transactions ----------------------------------------------------------------------------------------------------

int begin(sqlite3_vtab* base) noexcept {
  return answer(table_of(base), [&] { return table_of(base).access.begin_write(); });
}
int sync(sqlite3_vtab* base) noexcept {
  return answer(table_of(base), [&] { return table_of(base).access.commit(); });
}
int commit(sqlite3_vtab*) noexcept { return SQLITE_OK; }
int rollback(sqlite3_vtab* base) noexcept {
  table_of(base).access.rollback();
  return SQLITE_OK;
}
int savepoint(sqlite3_vtab* base, int number) noexcept {
  return answer(table_of(base), [&] { return table_of(base).access.set_savepoint(static_cast<std::size_t>(number)); });
}
int release(sqlite3_vtab* base, int number) noexcept {
  table_of(base).access.release_savepoint(static_cast<std::size_t>(number));
  return SQLITE_OK;
}
int rollback_to(sqlite3_vtab* base, int number) noexcept {
  return answer(table_of(base), [&] { return table_of(base).access.rollback_to(static_cast<std::size_t>(number)); });
}

const sqlite3_module kModule = [] {
  sqlite3_module module =
      module_of<DocumentTable, DocumentCursor>({connect, best_index, filter, next, at_end, column, row_id});
  module.iVersion = 2;
  module.xCreate = connect;
  module.xDestroy = module.xDisconnect;
  module.xUpdate = write_row;
  module.xBegin = begin;
  module.xSync = sync;
  module.xCommit = commit;
  module.xRollback = rollback;
  module.xSavepoint = savepoint;
  module.xRelease = release;
  module.xRollbackTo = rollback_to;
  return module;
}();

}  // namespace

int register_collection(sqlite3* connection, Access& access, const std::string& name) {
  return sqlite3_create_module_v2(connection, name.c_str(), &kModule, &access, nullptr);
}

int register_document_tables(sqlite3* connection, Access& access) {
  return sqlite3_create_module_v2(connection, "collection", &kModule, &access, nullptr);
}

}  // namespace vitrine::sql
