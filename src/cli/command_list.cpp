// SPDX-License-Identifier: MIT OR Apache-2.0
// `list`: entries in key order, or how many there are.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/terminal.hpp"

namespace vitrine::cli {
namespace {

struct ListSettings {
  KeyBounds bounds;
  Encoding encoding = Encoding::Text;
  std::uint64_t limit = ~std::uint64_t{0};
  bool reverse = false;
  bool keys_only = false;
};

Status seek_start(Cursor& cursor, const ListSettings& settings) {
  const KeyBounds& bounds = settings.bounds;
  if (settings.reverse) return bounds.to ? cursor.seek_before(*bounds.to) : cursor.seek_last();
  return bounds.from.empty() ? cursor.seek_first() : cursor.seek(bounds.from);
}

bool is_inside(Bytes key, const ListSettings& settings) {
  if (settings.reverse) return key >= settings.bounds.from;
  return !settings.bounds.to || key < *settings.bounds.to;
}

Status print_entry(Cursor& cursor, const ListSettings& settings, std::string& line, Console& console) {
  if (console.json()) {
    Record record;
    record.add_bytes("key", cursor.key(), settings.encoding);
    if (!settings.keys_only) record.add_bytes("value", TRY(cursor.value()), settings.encoding);
    record.add("version", cursor.version()).add("size", cursor.value_size());
    return console.print_line(record);
  }
  line.clear();
  append_encoded(line, cursor.key(), settings.encoding);
  if (!settings.keys_only) {
    line.push_back('\t');
    append_encoded(line, TRY(cursor.value()), settings.encoding);
  }
  line.push_back('\n');
  return console.write(line);
}

Status print_entries(const Transaction& txn, Keyspace keyspace, const ListSettings& settings, Console& console) {
  if (settings.bounds.is_empty()) return {};
  Cursor cursor = txn.cursor(keyspace);
  std::string line;
  CHECK(seek_start(cursor, settings));
  for (std::uint64_t count = 0; count < settings.limit && cursor.is_valid() && is_inside(cursor.key(), settings);
       ++count) {
    if (interrupt_requested()) return cancelled();
    CHECK(print_entry(cursor, settings, line, console));
    CHECK(settings.reverse ? cursor.prev() : cursor.next());
  }
  return {};
}

Status print_count(const Transaction& txn, Keyspace keyspace, const ListSettings& settings, Console& console) {
  ScanOptions range;
  range.limit = settings.limit;
  if (!settings.bounds.from.empty()) range.from = settings.bounds.from;
  if (settings.bounds.to) range.to = *settings.bounds.to;
  const std::uint64_t count = settings.bounds.is_empty() ? 0 : TRY(txn.count(keyspace, range));
  if (!console.json()) return console.write(std::to_string(count) + "\n");
  Record record;
  record.add("count", count);
  return console.print(record);
}

}  // namespace

Status run_list(const Arguments& arguments, Console& console) {
  CHECK(arguments.at_most_one_of({"--count", "--keys-only"}));
  ListSettings settings;
  settings.encoding = TRY(encoding_of(arguments));
  settings.bounds = TRY(key_bounds(arguments, settings.encoding));
  settings.limit = TRY(arguments.number("--limit")).value_or(settings.limit);
  settings.reverse = arguments.has("--reverse");
  settings.keys_only = arguments.has("--keys-only");

  Database db = TRY(open_database(arguments, Access::ReadOnly));
  const ReadTransaction txn = TRY(db.begin_read());
  const Keyspace keyspace = TRY(find_keyspace(txn, arguments));
  if (arguments.has("--count")) return print_count(txn, keyspace, settings, console);
  return print_entries(txn, keyspace, settings, console);
}

}  // namespace vitrine::cli
