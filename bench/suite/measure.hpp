// SPDX-License-Identifier: MIT OR Apache-2.0
// Measures stores beside each other: every workload runs on all of them in short slices, round by round, so that what
// the machine does meanwhile meets each of them alike.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace vitrine::bench {

struct MeasureSettings {
  std::string modules;    // folder of the modules
  std::string directory;  // for the databases; emptied afterwards
  std::vector<std::string> peers;
  std::vector<std::string> workloads;  // empty: all
  std::uint64_t records = 1'000'000;
  std::uint64_t durable_records = 100'000;
  std::size_t value_size = 100;
  std::uint64_t cache_size = 0;  // 0: four times the data
  unsigned rounds = 3;
  double budget_seconds = 150;  // about; when loading takes too much of it, less is loaded
};

// {"workloads": {NAME: {PEER: [operations a second, one for each round]}}, "notes": {PEER: [text]},
//  "peers": {PEER: {"version", "configuration"}}, "records": {LOAD: records}, "seconds"}
nlohmann::json measure(const MeasureSettings& settings);

}  // namespace vitrine::bench
