// SPDX-License-Identifier: MIT OR Apache-2.0
// A put with a commit of its own that makes no new version. Copying every page from the root to the leaf is most of
// what such a commit costs; where nobody can look at the leaf, it is changed as it is, and the newest version stays the
// newest.
//
// Nobody can, when its content is in no file yet and younger than every pin, and whoever wants to pin waits for the
// change (Versions::amend). Commits that must be durable before they are seen keep to a version of their own.
#include <new>

#include "base/codec.hpp"
#include "engine/write_session.hpp"

namespace vitrine::engine {

Commit WriteSession::put_alone(Bytes key, Bytes first, Bytes rest, Durability durability) {
  return measured([&]() -> Commit {
    try {
      if (std::optional<Commit> done = put_in_place(key, first, rest, durability)) return *done;
    } catch (const std::bad_alloc&) {
      return refuse(Status::out_of_memory());
    }
    if (Status status = put(key, first, rest); !status.is_ok()) return refuse(std::move(status));
    return end(durability);
  });
}

// Nothing when it must be done the ordinary way, which also finds the words for what is wrong.
std::optional<Commit> WriteSession::put_in_place(Bytes key, Bytes first, Bytes rest, Durability durability) {
  if (durability == Durability::Full || !usable().is_ok()) return std::nullopt;
  Engine& engine = *engine_;
  if (engine.log_ == nullptr || !engine.failure().is_ok()) return std::nullopt;
  base::append_varint(record_, 1);
  format::append_put(record_, key, first, rest);
  const std::string payload = std::exchange(record_, {});
  if (!engine.log_->reserve(payload.size()).is_ok()) return std::nullopt;
  std::optional<State> state;
  engine.versions_->amend([&](Version seen, State& latest) {
    if (!tree().put_in_place(key, first, rest, seen)) return false;
    latest.root = tree().root();
    latest.commit_seq = commit_seq_;
    state = latest;
    return true;
  });
  if (!state) return std::nullopt;
  // Memory is ahead of the log until the record is in it: what fails here ends all writing.
  Result<Lsn> appended = Status::out_of_memory();
  try {
    appended = engine.log_->append(commit_seq_, payload);
  } catch (const std::bad_alloc&) {
    engine.poison(Status::out_of_memory());
  }
  if (!appended.has_value()) {
    finish();
    return unknown_commit(commit_seq_, appended.status());
  }
  engine.log_end_.store(*appended, std::memory_order_release);
  put_bytes_ += key.size() + first.size() + rest.size();
  count_commit();
  const std::shared_ptr<Engine> keep = engine_;
  finish();
  return wait_durable(*keep, *state, durability, *appended);
}

}  // namespace vitrine::engine
