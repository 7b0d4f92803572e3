// SPDX-License-Identifier: MIT OR Apache-2.0
// One open database: joins pages, tree, log and versions into a store of ordered bytes with snapshots and durable
// commits. Knows opening, commits, checkpoints, recovery; must not know keyspaces or what a value means.
//
// A checkpoint, step by step, and what a crash in it leaves behind
//   C1  Under the latch: freeze the space map, fix version and log position.        Old header, old tree: untouched.
//   C2  Write every dirty page of the version.                                      New pages lie where the old map
//   C3  Write the map pages.                                                        says "free": unreachable.
//   C4  Sync the file; sync the log up to the position.                             The same, durable.
//   C5  Write the header into the older slot, both copies; sync.                    One slot is whole: either state is
//                                                                                   complete, and the log still reaches
//                                                                                   back to the older one.
//   C6  Unpin the previous checkpoint: its pages and log segments may be reused.
//
// Lock order: rotation_mutex_, latch (writer queue), checkpoint_mutex_, then the short mutexes inside the layers below.
// Failure: the first failed write or sync of a file poisons the engine: every later write answers Poisoned.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/histogram.hpp"
#include "engine/anchor.hpp"
#include "engine/file_keys.hpp"
#include "format/log_seal.hpp"
#include "format/meta.hpp"
#include "os/env.hpp"
#include "os/fork_guard.hpp"
#include "os/worker.hpp"
#include "pool/pool.hpp"
#include "space/space_map.hpp"
#include "tree/tree.hpp"
#include "txn/versions.hpp"
#include "txn/writer_queue.hpp"
#include "vitrine/options.hpp"
#include "vitrine/report.hpp"
#include "wal/log.hpp"
#include "wal/scan.hpp"

namespace vitrine::engine {

using format::Lsn;
using format::Meta;
using format::PageNo;
using format::PageRef;
using format::Version;
using txn::State;

// Bytes of the database file that only locks touch; far behind every page.
inline constexpr std::uint64_t kLockWriter = std::uint64_t{1} << 62;
inline constexpr std::uint64_t kCheckpointLocks = std::uint64_t{1} << 20;
inline constexpr std::uint64_t lock_of_checkpoint(std::uint64_t checkpoint) noexcept {
  return kLockWriter + 1 + checkpoint % kCheckpointLocks;
}

// Bytes the layer above may put before a key of the largest size.
inline constexpr std::size_t kKeyspacePrefixMax = 8;

enum class Backing : std::uint8_t {
  File,    // file and log
  Memory,  // pages only: nothing outlives the engine
};

class Checker;
class DraftFile;
class WriteSession;

class Engine : public std::enable_shared_from_this<Engine> {
 public:
  // Makes an empty database file at `path`; FileExists when the name is taken. All or nothing, also across a crash.
  // Encrypted if the options have a secret. As the beginning of a copy of `original` it has its history up to
  // `commit_seq`, and its keys if they are given.
  struct Origin {
    std::optional<Meta> original;
    FileKeys keys;  // of the original; none: the copy has keys of its own, or is not encrypted
    std::uint64_t commit_seq = 0;
    std::uint32_t key_epoch = 1;  // of new keys
  };
  static Status create(os::Env& env, const std::string& path, const Options& options, const Origin& origin);
  static Status create(os::Env& env, const std::string& path, const Options& options) {
    return create(env, path, options, Origin{});
  }
  // `keys`: of a file with the same master key, in place of a secret.
  static Result<std::shared_ptr<Engine>> open(os::Env& env, const std::string& path, const Options& options,
                                              Backing backing = Backing::File, const FileKeys& keys = {});
  ~Engine();

  // Writes a clean checkpoint and removes the log. Afterwards nothing works but destruction.
  Status close();
  // Closes, and puts a copy that is encrypted under new keys, with `secret` as the only one, or not encrypted without
  // `secret`, in the place of the file. A crash leaves the old file or the new one, and an error the old one, closed.
  // Errors: FileLocked (another process reads the file), ReadOnly, those of copying.
  Result<TransferReport> rewrite(const Secret& secret, Cipher cipher, const ProgressFunction& progress);

  // --- Reading
  // Misuse when closed or in a child after fork.
  Status check_usable() const;
  State pin_snapshot();
  const txn::Versions& versions() const noexcept { return *versions_; }
  void unpin_snapshot(const State& state) { versions_->unpin(state.version); }
  // The published state for one look-up; an empty visit when one must pin.
  pool::Visits::Visit visit(State& state) const noexcept { return versions_->visit(state); }
  pool::Pool& pool() noexcept { return *pool_; }

