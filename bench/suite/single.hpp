// SPDX-License-Identifier: MIT OR Apache-2.0
// Measurements that need a process for one store alone: what it keeps when it is killed, how long it takes to open
// again, how much memory and disk it takes. bench/bench.py starts one process for each.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace vitrine::bench {

// Modes:
//   die     commits `records` one at a time after a load of `loaded`, then kills its own process (no answer)
//   count   opens what is there: {"open_seconds", "count", "missing"}
//   space   loads, and rewrites at random: {"data_bytes", "loaded_bytes", "churned_bytes"}
//   memory  loads, reads and scans with a small cache, closes: {}; the caller reads the peak of the process
// Settings: modules, directory, peer, records, value_size, cache_size, survives ("process", "power"), loaded.
nlohmann::json run_single(const std::string& mode, const nlohmann::json& asked);

}  // namespace vitrine::bench
