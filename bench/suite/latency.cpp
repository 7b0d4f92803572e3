// SPDX-License-Identifier: MIT OR Apache-2.0
// How long the slowest operations take while the store brings its files up to date: one thread gets and puts in turn,
// another one asks for one checkpoint after the other.
#include <algorithm>
#include <atomic>
#include <thread>

#include "base/prng.hpp"
#include "suite/single.hpp"

namespace vitrine::bench {
namespace {

constexpr std::uint64_t kLoadBatch = 1000;

class Latencies {
 public:
  template <typename Step>
  void time(const Step& step) {
    const Clock::time_point start = Clock::now();
    step();
    nanoseconds_.push_back(
        static_cast<std::uint32_t>(std::min<std::int64_t>((Clock::now() - start).count(), UINT32_MAX)));
  }
  nlohmann::json percentiles() {
    std::ranges::sort(nanoseconds_);
    const auto at = [&](double share) {
      return nanoseconds_.empty()
                 ? 0
                 : nanoseconds_[static_cast<std::size_t>(share * static_cast<double>(nanoseconds_.size() - 1))];
    };
    return {{"p50", at(0.5)},     {"p90", at(0.9)},       {"p99", at(0.99)},
            {"p99.9", at(0.999)}, {"p99.99", at(0.9999)}, {"max", at(1)}};
  }

 private:
  std::vector<std::uint32_t> nanoseconds_;
};

// Some stores keep what a checkpoint needs in the thread that made it, so it is the same thread each time.
class Checkpoints {
 public:
  explicit Checkpoints(Peer& peer)
      : thread_([this, &peer] {
          try {
            for (; !is_over_.load(std::memory_order_relaxed); ++count_) peer.checkpoint();
          } catch (const std::exception& failure) {
            failure_ = failure.what();
          }
        }) {}
  ~Checkpoints() {
    if (thread_.joinable()) end();
  }
  std::uint64_t end() {
    is_over_ = true;
    thread_.join();
    require(failure_.empty(), failure_.c_str());
    return count_;
  }

 private:
  std::atomic<bool> is_over_{false};
  std::uint64_t count_ = 0;
  std::string failure_;
  std::thread thread_;
};

}  // namespace

nlohmann::json measure_latency(Single& single) {
  Store store(single.kind, single.directory, single.options);
  load(store, single.data, KeyOrder::Scattered, 0, single.records, kLoadBatch);
  Session& session = store.session(0);
  base::Prng prng(11);
  Latencies gets;
  Latencies puts;
  Checkpoints checkpoints(store.peer());
  Stopwatch watch(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(single.seconds)));
  for (std::uint64_t i = 0; watch.goes_on(); ++i) {
    const BenchKey wanted(prng.below(single.records), KeyOrder::Scattered);
    gets.time([&] {
      std::string_view value;
      session.begin_snapshot();
      require(session.get(wanted.bytes(), value), "a key that was put is not found");
      session.end_snapshot();
    });
    const BenchKey changed(prng.below(single.records), KeyOrder::Scattered);
    puts.time([&] {
      session.begin_write();
      session.put(changed.bytes(), single.data.value(i));
      session.commit();
    });
  }
  const std::uint64_t count = checkpoints.end();
  return {{"get", gets.percentiles()}, {"put", puts.percentiles()}, {"checkpoints", count}};
}

}  // namespace vitrine::bench
