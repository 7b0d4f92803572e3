// SPDX-License-Identifier: MIT OR Apache-2.0
#include "txn/versions.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/defer.hpp"

namespace vitrine::txn {

Versions::Pin& Versions::pin_of(Version version) {
  if (spare_.empty()) return pins_[version];
  const auto at = pins_.lower_bound(version);
  if (at != pins_.end() && at->first == version) return at->second;
  spare_.key() = version;
  return pins_.insert(at, std::move(spare_))->second;
}

State Versions::pin(std::uint64_t now_ns) {
  std::lock_guard lock(mutex_);
  Pin& pin = pin_of(published_.version);
  if (pin.count == pin.checkpoints) {
    pin.commit_seq = published_.commit_seq;
    pin.since_ns = now_ns;
  }
  ++pin.count;
  return published_;
}

void Versions::pin_checkpoint(Version version) {
  std::lock_guard lock(mutex_);
  VITRINE_ASSERT(version == latest_.version || pins_.contains(version));
  Pin& pin = pin_of(version);
  ++pin.count;
  ++pin.checkpoints;
}

void Versions::pin_older(Version version, std::vector<RetiredPages> held) {
  std::lock_guard lock(mutex_);
  Pin& pin = pin_of(version);
  ++pin.count;
  ++pin.checkpoints;
  pin.held.insert(pin.held.end(), held.begin(), held.end());
}

void Versions::drop(Version version, Holder holder) {
  std::lock_guard lock(mutex_);
  const auto at = pins_.find(version);
  VITRINE_ASSERT(at != pins_.end());
  Pin& pin = at->second;
  if (holder == Holder::Checkpoint) --pin.checkpoints;
  if (--pin.count > 0) {
    if (holder == Holder::Snapshot && pin.count == pin.checkpoints) {
      for (const RetiredPages& pages : pin.held) note_unread(pages);
    }
    return;
  }
  const std::vector<RetiredPages> held = std::exchange(pin.held, {});
  spare_ = pins_.extract(at);
  spare_.mapped() = {};
  for (const RetiredPages& pages : held) place(pages);
}

void Versions::place(const RetiredPages& pages) {
  const auto pin = pins_.lower_bound(pages.birth);
  if (pin != pins_.end() && pin->first < pages.freed) {
    pin->second.held.push_back(pages);
    note_unread(pages);
  } else if (pages.freed > published_.version) {
    undecided_.push_back(pages);
  } else {
    released_.push_back(pages);
    has_pages_to_give_back_.store(true, std::memory_order_relaxed);
  }
}

void Versions::note_unread(const RetiredPages& pages) {
  const bool only_checkpoints = std::all_of(pins_.lower_bound(pages.birth), pins_.lower_bound(pages.freed),
                                            [](const auto& pin) { return pin.second.count == pin.second.checkpoints; });
  if (!only_checkpoints || pages.count > 1) return;
  unread_.push_back(pages.page);
  has_pages_to_give_back_.store(true, std::memory_order_relaxed);
}

void Versions::publish(const State& state) {
  shown_.hide();
  shown_.show(state);
  published_ = state;
  // What was put back out of order is looked at again with the rest: place() decides each anew.
  std::deque<RetiredPages> undecided = std::exchange(undecided_, {});
  for (const RetiredPages& pages : undecided) place(pages);
}

void Versions::add(const State& state, std::vector<RetiredPages> retired, Lsn durable) {
  std::lock_guard lock(mutex_);
  VITRINE_ASSERT(state.version > latest_.version);
  latest_ = state;
  for (const RetiredPages& pages : retired) undecided_.push_back(pages);
  if (waiting_.empty() && state.needs_durable <= durable) {
    publish(state);
  } else {
    waiting_.push_back(state);
    has_waiting_.store(true, std::memory_order_release);
  }
}

bool Versions::amend(const Change& change) {
  std::lock_guard lock(mutex_);
  if (!waiting_.empty()) return false;
  State amended = latest_;
  shown_.hide();
  const base::Defer show([&] { shown_.show(published_); });
  if (!visits_.wait_briefly()) return false;
  std::vector<RetiredPages> retired;
  if (!change(newest(), amended, retired)) return false;
  latest_ = published_ = amended;
  for (const RetiredPages& pages : retired) place(pages);
  return true;
}

Version Versions::newest_pin() const {
  std::lock_guard lock(mutex_);
  return newest();
}

// Whoever adds a state that waits calls this once the log is durable that far, and sees what it has stored itself.
void Versions::advance(Lsn durable) {
  if (!has_waiting_.load(std::memory_order_acquire)) return;
  std::lock_guard lock(mutex_);
  bool moved = false;
  State newest;
  while (!waiting_.empty() && waiting_.front().needs_durable <= durable) {
    newest = waiting_.front();
    waiting_.pop_front();
    moved = true;
  }
  has_waiting_.store(!waiting_.empty(), std::memory_order_release);
  if (moved) publish(newest);
}

std::vector<RetiredPages> Versions::take_released() {
  std::lock_guard lock(mutex_);
  if (released_.empty()) return {};
  const Version seen = visits_.oldest_version();
  const auto kept = std::partition(released_.begin(), released_.end(),
                                   [seen](const RetiredPages& pages) { return pages.freed <= seen; });
  std::vector<RetiredPages> still_seen(kept, released_.end());
  released_.erase(kept, released_.end());
  return std::exchange(released_, std::move(still_seen));
}

std::vector<format::PageNo> Versions::take_unread() {
  std::lock_guard lock(mutex_);
  has_pages_to_give_back_.store(!released_.empty(), std::memory_order_relaxed);
  return std::exchange(unread_, {});
}

State Versions::latest() const {
  std::lock_guard lock(mutex_);
  return latest_;
}

State Versions::published() const {
  std::lock_guard lock(mutex_);
  return published_;
}

PinReport Versions::report() const {
  std::lock_guard lock(mutex_);
  PinReport report;
  for (const auto& [version, pin] : pins_) {
    const std::uint64_t readers = pin.count - pin.checkpoints;
    if (readers > 0 && report.pins == 0) {
      report.oldest_seq = pin.commit_seq;
      report.oldest_since_ns = pin.since_ns;
    }
    report.pins += readers;
    for (const RetiredPages& pages : pin.held) report.pages_held += pages.count;
  }
  return report;
}

std::uint64_t Versions::held_pages(Version until) const {
  std::lock_guard lock(mutex_);
  std::uint64_t count = 0;
  const auto add = [&](const RetiredPages& pages) { count += pages.birth <= until ? pages.count : 0; };
  for (const auto& [version, pin] : pins_) std::for_each(pin.held.begin(), pin.held.end(), add);
  std::for_each(undecided_.begin(), undecided_.end(), add);
  std::for_each(released_.begin(), released_.end(), add);
  return count;
}

}  // namespace vitrine::txn
