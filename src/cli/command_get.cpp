// SPDX-License-Identifier: MIT OR Apache-2.0
// `get`: one value, a piece at a time, so that its size does not matter.
#include <algorithm>
#include <functional>

#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/file_stream.hpp"
#include "cli/terminal.hpp"

namespace vitrine::cli {
namespace {

// A multiple of three, so that pieces in base64 join without padding between them.
constexpr std::size_t kPieceSize = 192 * 1024;

using Sink = std::function<Status(Bytes)>;

Status copy_value(ValueReader& reader, Encoding encoding, const Sink& sink) {
  std::string piece(static_cast<std::size_t>(std::min<std::uint64_t>(reader.size(), kPieceSize)), '\0');
  std::string text;
  for (std::uint64_t offset = 0; offset < reader.size();) {
    if (interrupt_requested()) return cancelled();
    const std::size_t count = TRY(reader.read_at(offset, piece.data(), piece.size()));
    if (count == 0) return Status::error(ErrorCode::InternalBug, "a value ended before its size");
    Bytes bytes(piece.data(), count);
    if (encoding != Encoding::Text) {
      text.clear();
      append_encoded(text, bytes, encoding);
      bytes = text;
    }
    CHECK(sink(bytes));
    offset += count;
  }
  return {};
}

Status get_as_json(const Transaction& txn, Keyspace keyspace, Bytes key, Encoding encoding, Console& console) {
  const std::optional<Entry> entry = TRY(txn.get_entry(keyspace, key));
  if (!entry) return Status::error(ErrorCode::KeyNotFound);
  Record record;
  record.add_bytes("key", key, encoding).add_bytes("value", entry->value, encoding);
  record.add("version", entry->version).add("size", std::uint64_t{entry->value.size()});
  return console.print(record);
}

Status get_to_file(ValueReader& reader, Bytes key, Encoding encoding, std::string_view path, Console& console) {
  OutputFile file = TRY(OutputFile::create(std::string(path)));
  CHECK(copy_value(reader, encoding, [&](Bytes bytes) { return file.write(bytes); }));
  CHECK(file.close());
  if (!console.json()) return {};
  Record record;
  return console.print(record.add_bytes("key", key, encoding).add("file", path).add("size", reader.size()));
}

}  // namespace

Status run_get(const Arguments& arguments, Console& console) {
  for (const std::string_view option : {"--json", "--file"}) CHECK(arguments.at_most_one_of({"--raw", option}));
  const Encoding encoding = TRY(encoding_of(arguments));
  const std::string key = TRY(key_argument(arguments, encoding));
  Database db = TRY(open_database(arguments, Access::ReadOnly));
  const ReadTransaction txn = TRY(db.begin_read());
  const Keyspace keyspace = TRY(find_keyspace(txn, arguments));
  const std::optional<std::string_view> path = arguments.value("--file");
  if (console.json() && !path) return get_as_json(txn, keyspace, key, encoding, console);

  ValueReader reader = TRY(txn.open_value(keyspace, key));
  if (path) return get_to_file(reader, key, encoding, *path, console);
  CHECK(copy_value(reader, encoding, [&](Bytes bytes) { return console.write(bytes); }));
  return arguments.has("--raw") ? Status{} : console.write("\n");
}

}  // namespace vitrine::cli
