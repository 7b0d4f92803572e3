// SPDX-License-Identifier: MIT OR Apache-2.0
#include "engine/write_session.hpp"

#include <algorithm>
#include <new>
#include <thread>

#include "base/assert.hpp"
#include "base/codec.hpp"
#include "base/try.hpp"
#include "vitrine/errors.hpp"

namespace vitrine::engine {
namespace {

// Largest log record of one transaction. A quarter of the log keeps a checkpoint possible beside it; a quarter of the
// cache keeps memory bounded.
std::size_t record_max(const Options& options) noexcept {
  return static_cast<std::size_t>(
      std::min(options.log_size_max / 4, std::max<std::uint64_t>(options.cache_size / 4, 256u << 10)));
}

}  // namespace

WriteSession::WriteSession(std::shared_ptr<Engine> engine)
    : engine_(std::move(engine)), base_(engine_->versions_->latest_of_writer()), commit_seq_(base_.commit_seq + 1) {
  engine_->writing_thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
}

WriteSession::~WriteSession() { rollback(); }

Status WriteSession::usable() const {
  if (!is_open()) return Status::error(ErrorCode::TransactionFinished);
  engine_->writing_thread_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  if (failed_) return Status::error(ErrorCode::TransactionFailed);
  return {};
}

// --- Changes ---------------------------------------------------------------------------------------------------------

// Whether the record still takes `bytes` more; once it does not, the transaction will commit by checkpoint.
bool WriteSession::fits_record(std::size_t bytes) noexcept {
  if (engine_->log_ == nullptr) return false;
  if (!too_large_to_log_ && record_.size() + bytes > record_max(engine_->options_)) {
    too_large_to_log_ = true;
    std::string().swap(record_);
  }
  return !too_large_to_log_;
}

void WriteSession::record(const format::Operation& operation) {
  ++operations_;
  if (fits_record(operation.key.size() + operation.value.size() + 16)) format::append_operation(record_, operation);
}

Status WriteSession::put(Bytes key, Bytes first, Bytes rest) {
  CHECK(usable());
  return guarded([&]() -> Status {
    CHECK(tree().put(key, first, rest));
    put_bytes_ += key.size() + first.size() + rest.size();
    ++operations_;
    if (fits_record(key.size() + first.size() + rest.size() + 16)) format::append_put(record_, key, first, rest);
    return {};
  });
}

Status WriteSession::put_large(Bytes key, tree::LargeValueWriter& writer) {
  CHECK(usable());
  return guarded([&]() -> Status {
    if (const std::string* small = writer.small_value()) {
      CHECK(tree().put(key, *small, {}));
      put_bytes_ += key.size() + small->size();
      record({format::OperationType::Put, key, *small});
      return {};
    }
    const tree::LargeValue value = TRY(writer.finish());
    CHECK(tree().put_large(key, value));
    put_bytes_ += key.size() + value.size;
    std::string bytes;
    if (fits_record(key.size() + value.size + 16)) {
      const Bytes descriptor(reinterpret_cast<const char*>(&value), sizeof value);
      CHECK(tree::read_value(engine_->pool(), descriptor, true, bytes));
    }
    record({format::OperationType::Put, key, bytes});
    return {};
  });
}

Result<bool> WriteSession::erase(Bytes key) {
  CHECK(usable());
  engine_->use_reserve_ = true;
  Result<bool> erased = guarded([&]() -> Result<bool> {
    const bool existed = TRY(tree().erase(key));
    if (existed) record({format::OperationType::Erase, key, {}});
    return existed;
  });
  engine_->use_reserve_ = false;
  return erased;
}

Result<std::uint64_t> WriteSession::erase_range(Bytes begin, Bytes end) {
  CHECK(usable());
  engine_->use_reserve_ = true;
  Result<std::uint64_t> erased = guarded([&]() -> Result<std::uint64_t> {
    const std::uint64_t count = TRY(tree().erase_range(begin, end));
    if (count > 0) record({format::OperationType::EraseRange, begin, end});
    return count;
  });
  engine_->use_reserve_ = false;
  return erased;
}

// --- Savepoints ------------------------------------------------------------------------------------------------------

Result<std::uint64_t> WriteSession::savepoint() {
  CHECK(usable());
  return guarded([&]() -> Result<std::uint64_t> {
    marks_.reserve(marks_.size() + 1);
    marks_.push_back({TRY(workspace().mark()), tree().root(), record_.size(), operations_, put_bytes_});
    return std::uint64_t{marks_.size()};
  });
}

Status WriteSession::check_savepoint(std::uint64_t savepoint) const {
  return savepoint > 0 && savepoint <= marks_.size() ? Status{} : Status::error(ErrorCode::SavepointUnknown);
}

Status WriteSession::rollback_to(std::uint64_t savepoint) {
  if (!is_open()) return Status::error(ErrorCode::TransactionFinished);
  CHECK(check_savepoint(savepoint));
  const Mark& mark = marks_[savepoint - 1];
  workspace().rollback_to(mark.pages);
  tree().set_root(mark.root);
  // A record that was dropped because it grew too large stays dropped: the commit will be a checkpoint.
  if (!too_large_to_log_) record_.resize(mark.record_size);
  operations_ = mark.operations;
  put_bytes_ = mark.put_bytes;
  failed_ = false;  // whatever failed came after the mark
  marks_.resize(savepoint);
  return {};
}

// --- Ending ----------------------------------------------------------------------------------------------------------

void WriteSession::finish() noexcept {
  engine_->use_reserve_ = false;
  engine_->writing_thread_.store({}, std::memory_order_relaxed);
  engine_->latch_.release();
  engine_.reset();
}

void WriteSession::count_commit() noexcept {
  engine_->commits_.fetch_add(1, std::memory_order_relaxed);
  engine_->put_bytes_.fetch_add(put_bytes_, std::memory_order_relaxed);
}

void WriteSession::rollback() noexcept {
  if (!is_open()) return;
  workspace().rollback();
  tree().set_root(base_.root);
  engine_->rollbacks_.fetch_add(1, std::memory_order_relaxed);
  finish();
}

Commit WriteSession::refuse(Status status) {
  rollback();
  return {CommitOutcome::NotCommitted, 0, std::move(status)};
}

Commit WriteSession::end(Durability durability) {
  if (Status status = usable(); !status.is_ok()) {
    if (!is_open()) return {CommitOutcome::NotCommitted, 0, status};
    return refuse(status);
  }
  if (operations_ == 0 && !workspace().has_changes()) {
    const std::uint64_t session = engine_->token_of(base_.commit_seq).session;
    finish();
    return {CommitOutcome::Committed, base_.commit_seq, {}, session};
  }
  if (Status status = engine_->failure(); !status.is_ok()) return refuse(status);
  try {
    return too_large_to_log_ ? commit_by_checkpoint() : commit_to_log(durability);
  } catch (const std::bad_alloc&) {
    return refuse(Status::out_of_memory());
  }
}

// Frames of the commit may have reached the file: only the next recovery can tell.
Commit WriteSession::unknown_commit(std::uint64_t seq, const Status& cause) {
  return {CommitOutcome::Unknown, seq, because(Status::error(ErrorCode::CommitUnknown), cause)};
}

State WriteSession::next_state(Lsn needs_durable) const {
  const std::uint64_t seq = operations_ > 0 ? commit_seq_ : base_.commit_seq;
  return {engine_->workspace_->working(), engine_->tree_->root(), seq, needs_durable};
}

// What the log gets: the operations so far, and `count` more.
std::string WriteSession::log_payload(Bytes more, std::uint64_t count) const {
  std::string payload;
  payload.reserve(10 + record_.size() + more.size());
  base::append_varint(payload, operations_ + count);
  return payload.append(record_).append(more);
}

Commit WriteSession::commit_to_log(Durability durability) {
  Engine& engine = *engine_;
  Lsn end = engine.log_end_.load(std::memory_order_relaxed);
  if (engine.log_ && operations_ > 0) {
    const std::string payload = log_payload({}, 0);
    Status reserved = engine.log_->reserve(payload.size());
    // No room in the log, or on the disk for more of it: the pages have their room, and a checkpoint frees the log.
    const bool has_no_room = reserved.code() == ErrorCode::LogFull || reserved.code() == ErrorCode::DiskFull;
    if (has_no_room) return commit_by_checkpoint();
    if (!reserved.is_ok()) return refuse(reserved);
    const Result<Lsn> appended = engine.log_->append(commit_seq_, payload);
    if (!appended.has_value()) {
      rollback();
      return unknown_commit(commit_seq_, appended.status());
    }
    end = *appended;
    engine.log_end_.store(end, std::memory_order_release);
  } else if (engine.log_ == nullptr) {
    end = 0;
  }
  // A commit that asks for less may still not be seen before an earlier one that asks for more.
  const bool full = durability == Durability::Full && operations_ > 0;
  const State state = next_state(full ? end : base_.needs_durable);
  try {
    engine.versions_->add(state, workspace().publish(), engine.log_ ? engine.log_->durable() : 0);
  } catch (const std::bad_alloc&) {
    engine.poison(Status::out_of_memory());
    finish();
    return {CommitOutcome::Unknown, commit_seq_,
            Status::error(ErrorCode::CommitUnknown, "memory ended after the commit was logged")};
  }
  count_commit();
  const std::shared_ptr<Engine> keep = engine_;
  finish();
  return wait_durable(*keep, state, durability, end);
}

// The session has ended and the latch is free: nothing here may be undone any more.
Commit WriteSession::wait_durable(Engine& engine, const State& state, Durability durability, Lsn end) noexcept {
  const std::uint64_t session = engine.token_of(state.commit_seq).session;
  if (engine.log_ == nullptr) return {CommitOutcome::Committed, state.commit_seq, {}, session};
  engine.last_commit_ns_.store(engine.env_.monotonic_ns(), std::memory_order_relaxed);
  const bool must_sync = durability == Durability::Full || state.needs_durable > engine.log_->durable();
  Status status;
  try {
    status = must_sync ? engine.log_->sync(end) : engine.log_->write_out(end);
    // Also after a mere write: this commit may wait behind one whose sync has ended and who has not yet said so.
    if (status.is_ok()) engine.versions_->advance(engine.log_->durable());
  } catch (const std::bad_alloc&) {
    status = Status::out_of_memory();
    engine.poison(status);
  }
  if (!status.is_ok()) {
    return unknown_commit(state.commit_seq, status);
  }
  if (!must_sync) {
    engine.unsynced_.store(true, std::memory_order_release);
    const bool starts_timer = durability == Durability::Periodic && !engine.periodic_used_.exchange(true);
    if (starts_timer && engine.worker_) engine.worker_->wake();
  }
  try {
    if (must_sync) status = engine.move_anchor();
    engine.after_commit(durability);
  } catch (const std::bad_alloc&) {
    // Maintenance only: it is due again after the next commit.
  }
  return {must_sync ? CommitOutcome::Committed : CommitOutcome::Pending, state.commit_seq, std::move(status), session};
}

Commit WriteSession::commit_by_checkpoint() {
  Engine& engine = *engine_;
  engine.checkpoint_waits_.fetch_add(1, std::memory_order_relaxed);
  std::unique_lock checkpoint_lock(engine.checkpoint_mutex_);
  try {
    return commit_by_checkpoint_locked();
  } catch (const std::bad_alloc&) {
    engine.poison(Status::out_of_memory());
    rollback();
    return {CommitOutcome::Unknown, commit_seq_,
            Status::error(ErrorCode::CommitUnknown, "memory ended during the commit")};
  }
}

Commit WriteSession::commit_by_checkpoint_locked() {
  Engine& engine = *engine_;
  // What the log has must be durable before a later state is: the state contains it.
  Result<Engine::CheckpointPlan> plan = engine.plan_checkpoint(next_state(base_.needs_durable));
  if (!plan.has_value()) return refuse(plan.status());
  Status status = engine.run_checkpoint(*plan, Engine::Ending::GoOn);
  if (!status.is_ok()) {
    // Before the header was touched nothing of this can ever be seen; afterwards only the next open can tell.
    const bool unknown = plan->header_touched;
    plan->retired.clear();
    rollback();
    if (!unknown) return {CommitOutcome::NotCommitted, 0, status};
    return unknown_commit(commit_seq_, status);
  }
  const State state = plan->state;
  engine.versions_->add(state, std::move(plan->retired), engine.log_ ? engine.log_->durable() : 0);
  engine.adopt_checkpoint(*plan);
  count_commit();
  const std::shared_ptr<Engine> keep = engine_;
  finish();
  return {CommitOutcome::Committed, state.commit_seq, keep->move_anchor(), keep->token_of(state.commit_seq).session};
}

}  // namespace vitrine::engine
