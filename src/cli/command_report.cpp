// SPDX-License-Identifier: MIT OR Apache-2.0
// `stats`, `info`: what a database tells about itself.
#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"

namespace vitrine::cli {
namespace {

Record record_of(const Stats& stats) {
  Record record;
  record.add("entries", stats.entries).add("tree_depth", std::uint64_t{stats.tree_depth});
  record.add("pages", stats.pages).add("pages_allocated", stats.pages_allocated);
  record.add("pages_held", stats.pages_held).add("pages_free", stats.pages_free);
  record.add("cache_bytes", stats.cache_bytes).add("cache_pages", stats.cache_pages);
  record.add("cache_pages_dirty", stats.cache_pages_dirty).add("cache_hits", stats.cache_hits);
  record.add("cache_misses", stats.cache_misses).add("cache_evictions", stats.cache_evictions);
  record.add("pages_read", stats.pages_read).add("pages_written", stats.pages_written);
  record.add("log_bytes", stats.log_bytes).add("log_used_bytes", stats.log_used_bytes);
  record.add("log_appended_bytes", stats.log_appended_bytes).add("log_syncs", stats.log_syncs);
  record.add("checkpoints", stats.checkpoints).add("checkpoint_age_ms", stats.checkpoint_age_ms);
  record.add("commits", stats.commits).add("rollbacks", stats.rollbacks);
  record.add("commit_seq", stats.commit_seq).add("durable_seq", stats.durable_seq);
  record.add("snapshots", stats.snapshots).add("oldest_snapshot_seq", stats.oldest_snapshot_seq);
  record.add("oldest_snapshot_age_ms", stats.oldest_snapshot_age_ms);
  record.add("writer_waits", stats.writer_waits).add("checkpoint_waits", stats.checkpoint_waits);
  return record;
}

Record record_of(const DatabaseInfo& info) {
  Record record;
  record.add("path", info.path).add("file_id", info.file_id);
  record.add("format_version", std::uint64_t{info.format_version}).add("page_size", std::uint64_t{info.page_size});
  record.add("page_count", info.page_count).add("file_bytes", info.file_bytes).add("log_bytes", info.log_bytes);
  record.add("checkpoint", info.checkpoint).add("checkpoint_wall_ms", info.checkpoint_wall_ms);
  record.add("open_count", info.open_count).add("commit_seq", info.commit_seq).add("was_clean", info.was_clean);
  record.add("cipher", info.cipher);
  record.add("read_only", info.read_only).add("key_size_max", std::uint64_t{info.key_size_max});
  record.add("filesystem", info.filesystem).add("network_filesystem", info.network_filesystem);
  return record;
}

}  // namespace

Status run_stats(const Arguments& arguments, Console& console) {
  const Database db = TRY(open_database(arguments, Access::ReadOnly));
  return console.print(record_of(TRY(db.stats())));
}

Status run_info(const Arguments& arguments, Console& console) {
  const Database db = TRY(open_database(arguments, Access::ReadOnly));
  const DatabaseInfo info = TRY(db.info());
  CHECK(console.print(record_of(info)));
  if (info.network_filesystem) console.warn("the file lies on a network file system; locks and syncs may not hold");
  return {};
}

}  // namespace vitrine::cli
