// SPDX-License-Identifier: MIT OR Apache-2.0
// `put`: one entry. Its value comes from the command line, a file or standard input; a large one is streamed. Many
// entries from standard input are in put_batch.cpp.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/file_stream.hpp"
#include "cli/put_batch.hpp"
#include "cli/terminal.hpp"
#include "cli/secrets.hpp"

namespace vitrine::cli {
namespace {

constexpr std::size_t kValuePieceSize = 256 * 1024;

// Where a value comes from: `head` is its start, decoded and read before the database is opened, so that a bad file
// touches nothing and a slow pipe holds no lock for a small value. What follows comes from `rest`.
struct ValueSource {
  std::string head;
  std::optional<InputFile> rest;
  PieceDecoder decoder{Encoding::Text};
};

// The next decoded piece; empty at the end.
Result<Bytes> next_piece(ValueSource& source, std::string& buffer) {
  for (;;) {
    if (interrupt_requested()) return cancelled();
    buffer.resize(kValuePieceSize);
    const std::size_t count = TRY(source.rest->read(buffer.data(), buffer.size()));
    if (count == 0) {
      CHECK(source.decoder.finish());
      return Bytes{};
    }
    const Bytes piece = TRY(source.decoder.feed(Bytes(buffer.data(), count)));
    if (!piece.empty()) return piece;
  }
}

Result<ValueSource> open_source(const Arguments& arguments, Encoding encoding) {
  ValueSource source;
  source.decoder = PieceDecoder(encoding);
  if (const auto value = arguments.positional("VALUE")) {
    if (arguments.has("--file")) return usage_error("put takes either VALUE or --file");
    source.head = TRY(decoded_argument(*value, encoding));
    return source;
  }
  const bool is_file = arguments.has("--file");
  if (!is_file && is_terminal(Stream::Input)) {
    return usage_error("put needs VALUE, --file, or a value on standard input");
  }
  source.rest = TRY(InputFile::open(is_file ? std::string(*arguments.value("--file")) : "-"));
  std::string buffer;
  while (source.head.size() < kValuePieceSize) {
    const Bytes piece = TRY(next_piece(source, buffer));
    if (piece.empty()) {
      source.rest.reset();
      break;
    }
    source.head.append(piece);
  }
  return source;
}

// The write is the only one, so a check made in its transaction holds until the commit.
Status check_condition(const WriteTransaction& txn, Keyspace keyspace, Bytes key, const Arguments& arguments) {
  const std::optional<std::uint64_t> expected = TRY(arguments.number("--if-version"));
  if (!expected && !arguments.has("--if-absent")) return {};
  if (expected && !keyspace.versions) return Status::error(ErrorCode::Unversioned);
  Cursor cursor = txn.cursor(keyspace);
  CHECK(cursor.seek(key));
  const bool exists = cursor.is_valid() && cursor.key() == key;
  if (!expected) return exists ? Status::error(ErrorCode::KeyExists) : Status{};
  const std::uint64_t version = exists ? cursor.version() : 0;
  if (version == *expected) return {};
  return Status::error(ErrorCode::VersionDiffers).with("expected", *expected).with("version", version);
}

Status put_value(WriteTransaction& txn, Keyspace keyspace, Bytes key, ValueSource& source) {
  if (!source.rest) return txn.put(keyspace, key, source.head);
  ValueWriter writer = TRY(txn.write_value(keyspace, key));
  CHECK(writer.append(source.head));
  std::string buffer;
  for (;;) {
    const Bytes piece = TRY(next_piece(source, buffer));
    if (piece.empty()) return writer.finish();
    CHECK(writer.append(piece));
  }
}

Status put_one(const Arguments& arguments, Encoding encoding, Console& console) {
  CHECK(arguments.at_most_one_of({"--if-absent", "--if-version"}));
  const std::string key = TRY(key_argument(arguments, encoding));
  Secret secret = TRY(secret_argument(arguments));  // stands before the value on standard input
  ValueSource source = TRY(open_source(arguments, encoding));
  CHECK(arguments.number("--if-version").status());

  Database db = TRY(open_for_put(arguments, std::move(secret)));
  WriteTransaction txn = TRY(db.begin_write());
  const Keyspace keyspace = TRY(ensure_keyspace(txn, arguments));
  CHECK(check_condition(txn, keyspace, key, arguments));
  CHECK(put_value(txn, keyspace, key, source));
  const Commit commit = txn.commit();
  CHECK(commit_status(commit));
  if (arguments.has("--ack")) CHECK(acknowledge(db, commit, ack_line(key, encoding, console), console));
  CHECK(db.close());
  if (!console.json()) return {};
  Record record;
  return console.print(add_commit(record, commit));
}

}  // namespace

Status run_put(const Arguments& arguments, Console& console) {
  const Encoding encoding = TRY(encoding_of(arguments));
  if (arguments.has("--stdin")) return put_batch(arguments, encoding, console);
  if (arguments.has("--commit-every")) return usage_error("--commit-every goes with --stdin");
  return put_one(arguments, encoding, console);
}

}  // namespace vitrine::cli
