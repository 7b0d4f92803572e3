// SPDX-License-Identifier: MIT OR Apache-2.0
// Rotation of keys while readers and writers go on. What each step leaves behind when a crash ends it:
//
//   R1  Under the latch: a checkpoint under the old keys, after which        The old keys, or after either header the
//       the log has nothing of its own. Then both header slots under the     new ones, over the same content. Whoever
//       new keys; they hold the old master key, sealed under the new one.    has the secret opens both.
//   R2  From here on pages and frames are sealed under the new keys. Small   Pages of both epochs. Both open, and the
//       transactions write every page of the old epoch anew, until a walk    next rotation goes on.
//       over the whole tree finds none; so for the pages of the map.
//   R3  A checkpoint, so that no header leads to an old page, and zeros      The same.
//       over the pages that are free.
//   R4  Both header slots without the old master key.                        The same, or the new keys alone.
//
// Which pages are of the old epoch is known without reading them: those of versions up to that of the checkpoint of R1.
#include <algorithm>
#include <array>
#include <new>

#include "base/defer.hpp"
#include "base/try.hpp"
#include "engine/engine.hpp"

namespace vitrine::engine {
namespace {

constexpr std::uint64_t kStepMin = 8, kStepMax = 128;  // pages written anew in one transaction
constexpr std::uint64_t kStepShare = 16;               // of the file's pages, in between
constexpr std::uint64_t kLooksPerWipe = 8192;
constexpr std::size_t kWipeBytes = 256u << 10;

std::uint64_t pages_with_content(const std::vector<std::byte>& bytes, std::size_t page_size) {
  std::uint64_t count = 0;
  for (auto page = bytes.begin(); page != bytes.end(); page += static_cast<std::ptrdiff_t>(page_size)) {
    const auto end = page + static_cast<std::ptrdiff_t>(page_size);
    count += std::any_of(page, end, [](std::byte byte) { return byte != std::byte{0}; }) ? 1 : 0;
  }
  return count;
}

}  // namespace

Result<RotateReport> Engine::rotate(const Secret& secret, const ProgressFunction& progress) {
  CHECK(check_usable());
  if (!keys().ring) return Status::error(ErrorCode::NotEncrypted, "the database is not encrypted and has no keys");
  if (is_read_only()) return Status::error(ErrorCode::ReadOnly);
  CHECK(failure());
  const std::unique_lock turn(rotation_mutex_, std::try_to_lock);
  if (!turn.owns_lock()) return Status::error(ErrorCode::Misuse, "another thread rotates the keys");
  RotateReport report;
  report.resumed = meta().is_rotating();
  if (report.resumed) {
    CHECK(crypto::Unlocker(secret).unlock(meta().keys).status());
  } else {
    CHECK(begin_rotation(secret));
  }
  report.key_epoch = meta().key_epoch;
  report.pages_rewritten = TRY(renew_pages(progress));
  report.pages_wiped = TRY(wipe_free_pages(progress));
  report.pages_in_use = versions_->held_pages(meta().previous_until);
  CHECK(end_rotation());
  return report;
}

// --- R1 --------------------------------------------------------------------------------------------------------------

// What takes long, deriving from a passphrase and most of the checkpoint, is done before anybody has to wait.
Status Engine::begin_rotation(const Secret& secret) {
  Meta planned = meta();
  const FileKeys next = TRY(make_next_keys(env_, planned, keys(), secret));
  crypto::Salt page_salt{}, log_salt{};
  CHECK(env_.random_bytes(page_salt));
  CHECK(env_.random_bytes(log_salt));
  const std::shared_ptr<const format::LogSeal> log_seal = TRY(format::LogSeal::make(next.ring, log_salt));
  CHECK(checkpoint());
  CHECK(take_latch());
  const base::Defer release([this] { latch_.release(); });
  std::lock_guard lock(checkpoint_mutex_);
  CHECK(checkpoint_in_place());
  Status status;
  try {
    status = enter_next_epoch(planned, next, page_salt, log_seal);
  } catch (const std::bad_alloc&) {
    status = Status::out_of_memory();
  }
  // A header may say what this session does not do: nothing more may be written.
  if (!status.is_ok()) poison(status);
  return status;
}

Status Engine::enter_next_epoch(const Meta& planned, const FileKeys& next, const crypto::Salt& page_salt,
                                const std::shared_ptr<const format::LogSeal>& log_seal) {
  for (unsigned slot = 0; slot < 2; ++slot) {
    Meta changed = meta_;
    changed.features = planned.features;
    changed.key_epoch = planned.key_epoch;
    changed.keys = planned.keys;
    changed.previous_until = meta_.version;
    CHECK(write_next_header(changed, next));
  }
  CHECK(sealed_codec_->begin_epoch(next.ring, page_salt, meta_.previous_until));
  log_->change_seal(log_seal);
  log_seal_ = log_seal;
  let_go_of_old_checkpoints();
  return {};
}

// --- R2 --------------------------------------------------------------------------------------------------------------

// The last walk moves nothing: it is the proof that no page of the old epoch is left.
Result<std::uint64_t> Engine::renew_pages(const ProgressFunction& progress) {
  const Version until = meta().previous_until;
  const std::uint64_t budget = std::clamp(space_->page_count() / kStepShare, kStepMin, kStepMax);
  std::uint64_t rewritten = 0;
  for (std::uint64_t before = ~std::uint64_t{0}; before != rewritten;) {
    before = rewritten;
    std::uint64_t seen = 0;
    const ProgressFunction tell = [&](const Progress&) {
      const std::uint64_t total = space_->allocated_count();
      return !progress || progress({std::min(seen, total), total, "pages"});
    };
    const auto step = [&](tree::TreeWriter& tree, Bytes from) -> Result<tree::TreeWriter::MoveStep> {
      tree::TreeWriter::MoveStep done = TRY(tree.renew(until, from, budget));
      seen += done.seen;
      return done;
    };
    CHECK(walk_tree(step, rewritten, tell));
    CHECK(take_latch());
    rewritten += space_->renew(until);
    must_checkpoint_ = true;
    latch_.release();
    CHECK(checkpoint());
  }
  return rewritten;
}

// --- R3 --------------------------------------------------------------------------------------------------------------

// Whoever knows the old key and gets at the file must not find in it what was written just before the rotation.
Result<std::uint64_t> Engine::wipe_free_pages(const ProgressFunction& progress) {
  std::uint64_t wiped = 0;
  PageNo from = format::first_page(page_size_);
  for (PageNo end = from + 1; from < end;) {
    {
      CHECK(take_latch());
      const base::Defer release([this] { latch_.release(); });
      drain_released();
      end = std::max(space_->page_count(), file_pages_);
      from = TRY(wipe_some(from, end, wiped));
    }
    if (progress && !progress({from, end, "pages"})) return Status::error(ErrorCode::Cancelled);
  }
  CHECK(store_->sync());
  return wiped;
}

// One run of free pages, or up to where a step ends. Returns where to go on.
Result<PageNo> Engine::wipe_some(PageNo from, PageNo end, std::uint64_t& wiped) {
  const auto is_free = [&](PageNo page) {
    return page >= space_->page_count() || (!space_->is_allocated(page) && !space_->is_held(page));
  };
  const PageNo look_to = std::min(end, from + kLooksPerWipe);
  while (from < look_to && !is_free(from)) ++from;
  const PageNo run_to = std::min(look_to, from + kWipeBytes / page_size_);
  PageNo to = from;
  while (to < run_to && is_free(to)) ++to;
  if (to == from) return to;
  std::vector<std::byte> content((to - from) * page_size_);
  TRY(file_->read_at(from * page_size_, content.data(), content.size()));
  const std::uint64_t used = pages_with_content(content, page_size_);
  if (used == 0) return to;  // as what was reserved and never written
  std::fill(content.begin(), content.end(), std::byte{0});
  CHECK(store_->write_at(from * page_size_, content.data(), content.size()));
  wiped += used;
  return to;
}

// --- R4 --------------------------------------------------------------------------------------------------------------

// The old keys stay in memory, for snapshots of before, until the database is closed.
Status Engine::end_rotation() {
  CHECK(take_latch());
  const base::Defer release([this] { latch_.release(); });
  std::lock_guard lock(checkpoint_mutex_);
  FileKeys keys = keys_;
  keys.previous.reset();
  for (unsigned slot = 0; slot < 2; ++slot) {
    Meta changed = meta_;
    forget_previous_keys(changed);
    CHECK(write_next_header(changed, keys));
  }
  let_go_of_old_checkpoints();
  return {};
}

}  // namespace vitrine::engine
