// SPDX-License-Identifier: MIT OR Apache-2.0
// `collections`: their names, or one of them created, removed or renamed.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/document_access.hpp"

namespace vitrine::cli {
namespace {

Status print_collections(const DocumentReader& documents, Console& console) {
  const std::vector<ByteString> names = TRY(documents.collections());
  std::vector<Record> rows;
  for (const ByteString& name : names) {
    if (!console.json()) {
      CHECK(console.write(name + "\n"));
      continue;
    }
    rows.emplace_back().add("name", std::string_view(name)).add("documents", TRY(documents.count(name)));
  }
  return console.json() ? console.print(Record{}.add("collections", std::move(rows))) : Status{};
}

Result<std::uint64_t> change(DocumentWriter& documents, const Arguments& arguments) {
  if (const auto name = arguments.value("--create")) CHECK(documents.create_collection(*name));
  if (const auto name = arguments.value("--rename")) {
    CHECK(documents.rename_collection(*name, *arguments.value("--to")));
  }
  if (const auto name = arguments.value("--drop")) {
    const std::uint64_t count = TRY(documents.count(*name));
    CHECK(documents.drop_collection(*name));
    return count;
  }
  return 0;
}

}  // namespace

Status run_collections(const Arguments& arguments, Console& console) {
  CHECK(arguments.at_most_one_of({"--create", "--drop", "--rename"}));
  if (arguments.has("--rename") != arguments.has("--to")) return usage_error("--rename NAME goes with --to NAME");
  if (!arguments.has("--create") && !arguments.has("--drop") && !arguments.has("--rename")) {
    const Database db = TRY(open_database(arguments, Access::ReadOnly));
    const ReadTransaction txn = TRY(db.begin_read());
    return print_collections(DocumentReader(txn), console);
  }
  Database db = TRY(open_database(arguments, Access::ReadWrite));
  std::uint64_t removed = 0;
  const Status written = write_documents(db, [&](DocumentWriter& documents) -> Status {
    removed = TRY(change(documents, arguments));
    return {};
  });
  CHECK(written);
  CHECK(db.close());
  return arguments.has("--drop") ? console.print(Record{}.add("removed", removed)) : console.print_done();
}

}  // namespace vitrine::cli
