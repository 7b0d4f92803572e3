// SPDX-License-Identifier: MIT OR Apache-2.0
// Online backup: one snapshot, written as a database of its own in key order, so every page of the copy is full.
#include "base/defer.hpp"
#include "base/try.hpp"
#include "engine/draft_file.hpp"
#include "engine/engine.hpp"
#include "engine/write_session.hpp"
#include "tree/cursor.hpp"

namespace vitrine::engine {
namespace {

constexpr std::uint64_t kEntriesPerTick = 1024;

// Not as operations of a commit: the copy begins at the commit that the snapshot is, and adds none.
Status copy_entry(pool::Pool& pool, const tree::TreeCursor& from, WriteSession& to, TransferReport& report) {
  if (!from.is_large()) {
    report.bytes += from.key().size() + from.value().size();
    return to.reorganize([&](tree::TreeWriter& tree) { return tree.put(from.key(), {}, from.value()); });
  }
  tree::LargeValueReader reader = TRY(tree::LargeValueReader::open(pool, from.value()));
  tree::LargeValueWriter writer(to.workspace());
  std::string piece(std::size_t{256} << 10, '\0');
  for (std::uint64_t at = 0; at < reader.size();) {
    const std::size_t got = TRY(reader.read_at(at, piece.data(), piece.size()));
    CHECK(writer.append({piece.data(), got}));
    at += got;
  }
  report.bytes += from.key().size() + reader.size();
  return to.reorganize([&](tree::TreeWriter& tree) -> Status {
    if (const std::string* small = writer.small_value()) return tree.put(from.key(), {}, *small);
    return tree.put_large(from.key(), TRY(writer.finish()));
  });
}

Status copy_entries(pool::Pool& pool, const State& snapshot, Engine& target, TransferReport& report,
                    const ProgressFunction& progress) {
  const std::unique_ptr<WriteSession> session = TRY(target.begin_write(std::nullopt));
  tree::TreeCursor cursor(pool, snapshot.root);
  CHECK(cursor.seek_first());
  while (cursor.is_valid()) {
    CHECK(copy_entry(pool, cursor, *session, report));
    if (++report.entries % kEntriesPerTick == 0 && progress &&
        !progress({report.entries, snapshot.root.entries, "entries"})) {
      return Status::error(ErrorCode::Cancelled);
    }
    CHECK(cursor.next());
  }
  return session->commit(Durability::None).status;
}

}  // namespace

Result<TransferReport> Engine::copy_snapshot(os::Env& to, const std::string& name, Options options,
                                             const Origin& origin, const ProgressFunction& progress) {
  options.access = Access::ReadWrite;
  options.page_size = page_size();
  options.min_commit.reset();  // of the copy nothing is known yet
  options.anchor.clear();
  const State snapshot = pin_snapshot();
  const base::Defer unpin([&] { unpin_snapshot(snapshot); });
  Origin begin = origin;
  begin.commit_seq = snapshot.commit_seq;
  CHECK(create(to, name, options, begin));
  TransferReport report;
  report.snapshot_seq = snapshot.commit_seq;
  const std::shared_ptr<Engine> target = TRY(open(to, name, options, Backing::File, origin.keys));
  CHECK(copy_entries(*pool_, snapshot, *target, report, progress));
  CHECK(target->close());
  return report;
}

Result<TransferReport> Engine::backup(os::Env& to, const std::string& path, const ProgressFunction& progress,
                                      bool as_plaintext) {
  CHECK(check_usable());
  DraftFile draft = TRY(DraftFile::of(to, path));
  Origin origin;
  {
    std::lock_guard lock(meta_mutex_);  // a rotation changes both together
    origin.original = meta_;
    if (!as_plaintext) origin.keys = keys_;
  }
  const TransferReport report = TRY(copy_snapshot(to, draft.name(), options_, origin, progress));
  CHECK(draft.publish());
  return report;
}

// Other processes that read the file would go on reading the old one for ever, so there may be none. A writer that
// waits for the lock meanwhile finds that its file has lost its name (still_has_its_name).
Result<TransferReport> Engine::rewrite(const Secret& secret, Cipher cipher, const ProgressFunction& progress) {
  CHECK(check_usable());
  if (is_read_only()) return Status::error(ErrorCode::ReadOnly);
  if (backing_ == Backing::Memory) return Status::error(ErrorCode::ArgumentInvalid, "a database in memory has no file");
  CHECK(failure());
  if (TRY(file_->locked_by_other(kLockWriter + 1, kCheckpointLocks))) {
    return Status::error(ErrorCode::FileLocked, "another handle reads the database").with("path", path_);
  }
  CHECK(sync());
  if (closed_.exchange(true)) return Status::error(ErrorCode::Misuse, "the database is closed");
  worker_.reset();
  Options options = options_;
  options.secret = secret;
  options.cipher = cipher;
  const Meta original = meta();
  const Origin origin{.original = original, .keys = {}, .commit_seq = 0, .key_epoch = original.key_epoch + 1};
  Result<TransferReport> report = [&]() -> Result<TransferReport> {
    DraftFile draft = TRY(DraftFile::beside(env_, path_));
    TransferReport copied = TRY(copy_snapshot(env_, draft.name(), options, origin, progress));
    CHECK(close_writer(&draft));
    return copied;
  }();
  if (log_ && !report.has_value() && failure().is_ok()) (void)close_writer();
  log_.reset();
  CHECK(file_->unlock(kLockWriter, 1));
  return report;
}

}  // namespace vitrine::engine
