// SPDX-License-Identifier: MIT OR Apache-2.0
// The table of metrics, and what their values warn of.
#include "vitrine/metrics.hpp"

#include <algorithm>
#include <array>

namespace vitrine {
namespace {

constexpr auto kCounter = MetricKind::Counter;
constexpr auto kGauge = MetricKind::Gauge;
constexpr auto kHistogram = MetricKind::Histogram;

constexpr std::array kMetrics{
    Metric{"entries", kGauge, &Stats::entries, "entries in all keyspaces, the catalog included"},
    Metric{"tree_depth", kGauge, &Stats::tree_depth, "levels of the tree"},
    Metric{"leaf_fill", kGauge, &Stats::leaf_fill, "share of a leaf that is used, estimated"},
    Metric{"pages", kGauge, &Stats::pages, "pages of the file"},
    Metric{"pages_allocated", kGauge, &Stats::pages_allocated, "pages in use"},
    Metric{"pages_held", kGauge, &Stats::pages_held, "pages that only snapshots or checkpoints still need"},
    Metric{"pages_free", kGauge, &Stats::pages_free, "pages that can be used again"},
    Metric{"largest_free_run", kGauge, &Stats::largest_free_run, "free pages in a row, as of the last checkpoint"},
    Metric{"fragmentation", kGauge, &Stats::fragmentation, "share of the free pages outside the largest run"},
    Metric{"gets", kCounter, &Stats::gets, "keys looked up"},
    Metric{"puts", kCounter, &Stats::puts, "entries put"},
    Metric{"erases", kCounter, &Stats::erases, "keys and ranges erased"},
    Metric{"scans", kCounter, &Stats::scans, "cursors placed: scans, counts and seeks"},
    Metric{"get_latency", kHistogram, &Stats::get_latency, "one lookup in 64"},
    Metric{"put_latency", kHistogram, &Stats::put_latency, "one put in 64, without its commit"},
    Metric{"erase_latency", kHistogram, &Stats::erase_latency, "one erase in 64, without its commit"},
    Metric{"scan_latency", kHistogram, &Stats::scan_latency, "placing a cursor, one in 64"},
    Metric{"cache_bytes", kGauge, &Stats::cache_bytes, "memory for pages"},
    Metric{"cache_pages", kGauge, &Stats::cache_pages, "pages in memory"},
    Metric{"cache_pages_dirty", kGauge, &Stats::cache_pages_dirty, "pages in memory that the file does not have"},
    Metric{"cache_hits", kCounter, &Stats::cache_hits, "pages found in memory; a few may go uncounted"},
    Metric{"cache_misses", kCounter, &Stats::cache_misses, "pages that had to be read"},
    Metric{"cache_evictions", kCounter, &Stats::cache_evictions, "pages that left memory for others"},
    Metric{"pages_read", kCounter, &Stats::pages_read, "pages read from the file"},
    Metric{"pages_written", kCounter, &Stats::pages_written, "pages written to the file"},
    Metric{"put_bytes", kCounter, &Stats::put_bytes, "keys and values of committed puts"},
    Metric{"written_bytes", kCounter, &Stats::written_bytes, "written to the file and the log"},
    Metric{"write_amplification", kGauge, &Stats::write_amplification, "written_bytes by put_bytes"},
    Metric{"log_bytes", kGauge, &Stats::log_bytes, "size of the log file"},
    Metric{"log_used_bytes", kGauge, &Stats::log_used_bytes, "log that cannot be used again yet"},
    Metric{"log_appended_bytes", kGauge, &Stats::log_appended_bytes, "log since the last checkpoint"},
    Metric{"log_bound_bytes", kGauge, &Stats::log_bound_bytes, "what the log may grow to"},
    Metric{"log_syncs", kCounter, &Stats::log_syncs, "syncs of the log"},
    Metric{"checkpoints", kCounter, &Stats::checkpoints, "checkpoints written"},
    Metric{"checkpoint_age_ms", kGauge, &Stats::checkpoint_age_ms, "since the last checkpoint"},
    Metric{"sync_latency", kHistogram, &Stats::sync_latency, "syncs of the log, each"},
    Metric{"checkpoint_latency", kHistogram, &Stats::checkpoint_latency, "checkpoints, each"},
    Metric{"commits", kCounter, &Stats::commits, "transactions committed"},
    Metric{"rollbacks", kCounter, &Stats::rollbacks, "write transactions rolled back"},
    Metric{"commit_seq", kGauge, &Stats::commit_seq, "number of the newest commit"},
    Metric{"durable_seq", kGauge, &Stats::durable_seq, "number of the newest commit that survives a power loss"},
    Metric{"snapshots", kGauge, &Stats::snapshots, "read transactions that are open"},
    Metric{"oldest_snapshot_seq", kGauge, &Stats::oldest_snapshot_seq, "commit that the oldest of them sees"},
    Metric{"oldest_snapshot_age_ms", kGauge, &Stats::oldest_snapshot_age_ms, "how long it has been open"},
    Metric{"writer_waits", kCounter, &Stats::writer_waits, "write transactions that had to wait for another"},
    Metric{"checkpoint_waits", kCounter, &Stats::checkpoint_waits, "commits that had to be a checkpoint"},
    Metric{"commit_latency", kHistogram, &Stats::commit_latency, "commits, each, with the sync they waited for"},
    Metric{"verified_wall_ms", kGauge, &Stats::verified_wall_ms, "when this handle was last verified, 0: never"},
    Metric{"verify_findings", kGauge, &Stats::verify_findings, "what was found then"},
    Metric{"key_age_days", kGauge, &Stats::key_age_days, "age of the oldest secret that opens the database"},
};

// Bounds of the warnings. Each is where waiting longer costs more than looking.
constexpr std::uint64_t kSnapshotAgeMs = 10ull * 60 * 1000;
constexpr std::uint64_t kCheckpointAgeMs = 60ull * 60 * 1000;
constexpr std::uint64_t kPagesMin = 1024;  // smaller files are not worth a word about space
constexpr std::uint64_t kFetchesMin = 100'000;
constexpr std::uint64_t kKeyAgeDays = 365;

class Warnings {
 public:
  Warnings(const Stats& stats, const DatabaseInfo& info) : stats_(stats), info_(info) {}

