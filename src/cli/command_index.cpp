// SPDX-License-Identifier: MIT OR Apache-2.0
// `index`: indexes of a collection created, listed and dropped. A new one is built in many small transactions, so that
// others read and write meanwhile in the same process; after an interrupt the same command goes on where it stopped.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/document_access.hpp"
#include "cli/progress.hpp"

namespace vitrine::cli {
namespace {

Result<IndexDefinition> definition_of(const Arguments& arguments) {
  if (!arguments.positional("KEY")) return usage_error("index create needs NAME and KEY, such as by_age '{age: 1}'");
  IndexDefinition definition;
  definition.name = ByteString(arguments.positional("NAME").value_or(""));
  definition.key = TRY(document_argument(arguments, "KEY"));
  definition.unique = arguments.has("--unique");
  definition.sparse = arguments.has("--sparse");
  definition.partial = TRY(document_option(arguments, "--partial"));
  definition.expire_after_s = TRY(arguments.number("--ttl"));
  return definition;
}

Status create(const Arguments& arguments, Console& console) {
  const IndexDefinition definition = TRY(definition_of(arguments));
  Database db = TRY(open_database(arguments, Access::ReadWrite));
  ProgressBar bar("index", console.progress());
  CHECK(build_index(db, collection_argument(arguments), definition, progress_function(bar)));
  bar.finish();
  CHECK(db.close());
  return console.print_done();
}

Status drop(const Arguments& arguments, Console& console) {
  const auto name = arguments.positional("NAME");
  if (!name) return usage_error("index drop needs NAME");
  Database db = TRY(open_database(arguments, Access::ReadWrite));
  const Status written = write_documents(
      db, [&](DocumentWriter& documents) { return documents.drop_index(collection_argument(arguments), *name); });
  CHECK(written);
  CHECK(db.close());
  return console.print_done();
}

Status print_index(const IndexInfo& info, Console& console) {
  if (console.json()) return console.write(index_json(info) + "\n");
  const IndexDefinition& definition = info.definition;
  std::string line = encoded(definition.name, Encoding::Text) + "\t" + definition.key.to_json();
  if (definition.unique) line.append("\tunique");
  if (definition.sparse) line.append("\tsparse");
  if (definition.partial != Document()) line.append("\tpartial ").append(definition.partial.to_json());
  if (definition.expire_after_s) line.append("\tttl ").append(std::to_string(*definition.expire_after_s));
  if (info.is_building) line.append("\tbuilding");
  return console.write(line + "\n");
}

Status list(const Arguments& arguments, Console& console) {
  if (arguments.positional("NAME")) return usage_error("index list takes no NAME");
  const Database db = TRY(open_database(arguments, Access::ReadOnly));
  const ReadTransaction txn = TRY(db.begin_read());
  const std::vector<IndexInfo> indexes = TRY(DocumentReader(txn).list_indexes(collection_argument(arguments)));
  for (const IndexInfo& info : indexes) CHECK(print_index(info, console));
  return {};
}

}  // namespace

std::string index_json(const IndexInfo& info) {
  const IndexDefinition& definition = info.definition;
  const auto word = [](bool value) { return value ? "true" : "false"; };
  std::string json = "{\"name\":" + quoted_json(definition.name) + ",\"key\":" + definition.key.to_json();
  json.append(",\"unique\":").append(word(definition.unique)).append(",\"sparse\":").append(word(definition.sparse));
  if (definition.partial != Document()) json.append(",\"partial\":").append(definition.partial.to_json());
  if (definition.expire_after_s) json.append(",\"ttl_s\":").append(std::to_string(*definition.expire_after_s));
  json.append(",\"multikey\":").append(word(info.is_multikey));
  return json.append(",\"building\":").append(word(info.is_building)).append("}");
}

Status run_index(const Arguments& arguments, Console& console) {
  const std::string_view action = arguments.positional("ACTION").value_or("");
  if (action == "create") return create(arguments, console);
  for (const std::string_view option : {"--unique", "--sparse", "--partial", "--ttl"}) {
    if (arguments.has(option)) return usage_error(std::string(option).append(" goes with index create"));
  }
  if (arguments.positional("KEY")) return usage_error("index has too many arguments");
  if (action == "list") return list(arguments, console);
  if (action == "drop") return drop(arguments, console);
  return usage_error("the action of index is create, list or drop");
}

}  // namespace vitrine::cli
