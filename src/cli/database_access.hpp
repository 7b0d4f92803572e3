// SPDX-License-Identifier: MIT OR Apache-2.0
// From arguments to an open database, a keyspace, a key and a range of keys: the parts that most commands share.
#pragma once

#include <optional>
#include <string>

#include "cli/arguments.hpp"
#include "cli/encoding.hpp"
#include "cli/record.hpp"
#include "cli/secrets.hpp"
#include "vitrine/database.hpp"

namespace vitrine::cli {

// Both ask for the passphrase of an encrypted database when no option gives a secret and somebody is there. A secret on
// standard input is read by them: call one of them once.
// What the open options say, for who opens DB more than once: open_with() keeps in them a passphrase that it asked for.
Result<Options> open_options(const Arguments& arguments, Access access);
Result<Database> open_with(const Arguments& arguments, OpenMode mode, Options& options);
// Opens DB, which must exist, with what the open options say.
Result<Database> open_database(const Arguments& arguments, Access access);
// Opens DB for writing with `mode`. A new database is encrypted if an option gives a secret.
Result<Database> open_database_as(const Arguments& arguments, OpenMode mode);
// The same with a secret that was read before, because standard input is read for something else first.
Result<Database> open_database_as(const Arguments& arguments, OpenMode mode, Secret secret);
// Opens another database than DB, with the same options but for a secret: that is asked for, or refused.
Result<Database> open_database_at(const Arguments& arguments, const std::string& path, Access access);
// The same for writing; `used` becomes the secret that opened it, an option's or a typed one.
Result<Database> open_database_with(const Arguments& arguments, Secret& used);
// --cipher, or what the processor is fast at.
Cipher cipher_argument(const Arguments& arguments);
// Makes DB, encrypted with --encrypt alone.
Result<Database> create_database(const Arguments& arguments);

// For calls that open DB themselves.
Result<Options> secret_options(const Arguments& arguments);  // of a command that has no other of them
// Runs `call(options)`; when it needs a secret and somebody can be asked for one, asks, and runs it again.
template <typename Call>
auto with_secret(Options options, Call&& call) -> decltype(call(options)) {
  auto result = call(options);
  if (result.has_value() || result.status().code() != ErrorCode::KeyRequired || !can_ask()) return result;
  Result<Secret> secret = ask_passphrase("Passphrase: ");
  if (!secret.has_value()) return secret.status();
  options.secret = *std::move(secret);
  return call(options);
}

// For what shows something of an encrypted file without its key: asks for the passphrase when no option gave a secret
// and somebody is there; Enter alone goes on without.
Status ask_to_look(const std::string& path, Options& options);

// --hex, --base64, or text. Errors: ArgumentInvalid when both are given.
Result<Encoding> encoding_of(const Arguments& arguments);

// KEY, decoded. Errors: ArgumentInvalid when it is missing or badly encoded.
Result<std::string> key_argument(const Arguments& arguments, Encoding encoding);
// A key or value given as one argument: bytes as they are in text mode, decoded otherwise.
Result<std::string> decoded_argument(std::string_view text, Encoding encoding);

// --keyspace, or "default". Errors: KeyspaceNotFound.
Result<Keyspace> find_keyspace(const Transaction& txn, const Arguments& arguments);
// The same, made if missing.
Result<Keyspace> ensure_keyspace(WriteTransaction& txn, const Arguments& arguments);

// [from, to); without `to` up to the last key.
struct KeyBounds {
  std::string from;
  std::optional<std::string> to;

  bool is_everything() const noexcept { return from.empty() && !to.has_value(); }
  bool is_empty() const noexcept { return to.has_value() && *to <= from; }
};

// What --prefix, --from and --to leave over together.
Result<KeyBounds> key_bounds(const Arguments& arguments, Encoding encoding);
KeyBounds prefix_bounds(std::string prefix);

// The status of a commit as one Status: ok only when it was applied.
Status commit_status(const Commit& commit);
std::string_view outcome_name(CommitOutcome outcome) noexcept;
// Number, outcome and token.
Record& add_commit(Record& record, const Commit& commit);

Status cancelled();

}  // namespace vitrine::cli
