// SPDX-License-Identifier: MIT OR Apache-2.0
// What a database tells about itself: plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vitrine/freshness.hpp"
#include "vitrine/status.hpp"

namespace vitrine {

struct DatabaseInfo {
  std::string path;
  std::string file_id;  // 32 hexadecimal digits
  std::uint32_t format_version = 0;
  std::uint32_t page_size = 0;
  std::uint64_t page_count = 0;
  std::uint64_t file_bytes = 0;
  std::uint64_t log_bytes = 0;  // size of the log file, 0 when there is none
  std::uint64_t checkpoint = 0;
  std::uint64_t checkpoint_wall_ms = 0;
  std::uint64_t open_count = 0;
  std::uint64_t commit_seq = 0;
  std::string commit_token;  // of that commit
  bool was_clean = false;    // the last writer closed in order
  bool read_only = false;
  std::string cipher;               // empty: not encrypted
  std::uint32_t unlocked_slot = 0;  // the key slot that the secret opened
  std::uint32_t key_epoch = 0;      // how many master keys there were; 0: not encrypted
  bool rotating = false;            // a rotation of keys has begun and not ended
  std::uint32_t key_size_max = 0;
  std::string filesystem;
  bool network_filesystem = false;
};

// How long calls took, in buckets that are an eighth of a power of two wide, so that a bound is at most 12.5 % off.
struct Latencies {
  struct Bucket {
    std::uint64_t below_ns = 0;  // longer than the bucket before, shorter than this
    std::uint64_t count = 0;
  };
  std::uint64_t count = 0, sum_ns = 0, max_ns = 0;  // of the calls that were measured
  std::vector<Bucket> buckets;                      // shortest first, those with a count of 0 left out

  // What `share` (0 to 1) of the calls stayed below; 0 when none was measured.
  std::uint64_t below_ns(double share) const noexcept;
  // How many took less than `bound_ns`, which is best a power of two: bounds between those of buckets are rounded.
  std::uint64_t count_below(std::uint64_t bound_ns) const noexcept;
};

// Counters begin at zero when the handle is opened; docs/METRICS.md has one row for each member. A handle that only
// reads counts its own reads, and sees of a writer in another process what the two files and the locks show.
struct Stats {
  // Content
  std::uint64_t entries = 0;     // in all keyspaces, the catalog included
  std::uint32_t tree_depth = 0;  // levels; 0: empty
  double leaf_fill = 0;          // share of a leaf that is used, estimated from 32 leaves; 0: not known
  // Space, in pages
  std::uint64_t pages = 0, pages_allocated = 0, pages_held = 0, pages_free = 0;
  std::uint64_t largest_free_run = 0;  // pages in a row, as of the last checkpoint
  double fragmentation = 0;            // share of the free pages outside that run
  // Operations: calls on transactions and cursors of this handle. One in 64 is measured.
  std::uint64_t gets = 0, puts = 0, erases = 0, scans = 0;
  Latencies get_latency, put_latency, erase_latency, scan_latency;
  // Cache
  std::uint64_t cache_bytes = 0, cache_pages = 0, cache_pages_dirty = 0;
  std::uint64_t cache_hits = 0, cache_misses = 0, cache_evictions = 0;
  std::uint64_t pages_read = 0, pages_written = 0;
  std::uint64_t put_bytes = 0;      // keys and values of committed puts
  std::uint64_t written_bytes = 0;  // to the file and the log
  double write_amplification = 0;   // the second by the first
  // Log and checkpoints
  std::uint64_t log_bytes = 0, log_used_bytes = 0, log_appended_bytes = 0, log_bound_bytes = 0, log_syncs = 0;
  std::uint64_t checkpoints = 0, checkpoint_age_ms = 0;
  Latencies sync_latency, checkpoint_latency;
  // Transactions
  std::uint64_t commits = 0, rollbacks = 0;
  std::uint64_t commit_seq = 0, durable_seq = 0;  // newest commit; newest that survives a power loss
  std::uint64_t snapshots = 0, oldest_snapshot_seq = 0, oldest_snapshot_age_ms = 0;
  std::uint64_t writer_waits = 0, checkpoint_waits = 0;
  Latencies commit_latency;  // from the call to the answer, the sync included
  // Care
  std::uint64_t verified_wall_ms = 0;  // when this handle was last verified; 0: never
  std::uint64_t verify_findings = 0;   // then
  std::uint64_t key_age_days = 0;      // of the oldest secret that opens the database; 0 also without encryption
};

// Something that an administrator should know, and what to do about it. Codes are stable (docs/METRICS.md).
struct HealthWarning {
  std::string code;
  std::string message;
  std::string advice;
};

enum class VerifyLevel : std::uint8_t {
  Quick,  // header, log, free-space map
  Full,   // and every page: checksum, identity, order, reachability, owned exactly once, no leak
  Deep,   // and what the layers above can say of their entries
};

enum class FindingSeverity : std::uint8_t {
  Damage,      // content is lost or wrong
  Warning,     // nothing is lost: a bad copy of the header, a leaked page
  Incomplete,  // something could not be looked at
};

struct Finding {
  FindingSeverity severity = FindingSeverity::Damage;
  std::string code;        // an error name of error_codes.def, or "PAGE_CHECK_LEAKED", "PAGE_CHECK_ORDER", ...
  std::uint64_t page = 0;  // 0: not about one page, or the first one, which holds header blocks
  std::string message;
};

// Three answers that say nothing about each other: integrity (findings), completeness (is_complete), freshness.
struct VerifyReport {
  std::vector<Finding> findings;
  std::uint64_t pages_checked = 0;
  std::uint64_t entries = 0;
  std::uint64_t log_transactions = 0;  // waiting in the log for the next checkpoint
  std::uint32_t tree_depth = 0;
  bool is_complete = true;  // false: incomplete is not clean
  Freshness freshness = Freshness::Unanchored;
  std::string freshness_note;  // why it is that
  bool is_clean() const noexcept { return is_complete && findings.empty(); }
  bool has_damage() const noexcept {
    for (const Finding& finding : findings) {
      if (finding.severity == FindingSeverity::Damage) return true;
    }
    return false;
  }
};

struct CompactReport {
  std::uint64_t pages_before = 0, pages_after = 0;  // of the file
  std::uint64_t pages_moved = 0;
};

struct RotateReport {
  std::uint32_t key_epoch = 0;        // of the new keys
  bool resumed = false;               // an earlier call had begun it
  std::uint64_t pages_rewritten = 0;  // by this call
  std::uint64_t pages_wiped = 0;      // free ones, overwritten with zeros
  std::uint64_t pages_in_use = 0;     // old ones that open snapshots or readers need: overwritten when used again
};

struct TransferReport {  // export, import, backup
  std::uint64_t entries = 0;
  std::uint64_t bytes = 0;
  std::uint64_t keyspaces = 0;
  std::uint64_t snapshot_seq = 0;
};

}  // namespace vitrine
