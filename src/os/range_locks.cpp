// SPDX-License-Identifier: MIT OR Apache-2.0
#include "os/range_locks.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace vitrine::os {

bool RangeLocks::try_lock(const void* owner, std::uint64_t offset, std::uint64_t size, LockMode mode) {
  VITRINE_ASSERT(size > 0);
  const std::uint64_t end = offset + size;
  const bool refused = std::any_of(locks_.begin(), locks_.end(), [&](const Lock& held) {
    const bool overlaps = held.begin < end && offset < held.end;
    return held.owner != owner && overlaps && (mode == LockMode::Exclusive || held.mode == LockMode::Exclusive);
  });
  if (refused) return false;
  unlock(owner, offset, size);
  locks_.push_back({owner, offset, end, mode});
  return true;
}

void RangeLocks::unlock(const void* owner, std::uint64_t offset, std::uint64_t size) {
  VITRINE_ASSERT(size > 0);
  const std::uint64_t end = offset + size;
  std::vector<Lock> kept;
  kept.reserve(locks_.size() + 2);  // cutting a hole splits at most one lock, and try_lock adds another
  for (const Lock& held : locks_) {
    if (held.owner != owner || held.end <= offset || end <= held.begin) {
      kept.push_back(held);
      continue;
    }
    if (held.begin < offset) kept.push_back({owner, held.begin, offset, held.mode});
    if (end < held.end) kept.push_back({owner, end, held.end, held.mode});
  }
  locks_ = std::move(kept);
}

void RangeLocks::unlock_all(const void* owner) {
  std::erase_if(locks_, [&](const Lock& held) { return held.owner == owner; });
}

bool RangeLocks::locked_by_other(const void* owner, std::uint64_t offset, std::uint64_t size) const {
  VITRINE_ASSERT(size > 0);
  return std::any_of(locks_.begin(), locks_.end(), [&](const Lock& held) {
    return held.owner != owner && held.begin < offset + size && offset < held.end;
  });
}

}  // namespace vitrine::os
