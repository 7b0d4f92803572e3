// SPDX-License-Identifier: MIT OR Apache-2.0
// What the engine tells about itself: the integrity check, counters, facts of the file.
#include <algorithm>
#include <cstdio>
#include <vector>

#include "base/defer.hpp"
#include "base/try.hpp"
#include "engine/engine.hpp"
#include "engine/verify.hpp"

namespace vitrine::engine {

namespace {

constexpr int kHeaderLooks = 20;
constexpr std::uint64_t kHeaderLookMs = 5;
constexpr unsigned kFillSamples = 32;
constexpr std::uint64_t kDayMs = 24ull * 60 * 60 * 1000;

bool is_whole(const std::vector<std::byte>& area, const crypto::KeyRing* keys) {
  const Result<format::MetaChoice> choice = format::choose_meta(area, keys);
  bool whole = choice.has_value();
  for (unsigned block = 0; block < format::kMetaBlockCount; ++block) whole = whole && choice->is_sound(block);
  return whole;
}

}  // namespace

// The header, and not in the middle of a change: a checkpoint of our own is waited for, and beside another process that
// writes only what is seen again and again counts.
Result<Engine::SettledHeader> Engine::settled_header() {
  const std::lock_guard lock(checkpoint_mutex_);
  for (int look = 1;; ++look) {
    SettledHeader header{std::vector<std::byte>(format::kMetaAreaSize), keys()};
    header.area.resize(TRY(file_->read_at(0, header.area.data(), header.area.size())));
    if (is_whole(header.area, header.keys.ring.get()) || !is_read_only() || look == kHeaderLooks) return header;
    if (!TRY(file_->locked_by_other(kLockWriter, 1))) return header;
    env_.sleep_ms(kHeaderLookMs);
  }
}

// A copy that is damaged, or that an old content came back to, is a warning: another one was chosen.
Status Engine::check_header(Checker& checker) {
  const auto [area, keys] = TRY(settled_header());
  const Result<format::MetaChoice> choice = format::choose_meta(area, keys.ring.get());
  if (!choice.has_value() && keys.ring && has_later_keys(area, *keys.ring)) {
    checker.note(FindingSeverity::Incomplete, "HEADER_CHECK_ROTATED", 0,
                 "the keys were rotated since this handle was opened; the header cannot be checked under the old ones");
    return {};
  }
  if (!choice.has_value()) {
    checker.note(FindingSeverity::Damage, std::string(choice.status().name()), 0,
                 std::string(choice.status().message()));
    return {};
  }
  for (unsigned block = 0; block < format::kMetaBlockCount; ++block) {
    if (choice->is_sound(block)) continue;
    const std::uint64_t offset = block * format::kMetaBlockSize;
    checker.note(FindingSeverity::Warning, "HEADER_CHECK_COPY", offset / choice->meta.page_size,
                 "header slot " + std::to_string(block / 2) + " copy " + std::to_string(block % 2) + ", at byte " +
                     std::to_string(offset) + ", is " + (choice->valid[block] ? "out of date" : "damaged"));
  }
  return {};
}

Result<std::uint64_t> Engine::check_log(Checker& checker, const Meta& meta) {
  if (!reader_log_) return std::uint64_t{0};
  std::uint64_t transactions = 0;
  const wal::ScanRequest request{meta.file, {meta.log_position, meta.log_chain}, true, log_seal_.get()};
  const Result<wal::ScanResult> scan = wal::scan_log(*reader_log_, request, [&](std::uint64_t, Lsn, Bytes) -> Status {
    ++transactions;
    return {};
  });
  // Another session may have used the log again since: it is no longer that of our checkpoint.
  if (!scan.has_value() && TRY(read_meta()).open_count == meta.open_count) {
    checker.note(FindingSeverity::Damage, std::string(scan.status().name()), 0, std::string(scan.status().message()));
  }
  return transactions;
}

Result<VerifyReport> Engine::verify(VerifyLevel level, const ProgressFunction& progress) {
  CHECK(check_usable());
  Status stale;  // why the check can only look at the past
  if (!is_read_only()) stale = checkpoint();
  Meta meta;
  {
    std::lock_guard lock(checkpoint_mutex_);
    meta = meta_;
    versions_->pin_checkpoint(meta.version);
  }
  const base::Defer unpin([&] { versions_->unpin_checkpoint(meta.version); });
  Checker checker(*store_, meta, progress);
  if (!stale.is_ok()) {
    checker.note(FindingSeverity::Incomplete, std::string(stale.name()), 0,
                 "no new checkpoint could be written; this is the state of the last one");
  }
  CHECK(check_header(checker));
  const std::uint64_t log_transactions = TRY(check_log(checker, meta));
  VerifyReport report = TRY(checker.run(level));
  report.log_transactions = log_transactions;
  report.freshness = freshness_;
  report.freshness_note = freshness_note_;
  verify_findings_.store(report.findings.size());
  verified_wall_ms_.store(env_.wall_ms());
  return report;
}

Status Engine::add_tree_stats(Stats& stats) {
  const State pinned = pin_snapshot();
  const base::Defer unpin([&] { unpin_snapshot(pinned); });
  stats.tree_depth = TRY(tree::depth_of(*pool_, pinned.root));
  // Damage further down is for verify() to tell: then there is no estimate.
  const Result<double> fill = tree::estimate_leaf_fill(*pool_, pinned.root, stats.tree_depth > 1 ? kFillSamples : 1);
  if (fill.has_value()) stats.leaf_fill = *fill;
  return {};
}

// A read-only engine takes all pages for used, so it asks the map of its checkpoint, unless that is damaged.
void Engine::add_space_stats(Stats& stats, const Meta& checkpoint) {
  stats.pages = is_read_only() ? checkpoint.page_count : space_->page_count();
  stats.pages_allocated = space_->allocated_count();
  stats.pages_held = space_->held_count();
  stats.pages_free = is_read_only() ? 0 : space_->free_count();
  space::SpaceMap::FreeShape shape;
  if (!is_read_only()) {
    std::lock_guard lock(meta_mutex_);
    shape = free_shape_;
  } else {
    space::SpaceMap map(checkpoint.page_size, [](std::uint64_t) { return Status{}; });
    const Status loaded = map.load(
        checkpoint.map_root, checkpoint.page_count,
        [&](const PageRef& ref, std::byte* to) -> Status { return store_->read(ref, to, checkpoint.page_size); });
    if (!loaded.is_ok()) return;
    shape = map.free_shape();
    stats.pages_allocated = map.allocated_count();
    stats.pages_free = shape.pages;
  }
  stats.largest_free_run = shape.largest_run;
  if (shape.pages > 0) {
    stats.fragmentation = 1 - static_cast<double>(shape.largest_run) / static_cast<double>(shape.pages);
  }
}

void Engine::add_cache_stats(Stats& stats) const {
  const pool::PoolCounters pool = pool_->counters();
  stats.cache_bytes = pool.frames * page_size();
  stats.cache_pages = pool.used;
  stats.cache_pages_dirty = pool.dirty;
  stats.cache_hits = pool.hits;
  stats.cache_misses = pool.misses;
  stats.cache_evictions = pool.evictions;
  stats.pages_read = store_->pages_read();
  stats.pages_written = store_->pages_written();
  stats.put_bytes = put_bytes_.load();
  if (is_read_only()) return;  // what it writes is in a temporary file
  stats.written_bytes = stats.pages_written * page_size() + header_bytes_.load() + (log_ ? log_->written_bytes() : 0);
  if (stats.put_bytes > 0) {
    stats.write_amplification = static_cast<double>(stats.written_bytes) / static_cast<double>(stats.put_bytes);
  }
}

void Engine::add_log_stats(Stats& stats, const Meta& checkpoint) {
  if (log_) {
    stats.log_bytes = log_->file_size();
    stats.log_appended_bytes = log_end_.load() - checkpoint.log_position;
    stats.log_used_bytes = log_end_.load() - log_keep_from_.load();
    stats.log_bound_bytes = options_.log_size_max;
    stats.log_syncs = log_->syncs();
    stats.sync_latency = log_->sync_latency().read();
  } else if (reader_log_) {
    std::lock_guard lock(catch_up_mutex_);
    stats.log_appended_bytes = replayed_.lsn - checkpoint.log_position;
    stats.log_used_bytes = stats.log_appended_bytes;
    const Result<std::uint64_t> size = reader_log_->size();
    if (size.has_value()) stats.log_bytes = *size;
  }
  stats.checkpoints = checkpoints_.load();
  stats.checkpoint_latency = checkpoint_latency_.read();
  const std::uint64_t wall = env_.wall_ms();
  stats.checkpoint_age_ms = wall > checkpoint.wall_ms ? wall - checkpoint.wall_ms : 0;
}

void Engine::add_transaction_stats(Stats& stats) const {
  stats.commits = commits_.load();
  stats.rollbacks = rollbacks_.load();
  stats.commit_latency = commit_latency_.read();
  const txn::PinReport pins = versions_->report();
  stats.snapshots = pins.pins;
  stats.oldest_snapshot_seq = pins.oldest_seq;
  stats.oldest_snapshot_age_ms = pins.pins == 0 ? 0 : (env_.monotonic_ns() - pins.oldest_since_ns) / 1'000'000;
  stats.writer_waits = latch_.waits();
  stats.checkpoint_waits = checkpoint_waits_.load();
}

Result<Stats> Engine::stats(SpaceStats space) {
  CHECK(check_usable());
  Stats stats;
  const Meta checkpoint = meta();
  const State state = versions_->latest();
  stats.entries = state.root.entries;
  stats.commit_seq = state.commit_seq;
  stats.durable_seq = std::min(durable_seq(), state.commit_seq);
  CHECK(add_tree_stats(stats));
  if (space == SpaceStats::Counted) add_space_stats(stats, checkpoint);
  add_cache_stats(stats);
  add_log_stats(stats, checkpoint);
  add_transaction_stats(stats);
  stats.verified_wall_ms = verified_wall_ms_.load();
  stats.verify_findings = verify_findings_.load();
  const std::uint64_t now_ms = env_.wall_ms();
  for (const KeySlotInfo& slot : checkpoint.keys.list()) {
    const std::uint64_t age_ms = now_ms > slot.added_wall_ms ? now_ms - slot.added_wall_ms : 0;
    stats.key_age_days = std::max(stats.key_age_days, age_ms / kDayMs);
  }
  return stats;
}

Result<DatabaseInfo> Engine::info() {
  CHECK(check_usable());
  DatabaseInfo info;
  const Meta checkpoint = meta();
  info.path = path_;
  char id[33];
  std::snprintf(id, sizeof id, "%016llx%016llx", static_cast<unsigned long long>(checkpoint.file.high),
                static_cast<unsigned long long>(checkpoint.file.low));
  info.file_id = id;
  info.format_version = format::kFormatVersion;
  info.page_size = checkpoint.page_size;
  info.page_count = checkpoint.page_count;
  info.file_bytes = TRY(file_->size());
  if (reader_log_) info.log_bytes = TRY(reader_log_->size());
  if (log_) info.log_bytes = log_->file_size();
  info.checkpoint = checkpoint.checkpoint;
  info.checkpoint_wall_ms = checkpoint.wall_ms;
  info.open_count = checkpoint.open_count;
  info.commit_seq = versions_->latest().commit_seq;
  info.commit_token = checkpoint.history.token(info.commit_seq).to_string();
  info.was_clean = was_clean_;
  info.read_only = is_read_only();
  if (const FileKeys keys = this->keys(); keys.ring) {
    info.cipher = keys.ring->cipher() == Cipher::Aes256Gcm ? "AES-256-GCM" : "ChaCha20-Poly1305";
    info.unlocked_slot = static_cast<std::uint32_t>(keys.slot);
    info.key_epoch = keys.ring->epoch();
    info.rotating = checkpoint.is_rotating();
  }
  info.key_size_max = static_cast<std::uint32_t>(key_size_max() - kKeyspacePrefixMax);
  const os::FilesystemInfo filesystem = TRY(env_.filesystem_of(path_));
  info.filesystem = filesystem.type;
  info.network_filesystem = filesystem.is_network;
  return info;
}

}  // namespace vitrine::engine
