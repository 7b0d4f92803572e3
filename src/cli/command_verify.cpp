// SPDX-License-Identifier: MIT OR Apache-2.0
// `verify`: the report goes to stdout whatever it says; the status says whether the database is clean.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/terminal.hpp"
#include "vitrine/documents.hpp"
#include "vitrine/explain.hpp"

namespace vitrine::cli {
namespace {

VerifyLevel level_of(std::string_view name) noexcept {
  if (name == "quick") return VerifyLevel::Quick;
  return name == "deep" ? VerifyLevel::Deep : VerifyLevel::Full;
}

std::string_view severity_name(FindingSeverity severity) noexcept {
  switch (severity) {
    case FindingSeverity::Damage:
      return "damage";
    case FindingSeverity::Warning:
      return "warning";
    case FindingSeverity::Incomplete:
      break;
  }
  return "incomplete";
}

std::string_view freshness_name(Freshness freshness) noexcept {
  switch (freshness) {
    case Freshness::Anchored:
      return "anchored";
    case Freshness::Behind:
      return "behind";
    case Freshness::Forked:
      return "forked";
    case Freshness::Unanchored:
      break;
  }
  return "unanchored";
}

// Of what was looked at: a gap in the check says nothing about it.
std::string_view integrity_name(const VerifyReport& report) noexcept {
  if (report.has_damage()) return "damaged";
  for (const Finding& finding : report.findings) {
    if (finding.severity == FindingSeverity::Warning) return "warnings";
  }
  return "clean";
}

std::uint64_t count_of(const VerifyReport& report, FindingSeverity severity) noexcept {
  std::uint64_t count = 0;
  for (const Finding& finding : report.findings) count += finding.severity == severity ? 1 : 0;
  return count;
}

// Damage outranks an older state, that a gap in the check, and that a warning: whoever repairs needs the worst first,
// and a check with gaps must never be taken for one that found only trifles.
Status verdict_of(const VerifyReport& report) {
  if (!report.has_damage()) {
    if (report.freshness == Freshness::Behind) return Status::error(ErrorCode::RolledBack);
    if (report.freshness == Freshness::Forked) return Status::error(ErrorCode::Forked);
  }
  if (report.is_clean()) return {};
  const bool has_gap = !report.is_complete || count_of(report, FindingSeverity::Incomplete) > 0;
  const bool is_gap_worst = has_gap && !report.has_damage();
  return Status::error(is_gap_worst ? ErrorCode::CheckIncomplete : ErrorCode::DamageFound)
      .with("damage", count_of(report, FindingSeverity::Damage))
      .with("warnings", count_of(report, FindingSeverity::Warning))
      .with("incomplete", count_of(report, FindingSeverity::Incomplete));
}

Record record_of(const VerifyReport& report, std::string_view level) {
  std::vector<Record> rows;
  for (const Finding& finding : report.findings) {
    rows.emplace_back().add("severity", severity_name(finding.severity)).add("page", finding.page);
    rows.back().add("code", finding.code).add("message", finding.message);
  }
  Record record;
  record.add("clean", report.is_clean()).add("complete", report.is_complete).add("level", level);
  record.add("integrity", integrity_name(report)).add("freshness", freshness_name(report.freshness));
  record.add("freshness_note", report.freshness_note);
  record.add("completeness", report.is_complete ? "complete" : "incomplete");
  record.add("pages_checked", report.pages_checked).add("entries", report.entries);
  record.add("tree_depth", std::uint64_t{report.tree_depth}).add("log_transactions", report.log_transactions);
  record.add("findings", std::move(rows));
  return record;
}

std::string explained_text(const inspect::Value& row) {
  const auto words = [&](std::string_view name) { return *row.find(name)->find("words")->text(); };
  return "page " + std::to_string(*row.find("page")->number()) + ": " + *row.find("what")->text() +
         "\n  pointed to by  " + words("pointed_to_by") + "\n  integrity      " + words("integrity") +
         "\n  freshness      " + words("freshness") + "\n  completeness   " + words("completeness") + "\n";
}

// A row for each page, or a line of JSON for each.
Status explain_pages(const Arguments& arguments, const Options& options, Console& console) {
  inspect::ExplainRequest request;
  if (const auto from = TRY(arguments.number("--from"))) request.from = *from;
  if (const auto limit = TRY(arguments.number("--limit"))) request.limit = *limit;
  Status printed;
  const auto print = [&](const inspect::Value& row) {
    printed = console.write(console.json() ? inspect::to_json(row) + "\n" : explained_text(row));
    if (printed.is_ok() && interrupt_requested()) printed = cancelled();
    return printed.is_ok();
  };
  CHECK(inspect::explain(arguments.database(), request, print, options).status());
  return printed;
}

Result<Console::Answer> verified(const Arguments& arguments, Console& console) {
  const std::string_view level = arguments.value("--level").value_or("full");
  Options options = TRY(open_options(arguments, Access::ReadOnly));
  options.accept_rollback = true;  // the report says so
  // Opened first, because that asks for a passphrase; what does not open is explained all the same.
  Result<Database> opened = open_with(arguments, OpenMode::MustExist, options);
  if (arguments.has("--explain")) CHECK(explain_pages(arguments, options, console));
  const Database db = TRY(std::move(opened));
  ProgressBar bar("verify", console.progress());
  VerifyReport report = TRY(db.verify(level_of(level), progress_function(bar)));
  bar.finish();
  // What cannot be read for damage is in the report by now.
  if (level_of(level) == VerifyLevel::Deep && !report.has_damage()) {
    CHECK(verify_documents(TRY(db.begin_read()), report));
  }
  return Console::Answer{record_of(report, level), verdict_of(report)};
}

}  // namespace

Status run_verify(const Arguments& arguments, Console& console) {
  if (!arguments.has("--explain") && (arguments.has("--from") || arguments.has("--limit"))) {
    return usage_error("--from and --limit belong to --explain");
  }
  return console.answer("verify", verified(arguments, console));
}

}  // namespace vitrine::cli
