// SPDX-License-Identifier: MIT OR Apache-2.0
// Handles that read a checkpoint of an earlier session. Their locks tell a new writer which checkpoints they read, but
// not which pages: what those checkpoints needed beyond the newest one counts as free in its map. So while there is
// such a reader, a new writer keeps away from every page that was free when it began; the file grows instead.
#include <algorithm>
#include <limits>
#include <utility>

#include "base/try.hpp"
#include "engine/engine.hpp"

namespace vitrine::engine {

// Halves the range of all these bytes as long as there is a lock inside. The newest checkpoint is kept anyway.
Result<std::vector<std::uint64_t>> Engine::older_checkpoints_in_use() {
  std::vector<std::uint64_t> found;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges{{kLockWriter + 1, kCheckpointLocks}};
  while (!ranges.empty()) {
    const auto [begin, size] = ranges.back();
    ranges.pop_back();
    if (!TRY(file_->locked_by_other(begin, size))) continue;
    if (size > 1) {
      ranges.emplace_back(begin, size / 2);
      ranges.emplace_back(begin + size / 2, size - size / 2);
      continue;
    }
    const std::uint64_t age = (lock_of_checkpoint(meta_.checkpoint) - begin) % kCheckpointLocks;
    if (age > 0) found.push_back(meta_.checkpoint - age);
  }
  return found;
}

// REQUIRES: the map is loaded, and nothing was taken from it yet.
Status Engine::keep_pages_of_older_readers() {
  const std::vector<std::uint64_t> in_use = TRY(older_checkpoints_in_use());
  if (in_use.empty()) return {};
  const Version before = meta_.version - 1;  // they may be older; what counts is that they come before this session
  std::vector<tree::RetiredPages> kept;
  for (auto [page, rest] : space_->hold_free()) {
    while (rest > 0) {
      const auto count =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(rest, std::numeric_limits<std::uint32_t>::max()));
      kept.push_back({page, count, 0, meta_.version});
      page += count;
      rest -= count;
    }
  }
  for (const std::uint64_t checkpoint : in_use) {
    versions_->pin_older(before, std::exchange(kept, {}));
    retained_.insert(retained_.begin(), {checkpoint, before, meta_.log_position});
  }
  return {};
}

}  // namespace vitrine::engine
