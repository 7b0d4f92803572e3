// SPDX-License-Identifier: MIT OR Apache-2.0
// Failing calls of the operating system, one after the other: a workload runs again and again, and each time another of
// its operations fails, once or from then on. Whatever it was, the caller must get a typed error, commits must have the
// outcome they were given, reads must go on, and the next open must find a sound database.
//
// Thread safety: none.
#pragma once

#include <string>
#include <vector>

#include "tests/engine_crash.hpp"

namespace vitrine::testing {

struct FaultReport {
  std::uint64_t operations = 0;   // of the workload
  std::uint64_t runs = 0;         // one fault each
  std::uint64_t failed_runs = 0;  // in which the workload met an error
  std::uint64_t unknown_commits = 0;
  std::uint64_t poisoned = 0;       // handles that refused to write afterwards
  std::uint64_t second_faults = 0;  // met by the process after that
  std::uint64_t images = 0;         // power cuts after the fault
  std::vector<std::string> failures;

  std::string to_string() const;
};

struct FaultOptions {
  std::uint64_t seed = 1;
  std::uint64_t one_in = 1;         // try only some of the faults, at random
  std::uint64_t random_images = 2;  // beside those where all or nothing survives
  std::uint64_t failure_limit = 3;
};

FaultReport explore_faults(const CrashWorkload& workload, const FaultOptions& options);

}  // namespace vitrine::testing
