// SPDX-License-Identifier: MIT OR Apache-2.0
// Commits of puts that copy no pages where they can do without. Copying every page from the root to a leaf is most of
// what a small commit costs; where nobody can look at the leaf, it is changed as it is.
//
// Nobody can, when its content is in no file yet and younger than every pin, and whoever wants to pin waits for the
// change (Versions::amend). Commits that must be durable before they are seen keep to a version of their own.
//
// The other puts of the same commit go the ordinary way first: they may fail, and then nothing has happened. The
// changes in place cannot. When all of them are in place there is no new version either.
#include <new>

#include "engine/write_session.hpp"

namespace vitrine::engine {

Commit WriteSession::put_alone(std::span<const tree::Put> puts, Durability durability) {
  return measured([&]() -> Commit {
    try {
      return put_and_end(puts, durability);
    } catch (const std::bad_alloc&) {
      return refuse(Status::out_of_memory());
    }
  });
}

Commit WriteSession::put_and_end(std::span<const tree::Put> puts, Durability durability) {
  const bool may_be_in_place =
      durability != Durability::Full && usable().is_ok() && engine_->log_ && engine_->failure().is_ok();
  const tree::InPlacePuts plan =
      may_be_in_place ? tree().plan_in_place(puts, engine_->versions_->newest_pin()) : tree::InPlacePuts();
  if (Status status = put_each(puts, plan, false); !status.is_ok()) return refuse(std::move(status));
  if (plan.count() > 0) {
    if (std::optional<Commit> done = put_in_place(puts, plan, durability)) return *done;
    if (Status status = put_each(puts, plan, true); !status.is_ok()) return refuse(std::move(status));
  }
  return end(durability);
}

// The ordinary way, for those puts that are in the plan, or not.
Status WriteSession::put_each(std::span<const tree::Put> puts, const tree::InPlacePuts& plan, bool planned) {
  for (std::size_t i = 0; i < puts.size(); ++i) {
    if (plan.has(i) == planned) CHECK(put(puts[i].key, puts[i].first, puts[i].rest));
  }
  return {};
}

// The puts of the plan, as they are, and the commit. Nothing when that must be done the ordinary way, which also finds
// the words for what is wrong.
std::optional<Commit> WriteSession::put_in_place(std::span<const tree::Put> puts, const tree::InPlacePuts& plan,
                                                 Durability durability) {
  std::uint64_t bytes = 0;
  std::string operations;
  for (std::size_t i = 0; i < puts.size(); ++i) {
    if (!plan.has(i)) continue;
    format::append_put(operations, puts[i].key, puts[i].first, puts[i].rest);
    bytes += puts[i].key.size() + puts[i].first.size() + puts[i].rest.size();
  }
  if (!fits_record(operations.size())) return std::nullopt;
  const std::string payload = log_payload(operations, plan.count());
  Engine& engine = *engine_;
  if (!engine.log_->reserve(payload.size()).is_ok()) return std::nullopt;

  std::optional<State> state;
  // Memory is ahead of the log until the record is in it: what fails in between ends all writing.
  Result<Lsn> appended = Status::out_of_memory();
  try {
    engine.versions_->amend([&](Version seen, State& latest, std::vector<tree::RetiredPages>& retired) {
      if (seen > plan.seen()) return false;
      tree().carry_out(plan, puts);
      latest.root = tree().root();
      latest.commit_seq = commit_seq_;
      if (workspace().has_changes()) {
        latest.version = workspace().working();
        retired = workspace().publish();
      }
      state = latest;
      return true;
    });
    if (!state) return std::nullopt;
    appended = engine.log_->append(commit_seq_, payload);
  } catch (const std::bad_alloc&) {
    if (!state) throw;
    engine.poison(Status::out_of_memory());
  }
  if (!appended.has_value()) {
    finish();
    return unknown_commit(commit_seq_, appended.status());
  }
  engine.log_end_.store(*appended, std::memory_order_release);
  put_bytes_ += bytes;
  count_commit();
  const std::shared_ptr<Engine> keep = engine_;
  finish();
  return wait_durable(*keep, *state, durability, *appended);
}

}  // namespace vitrine::engine
