// SPDX-License-Identifier: MIT OR Apache-2.0
// `update`: documents changed by operators.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/document_access.hpp"

namespace vitrine::cli {

Status run_update(const Arguments& arguments, Console& console) {
  const Document filter = TRY(document_argument(arguments, "FILTER"));
  const Document update = TRY(document_argument(arguments, "UPDATE"));
  UpdateOptions options;
  options.sort = TRY(document_option(arguments, "--sort"));
  options.upsert = arguments.has("--upsert");
  options.many = arguments.has("--many");
  Database db = TRY(open_database(arguments, Access::ReadWrite));
  UpdateResult result;
  const Status written = write_documents(db, [&](DocumentWriter& documents) -> Status {
    const std::string collection = collection_argument(arguments);
    if (options.upsert) CHECK(documents.ensure_collection(collection));
    result = TRY(documents.update(collection, filter, update, options));
    return {};
  });
  CHECK(written);
  CHECK(db.close());
  Record record;
  record.add("matched", result.matched).add("modified", result.modified);
  if (result.upserted) record.add("upserted", id_text(*result.upserted));
  return console.print(record);
}

}  // namespace vitrine::cli
