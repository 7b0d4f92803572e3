// SPDX-License-Identifier: MIT OR Apache-2.0
// Turns arguments into what the public interface takes. No command parses an option of these twice.
#include "cli/database_access.hpp"

#include <algorithm>
#include <limits>

#include "base/try.hpp"
#include "cli/secrets.hpp"
#include "vitrine/inspect.hpp"

namespace vitrine::cli {
namespace {

Durability durability_named(std::string_view name) noexcept {
  if (name == "none") return Durability::None;
  return name == "periodic" ? Durability::Periodic : Durability::Full;
}

Result<Options> options_of(const Arguments& arguments, Access access) {
  Options options;
  options.access = access;
  options.accept_lost_log = arguments.has("--accept-lost-log");
  options.accept_rollback = arguments.has("--accept-rollback");
  if (const auto token = arguments.value("--min-commit")) options.min_commit = TRY(CommitToken::parse(*token));
  options.anchor = arguments.value("--anchor").value_or("");
  if (const auto size = TRY(arguments.size("--cache-size"))) options.cache_size = *size;
  if (const auto size = TRY(arguments.size("--log-size"))) options.log_size_max = *size;
  if (const auto ms = TRY(arguments.duration_ms("--lock-timeout"))) {
    options.lock_timeout = std::chrono::milliseconds(*ms);
  }
  if (const auto ms = TRY(arguments.duration_ms("--sync-period"))) options.sync_period = std::chrono::milliseconds(*ms);
  if (const auto name = arguments.value("--durability")) options.durability = durability_named(*name);
  if (const auto size = TRY(arguments.size("--page-size"))) {
    // 0 would mean the default; whatever the type cannot hold is left for the engine to refuse as well.
    options.page_size =
        static_cast<std::uint32_t>(std::clamp<std::uint64_t>(*size, 1, std::numeric_limits<std::uint32_t>::max()));
  }
  return options;
}

Result<Database> open_asking(const std::string& path, OpenMode mode, Options& options) {
  Result<Database> db = Database::open(path, mode, options);
  if (db.has_value() || db.status().code() != ErrorCode::KeyRequired || !can_ask()) return db;
  options.secret = TRY(ask_passphrase("Passphrase: "));
  return Database::open(path, OpenMode::MustExist, options);
}

}  // namespace

Result<Database> open_database_at(const Arguments& arguments, const std::string& path, Access access) {
  Options options = TRY(options_of(arguments, access));
  return open_asking(path, OpenMode::MustExist, options);
}

Result<Options> open_options(const Arguments& arguments, Access access) {
  Options options = TRY(options_of(arguments, access));
  options.secret = TRY(secret_argument(arguments));
  return options;
}

Result<Database> open_with(const Arguments& arguments, OpenMode mode, Options& options) {
  return open_asking(arguments.database(), mode, options);
}

Result<Database> open_database(const Arguments& arguments, Access access) {
  Options options = TRY(open_options(arguments, access));
  return open_with(arguments, OpenMode::MustExist, options);
}

Result<Database> open_database_as(const Arguments& arguments, OpenMode mode) {
  return open_database_as(arguments, mode, TRY(secret_argument(arguments)));
}

Result<Database> open_database_as(const Arguments& arguments, OpenMode mode, Secret secret) {
  Options options = TRY(options_of(arguments, Access::ReadWrite));
  options.secret = std::move(secret);
  return open_with(arguments, mode, options);
}

Result<Database> open_database_with(const Arguments& arguments, Secret& used) {
  Options options = TRY(open_options(arguments, Access::ReadWrite));
  Result<Database> db = open_with(arguments, OpenMode::MustExist, options);
  used = options.secret;
  return db;
}

Cipher cipher_argument(const Arguments& arguments) {
  const auto cipher = arguments.value("--cipher");
  if (!cipher) return Cipher::Automatic;
  return *cipher == "aes-256-gcm" ? Cipher::Aes256Gcm : Cipher::ChaCha20Poly1305;
}

Result<Database> create_database(const Arguments& arguments) {
  Options options = TRY(options_of(arguments, Access::ReadWrite));
  if (arguments.has("--encrypt")) {
    options.secret = TRY(first_secret(arguments));
  } else if (TRY(secret_argument(arguments)) || arguments.has("--cipher")) {
    return usage_error("init takes a secret and a cipher with --encrypt only");
  }
  options.cipher = cipher_argument(arguments);
  return Database::open(arguments.database(), OpenMode::CreateNew, options);
}

Result<Options> secret_options(const Arguments& arguments) {
  Options options;
  options.secret = TRY(secret_argument(arguments));
  return options;
}

Status ask_to_look(const std::string& path, Options& options) {
  if (options.secret || !can_ask()) return {};
  const inspect::Value header = TRY(inspect::look(path, {}));
  const inspect::Value* const chosen = header.find("chosen");
  if (chosen->is_null() || !*chosen->find("encrypted")->truth()) return {};
  Result<Secret> typed = ask_passphrase("Passphrase (Enter alone: look from outside): ");
  if (!typed.has_value()) return typed.status().code() == ErrorCode::SecretInvalid ? Status{} : typed.status();
  options.secret = *std::move(typed);
  return {};
}

Result<Encoding> encoding_of(const Arguments& arguments) {
  CHECK(arguments.at_most_one_of({"--hex", "--base64"}));
  if (arguments.has("--hex")) return Encoding::Hex;
  return arguments.has("--base64") ? Encoding::Base64 : Encoding::Text;
}

Result<std::string> decoded_argument(std::string_view text, Encoding encoding) {
  if (encoding == Encoding::Text) return std::string(text);
  return decoded(text, encoding);
}

Result<std::string> key_argument(const Arguments& arguments, Encoding encoding) {
  const std::optional<std::string_view> key = arguments.positional("KEY");
  if (!key) return usage_error(std::string(arguments.command().name).append(" needs KEY"));
  return decoded_argument(*key, encoding);
}

Result<Keyspace> find_keyspace(const Transaction& txn, const Arguments& arguments) {
  const std::optional<std::string_view> name = arguments.value("--keyspace");
  if (!name) return Keyspace{};
  return txn.keyspace(*name);
}

Result<Keyspace> ensure_keyspace(WriteTransaction& txn, const Arguments& arguments) {
  const std::optional<std::string_view> name = arguments.value("--keyspace");
  if (!name) return Keyspace{};
  return txn.ensure_keyspace(*name);
}

KeyBounds prefix_bounds(std::string prefix) {
  KeyBounds bounds{prefix, std::nullopt};
  // The first key behind all that start with the prefix: its last byte that can grow, grown.
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) {
    prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
    bounds.to = std::move(prefix);
  }
  return bounds;
}

