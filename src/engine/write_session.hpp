// SPDX-License-Identifier: MIT OR Apache-2.0
// One write transaction at the level of the tree: changes go to the working version at once and into a log record on
// the side; commit logs the record, publishes the version, and waits for what durability asks.
//
// A transaction whose record grows past a bound is not logged: its commit is a checkpoint, which makes exactly its
// version durable. So neither the log nor memory has to hold a large transaction.
//
// Errors that leave the working version half-changed set has_failed(); then only rollback works.
#pragma once

#include <algorithm>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "base/try.hpp"
#include "engine/engine.hpp"
#include "vitrine/transaction.hpp"

namespace vitrine::engine {

class WriteSession {
 public:
  // REQUIRES: the latch is held; it is released when the session ends.
  explicit WriteSession(std::shared_ptr<Engine> engine);
  ~WriteSession();
  WriteSession(const WriteSession&) = delete;
  WriteSession& operator=(const WriteSession&) = delete;

  Status put(Bytes key, Bytes first, Bytes rest);
  Result<bool> erase(Bytes key);
  Result<std::uint64_t> erase_range(Bytes begin, Bytes end);
  // A value that was given to `writer` piece by piece.
  Status put_large(Bytes key, tree::LargeValueWriter& writer);

  // This transaction, the first of a copy, gets the commit sequence number `seq`, so that numbers in its entries stay
  // below those of later commits.
  void continue_from(std::uint64_t seq) noexcept { commit_seq_ = std::max(commit_seq_, seq); }

  // A change of pages without a change of content. Not logged.
  template <typename Change>
  auto reorganize(Change&& change) -> decltype(change(std::declval<tree::TreeWriter&>())) {
    CHECK(usable());
    return guarded([&] { return change(tree()); });
  }
  tree::TreeWriter& tree() noexcept { return *engine_->tree_; }
  tree::Workspace& workspace() noexcept { return *engine_->workspace_; }

  Result<std::uint64_t> savepoint();
  Status check_savepoint(std::uint64_t savepoint) const;
  Status rollback_to(std::uint64_t savepoint);

  Commit commit(Durability durability) {
    return measured([&] { return end(durability); });
  }
  // put() for each and commit() of a session that has done nothing yet. Small changes that need not be durable at once
  // are made in place, see put_in_place.cpp. Puts of different keys are carried out in any order.
  Commit put_alone(std::span<const tree::Put> puts, Durability durability);
  void rollback() noexcept;

  Status usable() const;  // and this thread is the one that writes now
  bool is_open() const noexcept { return engine_ != nullptr; }
  bool has_failed() const noexcept { return failed_; }
  // It may still end by put_alone().
  bool is_untouched() const noexcept {
    return is_open() && !failed_ && operations_ == 0 && marks_.empty() && !engine_->workspace_->has_changes();
  }
  std::uint64_t commit_seq() const noexcept { return commit_seq_; }  // this transaction will have
  const tree::TreeRoot& root() const noexcept { return engine_->tree_->root(); }
  Engine& engine() noexcept { return *engine_; }

 private:
  struct Mark {
    tree::Workspace::Mark pages;
    tree::TreeRoot root;
    std::size_t record_size;
    std::uint64_t operations;
    std::uint64_t put_bytes;
  };
  // Runs one change: on failure, or without memory, the session has failed.
  template <typename Change>
  auto guarded(Change&& change) -> decltype(change());
  void record(const format::Operation& operation);
  bool fits_record(std::size_t bytes) noexcept;

  // Runs what ends the session, and records how long it took.
  template <typename Ending>
  Commit measured(Ending&& ending) {
    const std::shared_ptr<Engine> engine = engine_;  // the session lets go of it
    if (!engine) return ending();
    const std::uint64_t begin_ns = engine->env_.monotonic_ns();
    Commit commit = ending();
    if (commit.is_applied()) engine->commit_latency_.record(engine->env_.monotonic_ns() - begin_ns);
    return commit;
  }

  Commit end(Durability durability);
  Commit put_and_end(std::span<const tree::Put> puts, Durability durability);
  Status put_each(std::span<const tree::Put> puts, const tree::InPlacePuts& plan, bool planned);
  std::optional<Commit> put_in_place(std::span<const tree::Put> puts, const tree::InPlacePuts& plan,
                                     Durability durability);
  static Commit unknown_commit(std::uint64_t seq, const Status& cause);
  std::string log_payload(Bytes more, std::uint64_t count) const;
  Commit commit_to_log(Durability durability);
  Commit commit_by_checkpoint();
  Commit commit_by_checkpoint_locked();
  State next_state(Lsn needs_durable) const;
  static Commit wait_durable(Engine& engine, const State& state, Durability durability, Lsn end) noexcept;
  Commit refuse(Status status);
  void finish() noexcept;
  void count_commit() noexcept;

  std::shared_ptr<Engine> engine_;  // null once ended
  const State base_;
  std::uint64_t commit_seq_;
  std::string record_;  // encoded operations
  std::uint64_t operations_ = 0;
  std::uint64_t put_bytes_ = 0;
  bool too_large_to_log_ = false;
  bool failed_ = false;
  std::vector<Mark> marks_;
};

template <typename Change>
auto WriteSession::guarded(Change&& change) -> decltype(change()) {
  try {
    auto result = change();
    bool ok;
    if constexpr (std::is_same_v<decltype(result), Status>) {
      ok = result.is_ok();
    } else {
      ok = result.has_value();
    }
    failed_ = !ok || !workspace().failure().is_ok();
    if (ok && failed_) return workspace().failure();
    return result;
  } catch (const std::bad_alloc&) {
    failed_ = true;
    return Status::out_of_memory();
  }
}

}  // namespace vitrine::engine
