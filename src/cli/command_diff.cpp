// SPDX-License-Identifier: MIT OR Apache-2.0
// `diff`: a row for each key and run of pages that changed, then the counts.
#include "vitrine/diff.hpp"

#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/terminal.hpp"
#include "cli/value_text.hpp"

namespace vitrine::cli {
namespace {

using inspect::Value;

std::string entry_text(const Value& entry) {
  if (entry.is_null()) return "none";
  std::string text = member_text(entry, "record_size") + " bytes";
  if (!entry.find("version")->is_null()) text += " of version " + member_text(entry, "version");
  if (!entry.find("error")->is_null()) text += " (" + member_text(entry, "error") + ")";
  if (const Value* value = entry.find("value")) text += ": " + value_text(value);
  return text;
}

std::string change_text(const Value& row) {
  const std::string change = *row.find("change")->text();
  if (*row.find("kind")->text() == "pages") {
    const std::uint64_t first = *row.find("first")->number(), pages = *row.find("pages")->number();
    if (pages == 1) return change + " page " + std::to_string(first) + "\n";
    return change + " pages " + std::to_string(first) + " to " + std::to_string(first + pages - 1) + "\n";
  }
  const Value* const name = row.find("keyspace_name");
  const std::string keyspace = name->is_null() ? member_text(row, "keyspace") : value_text(name);
  const std::string key = row.find("key") != nullptr ? " " + member_text(row, "key") : "";
  return change + " key " + keyspace + key + ": " + entry_text(*row.find("before")) + " -> " +
         entry_text(*row.find("after")) + "\n";
}

std::string summary_text(const Value& summary) {
  std::string text;
  const Value* const is_comparable = summary.find("keys_comparable");
  if (is_comparable != nullptr && !*is_comparable->truth()) text += "keys: encrypted, not compared without a secret\n";
  if (summary.find("keys_added") != nullptr) {
    text += "keys: " + member_text(summary, "keys_added") + " added, " + member_text(summary, "keys_removed") +
            " removed, " + member_text(summary, "keys_changed") + " changed, " + member_text(summary, "keys_unknown") +
            " unknown\n";
  }
  if (summary.find("pages_comparable") != nullptr && !*summary.find("pages_comparable")->truth()) {
    text += "pages: of different sizes, not compared\n";
  } else if (summary.find("pages_changed") != nullptr) {
    text += "pages: " + member_text(summary, "pages_changed") + " changed, " +
            member_text(summary, "pages_only_before") + " only before, " + member_text(summary, "pages_only_after") +
            " only after, " + member_text(summary, "pages_same") + " the same\n";
  }
  for (const std::string side : {"before", "after"}) {
    const std::uint64_t gaps = member_number(summary, "gaps_" + side);
    if (gaps == 0) continue;
    const bool is_checkpoint = *summary.find(side)->find("of")->text() == "checkpoint";
    text += std::to_string(gaps) + " pages of the " + (is_checkpoint ? "checkpoint " : "database ") + side +
            " are gone or damaged; keys below them are unknown\n";
  }
  return text;
}

}  // namespace

Status run_diff(const Arguments& arguments, Console& console) {
  const std::optional<std::string_view> other = arguments.positional("FILE");
  if (arguments.has("--checkpoints") == other.has_value()) {
    return usage_error("diff needs either FILE or --checkpoints");
  }
  inspect::DiffRequest request;
  const std::string_view by = arguments.value("--by").value_or("both");
  request.keys = by != "pages";
  request.pages = by != "keys";
  request.disclosure = disclosure_of(arguments);
  Status printed;
  const auto print = [&](const Value& row) {
    printed = console.write(console.json() ? inspect::to_json(row) + "\n" : change_text(row));
    if (printed.is_ok() && interrupt_requested()) printed = cancelled();
    return printed.is_ok();
  };
  const auto compare = [&]() -> Result<Value> {
    Options options = TRY(secret_options(arguments));
    CHECK(ask_to_look(arguments.database(), options));
    if (other) CHECK(ask_to_look(std::string(*other), options));
    Value summary = TRY(other ? inspect::diff(arguments.database(), std::string(*other), request, print, options)
                              : inspect::diff_checkpoints(arguments.database(), request, print, options));
    CHECK(printed);
    return summary;
  };
  const Result<Value> summary = compare();
  CHECK(console.answer("diff", summary));
  return console.json() ? Status{} : console.write(summary_text(*summary));
}

}  // namespace vitrine::cli
