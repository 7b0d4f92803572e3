// SPDX-License-Identifier: MIT OR Apache-2.0
// `repair`: what is safe in place. The report goes to stdout whatever it says; the status says whether the database is
// clean now.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "vitrine/repair.hpp"

namespace vitrine::cli {
namespace {

std::vector<Record> rows_of(const std::vector<Finding>& findings) {
  std::vector<Record> rows;
  for (const Finding& finding : findings) {
    rows.emplace_back().add("page", finding.page).add("code", finding.code).add("message", finding.message);
  }
  return rows;
}

Result<Console::Answer> repaired(const Arguments& arguments) {
  const bool is_dry_run = arguments.has("--dry-run");
  const RepairReport report =
      TRY(with_secret(TRY(open_options(arguments, Access::ReadWrite)), [&](const Options& options) {
        return is_dry_run ? repair_dry_run(arguments.database(), options) : repair(arguments.database(), options);
      }));
  const Status verdict = report.is_clean()
                             ? Status{}
                             : Status::error(ErrorCode::DamageFound, "not repaired in place; try vitrine salvage")
                                   .with("left", std::uint64_t{report.left.size()});
  Console::Answer answer{{}, verdict};
  Record& record = answer.payload;
  record.add("clean", report.is_clean()).add("dry_run", is_dry_run);
  record.add("repaired_count", std::uint64_t{report.repaired.size()});
  record.add("repaired", rows_of(report.repaired)).add("left", rows_of(report.left));
  return answer;
}

}  // namespace

Status run_repair(const Arguments& arguments, Console& console) {
  return console.answer("repair", repaired(arguments));
}

}  // namespace vitrine::cli
