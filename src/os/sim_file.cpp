// SPDX-License-Identifier: MIT OR Apache-2.0
#include "os/sim_file.hpp"

#include <algorithm>
#include <cstring>

#include "base/try.hpp"
#include "os/file_error.hpp"

namespace vitrine::os {
namespace {

// Keeps the page tables of a damaged file's absurd sizes small.
constexpr std::uint64_t kSimFileMax = std::uint64_t{1} << 34;

std::uint64_t total_size(std::span<const IoSlice> slices) {
  std::uint64_t total = 0;
  for (const IoSlice& slice : slices) total += slice.size;
  return total;
}

// The first `size` bytes of the slices.
std::vector<std::byte> join(std::span<const IoSlice> slices, std::uint64_t size) {
  std::vector<std::byte> bytes;
  bytes.reserve(static_cast<std::size_t>(size));
  for (const IoSlice& slice : slices) {
    const auto* from = static_cast<const std::byte*>(slice.data);
    const auto count = std::min<std::uint64_t>(slice.size, size - bytes.size());
    bytes.insert(bytes.end(), from, from + count);
  }
  return bytes;
}

}  // namespace

SimFile::SimFile(std::shared_ptr<SimMachine> machine, std::shared_ptr<SimInode> inode, std::string path,
                 bool is_writable)
    : machine_(std::move(machine)), inode_(std::move(inode)), path_(std::move(path)), is_writable_(is_writable) {
  ++inode_->open_handles;
}

SimFile::~SimFile() {
  inode_->locks.unlock_all(this);
  --inode_->open_handles;
}

Status SimFile::failed(ErrorCode code, SimOperation kind, std::uint64_t offset, std::string_view message) const {
  return file_error(code, sim_operation_name(kind), path_, message).with("offset", offset);
}

Result<std::optional<SimFault>> SimFile::begin_change(SimOperation kind, std::uint64_t offset, std::uint64_t size) {
  SimMachine::Verdict verdict = machine_->begin(kind, path_);
  const bool has_partial_effect = kind == SimOperation::Write && verdict.fault && verdict.fault->partial_bytes > 0;
  if (!verdict.status.is_ok() && !has_partial_effect) return verdict.status;
  if (!is_writable_) return failed(ErrorCode::FileReadOnly, kind, offset, "the file was opened read-only");
  if (offset > kSimFileMax || size > kSimFileMax - offset) {
    return failed(ErrorCode::DiskFull, kind, offset, "larger than a simulated file can be");
  }
  return std::move(verdict.fault);
}

Result<std::size_t> SimFile::read_at(std::uint64_t offset, void* to, std::size_t size) {
  CHECK(machine_->begin(SimOperation::Read, path_).status.with("offset", offset));
  const SimFileState& state = inode_->visible;
  if (offset >= state.size) return std::size_t{0};
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(size, state.size - offset));
  state.bytes.read(offset, to, count);
  ++machine_->counters.reads;
  machine_->counters.bytes_read += count;
  return count;
}

Status SimFile::write_at(std::uint64_t offset, std::span<const IoSlice> slices) {
  const std::uint64_t wanted = total_size(slices);
  const std::optional<SimFault> fault = TRY(begin_change(SimOperation::Write, offset, wanted));
  const bool fails = fault && fault->effect == SimEffect::Fail;
  const std::uint64_t allowed = fails ? std::min(wanted, fault->partial_bytes) : wanted;
  const std::uint64_t count = machine_->disk.fitting(*inode_, offset, allowed, machine_->options.capacity_bytes);

  if (count > 0) announce_write(offset, count);
  std::vector<std::byte> bytes = join(slices, count);
  ++machine_->counters.writes;
  machine_->counters.bytes_written += count;
  if (fault && fault->effect == SimEffect::Lose) {
    machine_->disk.write_lost(*inode_, offset, bytes);
  } else if (fault && fault->effect == SimEffect::Misdirect) {
    machine_->disk.write_misdirected(*inode_, offset, std::move(bytes), fault->misdirected_to);
  } else {
    machine_->disk.write(*inode_, offset, std::move(bytes));
  }
  if (fails) return sim_fault_status(*fault, SimOperation::Write, path_).with("offset", offset + count);
  if (count == wanted) return {};
  return failed(ErrorCode::DiskFull, SimOperation::Write, offset + count, "the simulated disk is full");
}

void SimFile::announce_write(std::uint64_t offset, std::uint64_t size) {
  if (!machine_->hooks.on_write) return;
  const bool overwrites_durable = !inode_->durable.bytes.is_zero(offset, size);
  machine_->hooks.on_write({machine_->counters.operations, path_, offset, size, overwrites_durable});
}

Status SimFile::sync() {
  const SimMachine::Verdict verdict = machine_->begin(SimOperation::Sync, path_);
  if (verdict.fault && verdict.fault->effect != SimEffect::Fail) return {};
  if (verdict.fault) machine_->disk.fail_sync(*inode_, verdict.fault->sync_failure, machine_->options.sector_size);
  CHECK(verdict.status);
  inode_->make_pending_durable();
  ++machine_->counters.syncs;
  return {};
}

Result<std::uint64_t> SimFile::size() {
  CHECK(machine_->begin(SimOperation::Size, path_).status);
  return inode_->visible.size;
}

Status SimFile::resize(std::uint64_t size) {
  TRY(begin_change(SimOperation::Resize, size, 0));
  machine_->disk.resize(*inode_, size);
  return {};
}

Status SimFile::reserve(std::uint64_t offset, std::uint64_t size) {
  TRY(begin_change(SimOperation::Reserve, offset, size));
  if (size == 0) return {};
  if (machine_->disk.fitting(*inode_, offset, size, machine_->options.capacity_bytes) < size) {
    return failed(ErrorCode::DiskFull, SimOperation::Reserve, offset, "the simulated disk is full");
  }
  machine_->disk.reserve(*inode_, offset, size);
  return {};
}

Result<bool> SimFile::try_lock(std::uint64_t offset, std::uint64_t size, LockMode mode) {
  CHECK(machine_->begin(SimOperation::Lock, path_).status);
  if (mode == LockMode::Exclusive && !is_writable_) {
    return failed(ErrorCode::FileReadOnly, SimOperation::Lock, offset, "the file was opened read-only");
  }
  return inode_->locks.try_lock(this, offset, size, mode);
}

Status SimFile::unlock(std::uint64_t offset, std::uint64_t size) {
  CHECK(machine_->begin(SimOperation::Unlock, path_).status);
  inode_->locks.unlock(this, offset, size);
  return {};
}

Result<bool> SimFile::locked_by_other(std::uint64_t offset, std::uint64_t size) {
  CHECK(machine_->begin(SimOperation::QueryLock, path_).status);
  return inode_->locks.locked_by_other(this, offset, size);
}

Result<FileIdentity> SimFile::identity() {
  CHECK(machine_->begin(SimOperation::Identity, path_).status);
  return FileIdentity{1, inode_->number};
}

}  // namespace vitrine::os