Result<KeyBounds> key_bounds(const Arguments& arguments, Encoding encoding) {
  KeyBounds bounds;
  if (const auto prefix = arguments.value("--prefix")) {
    bounds = prefix_bounds(TRY(decoded_argument(*prefix, encoding)));
  }
  if (const auto text = arguments.value("--from")) {
    bounds.from = std::max(bounds.from, TRY(decoded_argument(*text, encoding)));
  }
  if (const auto text = arguments.value("--to")) {
    std::string to = TRY(decoded_argument(*text, encoding));
    if (!bounds.to || to < *bounds.to) bounds.to = std::move(to);
  }
  return bounds;
}

Status commit_status(const Commit& commit) {
  if (commit.is_applied()) return {};
  if (commit.status.is_ok()) return Status::error(ErrorCode::InternalBug, "a commit failed without a reason");
  return commit.status;
}

std::string_view outcome_name(CommitOutcome outcome) noexcept {
  switch (outcome) {
    case CommitOutcome::NotCommitted:
      return "not_committed";
    case CommitOutcome::Committed:
      return "committed";
    case CommitOutcome::Pending:
      return "pending";
    case CommitOutcome::Unknown:
      break;
  }
  return "unknown";
}

Record& add_commit(Record& record, const Commit& commit) {
  record.add("seq", commit.seq).add("outcome", outcome_name(commit.outcome));
  return record.add("token", commit.token().to_string());
}

Status cancelled() { return Status::error(ErrorCode::Cancelled); }

}  // namespace vitrine::cli