  // --- Writing. The session holds the latch until it ends.
  Result<std::unique_ptr<WriteSession>> begin_write(std::optional<std::chrono::milliseconds> wait);

  Status sync();
  Status checkpoint();
  Result<CompactReport> compact(const ProgressFunction& progress);
  Result<CompactReport> vacuum(const ProgressFunction& progress);

  // A read-only engine beside a living writer: takes in what the log has now. A new engine must be opened instead when
  // a newer checkpoint is there (nothing is changed then).
  enum class Catchup : std::uint8_t { UpToDate, Advanced, Reopen };
  Result<Catchup> catch_up();

  // The keys of an encrypted database; none when it is not.
  FileKeys keys() const {
    std::lock_guard lock(meta_mutex_);
    return keys_;
  }
  // The same with the key table that goes with them, as a copy of the content has it: without keys of before.
  struct KeysForCopy {
    FileKeys keys;
    crypto::KeyTable table;
  };
  KeysForCopy keys_for_copy() const {
    std::lock_guard lock(meta_mutex_);
    KeysForCopy copy{keys_, meta_.keys};
    crypto::drop_previous(copy.table);
    return copy;
  }
  std::vector<KeySlotInfo> key_slots() const { return meta().keys.list(); }
  // Changes the key table. Durable in both header slots when it returns ok. Errors: NotEncrypted, ReadOnly, Misuse,
  // those of `change`, write errors.
  Status change_keys(const std::function<Status(crypto::KeyTable& table, const crypto::MasterKey& master)>& change);

  // Every page anew under a new master key, which `secret` alone opens, while readers and writers go on; what they
  // write is written under it from its beginning on. One that was stopped goes on; it must have begun with `secret`.
  // Errors: NotEncrypted, ReadOnly, Misuse (another thread rotates), SecretInvalid, KeyMismatch (one to another secret
  // was stopped), Cancelled, write errors.
  Result<RotateReport> rotate(const Secret& secret, const ProgressFunction& progress);

  // A copy of one snapshot at `path` of `to`, which must not exist. All or nothing. Encrypted as this database is,
  // unless `as_plaintext`.
  Result<TransferReport> backup(os::Env& to, const std::string& path, const ProgressFunction& progress,
                                bool as_plaintext);

  Result<VerifyReport> verify(VerifyLevel level, const ProgressFunction& progress);
  // Skipped: nothing of what is allocated, held and free, which a read-only engine reads the whole map for.
  enum class SpaceStats : bool { Skipped, Counted };
  Result<Stats> stats(SpaceStats space = SpaceStats::Counted);
  Result<DatabaseInfo> info();

  os::Env& env() noexcept { return env_; }
  const std::string& path() const noexcept { return path_; }
  const Options& options() const noexcept { return options_; }
  bool is_read_only() const noexcept { return options_.access == Access::ReadOnly; }
  std::uint32_t page_size() const noexcept { return page_size_; }
  std::size_t key_size_max() const noexcept { return tree::tree_key_max(page_size_); }
  // Ok, or Poisoned with the cause.
  Status failure() const;
  // Misuse in a child after fork.
  Status check_process() const;
  // Refuses every later write: memory ended where it must not, and what is in memory cannot be trusted to be whole.
  void poison(const Status& cause) { store_->poison(cause); }

 private:
  friend class WriteSession;

  struct CheckpointPlan {
    Meta meta;  // of the checkpoint, its number not yet set
    space::FrozenMap map;
    std::vector<tree::RetiredPages> retired;
    State state;
    Lsn log_end = 0;              // last frame to be durable first
    bool header_touched = false;  // C5 began
  };
  struct Retained {  // a checkpoint whose pages and log must stay
    std::uint64_t checkpoint = 0;
    Version version = 0;
    Lsn log_position = 0;
  };
  enum class Ending : std::uint8_t { GoOn, Clean };

  Engine(os::Env& env, std::string path, const Options& options, Backing backing);

