// SPDX-License-Identifier: MIT OR Apache-2.0
// `encrypt`, `decrypt`: the whole file written anew in its own place.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/secrets.hpp"

namespace vitrine::cli {
namespace {

constexpr std::string_view kOldBlocks =
    "the disk, and copies of the file made before now, may still hold the old content";

}  // namespace

Status run_encrypt(const Arguments& arguments, Console& console) {
  const Secret secret = TRY(first_secret(arguments));
  Database db = TRY(open_database_as(arguments, OpenMode::MustExist, Secret()));
  if (!TRY(db.info()).cipher.empty()) return usage_error("the database is encrypted; key rotate gives it new keys");
  ProgressBar bar("encrypt", console.progress());
  const TransferReport report = TRY(db.encrypt(secret, cipher_argument(arguments), progress_function(bar)));
  bar.finish();
  return console.print(Record{}.add("entries", report.entries).add("note", kOldBlocks));
}

Status run_decrypt(const Arguments& arguments, Console& console) {
  Database db = TRY(open_database(arguments, Access::ReadWrite));
  if (TRY(db.info()).cipher.empty()) return usage_error("the database is not encrypted");
  ProgressBar bar("decrypt", console.progress());
  const TransferReport report = TRY(db.decrypt(progress_function(bar)));
  bar.finish();
  return console.print(Record{}.add("entries", report.entries));
}

}  // namespace vitrine::cli
