// SPDX-License-Identifier: MIT OR Apache-2.0
// `key`: the ways to unlock an encrypted database.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/secrets.hpp"
#include "cli/values.hpp"

namespace vitrine::cli {
namespace {

std::string_view kind_name(SecretKind kind) noexcept {
  switch (kind) {
    case SecretKind::Passphrase:
      return "passphrase";
    case SecretKind::RecoveryKey:
      return "recovery-key";
    case SecretKind::KeyFile:
      return "key-file";
    case SecretKind::RawKey:
      break;
  }
  return "raw-key";
}

constexpr std::string_view kOldCopies =
    "copies of the file made before now can still be unlocked with it, and give the key of the file until key rotate";

Status list_slots(const Arguments& arguments, Console& console) {
  const Database db = TRY(open_database(arguments, Access::ReadOnly));
  std::vector<Record> rows;
  for (const KeySlotInfo& key : TRY(db.keys())) {
    rows.emplace_back().add("slot", std::uint64_t{key.slot}).add("kind", kind_name(key.kind));
    rows.back().add("added_wall_ms", key.added_wall_ms);
  }
  Record record;
  record.add("cipher", TRY(db.info()).cipher).add("keys", std::move(rows));
  return console.print(record);
}

Status add(Database& db, const Secret& secret, Console& console) {
  const std::uint32_t slot = TRY(db.add_key(secret));
  CHECK(db.close());
  Record record;
  record.add("slot", std::uint64_t{slot}).add("kind", kind_name(secret.kind()));
  return console.print(record);
}

// Shown before it counts: a recovery key that nobody has written down must not be in the file.
Status add_recovery(Database& db, Console& console) {
  const NewRecoveryKey made = TRY(Secret::make_recovery_key());
  Record shown;
  shown.add("recovery_key", made.text);
  if (can_ask()) {
    CHECK(console.print(shown));
    CHECK(ask_recovery_key_again(made));
    return add(db, made.secret, console);
  }
  const std::uint32_t slot = TRY(db.add_key(made.secret));
  CHECK(db.close());
  shown.add("slot", std::uint64_t{slot}).add("kind", kind_name(made.secret.kind()));
  return console.print(shown);
}

Status remove(Database& db, const Arguments& arguments, Console& console) {
  const std::optional<std::string_view> slot = arguments.positional("SLOT");
  if (!slot) return usage_error("key remove needs SLOT, as key list shows it");
  const std::uint64_t number = TRY(parse_number(*slot));
  CHECK(db.remove_key(static_cast<std::uint32_t>(std::min<std::uint64_t>(number, ~std::uint32_t{0}))));
  CHECK(db.close());
  Record record;
  record.add("removed_slot", number).add("note", kOldCopies);
  return console.print(record);
}

// Of the slot that was unlocked with.
Status change_passphrase(Database& db, const Arguments& arguments, Console& console) {
  const std::uint32_t slot = TRY(db.info()).unlocked_slot;
  for (const KeySlotInfo& key : TRY(db.keys())) {
    if (key.slot == slot && key.kind != SecretKind::Passphrase) {
      return usage_error("key change-passphrase must be unlocked with the passphrase that it changes");
    }
  }
  CHECK(db.replace_key(slot, TRY(new_passphrase(arguments))));
  CHECK(db.close());
  Record record;
  record.add("changed_slot", std::uint64_t{slot}).add("note", kOldCopies);
  return console.print(record);
}

// Only the secret that is known can be given a slot under the new master key. What an earlier call began has let the
// others go already.
Status rotate(const Arguments& arguments, Console& console) {
  Secret secret;
  Database db = TRY(open_database_with(arguments, secret));
  const std::uint64_t others = TRY(db.info()).rotating ? 0 : TRY(db.keys()).size() - 1;
  if (others > 0 && !arguments.has("--drop-other-keys")) {
    return usage_error("key rotate can keep only the key it was unlocked with; --drop-other-keys lets the others go");
  }
  ProgressBar bar("rotate", console.progress());
  const RotateReport report = TRY(db.rotate_keys(secret, progress_function(bar)));
  bar.finish();
  CHECK(db.close());
  Record record;
  record.add("key_epoch", std::uint64_t{report.key_epoch}).add("resumed", report.resumed);
  record.add("dropped_keys", others).add("pages_rewritten", report.pages_rewritten);
  record.add("pages_wiped", report.pages_wiped).add("pages_in_use", report.pages_in_use);
  return console.print(record);
}

}  // namespace

Status run_key(const Arguments& arguments, Console& console) {
  const std::string_view action = arguments.positional("ACTION").value_or("");
  if (action == "list") return list_slots(arguments, console);
  if (action == "rotate") return rotate(arguments, console);
  const bool is_known = action == "add-passphrase" || action == "add-recovery" || action == "add-keyfile" ||
                        action == "remove" || action == "change-passphrase";
  if (!is_known) {
    return usage_error(
        "ACTION is list, add-passphrase, add-recovery, add-keyfile, remove, change-passphrase or rotate");
  }
  Database db = TRY(open_database(arguments, Access::ReadWrite));
  if (action == "add-passphrase") return add(db, TRY(new_passphrase(arguments)), console);
  if (action == "add-recovery") return add_recovery(db, console);
  if (action == "add-keyfile") return add(db, TRY(new_key_file(arguments)), console);
  if (action == "remove") return remove(db, arguments, console);
  return change_passphrase(db, arguments, console);
}

}  // namespace vitrine::cli
