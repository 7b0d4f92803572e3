// SPDX-License-Identifier: MIT OR Apache-2.0
// `watch`: changes of documents, one a line, each once. Writers keep the log of changes once --keep has asked for it;
// watching only reads, beside a program that writes.
#include <nlohmann/json.hpp>

#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/document_access.hpp"
#include "cli/terminal.hpp"
#include "os/env.hpp"

namespace vitrine::cli {
namespace {

constexpr std::uint64_t kPollMs = 50;

std::string_view kind_name(ChangeKind kind) noexcept {
  switch (kind) {
    case ChangeKind::Insert:
      return "insert";
    case ChangeKind::Update:
      return "update";
    case ChangeKind::Remove:
      return "remove";
    case ChangeKind::Expire:
      return "expire";
    case ChangeKind::Drop:
      return "drop";
    case ChangeKind::Rename:
      return "rename";
    case ChangeKind::Create:
      return "create";
  }
  return "";
}

std::string json_text(std::string_view text) {
  using Json = nlohmann::json;
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

// The document stays as the library writes it, which a reader of plain JSON in between would not keep.
std::string change_json(const DocumentChange& change) {
  std::string json =
      "{\"kind\":" + json_text(kind_name(change.kind)) + ",\"collection\":" + json_text(change.collection);
  json.append(",\"version\":").append(std::to_string(change.version));
  json.append(",\"document\":").append(change.document ? change.document->to_json() : "null");
  return json.append(",\"token\":").append(json_text(change.token)).append("}");
}

namespace {

Status keep(const Arguments& arguments, std::uint64_t entries_max, Console& console) {
  Database db = TRY(open_database(arguments, Access::ReadWrite));
  CHECK(write_documents(db, [&](DocumentWriter& documents) { return documents.keep_changes(entries_max); }));
  CHECK(db.close());
  return console.print_done();
}

// Prints what is new, and moves `options` behind it.
Status print_new(const Database& db, WatchOptions& options, Console& console) {
  const ReadTransaction txn = TRY(db.begin_read());
  Status failed;
  std::uint64_t printed = 0;
  options.after = TRY(DocumentReader(txn).watch(options, [&](const DocumentChange& change) {
    failed = console.write(change_json(change) + "\n");
    ++printed;
    return failed.is_ok() && !interrupt_requested();
  }));
  CHECK(failed);
  options.limit -= printed;
  return console.flush();
}

}  // namespace

Status run_watch(const Arguments& arguments, Console& console) {
  if (const auto entries_max = TRY(arguments.number("--keep"))) return keep(arguments, *entries_max, console);
  WatchOptions options;
  options.collection = collection_argument(arguments);
  options.filter = TRY(document_argument(arguments, "FILTER"));
  options.after = std::string(arguments.value("--after").value_or(""));
  options.limit = TRY(arguments.number("--limit")).value_or(options.limit);
  Database db = TRY(open_database(arguments, Access::ReadOnly));
  while (options.limit > 0) {
    CHECK(print_new(db, options, console));
    if (arguments.has("--once") || interrupt_requested()) break;
    os::system_env().sleep_ms(kPollMs);
    CHECK(db.refresh().status());
  }
  return {};
}

}  // namespace vitrine::cli
