// SPDX-License-Identifier: MIT OR Apache-2.0
// `backup`, `export`, `import`: whole databases in and out.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "os/env.hpp"

namespace vitrine::cli {
namespace {

using CopyCall = Result<TransferReport> (Database::*)(const std::string&, const ProgressFunction&, Plaintext) const;

std::string file_argument(const Arguments& arguments) { return std::string(arguments.positional("FILE").value_or("")); }

Status print_report(const TransferReport& report, Console& console) {
  Record record;
  record.add("entries", report.entries).add("keyspaces", report.keyspaces);
  record.add("transferred_bytes", report.bytes).add("snapshot_seq", report.snapshot_seq);
  return console.print(record);
}

Status copy_out(const Arguments& arguments, Console& console, CopyCall call) {
  const Database db = TRY(open_database(arguments, Access::ReadOnly));
  ProgressBar bar(std::string(arguments.command().name), console.progress());
  const Plaintext plaintext = arguments.has("--plaintext") ? Plaintext::Allowed : Plaintext::Refused;
  const TransferReport report = TRY((db.*call)(file_argument(arguments), progress_function(bar), plaintext));
  bar.finish();
  return print_report(report, console);
}

struct ImportTarget {
  Database db;
  bool is_new = false;  // made just now, by --create
};

Result<ImportTarget> open_target(const Arguments& arguments) {
  if (!arguments.has("--create") || TRY(os::system_env().exists(arguments.database()))) {
    return ImportTarget{TRY(open_database(arguments, Access::ReadWrite))};
  }
  return ImportTarget{TRY(open_database_as(arguments, OpenMode::CreateNew)), true};
}

}  // namespace

Status run_backup(const Arguments& arguments, Console& console) {
  return copy_out(arguments, console, &Database::backup);
}

Status run_export(const Arguments& arguments, Console& console) {
  return copy_out(arguments, console, &Database::export_to);
}

Status run_import(const Arguments& arguments, Console& console) {
  const ImportMode mode = arguments.has("--replace") ? ImportMode::Replace : ImportMode::Merge;
  ImportTarget target = TRY(open_target(arguments));
  ProgressBar bar("import", console.progress());
  const Result<TransferReport> report = target.db.import_from(file_argument(arguments), mode, progress_function(bar));
  bar.finish();
  const Status closed = target.db.close();
  if (!report.has_value()) {
    // A database made for an import that failed is empty, and nobody asked for an empty one.
    if (target.is_new && closed.is_ok()) CHECK(os::system_env().remove(arguments.database()));
    return report.status();
  }
  CHECK(closed);
  return print_report(*report, console);
}

}  // namespace vitrine::cli
