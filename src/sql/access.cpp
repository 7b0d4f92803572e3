// SPDX-License-Identifier: MIT OR Apache-2.0
#include "sql/access.hpp"

#include "base/try.hpp"

namespace vitrine::sql {

Result<const Transaction*> Access::reader() {
  if (writer_) return static_cast<const Transaction*>(&*writer_);
  if (!reader_) {
    if (db_ == nullptr) return Status::error(ErrorCode::Misuse, "the database is not open");
    reader_.emplace(TRY(db_->begin_read()));
  }
  return static_cast<const Transaction*>(&*reader_);
}

Status Access::begin_write() {
  if (writer_) return {};
  if (db_ == nullptr) return Status::error(ErrorCode::Misuse, "the database is not open");
  writer_.emplace(TRY(db_->begin_write()));
  if (reader_ && reader_->snapshot_seq() != writer_->snapshot_seq()) {
    writer_.reset();
    return Status::error(ErrorCode::CommitConflict, "another transaction committed since this one began to read");
  }
  return {};
}

Status Access::commit() {
  if (!writer_) return {};
  const Commit commit = writer_->commit();
  writer_.reset();
  savepoints_.clear();
  end_read();
  return commit.status;
}

void Access::rollback() noexcept {
  writer_.reset();
  savepoints_.clear();
  end_read();
}

Status Access::set_savepoint(std::size_t number) {
  if (!writer_) return {};
  while (savepoints_.size() <= number) savepoints_.push_back(TRY(writer_->savepoint()));
  return {};
}

void Access::release_savepoint(std::size_t number) {
  if (number < savepoints_.size()) savepoints_.resize(number);
}

Status Access::rollback_to(std::size_t number) {
  if (!writer_ || number >= savepoints_.size()) return {};
  savepoints_.resize(number + 1);
  return writer_->rollback_to(savepoints_[number]);
}

std::int64_t Access::remember(const DocumentId& id) {
  documents_.push_back(id);
  return static_cast<std::int64_t>(documents_.size());
}

const DocumentId* Access::remembered(std::int64_t number) const noexcept {
  const auto index = static_cast<std::uint64_t>(number) - 1;
  return index < documents_.size() ? &documents_[static_cast<std::size_t>(index)] : nullptr;
}

void Access::fail(const Status& status) {
  if (failure_.is_ok()) failure_ = status;
}

Status Access::take_failure() noexcept {
  Status failure = std::move(failure_);
  failure_ = Status();
  return failure;
}

}  // namespace vitrine::sql
