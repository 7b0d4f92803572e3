// SPDX-License-Identifier: MIT OR Apache-2.0
// What can be made to go wrong on the simulated disk, and when.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/status.hpp"

namespace vitrine::os {

// Every fallible call on the environment or a file is one operation of one kind.
enum class SimOperation : std::uint8_t {
  Open,
  Create,
  OpenTemporary,
  Exists,
  Remove,
  Rename,
  SyncDirectory,
  Filesystem,
  Random,
  Read,
  Write,
  Sync,
  Size,
  Resize,
  Reserve,
  Lock,
  Unlock,
  QueryLock,
  Identity,
};

std::string_view sim_operation_name(SimOperation kind);
// Does the call change anything that a crash could keep or lose, or make such a change durable?
bool sim_operation_changes_disk(SimOperation kind);

enum class SimEffect : std::uint8_t {
  Fail,      // the call returns an error
  Lose,      // a write is acknowledged, and reads see it until the caches are dropped, but it never reaches the disk;
             // a sync is acknowledged and does nothing
  Misdirect  // as Lose, and the bytes land at another offset of the same file
};

// What a failed sync of a file or directory leaves behind. After each of them the next sync succeeds.
enum class SyncFailure : std::uint8_t {
  DropPending,    // as ext4: reads still see the data, the disk never gets it
  PartlyDurable,  // as DropPending, but a random part of the sectors did reach the disk
  RevertPending,  // reads see the durable content again; names stay as with DropPending
};

struct SimFault {
  std::uint64_t operation = 1;           // the first operation number it may strike
  bool for_ever = false;                 // strike every matching operation from then on, not only the first
  std::vector<SimOperation> kinds = {};  // only these; empty: every kind
  std::string path = {};                 // only this file; empty: every file
  SimEffect effect = SimEffect::Fail;
  std::optional<ErrorCode> code = {};  // default: ReadFailed, WriteFailed, SyncFailed or SystemFailed after the kind
  std::uint64_t partial_bytes = 0;     // a failing write takes effect this far
  SyncFailure sync_failure = SyncFailure::DropPending;
  std::uint64_t misdirected_to = 0;
};

// The faults that are still to come.
class SimFaultPlan {
 public:
  void add(SimFault fault) { faults_.push_back(std::move(fault)); }
  void clear() { faults_.clear(); }
  // The fault that strikes this operation, if any; a fault that strikes once is used up.
  std::optional<SimFault> take(std::uint64_t operation, SimOperation kind, const std::string& path);

 private:
  std::vector<SimFault> faults_;
};

// The error of `fault` for a call of `kind`.
Status sim_fault_status(const SimFault& fault, SimOperation kind, const std::string& path);

}  // namespace vitrine::os