  std::vector<HealthWarning> take() && {
    warn_of_integrity();
    warn_of_log();
    warn_of_space();
    warn_of_care();
    return std::move(warnings_);
  }

 private:
  void add(bool condition, const char* code, const std::string& message, const char* advice) {
    if (condition) warnings_.push_back({code, message, advice});
  }

  void warn_of_integrity() {
    add(stats_.verify_findings > 0, "HEALTH_VERIFY_FINDINGS",
        "the last check had " + std::to_string(stats_.verify_findings) + " findings",
        "run vitrine verify; then vitrine repair for warnings, a backup or vitrine salvage for damage");
    add(info_.network_filesystem, "HEALTH_FILESYSTEM_NETWORK", "the file lies on a network file system",
        "move it to a local disk: locks and syncs may not hold");
  }

  void warn_of_log() {
    add(stats_.log_bound_bytes > 0 && stats_.log_used_bytes / 3 >= stats_.log_bound_bytes / 4, "HEALTH_LOG_FULL",
        "more than three quarters of the log are in use",
        "look for readers that hold old checkpoints; else give the log a larger bound");
    add(stats_.checkpoint_age_ms > kCheckpointAgeMs && stats_.log_appended_bytes > 0, "HEALTH_CHECKPOINT_OLD",
        "the last checkpoint is more than an hour old",
        "run vitrine checkpoint, so that the log gets short and the next opening fast");
  }

  void warn_of_space() {
    const std::uint64_t pages = std::max(stats_.pages, kPagesMin);
    add(stats_.snapshots > 0 && stats_.oldest_snapshot_age_ms > kSnapshotAgeMs, "HEALTH_SNAPSHOT_OLD",
        "a read transaction has been open for " + std::to_string(stats_.oldest_snapshot_age_ms / 60'000) +
            " minutes, and " + std::to_string(stats_.pages_held) + " pages are held",
        "end it, or read in smaller steps; until then the pages it sees cannot be used again");
    add(stats_.pages_held > pages / 4, "HEALTH_SPACE_HELD", "more than a quarter of the file is held for readers",
        "end old read transactions, and refresh or close readers in other processes");
    add(stats_.pages_free > pages / 2, "HEALTH_SPACE_FREE", "more than half of the file is free",
        "run vitrine vacuum to give it back to the system, if it is not needed soon");
    add(stats_.pages_allocated > kPagesMin && stats_.leaf_fill > 0 && stats_.leaf_fill < 0.4, "HEALTH_LEAVES_THIN",
        "leaves are less than 40 % full", "run vitrine compact");
  }

  void warn_of_care() {
    const std::uint64_t fetches = stats_.cache_hits + stats_.cache_misses;
    add(fetches > kFetchesMin && stats_.cache_evictions > 0 && stats_.cache_misses > fetches / 5, "HEALTH_CACHE_SMALL",
        "more than a fifth of the pages had to be read again", "give the database a larger cache");
    add(stats_.key_age_days > kKeyAgeDays, "HEALTH_KEY_OLD",
        "a secret is " + std::to_string(stats_.key_age_days) + " days old",
        "replace it with vitrine key; copies made before still open with the old one");
  }

  const Stats& stats_;
  const DatabaseInfo& info_;
  std::vector<HealthWarning> warnings_;
};

}  // namespace

std::span<const Metric> metrics() noexcept { return kMetrics; }

std::vector<HealthWarning> warnings_of(const Stats& stats, const DatabaseInfo& info) {
  return Warnings(stats, info).take();
}

}  // namespace vitrine
