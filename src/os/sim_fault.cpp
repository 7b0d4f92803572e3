// SPDX-License-Identifier: MIT OR Apache-2.0
#include "os/sim_fault.hpp"

#include <algorithm>
#include <iterator>

#include "base/assert.hpp"
#include "os/file_error.hpp"

namespace vitrine::os {
namespace {

struct OperationRow {
  SimOperation kind;
  std::string_view name;
  bool changes_disk;
  ErrorCode usual_error;
};

constexpr OperationRow kOperations[] = {
    {SimOperation::Open, "open", false, ErrorCode::SystemFailed},
    {SimOperation::Create, "create", true, ErrorCode::SystemFailed},
    {SimOperation::OpenTemporary, "open temporary", false, ErrorCode::SystemFailed},
    {SimOperation::Exists, "exists", false, ErrorCode::SystemFailed},
    {SimOperation::Remove, "remove", true, ErrorCode::SystemFailed},
    {SimOperation::Rename, "rename", true, ErrorCode::SystemFailed},
    {SimOperation::SyncDirectory, "sync directory", true, ErrorCode::SyncFailed},
    {SimOperation::Filesystem, "filesystem", false, ErrorCode::SystemFailed},
    {SimOperation::Random, "random", false, ErrorCode::SystemFailed},
    {SimOperation::Read, "read", false, ErrorCode::ReadFailed},
    {SimOperation::Write, "write", true, ErrorCode::WriteFailed},
    {SimOperation::Sync, "sync", true, ErrorCode::SyncFailed},
    {SimOperation::Size, "size", false, ErrorCode::SystemFailed},
    {SimOperation::Resize, "resize", true, ErrorCode::WriteFailed},
    {SimOperation::Reserve, "reserve", true, ErrorCode::WriteFailed},
    {SimOperation::Lock, "lock", false, ErrorCode::SystemFailed},
    {SimOperation::Unlock, "unlock", false, ErrorCode::SystemFailed},
    {SimOperation::QueryLock, "query lock", false, ErrorCode::SystemFailed},
    {SimOperation::Identity, "identify", false, ErrorCode::SystemFailed},
};

const OperationRow& row_of(SimOperation kind) {
  const auto index = static_cast<std::size_t>(kind);
  VITRINE_ASSERT(index < std::size(kOperations) && kOperations[index].kind == kind);
  return kOperations[index];
}

}  // namespace

std::string_view sim_operation_name(SimOperation kind) { return row_of(kind).name; }
bool sim_operation_changes_disk(SimOperation kind) { return row_of(kind).changes_disk; }

std::optional<SimFault> SimFaultPlan::take(std::uint64_t operation, SimOperation kind, const std::string& path) {
  for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
    const std::vector<SimOperation>& kinds = fault->kinds;
    const bool kind_matches = kinds.empty() || std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
    if (operation < fault->operation || !kind_matches || (!fault->path.empty() && fault->path != path)) continue;
    SimFault taken = *fault;
    if (!fault->for_ever) faults_.erase(fault);
    return taken;
  }
  return std::nullopt;
}

Status sim_fault_status(const SimFault& fault, SimOperation kind, const std::string& path) {
  const OperationRow& row = row_of(kind);
  return file_error(fault.code.value_or(row.usual_error), row.name, path, "simulated fault");
}

}  // namespace vitrine::os
