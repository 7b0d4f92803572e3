// SPDX-License-Identifier: MIT OR Apache-2.0
// bench_suite: measures Vitrine and its peers in one process. What it is asked and what it says is JSON, because
// bench/bench.py is its only user: it asks, judges the figures against the targets, and makes the report.
//
//   bench_suite MODE '{"setting": value, ...}'      the answer goes to stdout, progress to stderr
#include <cstdio>
#include <string>

#include "suite/limits.hpp"
#include "suite/measure.hpp"
#include "suite/single.hpp"

namespace vitrine::bench {
namespace {

template <typename T>
void read(const nlohmann::json& from, const char* name, T& to) {
  if (from.contains(name)) to = from.at(name).get<T>();
}

nlohmann::json run_measure(const nlohmann::json& asked) {
  MeasureSettings settings;
  read(asked, "modules", settings.modules);
  read(asked, "directory", settings.directory);
  read(asked, "peers", settings.peers);
  read(asked, "workloads", settings.workloads);
  read(asked, "records", settings.records);
  read(asked, "durable_records", settings.durable_records);
  read(asked, "value_size", settings.value_size);
  read(asked, "cache_size", settings.cache_size);
  read(asked, "rounds", settings.rounds);
  read(asked, "budget_seconds", settings.budget_seconds);
  return measure(settings);
}

nlohmann::json answer(const std::string& mode, const nlohmann::json& asked) {
  if (mode == "measure") return run_measure(asked);
  if (mode == "limits") return measure_limits(asked.at("directory"), asked.at("seconds"));
  return run_single(mode, asked);
}

}  // namespace
}  // namespace vitrine::bench

int main(int argument_count, char** arguments) {
  if (argument_count != 3) {
    std::fprintf(stderr, "usage: bench_suite MODE JSON (see bench/bench.py, which is who asks)\n");
    return 2;
  }
  try {
    std::puts(vitrine::bench::answer(arguments[1], nlohmann::json::parse(arguments[2])).dump().c_str());
    return 0;
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "bench_suite: %s\n", failure.what());
    return 1;
  }
}
