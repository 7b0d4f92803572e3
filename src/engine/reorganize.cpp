// SPDX-License-Identifier: MIT OR Apache-2.0
// Compaction and vacuum: rewriting without a change of content, in small transactions between those of others. Nothing
// is logged: a crash loses the work, not the data.
#include "base/try.hpp"
#include "engine/engine.hpp"
#include "engine/write_session.hpp"

namespace vitrine::engine {
namespace {

constexpr std::uint64_t kPagesPerStep = 128;
constexpr std::uint64_t kCheckpointShare = 16;  // of the file's pages
constexpr int kVacuumRounds = 8;

Status report(const ProgressFunction& progress, std::uint64_t done, std::uint64_t total) {
  if (!progress || progress({done, total, "pages"})) return {};
  return Status::error(ErrorCode::Cancelled);
}

}  // namespace

// Runs `step(tree, from)` in transactions of its own until it says that it has reached the end.
Status Engine::walk_tree(const std::function<Result<tree::TreeWriter::MoveStep>(tree::TreeWriter&, Bytes)>& step,
                         std::uint64_t& moved, const ProgressFunction& progress) {
  std::string from;
  std::uint64_t checkpoint_at = moved + space_->page_count() / kCheckpointShare;
  for (;;) {
    const std::unique_ptr<WriteSession> session = TRY(begin_write(std::nullopt));
    const tree::TreeWriter::MoveStep done =
        TRY(session->reorganize([&](tree::TreeWriter& tree) { return step(tree, from); }));
    CHECK(session->commit(Durability::None).status);
    moved += done.moved;
    // What was moved away from is free only after a checkpoint: without one now and then the file would grow instead.
    if (moved >= checkpoint_at) {
      CHECK(checkpoint());
      checkpoint_at = moved + space_->page_count() / kCheckpointShare;
    }
    CHECK(report(progress, moved, 0));
    if (!done.next) return {};
    from = *done.next;
  }
}

Result<CompactReport> Engine::compact(const ProgressFunction& progress) {
  CompactReport result;
  CHECK(checkpoint());
  result.pages_before = space_->page_count();
  CHECK(walk_tree([](tree::TreeWriter& tree, Bytes from) { return tree.merge_thin(from, kPagesPerStep); },
                  result.pages_moved, progress));
  CHECK(checkpoint());
  result.pages_after = space_->page_count();
  return result;
}

// Each round moves what lies beyond the size the file could have, and cuts what is free then. Space that a snapshot or
// the last checkpoint holds comes free only between rounds, so it takes a few.
Result<CompactReport> Engine::vacuum(const ProgressFunction& progress) {
  CompactReport result = TRY(compact(progress));
  for (int round = 0; round < kVacuumRounds; ++round) {
    const std::uint64_t before = space_->page_count();
    const PageNo limit = space_->allocated_count() + space_->held_count() + 1;
    CHECK(walk_tree([limit](tree::TreeWriter& tree, Bytes from) { return tree.move_below(limit, from, kPagesPerStep); },
                    result.pages_moved, progress));
    CHECK(checkpoint());
    CHECK(shorten_file());
    result.pages_after = space_->page_count();
    if (result.pages_after >= before) break;
  }
  return result;
}

// The header must say the shorter length before the file has it.
Status Engine::shorten_file() {
  latch_.acquire();
  drain_released();
  space_->trim_end();
  must_checkpoint_ = true;
  CHECK(checkpoint_with_latch(std::unique_lock(checkpoint_mutex_), Ending::GoOn));
  if (backing_ == Backing::Memory) return {};
  latch_.acquire();
  std::unique_lock lock(checkpoint_mutex_);
  drain_released();
  Status status;
  if (space_->page_count() <= meta_.page_count) {
    status = file_->resize(meta_.page_count * page_size());
    if (status.is_ok()) file_pages_ = meta_.page_count;
  }
  lock.unlock();
  latch_.release();
  return status;
}

}  // namespace vitrine::engine
