// SPDX-License-Identifier: MIT OR Apache-2.0
// `keyspaces`: their names, or one of them removed with all that is in it.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"

namespace vitrine::cli {
namespace {

Status print_keyspaces(const std::vector<KeyspaceInfo>& keyspaces, Console& console) {
  if (!console.json()) {
    for (const KeyspaceInfo& info : keyspaces) CHECK(console.write(encoded(info.name, Encoding::Text) + "\n"));
    return {};
  }
  std::vector<Record> rows;
  for (const KeyspaceInfo& info : keyspaces) {
    rows.emplace_back().add("name", info.name).add("id", std::uint64_t{info.keyspace.id});
    rows.back().add("versions", info.keyspace.versions);
  }
  Record record;
  record.add("keyspaces", std::move(rows));
  return console.print(record);
}

Status drop(const Arguments& arguments, Bytes name, Console& console) {
  Database db = TRY(open_database(arguments, Access::ReadWrite));
  WriteTransaction txn = TRY(db.begin_write());
  const std::uint64_t deleted = TRY(txn.count(TRY(txn.keyspace(name))));
  CHECK(txn.drop_keyspace(name));
  const Commit commit = txn.commit();
  CHECK(commit_status(commit));
  CHECK(db.close());
  Record record;
  record.add("deleted", deleted);
  if (console.json()) add_commit(record, commit);
  return console.print(record);
}

}  // namespace

Status run_keyspaces(const Arguments& arguments, Console& console) {
  if (const auto name = arguments.value("--drop")) return drop(arguments, *name, console);
  const Database db = TRY(open_database(arguments, Access::ReadOnly));
  const ReadTransaction txn = TRY(db.begin_read());
  return print_keyspaces(TRY(txn.keyspaces()), console);
}

}  // namespace vitrine::cli
