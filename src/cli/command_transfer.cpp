// SPDX-License-Identifier: MIT OR Apache-2.0
// `backup`, `export`, `import`: whole databases in and out.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/secrets.hpp"
#include "cli/transfer_documents.hpp"
#include "os/env.hpp"

namespace vitrine::cli {
namespace {

constexpr std::string_view kCollectionOptions[] = {"--format", "--types",  "--on-error", "--batch",
                                                   "--upsert", "--fields", "--filter",   "--canonical"};
constexpr std::string_view kExportFileOptions[] = {"--file-passphrase-stdin", "--file-passphrase-fd", "--file-keyfile",
                                                   "--file-recovery-stdin", "--plaintext"};

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

// The reverse: files of documents are never encrypted.
Status check_no_export_file(const Arguments& arguments) {
  for (const std::string_view option : kExportFileOptions) {
    if (arguments.has(option)) return usage_error(std::string(option).append(" does not go with --collection"));
  }
  return {};
}

bool wants_secret(const Status& status) noexcept {
  return status.code() == ErrorCode::KeyRequired || status.code() == ErrorCode::KeyMismatch;
}

// Without a secret for the file, that of the database is tried, and then somebody is asked.
Result<TransferReport> import_file(const Arguments& arguments, Console& console, ImportTarget& target,
                                   const Secret& file_secret) {
  const ImportMode mode = arguments.has("--replace") ? ImportMode::Replace : ImportMode::Merge;
  const Plaintext plaintext = arguments.has("--plaintext") ? Plaintext::Allowed : Plaintext::Refused;
  ProgressBar bar("import", console.progress());
  const auto run_with = [&](const Secret& secret) {
    Result<TransferReport> report =
        target.db.import_from(file_argument(arguments), mode, progress_function(bar), secret, plaintext);
    bar.finish();
    return report;
  };
  Result<TransferReport> report = run_with(file_secret);
  if (file_secret || report.status().code() != ErrorCode::KeyRequired) return report;
  if (target.secret) report = run_with(target.secret);
  if (!wants_secret(report.status())) return report;
  if (can_ask()) return run_with(TRY(ask_passphrase("Passphrase of the export file: ")));
  return Status::error(ErrorCode::KeyRequired,
                       "the export file is encrypted; --file-passphrase-stdin and its like give its secret");
}

}  // namespace

Result<ImportTarget> open_import_target(const Arguments& arguments) {
  Secret secret;
  if (!arguments.has("--create") || TRY(os::system_env().exists(arguments.database()))) {
    Database existing = TRY(open_database_with(arguments, secret));
    return ImportTarget{std::move(existing), false, std::move(secret)};
  }
  secret = TRY(secret_argument(arguments));
  Database made = TRY(open_database_as(arguments, OpenMode::CreateNew, secret));
  return ImportTarget{std::move(made), true, std::move(secret)};
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
  if (arguments.has("--collection")) {
    CHECK(check_no_export_file(arguments));
    return import_documents(arguments, console);
  }
  CHECK(check_no_collection(arguments));
  ImportTarget target = TRY(open_import_target(arguments));
  const Result<Secret> file_secret = file_secret_argument(arguments);
  const Result<TransferReport> report =
      file_secret.has_value() ? import_file(arguments, console, target, *file_secret) : file_secret.status();
  CHECK(close_import_target(target, arguments, report.status()));
  return print_report(*report, console);
}

}  // namespace vitrine::cli
