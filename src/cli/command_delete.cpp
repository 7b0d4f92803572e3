// SPDX-License-Identifier: MIT OR Apache-2.0
// `delete`: one key, or a range in one transaction.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"

namespace vitrine::cli {
namespace {

bool selects_range(const Arguments& arguments) {
  return arguments.has("--prefix") || arguments.has("--from") || arguments.has("--to") || arguments.has("--all");
}

// One key exactly when there is no range, and --all only alone: what is deleted must be said, never implied.
Status check_selection(const Arguments& arguments, const KeyBounds& bounds) {
  const bool has_key = arguments.positional("KEY").has_value();
  if (has_key && selects_range(arguments)) return usage_error("delete takes either KEY or a range");
  if (!has_key && !selects_range(arguments)) return usage_error("delete needs KEY, --prefix, --from, --to or --all");
  for (const std::string_view option : {"--prefix", "--from", "--to"}) {
    CHECK(arguments.at_most_one_of({"--all", option}));
  }
  if (!has_key && bounds.is_everything() && !arguments.has("--all")) {
    return usage_error("this range is the whole keyspace; say --all if that is meant");
  }
  return {};
}

Result<std::uint64_t> erase_selected(WriteTransaction& txn, Keyspace keyspace, const std::optional<std::string>& key,
                                     const KeyBounds& bounds) {
  if (!key) {
    if (bounds.is_empty()) return std::uint64_t{0};
    return txn.erase_range(keyspace, bounds.from, bounds.to ? std::optional<Bytes>(*bounds.to) : std::nullopt);
  }
  if (!TRY(txn.erase(keyspace, *key))) return Status::error(ErrorCode::KeyNotFound);
  return std::uint64_t{1};
}

}  // namespace

Status run_delete(const Arguments& arguments, Console& console) {
  const Encoding encoding = TRY(encoding_of(arguments));
  const KeyBounds bounds = TRY(key_bounds(arguments, encoding));
  CHECK(check_selection(arguments, bounds));
  std::optional<std::string> key;
  if (arguments.positional("KEY")) key = TRY(key_argument(arguments, encoding));

  Database db = TRY(open_database(arguments, Access::ReadWrite));
  WriteTransaction txn = TRY(db.begin_write());
  const std::uint64_t deleted = TRY(erase_selected(txn, TRY(find_keyspace(txn, arguments)), key, bounds));
  const Commit commit = txn.commit();
  CHECK(commit_status(commit));
  CHECK(db.close());
  if (key && !console.json()) return {};
  Record record;
  record.add("deleted", deleted);
  if (console.json()) add_commit(record, commit);
  return console.print(record);
}

}  // namespace vitrine::cli
