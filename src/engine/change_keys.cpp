// SPDX-License-Identifier: MIT OR Apache-2.0
// Changes of the key table of an open database.
#include "base/defer.hpp"
#include "base/try.hpp"
#include "engine/engine.hpp"

namespace vitrine::engine {

// Both header slots get the new table before this returns: a header that falls back to its older slot must not bring a
// removed key back. Between the two writes either table may be found after a crash.
Status Engine::change_keys(
    const std::function<Status(crypto::KeyTable& table, const crypto::MasterKey& master)>& change) {
  CHECK(check_usable());
  if (!keys().ring) return Status::error(ErrorCode::NotEncrypted, "the database is not encrypted and has no keys");
  if (is_read_only()) return Status::error(ErrorCode::ReadOnly);
  CHECK(failure());
  CHECK(take_latch());
  const base::Defer release([this] { latch_.release(); });
  std::lock_guard lock(checkpoint_mutex_);
  Meta changed = meta_;
  CHECK(change(changed.keys, keys_.ring->master()));
  for (unsigned slot = 0; slot < 2; ++slot) {
    CHECK(write_next_header(changed));
    changed = meta_;
  }
  let_go_of_old_checkpoints();
  return {};
}

}  // namespace vitrine::engine
