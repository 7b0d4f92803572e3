// SPDX-License-Identifier: MIT OR Apache-2.0
#include "suite/single.hpp"

#include <sys/stat.h>

#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "base/prng.hpp"

namespace vitrine::bench {
namespace {

constexpr std::uint64_t kLoadBatch = 1000;

// What the files take on the disk; some are large on paper only.
std::uint64_t folder_bytes(const std::string& directory) {
  constexpr std::uint64_t kStatBlock = 512;
  std::uint64_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    struct stat status {};
    if (stat(entry.path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    bytes += static_cast<std::uint64_t>(status.st_blocks) * kStatBlock;
  }
  return bytes;
}

// Of this program alone; what getrusage tells begins with the memory of the process that started it.
std::uint64_t peak_memory_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::uint64_t kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib << 10;
  }
  return 0;
}

// Every commit has been acknowledged when the signal is sent.
[[noreturn]] void die(Single& single) {
  Store store(single.kind, single.directory, single.options);
  load(store, single.data, KeyOrder::Scattered, 0, single.loaded, kLoadBatch);
  if (single.loaded > 0) store.peer().checkpoint();
  load(store, single.data, KeyOrder::Scattered, single.loaded, single.loaded + single.records, 1);
  std::raise(SIGKILL);
  std::abort();
}

nlohmann::json count(Single& single) {
  const Clock::time_point start = Clock::now();
  Store store(single.kind, single.directory, single.options);
  Session& session = store.session(0);
  std::string_view value;
  session.begin_snapshot();
  session.get(BenchKey(0, KeyOrder::Scattered).bytes(), value);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  std::uint64_t missing = 0;
  for (std::uint64_t i = 0; i < single.loaded + single.records; ++i) {
    const bool found = session.get(BenchKey(i, KeyOrder::Scattered).bytes(), value);
    if (!found || value != single.data.value(i)) ++missing;
  }
  session.end_snapshot();
  return {{"open_seconds", seconds}, {"missing", missing}};
}

nlohmann::json space(Single& single) {
  Store store(single.kind, single.directory, single.options);
  load(store, single.data, KeyOrder::Scattered, 0, single.records, kLoadBatch);
  store.peer().checkpoint();
  nlohmann::json result;
  result["data_bytes"] = single.records * (16 + single.data.value_size());
  result["loaded_bytes"] = folder_bytes(single.directory);
  base::Prng prng(5);
  Session& session = store.session(0);
  for (std::uint64_t done = 0; done < single.records * 2; done += kLoadBatch) {  // every record twice, on average
    session.begin_write();
    for (std::uint64_t i = 0; i < kLoadBatch; ++i) {
      const std::uint64_t index = prng.below(single.records);
      session.put(BenchKey(index, KeyOrder::Scattered).bytes(), single.data.value(index + done));
    }
    session.commit();
  }
  store.peer().checkpoint();
  result["churned_bytes"] = folder_bytes(single.directory);
  return result;
}

nlohmann::json memory(Single& single) {
  Store store(single.kind, single.directory, single.options);
  load(store, single.data, KeyOrder::Scattered, 0, single.records, kLoadBatch);
  Session& session = store.session(0);
  ScanSum sum;
  session.begin_snapshot();
  session.scan({}, single.records, sum);
  session.end_snapshot();
  require(sum.count == single.records, "a scan missed entries");
  store.close();
  return {{"peak_bytes", peak_memory_bytes()}};
}

// By processor time of the whole process, so that whoever else uses the machine matters little.
double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double nanoseconds_of_a_get(Store& store, const Single& single) {
  Session& session = store.session(0);
  base::Prng prng(6);
  std::uint64_t count = 0;
  double start = 0;
  session.begin_snapshot();
  for (const std::uint64_t warm_up = single.records; count < warm_up + 3 * single.records; ++count) {
    if (count == warm_up) start = processor_seconds();
    std::string_view value;
    require(session.get(BenchKey(prng.below(single.records), KeyOrder::Scattered).bytes(), value), "a key is missing");
  }
  const double seconds = processor_seconds() - start;
  session.end_snapshot();
  return seconds * 1e9 / static_cast<double>(3 * single.records);
}

nlohmann::json processor(Single& single) {
  constexpr std::uint64_t kCommits = 3000;
  nlohmann::json result;
  {
    Store store(single.kind, single.directory, single.options);
    const double start = processor_seconds();  // some stores do a part of the checkpoint while they load
    load(store, single.data, KeyOrder::Scattered, 0, single.records, kLoadBatch);
    store.peer().checkpoint();
    const double data_mib = static_cast<double>(single.records * (16 + single.data.value_size())) / (1u << 20);
    result["load_mib"] = data_mib / (processor_seconds() - start);
    result["warm_ns"] = nanoseconds_of_a_get(store, single);
    store.close();
  }
  single.options.cache_size /= 64;  // a sixteenth of the data, when the cache was four times as large
  {
    Store store(single.kind, single.directory, single.options);
    result["cold_ns"] = nanoseconds_of_a_get(store, single);
    store.close();
  }
  single.options.survives = Survives::Power;
  Store store(single.kind, single.directory, single.options);
  const double start = processor_seconds();
  load(store, single.data, KeyOrder::Scattered, 0, std::min(kCommits, single.records), 1);
  result["commit_us"] = (processor_seconds() - start) * 1e6 / static_cast<double>(std::min(kCommits, single.records));
  return result;
}

}  // namespace

Single::Single(const nlohmann::json& asked)
    : kind(load_kind(asked.at("modules"), asked.at("peer"))),
      directory(asked.at("directory").get<std::string>()),
      records(asked.value("records", std::uint64_t{0})),
      loaded(asked.value("loaded", std::uint64_t{0})),
      seconds(asked.value("seconds", 5.0)),
      data(std::max<std::uint64_t>(records + loaded, 1), asked.value("value_size", std::size_t{100})) {
  options.survives = asked.value("survives", "process") == "power" ? Survives::Power : Survives::Process;
  options.data_size_max = (data.value_size() + 16) * data.records() * 2;
  options.cache_size = asked.value("cache_size", std::uint64_t{64} << 20);
  options.threads_max = 8;
}

nlohmann::json run_single(const std::string& mode, const nlohmann::json& asked) {
  Single single(asked);
  if (mode == "die") die(single);
  if (mode == "count") return count(single);
  if (mode == "space") return space(single);
  if (mode == "memory") return memory(single);
  if (mode == "latency") return measure_latency(single);
  if (mode == "processor") return processor(single);
  if (mode == "seeds") return measure_seed_rows(single);
  throw PeerFailure("no mode " + mode);
}

}  // namespace vitrine::bench
