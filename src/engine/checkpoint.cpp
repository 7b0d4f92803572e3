// SPDX-License-Identifier: MIT OR Apache-2.0
// Checkpoints, and the background work around them.
#include <algorithm>
#include <chrono>
#include <utility>

#include "base/assert.hpp"
#include "base/try.hpp"
#include "engine/engine.hpp"

namespace vitrine::engine {
namespace {

constexpr std::uint64_t kIdleBeforeSealNs = 1'000'000'000;

}  // namespace

// C1. On success the map's new pages are part of state.version, and the working version has moved on.
Result<Engine::CheckpointPlan> Engine::plan_checkpoint(const State& state) {
  CheckpointPlan plan;
  workspace_->forget_recycled();
  use_reserve_ = true;
  Result<space::FrozenMap> map = space_->freeze([&](PageNo page) { return workspace_->identity(page); });
  use_reserve_ = false;
  if (!map.has_value()) return map.status();
  note_free_shape(*space_);
  plan.map = std::move(*map);
  plan.state = state;
  plan.state.version = workspace_->working();
  plan.retired = workspace_->publish();
  for (const PageRef& ref : plan.map.retired) {
    plan.retired.push_back({ref.page(), 1, ref.generation.version(), plan.state.version});
  }
  plan.meta = meta_;
  plan.meta.state = 0;
  plan.meta.version = plan.state.version;
  plan.meta.commit_seq = state.commit_seq;
  plan.meta.tree_root = state.root.page;
  plan.meta.entry_count = state.root.entries;
  plan.meta.map_root = plan.map.root;
  plan.meta.page_count = space_->page_count();
  plan.meta.wall_ms = env_.wall_ms();
  plan.meta.clock_ms = std::max(plan.meta.clock_ms, plan.meta.wall_ms);
  if (log_) {
    const wal::LogPosition position = log_->position();
    plan.meta.log_position = position.lsn;
    plan.meta.log_chain = position.chain;
    plan.log_end = log_end_.load(std::memory_order_relaxed);
  }
  return plan;
}

// C2 to C5. Any failure here poisons the store or the log.
Status Engine::run_checkpoint(CheckpointPlan& plan, Ending ending) {
  const std::uint64_t begin_ns = env_.monotonic_ns();
  CHECK(pool_->write_back(plan.state.version, [](PageNo, format::Generation) { return true; }));
  CHECK(write_map(plan.map));
  CHECK(store_->sync());
  if (log_) {
    CHECK(log_->sync(plan.log_end));
    versions_->advance(log_->durable());
  }
  plan.meta.checkpoint = meta_.checkpoint + 1;
  if (ending == Ending::Clean) plan.meta.state |= format::kMetaClean;
  plan.header_touched = true;
  CHECK(write_meta(plan.meta));
  checkpoint_latency_.record(env_.monotonic_ns() - begin_ns);
  return {};
}

Status Engine::write_map(space::FrozenMap& map) {
  std::sort(map.pages.begin(), map.pages.end(),
            [](const space::MapPage& a, const space::MapPage& b) { return a.ref.page() < b.ref.page(); });
  for (space::MapPage& page : map.pages) {
    CHECK(store_->seal(page.image.data(), page.image.size()));
    CHECK(store_->write(page.ref.page(), page.image.data(), page.image.size()));
  }
  return {};
}

Status Engine::write_meta(const Meta& meta, const FileKeys& keys) {
  const unsigned slot = format::meta_slot(meta.checkpoint);
  std::array<std::byte, 2 * format::kMetaBlockSize> blocks;
  for (unsigned copy = 0; copy < 2; ++copy) {
    const format::MetaBlock block = TRY(format::seal_meta(meta, copy, keys.ring.get()));
    std::copy(block.begin(), block.end(), blocks.begin() + copy * format::kMetaBlockSize);
  }
  CHECK(store_->write_at(slot * blocks.size(), blocks.data(), blocks.size()));
  header_bytes_.fetch_add(blocks.size(), std::memory_order_relaxed);
  return store_->sync();
}

// C6. The state is in versions_ already.
void Engine::adopt_checkpoint(const CheckpointPlan& plan) {
  versions_->pin_checkpoint(plan.state.version);
  set_meta(plan.meta);
  retained_.push_back({meta_.checkpoint, meta_.version, meta_.log_position});
  checkpoints_.fetch_add(1, std::memory_order_relaxed);
  let_go_of_old_checkpoints();
}

// Every checkpoint but the newest goes, unless another process reads it.
void Engine::let_go_of_old_checkpoints() {
  Lsn keep_from = retained_.back().log_position;
  const auto is_gone = [&](const Retained& old) {
    if (old.checkpoint == meta_.checkpoint) return false;
    const Result<bool> in_use = file_->locked_by_other(lock_of_checkpoint(old.checkpoint), 1);
    if (!in_use.has_value() || *in_use) {
      keep_from = std::min(keep_from, old.log_position);
      return false;
    }
    versions_->unpin_checkpoint(old.version);
    return true;
  };
  retained_.erase(std::remove_if(retained_.begin(), retained_.end(), is_gone), retained_.end());
  log_keep_from_.store(keep_from, std::memory_order_release);
}

Status Engine::checkpoint() {
  CHECK(check_usable());
  if (is_read_only()) return Status::error(ErrorCode::ReadOnly);
  CHECK(failure());
  CHECK(take_latch());
  return checkpoint_with_latch(std::unique_lock(checkpoint_mutex_), Ending::GoOn);
}

// Releases the latch after C1.
Status Engine::checkpoint_with_latch(std::unique_lock<std::mutex> checkpoint_lock, Ending ending) {
  VITRINE_ASSERT(checkpoint_lock.owns_lock());
  Result<CheckpointPlan> plan = begin_checkpoint(ending);
  latch_.release();
  if (!plan.has_value()) return plan.status();
  if (plan->state.version == meta_.version) return {};  // nothing new
  return finish_checkpoint(*plan, ending);
}

// All of it while nobody can commit, and whether or not there is something new: afterwards the log has nothing that the
// header does not contain.
Status Engine::checkpoint_in_place() {
  must_checkpoint_ = true;
  CheckpointPlan plan = TRY(begin_checkpoint(Ending::GoOn));
  return finish_checkpoint(plan, Ending::GoOn);
}

// C2 to C6.
Status Engine::finish_checkpoint(CheckpointPlan& plan, Ending ending) {
  try {
    Status status = run_checkpoint(plan, ending);
    if (status.is_ok()) adopt_checkpoint(plan);
    versions_->unpin_checkpoint(plan.state.version);
    return status.is_ok() ? move_anchor() : status;
  } catch (const std::bad_alloc&) {
    poison(Status::out_of_memory());
    return Status::out_of_memory();
  }
}

// C1 of a checkpoint of the latest state. A plan of the version of the last checkpoint means that there is nothing to
// do.
Result<Engine::CheckpointPlan> Engine::begin_checkpoint(Ending ending) {
  try {
    drain_released();
    recycle_log();
    const State latest = versions_->latest();
    if (ending == Ending::GoOn && latest.version == meta_.version && !std::exchange(must_checkpoint_, false)) {
      CheckpointPlan nothing;
      nothing.state = latest;
      return nothing;
    }
    CheckpointPlan plan = TRY(plan_checkpoint(latest));
    versions_->add(plan.state, std::move(plan.retired), log_ ? log_->durable() : 0);
    versions_->pin_checkpoint(plan.state.version);  // its pages must stay while they are written
    return plan;
  } catch (const std::bad_alloc&) {
    poison(Status::out_of_memory());
    return Status::out_of_memory();
  }
}

// --- Under the latch -------------------------------------------------------------------------------------------------

void Engine::drain_released() {
  if (!versions_->has_pages_to_give_back()) return;
  const std::vector<tree::RetiredPages> released = versions_->take_released();
  std::vector<PageNo> single;  // longer runs never are in the pool
  single.reserve(released.size());
  for (const tree::RetiredPages& pages : released) {
    if (pages.count == 1) single.push_back(pages.page);
  }
  pool_->discard(single);
  for (const tree::RetiredPages& pages : released) space_->release(pages.page, pages.count);
  pool_->evict(versions_->take_unread());
}

void Engine::recycle_log() {
  if (!log_) return;
  const Lsn keep_from = log_keep_from_.load(std::memory_order_acquire);
  if (keep_from == recycled_to_) return;  // as with nearly every commit
  log_->recycle(keep_from);
  recycled_to_ = keep_from;
}

// Real space for pages up to `page_count`, and a reserve behind them that only erasing and checkpoints may use, so that
// a full disk can be emptied.
Status Engine::grow_file(std::uint64_t page_count) {
  if (page_count <= file_pages_ && use_reserve_) return {};
  const std::uint64_t reserve = backing_ == Backing::Memory ? 0 : std::max<std::uint64_t>(64, (1u << 20) / page_size());
  const std::uint64_t wanted = page_count + reserve;
  if (wanted <= file_pages_) return {};
  if (is_read_only()) {
    file_pages_ = wanted;
    return {};
  }
  Status status = file_->reserve(file_pages_ * page_size(), (wanted - file_pages_) * page_size());
  if (!status.is_ok() && use_reserve_ && page_count > file_pages_) {
    status = file_->reserve(file_pages_ * page_size(), (page_count - file_pages_) * page_size());
    if (status.is_ok()) file_pages_ = page_count;
    return status;
  }
  CHECK(status);
  file_pages_ = wanted;
  return {};
}

// --- In the background -----------------------------------------------------------------------------------------------

bool Engine::checkpoint_is_due() const {
  if (!log_) return false;
  const Lsn used = log_end_.load(std::memory_order_acquire) - log_keep_from_.load(std::memory_order_acquire);
  return used > options_.log_size_max / 2;
}

// Called once after each commit that went to the log, without the latch.
void Engine::after_commit(Durability durability) {
  if (worker_) {
    if (checkpoint_is_due()) worker_->wake();
    return;
  }
  // Without threads the work is done here, at moments that depend on nothing but the calls and the clock.
  if (durability == Durability::Periodic) {
    const auto period = static_cast<std::uint64_t>(std::chrono::nanoseconds(options_.sync_period).count());
    if (env_.monotonic_ns() - last_sync_ns_.load(std::memory_order_relaxed) >= period) sync_log();
  }
  if (checkpoint_is_due()) (void)checkpoint();  // a failure poisons, and the next commit says so
}

void Engine::sync_log() {
  unsynced_.store(false, std::memory_order_release);
  if (log_->sync(log_end_.load(std::memory_order_acquire)).is_ok()) {
    versions_->advance(log_->durable());
    (void)move_anchor();  // a failure poisons, and the next commit says so
  }
  last_sync_ns_.store(env_.monotonic_ns(), std::memory_order_relaxed);
}

// One turn of the worker: what is due now, and how long until it wants to look again.
std::chrono::milliseconds Engine::maintain() {
  try {
    return maintain_once();
  } catch (const std::bad_alloc&) {
    return std::chrono::seconds(1);  // every step left a whole state behind; the next turn tries again
  }
}

std::chrono::milliseconds Engine::maintain_once() {
  if (closed_.load(std::memory_order_acquire) || !failure().is_ok()) return std::chrono::seconds(1);
  const std::uint64_t now = env_.monotonic_ns();
  const bool has_timer = periodic_used_.load(std::memory_order_relaxed);
  if (has_timer && unsynced_.load(std::memory_order_acquire)) sync_log();
  if (checkpoint_is_due()) (void)checkpoint();
  if (std::unique_lock lock(checkpoint_mutex_, std::try_to_lock); lock.owns_lock() && retained_.size() > 1) {
    let_go_of_old_checkpoints();
  }
  const Lsn durable = log_->durable();
  if (now - last_commit_ns_.load(std::memory_order_relaxed) > kIdleBeforeSealNs && durable > sealed_.load() &&
      latch_.acquire(std::chrono::steady_clock::now())) {
    if (log_->seal().is_ok()) sealed_.store(log_->durable());
    log_end_.store(log_->durable(), std::memory_order_release);
    latch_.release();
  }
  const std::chrono::milliseconds idle = std::chrono::seconds(1);
  return has_timer ? std::min(options_.sync_period, idle) : idle;
}

}  // namespace vitrine::engine
