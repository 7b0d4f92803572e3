// SPDX-License-Identifier: MIT OR Apache-2.0
// The internals of the file as read-only tables: what `vitrine inspect` shows, row by row. Each reads the file anew, a
// portion at a time, so that a table costs what is read of it.
#include <array>
#include <deque>
#include <new>

#include "base/try.hpp"
#include "sql/table.hpp"
#include "vitrine/inspect.hpp"

namespace vitrine::sql {
namespace {

using inspect::Value;
using inspect::View;

constexpr std::uint64_t kPortion = 512;

enum class Source : std::uint8_t { Rows, Tree, Findings };

struct InternalsSpec {
  const char* name;
  const char* columns;  // members of a row; with a dot, members of its members
  View view;
  const char* list;  // the member of the payload that holds the rows
  Source source = Source::Rows;
};

constexpr std::array kTables{
    InternalsSpec{"vitrine_header", "slot, copy, offset, state, error", View::Header, "blocks"},
    InternalsSpec{"vitrine_pages",
                  "page, type, integrity, in_use, level, first, pages, version, rewrite, session, fill, misplaced_from",
                  View::Pages, "pages"},
    InternalsSpec{"vitrine_log",
                  "lsn, slot, type, payload_size, commit_seq, durable, chain, tag, in_checkpoint, operations",
                  View::Log, "frames"},
    InternalsSpec{"vitrine_tree", "parent, level, slot, ref.page, ref.version, count, fill, error, separator",
                  View::Tree, "children", Source::Tree},
    InternalsSpec{"vitrine_keys", "keyspace, key, key_size, record_size, large", View::Keys, "keys"},
    InternalsSpec{"vitrine_keyspaces", "id, name, versions", View::Catalog, "keyspaces"},
    InternalsSpec{"vitrine_space", "first, pages, state", View::Space, "runs"},
    InternalsSpec{"vitrine_snapshots", "checkpoint, age", View::Snapshots, "held"},
    InternalsSpec{"vitrine_findings", "severity, code, page, message", View::Health, "", Source::Findings},
};

std::vector<std::string> split(std::string_view columns) {
  std::vector<std::string> names;
  while (!columns.empty()) {
    const std::size_t comma = columns.find(',');
    names.emplace_back(columns.substr(0, comma));
    columns.remove_prefix(comma == std::string_view::npos ? columns.size() : comma + 2);
  }
  return names;
}

struct InternalsTable : Table {
  InternalsTable(Access& shared, const InternalsSpec& of) : Table(shared), spec(of), members(split(of.columns)) {}
  const InternalsSpec& spec;
  std::vector<std::string> members;
};

struct InternalsCursor : sqlite3_vtab_cursor {
  std::vector<Value> rows;
  std::size_t at = 0;
  std::string from;               // where the next portion begins
  bool is_last = false;           // there is none
  std::deque<std::string> nodes;  // of the tree, still to be read
  std::int64_t number = 0;
};

InternalsTable& internals_of(sqlite3_vtab* table) noexcept { return *static_cast<InternalsTable*>(table); }
InternalsCursor& cursor_of(sqlite3_vtab_cursor* cursor) noexcept { return *static_cast<InternalsCursor*>(cursor); }

Result<Value> look(const InternalsTable& table, const std::string& from) {
  inspect::Request request;
  request.view = table.spec.view;
  request.from = from;
  request.limit = kPortion;
  return inspect::look(table.access.path(), request, table.access.options());
}

void take_list(const Value& payload, const char* member, std::vector<Value>& rows) {
  const Value* const found = payload.find(member);
  if (found != nullptr && found->list() != nullptr) rows = *found->list();
}

Status read_rows(const InternalsTable& table, InternalsCursor& cursor) {
  const Value payload = TRY(look(table, cursor.from));
  take_list(payload, table.spec.list, cursor.rows);
  const Value* const next = payload.find("next");
  cursor.is_last = next == nullptr || next->is_null();
  if (cursor.is_last) return {};
  cursor.from = next->text() != nullptr     ? *next->text()
                : next->number() != nullptr ? std::to_string(*next->number())
                                            : "";
  return {};
}

// One inner node: its children are the rows, and those that are inner nodes come later.
Status read_node(const InternalsTable& table, InternalsCursor& cursor) {
  const Value payload = TRY(look(table, cursor.nodes.front()));
  cursor.nodes.pop_front();
  std::vector<Value> children;
  take_list(payload, table.spec.list, children);
  const Value* const node = payload.find("node");
  const Value* const level = payload.find("level");
  const Value* const parent = node == nullptr ? nullptr : node->find("page");
  for (Value& child : children) {
    const Value* const ref = child.find("ref");
    const Value* const page = ref == nullptr ? nullptr : ref->find("page");
    const bool is_inner = level != nullptr && level->number() != nullptr && *level->number() > 1;
    if (is_inner && page != nullptr && page->number() != nullptr) {
      cursor.nodes.push_back(std::to_string(*page->number()));
    }
    child.add("parent", parent == nullptr ? Value() : *parent);
    child.add("level", is_inner ? Value(*level->number() - 1) : Value(std::uint64_t{0}));
  }
  cursor.rows = std::move(children);
  cursor.is_last = cursor.nodes.empty();
  return {};
}

Status read_findings(const InternalsTable& table, InternalsCursor& cursor) {
  const Database* const db = table.access.database();
  if (db == nullptr) return Status::error(ErrorCode::Misuse, "a check needs a database that opens");
  const VerifyReport report = TRY(db->verify(VerifyLevel::Full));
  for (const Finding& finding : report.findings) {
    const char* const severity = finding.severity == FindingSeverity::Damage    ? "damage"
                                 : finding.severity == FindingSeverity::Warning ? "warning"
                                                                                : "incomplete";
    cursor.rows.push_back(Value::object()
                              .add("severity", severity)
                              .add("code", finding.code)
                              .add("page", finding.page)
                              .add("message", finding.message));
  }
  cursor.is_last = true;
  return {};
}

// The next portion that is not empty, or the end.
Status read_portion(const InternalsTable& table, InternalsCursor& cursor) {
  do {
    cursor.rows.clear();
    cursor.at = 0;
    switch (table.spec.source) {
      case Source::Rows:
        CHECK(read_rows(table, cursor));
        break;
      case Source::Tree:
        CHECK(read_node(table, cursor));
        break;
      case Source::Findings:
        CHECK(read_findings(table, cursor));
        break;
    }
  } while (cursor.rows.empty() && !cursor.is_last);
  return {};
}

// --- The module ------------------------------------------------------------------------------------------------------

struct Binding {
  const InternalsSpec* spec;
  Access* access;
};

int connect(sqlite3* connection, void* shared, int, const char* const*, sqlite3_vtab** made, char**) noexcept {
  const Binding& binding = *static_cast<const Binding*>(shared);
  std::unique_ptr<InternalsTable> table;
  const Status status = kv::safely([&]() -> Status {
    table = std::make_unique<InternalsTable>(*binding.access, *binding.spec);
    std::string text = "create table internals(";
    for (const std::string& member : table->members) {
      const std::size_t dot = member.find('.');
      text.append(text.back() == '(' ? "" : ",").append(dot == std::string::npos ? member : member.substr(dot + 1));
    }
    sqlite3_declare_vtab(connection, text.append(")").c_str());
    return {};
  });
  if (!status.is_ok()) return SQLITE_NOMEM;
  *made = table.release();
  return SQLITE_OK;
}

int best_index(sqlite3_vtab*, sqlite3_index_info* info) noexcept {
  info->estimatedCost = 1e5;
  return SQLITE_OK;
}

int filter(sqlite3_vtab_cursor* base, int, const char*, int, sqlite3_value**) noexcept {
  InternalsCursor& cursor = cursor_of(base);
  return answer(table_of(base), [&]() -> Status {
    cursor.from.clear();
    cursor.is_last = false;
    cursor.number = 0;
    cursor.nodes.assign(1, "");
    return read_portion(internals_of(base->pVtab), cursor);
  });
}

int next(sqlite3_vtab_cursor* base) noexcept {
  InternalsCursor& cursor = cursor_of(base);
  ++cursor.number;
  if (++cursor.at < cursor.rows.size() || cursor.is_last) return SQLITE_OK;
  return answer(table_of(base), [&] { return read_portion(internals_of(base->pVtab), cursor); });
}

int at_end(sqlite3_vtab_cursor* base) noexcept {
  const InternalsCursor& cursor = cursor_of(base);
  return cursor.at >= cursor.rows.size() ? 1 : 0;
}

void give(sqlite3_context* to, const Value& value) {
  if (const std::uint64_t* const number = value.number())
    return sqlite3_result_int64(to, static_cast<std::int64_t>(*number));
  if (const double* const fraction = value.fraction()) return sqlite3_result_double(to, *fraction);
  if (const bool* const truth = value.truth()) return sqlite3_result_int(to, *truth ? 1 : 0);
  if (const std::string* const text = value.text()) return give_text(to, *text);
  if (!value.is_null()) give_text(to, inspect::to_json(value));
}

int column(sqlite3_vtab_cursor* base, sqlite3_context* to, int number) noexcept {
  const InternalsCursor& cursor = cursor_of(base);
  const std::string_view member = internals_of(base->pVtab).members[static_cast<std::size_t>(number)];
  return answer(table_of(base), [&]() -> Status {
    const std::size_t dot = member.find('.');
    const Value* value = cursor.rows[cursor.at].find(member.substr(0, dot));
    if (value != nullptr && dot != std::string_view::npos) value = value->find(member.substr(dot + 1));
    if (value != nullptr) give(to, *value);
    return {};
  });
}

int row_id(sqlite3_vtab_cursor* base, sqlite3_int64* number) noexcept {
  *number = cursor_of(base).number;
  return SQLITE_OK;
}

// Without xCreate it is a table by its own name, which needs no declaration.
const sqlite3_module kModule =
    module_of<InternalsTable, InternalsCursor>({connect, best_index, filter, next, at_end, column, row_id});

}  // namespace

int register_internals_tables(sqlite3* connection, Access& access) {
  for (const InternalsSpec& spec : kTables) {
    auto* const binding = new (std::nothrow) Binding{&spec, &access};
    if (binding == nullptr) return SQLITE_NOMEM;
    const int code = sqlite3_create_module_v2(connection, spec.name, &kModule, binding, [](void* made) {
      std::unique_ptr<Binding>(static_cast<Binding*>(made)).reset();
    });
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

}  // namespace vitrine::sql
