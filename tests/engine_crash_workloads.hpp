// SPDX-License-Identifier: MIT OR Apache-2.0
// The workloads of the crash exploration: each drives one part of the engine through everything it writes.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "tests/engine_crash.hpp"

namespace vitrine::testing {

// `rounds` stretches each of them; 1 is the shortest that still does what its name says. Those whose images are slow to
// judge run for a part of it.
inline std::uint64_t share(std::uint64_t rounds, std::uint64_t quarters) {
  return std::max<std::uint64_t>(1, rounds * quarters / 4);
}
inline std::string workload_key(std::uint64_t number) { return "key " + std::to_string(number); }

std::vector<CrashWorkload> commit_workloads(std::uint64_t rounds);       // transactions and what the log does
std::vector<CrashWorkload> tree_workloads(std::uint64_t rounds);         // pages, checkpoints, growth
std::vector<CrashWorkload> maintenance_workloads(std::uint64_t rounds);  // creation, recovery, whole-file work
std::vector<CrashWorkload> rotation_workloads(std::uint64_t rounds);     // keys change while commits go on

// All of the above.
std::vector<CrashWorkload> crash_workloads(std::uint64_t rounds);

// Commits inside the operations of a checkpoint. Apart from the others, because a fault that belongs to an operation of
// the checkpoint would meet one of the commit inside it.
CrashWorkload interleaved_workload(std::uint64_t rounds);

}  // namespace vitrine::testing
