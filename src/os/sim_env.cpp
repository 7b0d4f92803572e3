// SPDX-License-Identifier: MIT OR Apache-2.0
#include "os/sim_env.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/try.hpp"
#include "os/file_error.hpp"
#include "os/sim_file.hpp"

namespace vitrine::os {

SimMachine::SimMachine(const SimOptions& chosen, std::uint64_t last_inode)
    : options(chosen),
      disk(sim_mix(chosen.seed + 1), last_inode),
      random(chosen.seed),
      stopped_status(Status::error(ErrorCode::SystemFailed, "the simulated machine is stopped")) {
  VITRINE_ASSERT(chosen.sector_size == 512 || chosen.sector_size == 4096);
}

SimMachine::Verdict SimMachine::begin(SimOperation kind, const std::string& path) {
  now_ns += options.step_ns;
  if (counters.operations + 1 >= stop_before) return {stopped_status, std::nullopt};
  const std::uint64_t number = ++counters.operations;
  if (hooks.on_operation) hooks.on_operation(number, kind, path);
  if (number >= stop_before) return {stopped_status, std::nullopt};  // the hook stopped the machine
  std::optional<SimFault> fault = faults.take(number, kind, path);
  if (!fault) return {};
  ++counters.faults;
  if (fault->effect != SimEffect::Fail) return {{}, std::move(fault)};
  Status status = sim_fault_status(*fault, kind, path);
  return {std::move(status), std::move(fault)};
}

SimEnv::SimEnv(const SimOptions& options, std::uint64_t last_inode)
    : machine_(std::make_shared<SimMachine>(options, last_inode)) {}

std::unique_ptr<SimEnv> SimEnv::create(const SimOptions& options) {
  return std::unique_ptr<SimEnv>(new SimEnv(options, 0));
}

std::unique_ptr<File> SimEnv::make_handle(std::shared_ptr<SimInode> inode, const std::string& path, OpenMode mode) {
  return std::make_unique<SimFile>(machine_, std::move(inode), path, mode != OpenMode::ReadOnly);
}

Result<std::unique_ptr<File>> SimEnv::open(const std::string& path, OpenMode mode) {
  const bool creates = mode == OpenMode::CreateNew;
  CHECK(machine_->begin(creates ? SimOperation::Create : SimOperation::Open, path).status);
  if (path.empty()) return file_error(ErrorCode::ArgumentInvalid, "open", path, "a path is not empty");
  const SimNames& known = machine_->disk.names();
  const auto found = known.find(path);
  if (creates) {
    if (found != known.end()) return file_error(ErrorCode::FileExists, "open", path);
    std::shared_ptr<SimInode> inode = machine_->disk.make_inode();
    machine_->disk.add_name(path, inode);
    return make_handle(std::move(inode), path, mode);
  }
  if (found == known.end()) return file_error(ErrorCode::FileNotFound, "open", path);
  return make_handle(found->second, path, mode);
}

Result<std::unique_ptr<File>> SimEnv::open_temporary(const std::string& near_path) {
  CHECK(machine_->begin(SimOperation::OpenTemporary, near_path).status);
  const std::string path = std::string(directory_of(near_path)) + "/(temporary)";
  return make_handle(machine_->disk.make_inode(), path, OpenMode::ReadWrite);
}

Result<bool> SimEnv::exists(const std::string& path) {
  CHECK(machine_->begin(SimOperation::Exists, path).status);
  return machine_->disk.names().count(path) != 0;
}

Status SimEnv::remove(const std::string& path) {
  CHECK(machine_->begin(SimOperation::Remove, path).status);
  if (machine_->disk.names().count(path) == 0) return file_error(ErrorCode::FileNotFound, "remove", path);
  machine_->disk.remove_name(path);
  return {};
}

Status SimEnv::rename(const std::string& from, const std::string& to) {
  CHECK(machine_->begin(SimOperation::Rename, from).status);
  return move_name(from, to);
}

Status SimEnv::rename_new(const std::string& from, const std::string& to) {
  CHECK(machine_->begin(SimOperation::Rename, from).status);
  const SimNames& known = machine_->disk.names();
  if (known.count(from) != 0 && known.count(to) != 0) return file_error(ErrorCode::FileExists, "rename", to);
  return move_name(from, to);
}

Status SimEnv::move_name(const std::string& from, const std::string& to) {
  if (machine_->disk.names().count(from) == 0) return file_error(ErrorCode::FileNotFound, "rename", from);
  if (from != to) machine_->disk.move_name(from, to);
  return {};
}

Status SimEnv::sync_directory_of(const std::string& path) {
  const SimMachine::Verdict verdict = machine_->begin(SimOperation::SyncDirectory, path);
  if (verdict.fault && verdict.fault->effect != SimEffect::Fail) return {};
  if (verdict.fault) machine_->disk.fail_directory_sync(directory_of(path), verdict.fault->sync_failure);
  CHECK(verdict.status);
  machine_->disk.sync_directory(directory_of(path));
  ++machine_->counters.directory_syncs;
  return {};
}

Result<FilesystemInfo> SimEnv::filesystem_of(const std::string& path) {
  CHECK(machine_->begin(SimOperation::Filesystem, path).status);
  return FilesystemInfo{"simulated", false};
}

std::uint64_t SimEnv::wall_ms() {
  machine_->now_ns += machine_->options.step_ns;
  const std::uint64_t unshifted = machine_->options.wall_start_ms + machine_->now_ns / 1'000'000;
  return unshifted + static_cast<std::uint64_t>(machine_->wall_shift_ms);  // modulo 2^64, so a negative shift works
}

std::uint64_t SimEnv::monotonic_ns() { return machine_->now_ns += machine_->options.step_ns; }

Status SimEnv::random_bytes(std::span<std::byte> to) {
  CHECK(machine_->begin(SimOperation::Random, {}).status);
  for (std::byte& byte : to) byte = static_cast<std::byte>(machine_->random.next() & 0xff);
  return {};
}

SimInode& SimEnv::inode_at(const std::string& path) const {
  const auto found = machine_->disk.names().find(path);
  VITRINE_ASSERT(found != machine_->disk.names().end());
  return *found->second;
}

void SimEnv::flip_bit(const std::string& path, std::uint64_t offset, unsigned bit) {
  std::string byte = read_durable(path, offset, 1);
  VITRINE_ASSERT(byte.size() == 1 && bit < 8);
  byte[0] = static_cast<char>(static_cast<unsigned char>(byte[0]) ^ (1u << bit));
  write_durable(path, offset, byte);
}

void SimEnv::write_durable(const std::string& path, std::uint64_t offset, std::string_view bytes) {
  SimInode& inode = inode_at(path);
  VITRINE_ASSERT(offset + bytes.size() <= inode.durable.size);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint64_t at = offset + i;
    inode.durable.bytes.write(at, &bytes[i], 1);
    const bool is_covered = std::any_of(inode.pending.begin(), inode.pending.end(), [&](const SimChange& change) {
      return change.kind == SimChange::Kind::Write && change.offset <= at && at - change.offset < change.length;
    });
    if (!is_covered && at < inode.visible.size) inode.visible.bytes.write(at, &bytes[i], 1);
  }
}

std::string SimEnv::read_durable(const std::string& path, std::uint64_t offset, std::size_t size) const {
  const SimFileState& state = inode_at(path).durable;
  if (offset >= state.size) return {};
  std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(size, state.size - offset)), '\0');
  state.bytes.read(offset, bytes.data(), bytes.size());
  return bytes;
}

void SimEnv::drop_caches() {
  for (const auto& [path, inode] : machine_->disk.names()) {
    inode->visible = inode->durable;
    for (const SimChange& change : inode->pending) sim_apply(inode->visible, change);
    inode->visible.bytes.clear_from(inode->visible.size);
  }
}

std::vector<std::string> SimEnv::names() const {
  std::vector<std::string> names;
  for (const auto& [path, inode] : machine_->disk.names()) names.push_back(path);
  return names;
}

std::uint64_t SimEnv::visible_hash() const {
  std::uint64_t hash = 0;
  for (const auto& [path, inode] : machine_->disk.names()) hash += sim_name_hash(path, inode->visible);
  return hash;
}

}  // namespace vitrine::os