  // open.cpp: from the file to a tree
  Status open_all();
  Status open_files();
  Status take_writer_lock();
  Status find_keys(std::span<const std::byte> area);
  Status make_codecs();
  Status lock_checkpoint_for_reading();
  Result<Meta> read_meta();
  bool was_overtaken(const Status& status);
  Status check_length(std::uint64_t size) const;
  Status load_pages();
  Status open_for_writing();
  Status open_for_reading();
  Status heal_header();
  Status write_session_header();
  Status write_next_header(Meta meta) { return write_next_header(std::move(meta), keys_); }
  Status write_next_header(Meta meta, const FileKeys& keys);
  Status close_writer(DraftFile* successor = nullptr);
  Status still_has_its_name();
  Result<TransferReport> copy_snapshot(os::Env& to, const std::string& name, Options options, const Origin& origin,
                                       const ProgressFunction& progress);

  // freshness.cpp
  Status read_anchor();
  Status check_freshness();
  static Status check_new_file_is_expected(os::Env& env, const std::string& path, const Options& options);
  CommitToken token_of(std::uint64_t commit_seq) const;
  std::uint64_t durable_seq() const;
  Status open_anchor();
  Status move_anchor();
  Result<bool> is_writer_ahead();

  // older_readers.cpp
  Result<std::vector<std::uint64_t>> older_checkpoints_in_use();
  Status keep_pages_of_older_readers();

  // recovery.cpp: from the log to the present
  Result<wal::ScanResult> replay(os::File& log, wal::LogPosition from);
  Status apply(std::uint64_t commit_seq, Bytes payload);
  Status apply_operation(const format::Operation& operation);
  Status recover_log();
  Status start_fresh_log();
  Status check_leftover_log();
  Status check_not_ahead(Lsn durable) const;
  Status check_for_newer_log();
  Status append_open_frame();
  Status replay_for_reading();
  Status check_missed_commit();
  std::uint64_t log_owner_id();
  std::string log_path() const { return path_ + "-wal"; }
  wal::LogOptions log_options() const;

  // checkpoint.cpp
  Result<CheckpointPlan> plan_checkpoint(const State& state);  // C1, under latch and checkpoint_mutex_
  Status run_checkpoint(CheckpointPlan& plan, Ending ending);  // C2 to C5
  void adopt_checkpoint(const CheckpointPlan& plan);           // C6
  Status write_map(space::FrozenMap& map);
  Status write_meta(const Meta& meta) { return write_meta(meta, keys_); }
  Status write_meta(const Meta& meta, const FileKeys& keys);
  void set_meta(const Meta& meta) {
    std::lock_guard lock(meta_mutex_);
    meta_ = meta;
  }
  Meta meta() const {  // without waiting for a checkpoint that runs
    std::lock_guard lock(meta_mutex_);
    return meta_;
  }
  Result<CheckpointPlan> begin_checkpoint(Ending ending);
  Status checkpoint_with_latch(std::unique_lock<std::mutex> checkpoint_lock, Ending ending);
  Status checkpoint_in_place();  // under latch and checkpoint_mutex_
  Status finish_checkpoint(CheckpointPlan& plan, Ending ending);
  void let_go_of_old_checkpoints();
  bool checkpoint_is_due() const;
  void after_commit(Durability durability);
  void sync_log();
  std::chrono::milliseconds maintain();  // the worker's turn
  std::chrono::milliseconds maintain_once();

  // reorganize.cpp
  Status walk_tree(const std::function<Result<tree::TreeWriter::MoveStep>(tree::TreeWriter&, Bytes)>& step,
                   std::uint64_t& moved, const ProgressFunction& progress);
  Status shorten_file();

  // rotate.cpp
  Status begin_rotation(const Secret& secret);
  Status enter_next_epoch(const Meta& planned, const FileKeys& next, const crypto::Salt& page_salt,
                          const std::shared_ptr<const format::LogSeal>& log_seal);
  Result<std::uint64_t> renew_pages(const ProgressFunction& progress);
  Result<std::uint64_t> wipe_free_pages(const ProgressFunction& progress);
  Result<PageNo> wipe_some(PageNo from, PageNo end, std::uint64_t& wiped);
  Status end_rotation();

  // report.cpp
  void note_free_shape(const space::SpaceMap& map) {
    const space::SpaceMap::FreeShape shape = map.free_shape();
    std::lock_guard lock(meta_mutex_);
    free_shape_ = shape;
  }
  Status add_tree_stats(Stats& stats);
  void add_space_stats(Stats& stats, const Meta& checkpoint);
  void add_cache_stats(Stats& stats) const;
  void add_log_stats(Stats& stats, const Meta& checkpoint);
  void add_transaction_stats(Stats& stats) const;
  struct SettledHeader {
    std::vector<std::byte> area;
    FileKeys keys;  // of that moment
  };
  Result<SettledHeader> settled_header();
  Status check_header(Checker& checker);
  Result<std::uint64_t> check_log(Checker& checker, const Meta& meta);

