// SPDX-License-Identifier: MIT OR Apache-2.0
// `errors`: the error registry, or one row of it.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "vitrine/errors.hpp"

namespace vitrine::cli {
namespace {

Record record_of(const ErrorInfo& info) {
  Record record;
  record.add("number", std::uint64_t{static_cast<std::uint16_t>(info.code)}).add("name", info.name);
  record.add("status", kind_name(info.kind)).add("exit_code", static_cast<std::uint64_t>(exit_code(info.kind)));
  record.add("retryable", info.retryable).add("meaning", info.sentence);
  return record.add("advice", error_advice(info.code));
}

}  // namespace

Status run_errors(const Arguments& arguments, Console& console) {
  const std::optional<std::string_view> name = arguments.positional("NAME");
  std::vector<Record> rows;
  for (const ErrorInfo& info : error_registry()) {
    if (!name) rows.push_back(record_of(info));
    if (name && info.name == *name) return console.print(record_of(info));
  }
  if (name) return usage_error(std::string("there is no error ").append(*name));
  if (console.json()) return console.print(Record{}.add("errors", std::move(rows)));
  for (const Record& row : rows) {
    const auto text = [&](std::size_t field) { return std::get<std::string>(row.fields()[field].value); };
    CHECK(console.write(text(1) + "\n  " + text(5) + "\n  -> " + text(6) + "\n"));
  }
  return {};
}

}  // namespace vitrine::cli
