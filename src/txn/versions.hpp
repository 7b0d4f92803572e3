// SPDX-License-Identifier: MIT OR Apache-2.0
// Which versions of the tree exist, which one readers get, and when a page may be used again. Knows versions and pins;
// must not know what a key means.
//
//   commit --add--> waiting --its commits are durable--> published --pin--> seen by readers
//
// Invariants
//   V1  Readers pin only the published version. Published moves forward only, and never onto a commit that asked for
//       durability and does not have it yet.
//   V2  A page that belongs to versions [birth, freed) is released only when no pin p has birth <= p < freed and
//       published >= freed, so that no later pin can have it either. Snapshots, the durable checkpoint, a running
//       checkpoint and checkpoints that other processes read are all pins.
//   V3  Each page held waits at the smallest pin that needs it; when that pin goes it moves to the next one or is free.
//       So a long reader holds what it can see, and nothing else.
//   V4  What a pin p can see never changes. Pages of versions above every pin may (amend()), while nobody can pin.
//   V5  A visit counts as a pin of the version it began with, as long as it lasts.
//
// Threads: all methods from any thread; each is a short critical section, and visit() takes no lock.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include "pool/visits.hpp"
#include "tree/tree.hpp"
#include "txn/shown_state.hpp"
#include "txn/state.hpp"

namespace vitrine::txn {

using tree::RetiredPages;

struct PinReport {
  std::uint64_t pins = 0;  // snapshots, without checkpoints
  std::uint64_t oldest_seq = 0;
  std::uint64_t oldest_since_ns = 0;
  std::uint64_t pages_held = 0;
};

class Versions {
 public:
  // The state of a checkpoint, published at once. `visits` are those of the pool, and outlive this.
  Versions(const State& first, pool::Visits& visits)
      : visits_(visits), shown_(first), published_(first), latest_(first) {}

  // The state new readers see, pinned. `now_ns` is for the report only.
  State pin(std::uint64_t now_ns);
  void unpin(Version version) { drop(version, Holder::Snapshot); }
  // The same for one look-up, without a lock; an empty visit when one must pin.
  pool::Visits::Visit visit(State& state) const noexcept { return shown_.read(visits_, state); }
  // Pins of checkpoints; `version` must be pinned already or be the latest (its pages are all there).
  void pin_checkpoint(Version version);
  void unpin_checkpoint(Version version) { drop(version, Holder::Checkpoint); }
  // A pin of a checkpoint from before the first state, which may need `held`. REQUIRES: `version` is below the first.
  void pin_older(Version version, std::vector<RetiredPages> held);

  // [writer] A new latest state, with the pages it no longer has. `durable`: what the log has made durable so far.
  void add(const State& state, std::vector<RetiredPages> retired, Lsn durable);
  // The log is durable up to here.
  void advance(Lsn durable);

  // [writer] The newest version that somebody has pinned; 0: none.
  Version newest_pin() const;
  // [writer] Changes the latest state as it is, instead of adding another one, if readers may have it already. `change`
  // gets the newest version that somebody has pinned, and returns false when it cannot; pins wait for it, and it
  // for visits, a moment. It may make a newer version of the state, and say which pages that one no longer has. False
  // when nothing has changed.
  using Change = std::function<bool(Version seen, State& latest, std::vector<RetiredPages>& retired)>;
  bool amend(const Change& change);

  // [writer] Pages nobody needs any more; empty most of the time.
  std::vector<RetiredPages> take_released();
  // [writer] Pages that have come to be needed by checkpoints alone: nobody looks at them before the next opening.
  std::vector<format::PageNo> take_unread();

  // [writer] False, without a lock, as before nearly every commit: neither of the two above has anything.
  bool has_pages_to_give_back() const noexcept { return has_pages_to_give_back_.load(std::memory_order_relaxed); }

  State latest() const;
  // [writer] The same without a lock: nobody else changes it.
  const State& latest_of_writer() const noexcept { return latest_; }
  State published() const;
  PinReport report() const;
  // Pages of versions up to `until` that somebody may still need, or that nobody has taken since.
  std::uint64_t held_pages(Version until) const;

 private:
  struct Pin {
    std::uint64_t count = 0;
    std::uint64_t checkpoints = 0;  // of `count`
    std::uint64_t commit_seq = 0;
    std::uint64_t since_ns = 0;
    std::vector<RetiredPages> held;
  };
  enum class Holder : std::uint8_t { Snapshot, Checkpoint };
  void drop(Version version, Holder holder);
  void place(const RetiredPages& pages);
  void note_unread(const RetiredPages& pages);  // if checkpoints alone need them
  void publish(const State& state);
  Version newest() const { return pins_.empty() ? 0 : pins_.rbegin()->first; }  // newest_pin() under mutex_

  pool::Visits& visits_;
  ShownState shown_;  // published_
  mutable std::mutex mutex_;
  State published_;
  State latest_;
  std::deque<State> waiting_;
  std::atomic<bool> has_waiting_{false};
  Pin& pin_of(Version version);
  std::map<Version, Pin> pins_;
  std::map<Version, Pin>::node_type spare_;  // memory of the last pin that went: most pins come and go alone
  std::deque<RetiredPages> undecided_;       // freed > published, in order of freed
  std::vector<RetiredPages> released_;
  std::vector<format::PageNo> unread_;  // of single pages
  std::atomic<bool> has_pages_to_give_back_{false};
};

}  // namespace vitrine::txn
