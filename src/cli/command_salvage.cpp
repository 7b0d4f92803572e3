// SPDX-License-Identifier: MIT OR Apache-2.0
// `salvage`: what a damaged file still has goes into a new one. Losses are in the report; the command has done its job.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "vitrine/salvage.hpp"

namespace vitrine::cli {
namespace {

Record record_of(const SalvageReport& report, bool is_dry_run) {
  Record record;
  record.add("complete", report.is_complete()).add("dry_run", is_dry_run);
  if (!is_dry_run) record.add("entries", report.entries);
  record.add("records_in_place", report.records_in_place).add("records_orphaned", report.records_orphaned);
  record.add("records_uncertain", report.records_uncertain).add("values_lost", report.values_lost);
  record.add("log_transactions", report.log_transactions).add("losses_count", report.losses_count);
  std::vector<Record> rows;
  for (const SalvageLoss& loss : report.losses) {
    rows.emplace_back().add("page", loss.page).add("code", loss.code).add("message", loss.message);
  }
  record.add("losses", std::move(rows));
  return record;
}

}  // namespace

Status run_salvage(const Arguments& arguments, Console& console) {
  const std::optional<std::string_view> target = arguments.positional("FILE");
  const bool is_dry_run = arguments.has("--dry-run");
  if (is_dry_run == target.has_value())
    return usage_error("salvage needs either FILE, which must not exist, or --dry-run");
  const auto save = [&]() -> Result<Console::Answer> {
    const SalvageReport report = TRY(with_secret(TRY(secret_options(arguments)), [&](const Options& options) {
      if (is_dry_run) return salvage_dry_run(arguments.database(), options);
      return salvage(arguments.database(), std::string(*target), options);
    }));
    return Console::Answer{record_of(report, is_dry_run)};
  };
  return console.answer("salvage", save());
}

}  // namespace vitrine::cli
