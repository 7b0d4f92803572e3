// SPDX-License-Identifier: MIT OR Apache-2.0
// `info`: what a database is.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"

namespace vitrine::cli {
namespace {

Record record_of(const DatabaseInfo& info) {
  Record record;
  record.add("path", info.path).add("file_id", info.file_id);
  record.add("format_version", std::uint64_t{info.format_version}).add("page_size", std::uint64_t{info.page_size});
  record.add("page_count", info.page_count).add("file_bytes", info.file_bytes).add("log_bytes", info.log_bytes);
  record.add("checkpoint", info.checkpoint).add("checkpoint_wall_ms", info.checkpoint_wall_ms);
  record.add("open_count", info.open_count).add("commit_seq", info.commit_seq).add("was_clean", info.was_clean);
  record.add("commit_token", info.commit_token).add("cipher", info.cipher);
  record.add("key_epoch", std::uint64_t{info.key_epoch}).add("rotating", info.rotating);
  record.add("read_only", info.read_only).add("key_size_max", std::uint64_t{info.key_size_max});
  record.add("filesystem", info.filesystem).add("network_filesystem", info.network_filesystem);
  return record;
}

}  // namespace

Status run_info(const Arguments& arguments, Console& console) {
  bool is_on_network = false;
  const auto info = [&]() -> Result<Console::Answer> {
    const Database db = TRY(open_database(arguments, Access::ReadOnly));
    const DatabaseInfo found = TRY(db.info());
    is_on_network = found.network_filesystem;
    return Console::Answer{record_of(found)};
  };
  CHECK(console.answer("info", info()));
  if (is_on_network) console.warn("the file lies on a network file system; locks and syncs may not hold");
  return {};
}

}  // namespace vitrine::cli
