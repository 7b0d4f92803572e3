// SPDX-License-Identifier: MIT OR Apache-2.0
// `backup`, `export`, `import`: whole databases in and out.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/transfer_documents.hpp"
#include "os/env.hpp"

namespace vitrine::cli {
namespace {

constexpr std::string_view kCollectionOptions[] = {"--format", "--types",  "--on-error", "--batch",
                                                   "--upsert", "--fields", "--filter",   "--canonical"};

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

// Options that mean something to a collection only.
Status check_no_collection(const Arguments& arguments) {
  for (const std::string_view option : kCollectionOptions) {
    if (arguments.has(option)) return usage_error(std::string(option).append(" goes with --collection"));
  }
  return {};
}

}  // namespace

Result<ImportTarget> open_import_target(const Arguments& arguments) {
  if (!arguments.has("--create") || TRY(os::system_env().exists(arguments.database()))) {
    return ImportTarget{TRY(open_database(arguments, Access::ReadWrite))};
  }
  return ImportTarget{TRY(open_database_as(arguments, OpenMode::CreateNew)), true};
}

Status close_import_target(ImportTarget& target, const Arguments& arguments, const Status& imported) {
  const Status closed = target.db.close();
  if (imported.is_ok()) return closed;
  // A database made for an import that failed is empty, and nobody asked for an empty one.
  if (target.is_new && closed.is_ok()) CHECK(os::system_env().remove(arguments.database()));
  return imported;
}

Status run_backup(const Arguments& arguments, Console& console) {
  return copy_out(arguments, console, &Database::backup);
}

Status run_export(const Arguments& arguments, Console& console) {
  if (arguments.has("--collection")) return export_documents(arguments, console);
  CHECK(check_no_collection(arguments));
  return copy_out(arguments, console, &Database::export_to);
}

Status run_import(const Arguments& arguments, Console& console) {
  if (arguments.has("--collection")) return import_documents(arguments, console);
  CHECK(check_no_collection(arguments));
  const ImportMode mode = arguments.has("--replace") ? ImportMode::Replace : ImportMode::Merge;
  ImportTarget target = TRY(open_import_target(arguments));
  ProgressBar bar("import", console.progress());
  const Result<TransferReport> report = target.db.import_from(file_argument(arguments), mode, progress_function(bar));
  bar.finish();
  CHECK(close_import_target(target, arguments, report.status()));
  return print_report(*report, console);
}

}  // namespace vitrine::cli
