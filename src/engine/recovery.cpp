// SPDX-License-Identifier: MIT OR Apache-2.0
// From the log to the present: replay, and the log of a new session.
#include <algorithm>
#include <array>
#include <new>

#include "base/assert.hpp"
#include "base/try.hpp"
#include "engine/engine.hpp"

namespace vitrine::engine {

wal::LogOptions Engine::log_options() const {
  wal::LogOptions options;
  options.segment_size = options_.log_segment_size;
  options.size_max = options_.log_size_max;
  options.buffer_size =
      static_cast<std::size_t>(std::clamp<std::uint64_t>(options_.cache_size / 16, 64u << 10, 1u << 20));
  options.seal = log_seal_;
  return options;
}

std::uint64_t Engine::log_owner_id() {
  const Result<std::unique_ptr<os::File>> log = env_.open(log_path(), os::OpenMode::ReadOnly);
  return log.has_value() ? wal::log_owner(**log) : 0;
}

// --- Replay ----------------------------------------------------------------------------------------------------------

Status Engine::apply_operation(const format::Operation& operation) {
  const bool bad_key = operation.key.size() > key_size_max() ||
                       (operation.type != format::OperationType::EraseRange && operation.key.empty());
  if (bad_key) return Status::error(ErrorCode::LogMalformed, "a key of impossible size");
  switch (operation.type) {
    case format::OperationType::Put:
      return tree_->put(operation.key, operation.value, {});
    case format::OperationType::Erase:
      return tree_->erase(operation.key).status();
    case format::OperationType::EraseRange:
      return tree_->erase_range(operation.key, operation.value).status();
  }
  return Status::error(ErrorCode::LogMalformed, "an unknown operation");
}

// Commits are numbered without gaps, but a commit by checkpoint leaves no record. So where a number is missing, a newer
// checkpoint than ours has it: to a reader, the writer has just made one, and what we have is whole up to here (see
// check_missed_commit); to a writer, the newest header is lost.
Status Engine::apply(std::uint64_t commit_seq, Bytes payload) {
  const std::uint64_t latest = versions_->latest().commit_seq;
  if (is_read_only() && commit_seq != latest + 1) {
    if (commit_seq > latest) missed_commit_ = true;  // else: applied by a refresh that failed later
    return {};
  }
  if (commit_seq != latest + 1) {
    const bool is_old = commit_seq <= latest;
    return Status::error(is_old ? ErrorCode::LogMalformed : ErrorCode::LogHole,
                         is_old ? "commits are not in order" : "commits are missing between the header and the log")
        .with("commit", commit_seq)
        .with("expected", latest + 1);
  }
  format::OperationReader reader = TRY(format::OperationReader::open(payload));
  for (;;) {
    const std::optional<format::Operation> operation = TRY(reader.next());
    if (!operation) break;
    CHECK(apply_operation(*operation));
  }
  CHECK(workspace_->failure());
  const State state{workspace_->working(), tree_->root(), commit_seq, 0};
  versions_->add(state, workspace_->publish(), 0);
  drain_released();
  return {};
}

Result<wal::ScanResult> Engine::replay(os::File& log, wal::LogPosition from) {
  const wal::ScanRequest request{meta_.file, from, !options_.accept_lost_log, log_seal_.get()};
  Result<wal::ScanResult> scan = wal::scan_log(
      log, request, [this](std::uint64_t commit_seq, Lsn, Bytes payload) { return apply(commit_seq, payload); });
  if (!scan.has_value()) return scan.status().with("path", log_path());
  return scan;
}

// --- The log of a writing session ------------------------------------------------------------------------------------

// A log beside a cleanly closed database is left over, if it is ours. Another database's log is not ours to delete, nor
// is one whose commits the file does not have: the file is then older than the log.
Status Engine::check_leftover_log() {
  if (!TRY(env_.exists(log_path()))) return {};
  const std::unique_ptr<os::File> log = TRY(env_.open(log_path(), os::OpenMode::ReadOnly));
  const Result<Lsn> durable = wal::watermark_behind(*log, meta_.file, meta_.log_position, log_seal_.get());
  if (!durable.has_value()) {
    const bool unread = durable.status().kind() == ErrorKind::External;
    return unread ? durable.status() : Status::error(ErrorCode::LogForeign).with("path", log_path());
  }
  return check_not_ahead(*durable);
}

// REQUIRES: the database was closed in order.
Status Engine::check_not_ahead(Lsn durable) const {
  if (durable <= meta_.log_position) return {};
  return Status::error(ErrorCode::LogHole, "the log has commits of after the file was closed: the file is older")
      .with("path", log_path())
      .with("lsn", meta_.log_position)
      .with("durable", durable);
}

Status Engine::start_fresh_log() {
  CHECK(check_freshness());
  const std::uint64_t segment = options_.log_segment_size;
  const wal::LogPosition start{(meta_.log_position / segment + 1) * segment + format::kSegmentHeaderSize,
                               meta_.log_chain};
  Result<std::unique_ptr<wal::Log>> log = wal::Log::create(env_, log_path(), meta_.file, start, log_options());
  if (!log.has_value()) {
    // Whatever was made of it is not needed: the header does not name it yet.
    if (was_clean_) (void)env_.remove(log_path());
    return log.status();
  }
  log_ = std::move(*log);
  meta_.log_position = start.lsn;
  CHECK(write_session_header());
  return append_open_frame();
}

Status Engine::append_open_frame() {
  std::array<std::byte, 16> random;
  CHECK(env_.random_bytes(random));
  CHECK(log_->append_open(meta_.open_count, versions_->latest().commit_seq, random));
  log_end_.store(log_->durable(), std::memory_order_release);
  return {};
}

Status Engine::recover_log() {
  if (meta_.is_clean()) {
    if (!options_.accept_lost_log) CHECK(check_leftover_log());
    return start_fresh_log();
  }
  Result<std::unique_ptr<os::File>> file = env_.open(log_path(), os::OpenMode::ReadWrite);
  if (!file.has_value()) {
    if (file.status().code() != ErrorCode::FileNotFound) return file.status();
    if (options_.accept_lost_log) return start_fresh_log();
    return Status::error(ErrorCode::LogMissing).with("path", log_path());
  }
  Result<wal::ScanResult> scan = replay(**file, {meta_.log_position, meta_.log_chain});
  if (!scan.has_value()) {
    const bool lost =
        scan.status().kind() == ErrorKind::IntegrityFailure || scan.status().code() == ErrorCode::NotDatabase;
    if (!options_.accept_lost_log || !lost) return scan.status();
    file->reset();
    return start_fresh_log();
  }
  if (scan->hole) {  // accepted as lost: what came before it is kept in a checkpoint, and the log begins anew
    file->reset();
    CHECK(start_fresh_log());
    return checkpoint();
  }
  CHECK(check_freshness());
  log_ = TRY(wal::Log::resume(env_, std::move(*file), *scan, meta_.file, log_options()));
  CHECK(write_session_header());
  Status opened = append_open_frame();
  if (opened.code() != ErrorCode::LogFull) return opened;
  CHECK(checkpoint());  // of what was replayed: the log may then begin anew
  recycle_log();
  return append_open_frame();
}

// --- Reading beside, or after, a writer ------------------------------------------------------------------------------

// Beside a cleanly closed file, a log that cannot be opened or read is no harm: it is not needed. One that goes on is,
// unless a writer has just opened the file.
Status Engine::check_for_newer_log() {
  const Result<std::unique_ptr<os::File>> log = env_.open(log_path(), os::OpenMode::ReadOnly);
  if (!log.has_value()) return {};
  const Result<Lsn> durable = wal::watermark_behind(**log, meta_.file, meta_.log_position, log_seal_.get());
  if (!durable.has_value()) return {};
  Status ahead = check_not_ahead(*durable);
  return ahead.is_ok() || TRY(read_meta()).checkpoint != meta_.checkpoint ? Status{} : ahead;
}

Status Engine::replay_for_reading() {
  if (meta_.is_clean()) return options_.accept_lost_log ? Status{} : check_for_newer_log();
  Result<std::unique_ptr<os::File>> log = env_.open(log_path(), os::OpenMode::ReadOnly);
  if (!log.has_value()) {
    if (log.status().code() != ErrorCode::FileNotFound) return log.status();
    // Between our look at the header and at the log the writer may have closed; the caller opens again.
    if (options_.accept_lost_log) return {};
    return Status::error(ErrorCode::LogMissing).with("path", log_path());
  }
  store_->attach_scratch(TRY(env_.open_temporary(path_)), workspace_->session());
  reader_log_ = std::move(*log);
  replayed_ = TRY(replay(*reader_log_, {meta_.log_position, meta_.log_chain})).complete;
  return check_missed_commit();
}

// The header of a checkpoint is written before the log goes on behind its commit. So if a commit was missed and there
// is no newer header, that header is lost, and with it acknowledged commits.
Status Engine::check_missed_commit() {
  if (!missed_commit_ || options_.accept_lost_log || TRY(read_meta()).checkpoint != meta_.checkpoint) return {};
  return Status::error(ErrorCode::LogHole, "commits are missing between the header and the log")
      .with("path", log_path())
      .with("expected", versions_->latest().commit_seq + 1);
}

// Read-only: whether there is a newer checkpoint than ours, which may have what we miss.
Result<bool> Engine::is_writer_ahead() {
  return is_read_only() && (missed_commit_ || TRY(read_meta()).checkpoint != meta_.checkpoint);
}

Result<Engine::Catchup> Engine::catch_up() {
  CHECK(check_usable());
  if (!is_read_only()) return Status::error(ErrorCode::Misuse, "only read-only handles are refreshed");
  std::lock_guard lock(catch_up_mutex_);
  if (missed_commit_ || cannot_go_on_ || TRY(read_meta()).checkpoint != meta_.checkpoint) return Catchup::Reopen;
  if (!reader_log_) return Catchup::UpToDate;
  const std::uint64_t before = versions_->latest().commit_seq;
  try {
    const Result<wal::ScanResult> scan = replay(*reader_log_, replayed_);
    if (!scan.has_value()) {
      workspace_->rollback();  // of the commit it failed in; the next refresh goes on behind those before it
      tree_->set_root(versions_->latest().root);
      return scan.status();
    }
    replayed_ = scan->complete;
  } catch (const std::bad_alloc&) {
    cannot_go_on_ = true;  // what is published is whole, what was begun is never looked at again
    return Status::out_of_memory();
  }
  CHECK(check_missed_commit());
  if (missed_commit_) return Catchup::Reopen;
  return versions_->latest().commit_seq == before ? Catchup::UpToDate : Catchup::Advanced;
}

}  // namespace vitrine::engine
