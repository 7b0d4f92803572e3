// SPDX-License-Identifier: MIT OR Apache-2.0
// Measurements that need a process for one store alone: what it keeps when it is killed, how long it takes to open
// again, how much memory and disk it takes, its slowest operations. bench/bench.py starts one process for each.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "suite/workloads.hpp"

namespace vitrine::bench {

// Modes:
//   die      loads `loaded`, commits `records` more one at a time, then kills its own process (no answer)
//   count    opens what is there: {"open_seconds", "missing"}
//   space    loads, and rewrites at random: {"data_bytes", "loaded_bytes", "churned_bytes"}
//   memory   loads and scans with a small cache, closes: {"peak_bytes"}
//   latency  gets and puts while checkpoints run: {"get": {"p50": nanoseconds, ...}, "put": {...}, "checkpoints"}
//   processor  by processor time: a get with all pages in the cache and with a sixteenth of them, a load with its
//            checkpoint, a durable commit: {"warm_ns", "cold_ns", "load_mib" a second, "commit_us"}
//   seeds    small workloads of 64 operations: {ROW: operations a second}
// Settings: modules, directory, peer, records, value_size, cache_size, survives ("process", "power"), loaded, seconds.
nlohmann::json run_single(const std::string& mode, const nlohmann::json& asked);

// What a mode works on.
struct Single {
  explicit Single(const nlohmann::json& asked);

  StoreKind kind;
  std::string directory;
  std::uint64_t records;
  std::uint64_t loaded;
  double seconds;
  Data data;
  PeerOptions options;
};

nlohmann::json measure_latency(Single& single);
nlohmann::json measure_seed_rows(Single& single);

}  // namespace vitrine::bench
