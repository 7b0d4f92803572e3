// SPDX-License-Identifier: MIT OR Apache-2.0
// Is what the files hold the newest state? Compared on opening with a commit token and with the anchor file, which
// every durable commit then moves on.
//
// The anchor is never ahead of what is durable: it is written after the log was synced, and before the commit is
// acknowledged. So a database that is behind its anchor has lost an acknowledged commit, whatever crashed.
#include <algorithm>
#include <new>

#include "base/try.hpp"
#include "engine/engine.hpp"
#include "vitrine/errors.hpp"

namespace vitrine::engine {
namespace {

std::string_view note_of(Freshness freshness) noexcept {
  switch (freshness) {
    case Freshness::Anchored:
      return "the database has the commit that was given";
    case Freshness::Behind:
      return "the database does not have the commit that was given: it is an older state";
    case Freshness::Forked:
      return "the database has another commit in the place of the one that was given";
    case Freshness::Unanchored:
      break;
  }
  return "the commit that was given is too old to be compared";
}

// What two answers say together: any bad one counts, then any good one.
Freshness both(Freshness a, Freshness b) noexcept { return a > b ? a : b; }
static_assert(Freshness::Unanchored < Freshness::Anchored && Freshness::Anchored < Freshness::Behind &&
              Freshness::Behind < Freshness::Forked);

Status refusal(Freshness freshness) {
  return Status::error(freshness == Freshness::Behind ? ErrorCode::RolledBack : ErrorCode::Forked);
}

}  // namespace

// Before the files are looked at: what a writer adds meanwhile may be in the files and not in here, not the other way
// round.
Status Engine::read_anchor() {
  if (options_.anchor.empty()) return {};
  Result<std::optional<CommitToken>> token = Anchor::read(env_, options_.anchor);
  if (token.has_value()) {
    anchored_ = *token;
    const bool is_missed = !anchored_ && is_read_only() && !options_.accept_rollback;
    return is_missed ? Status::error(ErrorCode::FileNotFound).with("path", options_.anchor) : Status{};
  }
  if (token.status().code() != ErrorCode::AnchorDamaged || !options_.accept_rollback) return token.status();
  freshness_note_ = "the anchor file is damaged";
  return {};
}

// REQUIRES: the log was replayed, and nothing was written that goes on from there.
Status Engine::check_freshness() {
  const State latest = versions_->latest();
  std::optional<CommitToken> worst;
  for (const std::optional<CommitToken>& token : {options_.min_commit, anchored_}) {
    if (!token) continue;
    const Freshness found = meta_.history.compare(*token, latest.commit_seq);
    if (!worst || found >= freshness_) worst = token;
    freshness_ = both(freshness_, found);
    freshness_note_ = note_of(freshness_);
  }
  if (freshness_ != Freshness::Behind && freshness_ != Freshness::Forked) return {};
  if (options_.accept_rollback) return {};
  return refusal(freshness_).with("path", path_).with("commit", latest.commit_seq).with("expected", worst->to_string());
}

// A file that is not there is behind every commit: making an empty one in its place would hide that.
Status Engine::check_new_file_is_expected(os::Env& env, const std::string& path, const Options& options) {
  if (options.accept_rollback) return {};
  std::optional<CommitToken> expected = options.min_commit;
  if (!options.anchor.empty() && (!expected || expected->seq == 0)) expected = TRY(Anchor::read(env, options.anchor));
  if (!expected || expected->seq == 0) return {};
  return refusal(Freshness::Behind).with("path", path).with("expected", expected->to_string());
}

CommitToken Engine::token_of(std::uint64_t commit_seq) const {
  std::lock_guard lock(meta_mutex_);
  return meta_.history.token(commit_seq);
}

// REQUIRES: everything up to the latest commit is durable.
Status Engine::open_anchor() {
  if (options_.anchor.empty()) return {};
  anchor_ = TRY(Anchor::open(env_, options_.anchor, token_of(versions_->latest().commit_seq)));
  return {};
}

std::uint64_t Engine::durable_seq() const {
  const std::uint64_t checkpoint = [this] {
    std::lock_guard lock(meta_mutex_);
    return meta_.commit_seq;
  }();
  // A checkpoint has what a commit by checkpoint never put into the log; the log may be ahead of the version.
  const std::uint64_t latest = versions_->latest().commit_seq;
  return log_ ? std::min(std::max(checkpoint, log_->durable_seq()), latest) : latest;
}

// One write for all commits that became durable since the last one: whoever comes first does it for the others.
Status Engine::move_anchor() {
  if (!anchor_) return {};
  std::lock_guard lock(anchor_mutex_);
  CHECK(anchor_failure_);
  const std::uint64_t durable = durable_seq();
  if (durable <= anchor_->token().seq) return {};
  try {
    const Status moved = anchor_->move_to(token_of(durable));
    if (moved.is_ok()) return {};
    anchor_failure_ = because(Status::error(ErrorCode::AnchorFailed), moved);
  } catch (const std::bad_alloc&) {
    anchor_failure_ = Status::out_of_memory();
  }
  poison(anchor_failure_);
  return anchor_failure_;
}

}  // namespace vitrine::engine
