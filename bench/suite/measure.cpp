// SPDX-License-Identifier: MIT OR Apache-2.0
#include "suite/measure.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <thread>

#include "suite/workloads.hpp"

namespace vitrine::bench {
namespace {

constexpr std::uint64_t kLoadChunks = 4;
constexpr std::uint64_t kLoadBatch = 1000;
constexpr std::uint64_t kUnmeasuredLoadBatch = 10'000;  // not measured; fewer syncs
constexpr double kLoadShareMax = 0.4;                   // of the budget
constexpr double kWarmUpShare = 0.2;
constexpr double kSliceSecondsMin = 0.05;
constexpr double kSliceSecondsMax = 5;

Clock::duration to_duration(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}
double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Runs the workload on all its threads; returns operations a second.
double run_threads(const Workload& workload, Store& store, const Data& data, std::uint64_t seed, double seconds) {
  const auto job_of = [&](unsigned thread) {
    return Job{store, data, thread, workload.threads, seed * 1000 + thread, to_duration(seconds)};
  };
  const Clock::time_point start = Clock::now();
  if (workload.threads == 1) {
    const std::uint64_t count = workload.run(job_of(0));
    return static_cast<double>(count) / seconds_since(start);
  }
  for (unsigned i = 0; i < workload.threads; ++i) store.session(i);  // outside of the threads, which it is not safe in
  std::atomic<std::uint64_t> total{0};
  std::vector<std::string> failures(workload.threads);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < workload.threads; ++i) {
    threads.emplace_back([&, i] {
      try {
        total += workload.run(job_of(i));
      } catch (const std::exception& failure) {
        failures[i] = failure.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& failure : failures) require(failure.empty(), failure.c_str());
  return static_cast<double>(total) / seconds_since(start);
}

class Measurement {
 public:
  explicit Measurement(const MeasureSettings& settings)
      : settings_(settings),
        start_(Clock::now()),
        data_(settings.records, settings.value_size),
        durable_data_(std::min(settings.durable_records, settings.records), settings.value_size) {
    result_["notes"] = nlohmann::json::object();
    result_["workloads"] = nlohmann::json::object();
    for (const std::string& name : settings.peers) {
      guarded(name, [&] {
        const StoreKind kind = load_kind(settings.modules, name);
        kinds_[name] = kind;
        order_.push_back(name);
        result_["peers"][name] = {{"version", kind.module->version}, {"configuration", kind.module->configuration}};
      });
    }
    for (const Workload& workload : workloads()) {
      const bool wanted = settings.workloads.empty() || std::ranges::count(settings.workloads, workload.name) > 0;
      if (wanted) wanted_.push_back(workload);
    }
  }

  nlohmann::json run() {
    if (has({Stage::LoadInOrder})) {
      open_all("order", Survives::Process, data_);
      load_all("load_seq", KeyOrder::Sequential, data_);
      close_all();
    }
    if (has({Stage::LoadAtRandom, Stage::Read, Stage::Write})) {
      open_all("data", Survives::Process, data_);
      load_all("load_rand", KeyOrder::Scattered, data_);
      for_each_store([](Store& store) { store.peer().checkpoint(); });
      data_.keep_only(loaded_);
      data_.draw_zipf();
      run_stages({Stage::Read}, data_);
      run_stages({Stage::Write}, data_);
      close_all();
    }
    if (has({Stage::Durable})) {
      open_all("durable", Survives::Power, durable_data_);
      load_all("", KeyOrder::Scattered, durable_data_);
      run_stages({Stage::Durable}, durable_data_);
      close_all();
    }
    result_["seconds"] = seconds_since(start_);
    return std::move(result_);
  }

 private:
  bool has(std::initializer_list<Stage> stages) const {
    return std::ranges::any_of(wanted_, [&](const Workload& w) { return std::ranges::count(stages, w.stage) > 0; });
  }

  // A store that fails is not measured any more; the others are.
  void guarded(const std::string& name, const std::function<void()>& step) {
    try {
      step();
    } catch (const std::exception& failure) {
      std::fprintf(stderr, "%s: %s\n", name.c_str(), failure.what());
      result_["notes"][name].push_back(failure.what());
      std::erase(order_, name);
      stores_.erase(name);
    }
  }
  void for_each_store(const std::function<void(Store&)>& step) {
    const std::vector<std::string> names = order_;  // a failure changes order_
    for (const std::string& name : names) {
      guarded(name, [&] { step(*stores_.at(name)); });
    }
    // Whoever came first comes last in the next round.
    if (!order_.empty()) std::rotate(order_.begin(), order_.begin() + 1, order_.end());
  }

  void open_all(const std::string& folder, Survives survives, const Data& data) {
    PeerOptions options;
    const std::uint64_t bytes = data.records() * (BenchKey(0, KeyOrder::Scattered).bytes().size() + data.value_size());
    options.survives = survives;
    options.data_size_max = bytes * 2;  // the workloads insert and update
    options.cache_size =
        settings_.cache_size != 0 ? settings_.cache_size : std::max<std::uint64_t>(bytes * 4, 64u << 20);
    options.threads_max = 34;
    const std::vector<std::string> names = order_;
    for (const std::string& name : names) {
      guarded(name, [&] {
        const std::string directory = settings_.directory + "/" + name + "-" + folder;
        std::filesystem::remove_all(directory);
        stores_[name] = std::make_unique<Store>(kinds_.at(name), directory, options);
      });
    }
  }
  void close_all() {
    for_each_store([](Store& store) { store.close(); });
    for (auto& [name, store] : stores_) store->remove_files();
    stores_.clear();
  }

  // Loading must leave time for the rest. On a slow or busy machine the data set becomes smaller, for all alike.
  bool is_late(std::uint64_t chunk) const {
    return chunk > 0 && seconds_since(start_) > settings_.budget_seconds * kLoadShareMax * static_cast<double>(chunk) /
                                                    static_cast<double>(kLoadChunks - 1);
  }

  // Under `name`, if there is one and it is wanted.
  void load_all(const std::string& name, KeyOrder order, const Data& data) {
    const bool is_kept = std::ranges::any_of(wanted_, [&](const Workload& w) { return w.name == name; });
    for (std::uint64_t chunk = 0; chunk < kLoadChunks && !is_late(chunk); ++chunk) {
      loaded_ = data.records() * (chunk + 1) / kLoadChunks;
      for_each_store([&](Store& store) {
        const std::uint64_t from = data.records() * chunk / kLoadChunks;
        const std::uint64_t to = data.records() * (chunk + 1) / kLoadChunks;
        const Clock::time_point start = Clock::now();
        load(store, data, order, from, to, is_kept ? kLoadBatch : kUnmeasuredLoadBatch);
        if (is_kept) keep(name, store.name(), static_cast<double>(to - from) / seconds_since(start));
      });
    }
    std::fprintf(stderr, "%6.1f s  loaded %s\n", seconds_since(start_), name.c_str());
    if (is_kept) result_["records"][name] = loaded_;
  }

  void run_stages(std::initializer_list<Stage> stages, const Data& data) {
    for (unsigned round = 0; round < settings_.rounds; ++round) {
      for (const Workload& workload : wanted_) {
        if (std::ranges::count(stages, workload.stage) == 0) continue;
        const double seconds = slice_seconds();
        for_each_store([&](Store& store) {
          run_threads(workload, store, data, round * 2 + 1, seconds * kWarmUpShare);
          const double rate = run_threads(workload, store, data, round * 2 + 2, seconds * (1 - kWarmUpShare));
          keep(std::string(workload.name), store.name(), rate);
        });
        ++done_;
      }
      std::fprintf(stderr, "%6.1f s  round %u\n", seconds_since(start_), round + 1);
    }
  }

  // What is left of the budget, divided among the slices that are still to come.
  double slice_seconds() const {
    const auto timed = std::ranges::count_if(wanted_, [](const Workload& w) { return w.run != nullptr; });
    const double slices_left = static_cast<double>(timed) * settings_.rounds - static_cast<double>(done_);
    const double left = settings_.budget_seconds - seconds_since(start_);
    const double seconds = left / std::max(1.0, slices_left * static_cast<double>(order_.size()));
    return std::clamp(seconds, kSliceSecondsMin, kSliceSecondsMax);
  }

  void keep(const std::string& workload, const std::string& peer, double rate) {
    result_["workloads"][workload][peer].push_back(rate);
  }

  const MeasureSettings& settings_;
  const Clock::time_point start_;
  Data data_;
  Data durable_data_;
  std::map<std::string, StoreKind> kinds_;
  std::map<std::string, std::unique_ptr<Store>> stores_;
  std::vector<std::string> order_;
  std::vector<Workload> wanted_;
  std::uint64_t loaded_ = 0;  // records that the last load has put
  std::uint64_t done_ = 0;    // workloads times rounds
  nlohmann::json result_;
};

}  // namespace

nlohmann::json measure(const MeasureSettings& settings) { return Measurement(settings).run(); }

}  // namespace vitrine::bench