  // Waits for the latch. Misuse when this thread is the one that holds it, since nobody would ever let go.
  Status take_latch();

  // growth
  Status grow_file(std::uint64_t page_count);
  void drain_released();  // under the latch
  void recycle_log();     // under the latch

  os::Env& env_;
  const std::string path_;
  Options options_;
  const Backing backing_;
  os::ForkGuard fork_guard_;

  std::unique_ptr<os::File> file_;
  FileKeys keys_;  // may be of another file until the header was read; then changed as meta_ is
  std::shared_ptr<const format::LogSeal> log_seal_;  // null: not encrypted
  std::unique_ptr<format::PageCodec> codec_;
  format::SealedPageCodec* sealed_codec_ = nullptr;  // the same, when encrypted
  std::unique_ptr<pool::PageStore> store_;
  std::unique_ptr<pool::Pool> pool_;
  std::unique_ptr<space::SpaceMap> space_;
  std::unique_ptr<tree::Workspace> workspace_;
  std::unique_ptr<tree::TreeWriter> tree_;
  std::unique_ptr<txn::Versions> versions_;
  std::unique_ptr<wal::Log> log_;

  txn::WriterQueue latch_;
  std::atomic<std::thread::id> writing_thread_{};  // used the write session last; none: there is no session
  std::mutex checkpoint_mutex_;
  std::mutex rotation_mutex_;  // before the latch

  std::uint32_t page_size_ = 0;
  Meta meta_;  // of the newest checkpoint; changed under both mutexes by set_meta(), so either
               // is enough to read it
  mutable std::mutex meta_mutex_;
  std::vector<Retained> retained_;  // newest last; under checkpoint_mutex_
  std::uint64_t file_pages_ = 0;    // pages with real space behind them; under the latch
  bool must_checkpoint_ = false;    // the next checkpoint has something new beside commits; under the latch
  bool use_reserve_ = false;        // erasing and checkpoints may; under the latch
  std::atomic<Lsn> log_end_{0};     // end of the last appended frame
  std::atomic<Lsn> log_keep_from_{0};
  Lsn recycled_to_ = 0;  // what the log was told of it; under the latch
  std::atomic<Lsn> sealed_{0};
  std::atomic<std::uint64_t> last_commit_ns_{0};
  std::atomic<std::uint64_t> last_sync_ns_{0};
  std::atomic<bool> unsynced_{false};       // something was written out and not synced
  std::atomic<bool> periodic_used_{false};  // a commit asked for the timer
  std::atomic<bool> closed_{true};          // until the files are open
  std::optional<CommitToken> anchored_;     // what the anchor file named on opening
  Freshness freshness_ = Freshness::Unanchored;
  std::string freshness_note_ = "no commit token and no anchor file was given";
  std::mutex anchor_mutex_;         // after all others
  std::unique_ptr<Anchor> anchor_;  // of a writer; under anchor_mutex_
  Status anchor_failure_;           // under anchor_mutex_
  bool missed_commit_ = false;      // read-only: the log goes on behind a commit that only a newer checkpoint has
  bool cannot_go_on_ = false;       // read-only: memory ended half-way; the next refresh opens anew
  wal::LogPosition replayed_;       // read-only: where catch_up goes on
  std::unique_ptr<os::File> reader_log_;
  std::mutex catch_up_mutex_;

  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::uint64_t> rollbacks_{0};
  std::atomic<std::uint64_t> checkpoints_{0};
  std::atomic<std::uint64_t> checkpoint_waits_{0};
  std::atomic<std::uint64_t> put_bytes_{0};  // of committed transactions
  std::atomic<std::uint64_t> header_bytes_{0};
  std::atomic<std::uint64_t> verified_wall_ms_{0};
  std::atomic<std::uint64_t> verify_findings_{0};
  base::Histogram commit_latency_;
  base::Histogram checkpoint_latency_;
  space::SpaceMap::FreeShape free_shape_;  // under meta_mutex_
  bool was_clean_ = false;

  std::unique_ptr<os::Worker> worker_;  // last: its thread must end before the rest goes
};

}  // namespace vitrine::engine
