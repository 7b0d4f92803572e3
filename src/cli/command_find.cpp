// SPDX-License-Identifier: MIT OR Apache-2.0
// `find`, `count`, `remove`: documents by a filter.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/document_access.hpp"
#include "cli/terminal.hpp"

namespace vitrine::cli {
namespace {

Status print_found(const DocumentReader& documents, const Arguments& arguments, const Document& filter,
                   const FindOptions& options, Console& console) {
  const JsonForm form = arguments.has("--canonical") ? JsonForm::Canonical : JsonForm::Relaxed;
  Status failed;
  TRY(documents.find(collection_argument(arguments), filter, options, [&](const StoredDocument& found) {
    failed = interrupt_requested() ? cancelled() : console.write(found.document.to_json(form) + "\n");
    return failed.is_ok();
  }));
  return failed;
}

}  // namespace

Status run_find(const Arguments& arguments, Console& console) {
  const Document filter = TRY(document_argument(arguments, "FILTER"));
  FindOptions options;
  options.sort = TRY(document_option(arguments, "--sort"));
  options.skip = TRY(arguments.number("--skip")).value_or(0);
  options.limit = TRY(arguments.number("--limit")).value_or(options.limit);
  options.projection = TRY(document_option(arguments, "--project"));
  options.hint = ByteString(arguments.value("--hint").value_or(""));
  const Database db = TRY(open_database(arguments, Access::ReadOnly));
  const ReadTransaction txn = TRY(db.begin_read());
  if (arguments.has("--explain")) {
    const Explanation plan = TRY(DocumentReader(txn).explain(collection_argument(arguments), filter, options));
    return console.write(plan.to_document().to_json() + "\n");
  }
  return print_found(DocumentReader(txn), arguments, filter, options, console);
}

Status run_count(const Arguments& arguments, Console& console) {
  const Document filter = TRY(document_argument(arguments, "FILTER"));
  const Database db = TRY(open_database(arguments, Access::ReadOnly));
  const ReadTransaction txn = TRY(db.begin_read());
  const std::uint64_t count = TRY(DocumentReader(txn).count(collection_argument(arguments), filter));
  if (!console.json()) return console.write(std::to_string(count) + "\n");
  return console.print(Record{}.add("count", count));
}

Status run_remove(const Arguments& arguments, Console& console) {
  const Document filter = TRY(document_argument(arguments, "FILTER"));
  const std::uint64_t limit = TRY(arguments.number("--limit")).value_or(~std::uint64_t{0});
  Database db = TRY(open_database(arguments, Access::ReadWrite));
  std::uint64_t removed = 0;
  const Status written = write_documents(db, [&](DocumentWriter& documents) -> Status {
    removed = TRY(remove_matching(documents, collection_argument(arguments), filter, limit));
    return {};
  });
  CHECK(written);
  CHECK(db.close());
  return console.print(Record{}.add("removed", removed));
}

}  // namespace vitrine::cli
