// SPDX-License-Identifier: MIT OR Apache-2.0
// Cuts the power at every point of a workload and looks at everything that may be left.
//
// The workload runs once on a simulated machine. Before each of its operations that changes the disk, and after the
// last one, the explorer enumerates the images a power cut there may leave, and lets `check` recover and judge each
// distinct one on a machine of its own. Some images are recovered once more with the power cut inside the recovery.
// Knows nothing about the engine: it sees an Env and two functions.
//
// Deterministic: the same workload and options give the same report. Thread safety: none.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "os/sim_crash.hpp"
#include "os/sim_env.hpp"

namespace vitrine::testing {

// How far the workload has come. It numbers its steps from 1 and calls begin(n) before step n can have any effect and
// acknowledge(n) once step n must survive. After a crash every state k with acknowledged() <= k <= begun() is right.
class Ack {
 public:
  void begin(std::uint64_t step) { begun_ = step; }
  void acknowledge(std::uint64_t step) { acknowledged_ = step; }
  std::uint64_t begun() const { return begun_; }
  std::uint64_t acknowledged() const { return acknowledged_; }
  bool allows(std::uint64_t step) const { return acknowledged_ <= step && step <= begun_; }

 private:
  std::uint64_t begun_ = 0;
  std::uint64_t acknowledged_ = 0;
};

struct CrashExplorerOptions {
  os::SimOptions machine = {};
  os::SimCrashOptions images = {};
  // Recover every n-th distinct image (at random, on average) with crashes inside; 0: none.
  std::uint64_t nested_one_in = 20;
  os::SimCrashOptions nested_images = {.exhaustive_units = 4, .list_limit = 12, .random_images = 8};
  std::uint64_t crash_one_in = 1;    // look only at some crash points, at random, when there are too many
  std::uint64_t only_operation = 0;  // to debug: look only at the crash before this operation
  std::uint64_t failure_limit = 1;   // stop after so many
  std::uint64_t seed = 1;
};

struct CrashFailure {
  std::uint64_t operation = 0;         // the crash came before it
  std::uint64_t nested_operation = 0;  // of the recovery, or 0
  Ack ack;
  std::string image;  // what was lost
  std::string nested_image;
  Status status;  // what check said

  std::string to_string() const;
};

struct CrashReport {
  Status workload_status;
  std::uint64_t operations = 0;  // of the workload
  std::uint64_t crash_points = 0;
  std::uint64_t images = 0;
  std::uint64_t distinct_images = 0;  // checked; an image counts again when more was begun or acknowledged
  std::uint64_t nested_recoveries = 0;
  std::uint64_t nested_images = 0;  // distinct and checked
  std::vector<CrashFailure> failures;

  bool is_ok() const { return workload_status.is_ok() && failures.empty(); }
  std::string to_string() const;
};

struct CrashSubject {
  // Not explored; makes what the workload starts from. May be empty.
  std::function<Status(os::Env&)> prepare = {};
  // Must succeed on a machine without faults.
  std::function<Status(os::Env&, Ack&)> workload = {};
  // Recovers from an image and fails when the outcome is not one that `ack` allows.
  std::function<Status(os::Env&, const Ack&)> check = {};
  // Only recovers; run for the crashes inside a recovery. Empty: check is used, which must then write nothing that a
  // later check would not expect.
  std::function<Status(os::Env&)> recover = {};
};

CrashReport explore_crashes(const CrashSubject& subject, const CrashExplorerOptions& options = {});

}  // namespace vitrine::testing
