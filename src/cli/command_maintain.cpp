// SPDX-License-Identifier: MIT OR Apache-2.0
// `checkpoint`, `compact`, `vacuum`: housekeeping of the file.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"

namespace vitrine::cli {
namespace {

using MaintainCall = Result<CompactReport> (Database::*)(const ProgressFunction&);

Status maintain(const Arguments& arguments, Console& console, MaintainCall call) {
  Database db = TRY(open_database(arguments, Access::ReadWrite));
  const std::uint64_t bytes_before = TRY(db.info()).file_bytes;
  ProgressBar bar(std::string(arguments.command().name), console.progress());
  const CompactReport report = TRY((db.*call)(progress_function(bar)));
  bar.finish();
  const std::uint64_t bytes_after = TRY(db.info()).file_bytes;
  CHECK(db.close());
  Record record;
  record.add("pages_before", report.pages_before).add("pages_after", report.pages_after);
  record.add("pages_moved", report.pages_moved);
  record.add("file_before_bytes", bytes_before).add("file_after_bytes", bytes_after);
  return console.print(record);
}

}  // namespace

Status run_checkpoint(const Arguments& arguments, Console& console) {
  Database db = TRY(open_database(arguments, Access::ReadWrite));
  CHECK(db.checkpoint());
  CHECK(db.close());
  return console.print_done();
}

Status run_compact(const Arguments& arguments, Console& console) {
  return maintain(arguments, console, &Database::compact);
}

Status run_vacuum(const Arguments& arguments, Console& console) {
  return maintain(arguments, console, &Database::vacuum);
}

}  // namespace vitrine::cli
