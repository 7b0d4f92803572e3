// SPDX-License-Identifier: MIT OR Apache-2.0
// What the write-ahead log costs: appends without a sync, and durable commits from 1, 8 and 32 threads, against the
// floor of the machine: one thread that overwrites 4 KiB of a prewritten file and syncs it.
//
// And how fast a full log is read again.
//
//   log_bench [directory] [seconds per run]
#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "os/env.hpp"
#include "wal/log.hpp"
#include "wal/scan.hpp"

namespace {

using namespace vitrine;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kPayloadSize = 150;
constexpr format::FileId kFile{1, 2};

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void require(const Status& status) {
  if (status.is_ok()) return;
  std::fprintf(stderr, "log_bench: %s\n", status.to_string().c_str());
  std::exit(1);
}

void print_latencies(const char* name, std::vector<std::uint32_t>& latencies_ns, double seconds, double group) {
  std::sort(latencies_ns.begin(), latencies_ns.end());
  const auto at = [&](double share) {
    return latencies_ns[static_cast<std::size_t>(share * static_cast<double>(latencies_ns.size() - 1))] / 1000.0;
  };
  const double count = static_cast<double>(latencies_ns.size());
  std::printf("%-24s %9.0f commits/s  p50 %7.1f us  p99 %7.1f us  %5.1f commits a sync\n", name, count / seconds,
              at(0.5), at(0.99), group);
}

void measure_floor(const std::string& path, double seconds) {
  os::Env& env = os::system_env();
  const std::unique_ptr<os::File> file = env.open(path, os::OpenMode::CreateNew).value();
  const std::vector<char> block(4096, 'x');
  const os::IoSlice slice{block.data(), block.size()};
  constexpr std::uint64_t kFileSize = 64u << 20;
  for (std::uint64_t at = 0; at < kFileSize; at += block.size()) require(file->write_at(at, {&slice, 1}));
  require(file->sync());
  std::vector<std::uint32_t> latencies;
  const Clock::time_point start = Clock::now();
  for (std::uint64_t at = 0; seconds_since(start) < seconds; at = (at + block.size()) % kFileSize) {
    const Clock::time_point before = Clock::now();
    require(file->write_at(at, {&slice, 1}));
    require(file->sync());
    latencies.push_back(static_cast<std::uint32_t>((Clock::now() - before).count()));
  }
  print_latencies("floor: write + sync", latencies, seconds_since(start), 1);
  require(env.remove(path));
}

// A log whose commits are checkpointed at once whenever it fills up.
class BenchLog {
 public:
  explicit BenchLog(const std::string& path, std::size_t buffer_size = 1u << 20) : path_(path) {
    wal::LogOptions options;
    options.buffer_size = buffer_size;
    options.size_max = 64u << 20;
    log_ = wal::Log::create(os::system_env(), path, kFile, {format::kSegmentHeaderSize, 7}, options).value();
    // The steady state: all slots exist and are durable.
    const std::string large(1u << 20, 'x');
    while (log_->capacity() < options.size_max) {
      require(log_->reserve(large.size()));
      require(log_->append(0, large).status());
    }
    require(log_->sync(log_->position().lsn));
    log_->recycle(log_->position().lsn);
  }
  ~BenchLog() {
    log_.reset();
    require(os::system_env().remove(path_));
  }

  format::Lsn append(Bytes payload) {
    if (log_->reserve(payload.size()).code() == ErrorCode::LogFull) {
      log_->recycle(log_->position().lsn);
      require(log_->reserve(payload.size()));
    }
    return log_->append(++seq_, payload).value();
  }
  wal::Log& log() { return *log_; }

 private:
  const std::string path_;
  std::unique_ptr<wal::Log> log_;
  std::uint64_t seq_ = 0;
};

void measure_append(const std::string& path, const char* name, std::size_t buffer_size, std::uint64_t round) {
  BenchLog log(path, buffer_size);
  const std::string payload(kPayloadSize, 'p');
  constexpr std::uint64_t kRounds = 200;
  std::uint64_t appended = 0;
  double best = 1e9;
  double total = 0;
  for (std::uint64_t i = 0; i < kRounds; ++i) {
    const Clock::time_point start = Clock::now();
    for (std::uint64_t k = 0; k < round; ++k) log.append(payload);
    const double seconds = seconds_since(start);
    best = std::min(best, seconds / static_cast<double>(round));
    total += seconds;
    appended += round;
    if (buffer_size > (1u << 20)) require(log.log().write_out(log.log().position().lsn));  // not measured
  }
  std::printf("%-24s mean %6.1f ns  best %6.1f ns a call (reserve + append of %zu bytes)\n", name,
              total / static_cast<double>(appended) * 1e9, best * 1e9, kPayloadSize);
}

void measure_commits(const std::string& path, unsigned thread_count, double seconds) {
  BenchLog log(path);
  std::mutex commit_latch;
  std::vector<std::vector<std::uint32_t>> latencies(thread_count);
  std::atomic<bool> stop{false};
  const std::uint64_t syncs_before = log.log().syncs();
  const Clock::time_point start = Clock::now();
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < thread_count; ++i) {
    threads.emplace_back([&, i] {
      const std::string payload(kPayloadSize, 'p');
      while (!stop.load(std::memory_order_relaxed)) {
        const Clock::time_point before = Clock::now();
        std::unique_lock lock(commit_latch);
        const format::Lsn end = log.append(payload);
        lock.unlock();
        require(log.log().sync(end));
        latencies[i].push_back(static_cast<std::uint32_t>((Clock::now() - before).count()));
      }
    });
  }
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  stop = true;
  for (std::thread& thread : threads) thread.join();
  const double elapsed = seconds_since(start);
  std::vector<std::uint32_t> all;
  for (const auto& part : latencies) all.insert(all.end(), part.begin(), part.end());
  const double syncs = static_cast<double>(log.log().syncs() - syncs_before);
  const std::string name = "log: " + std::to_string(thread_count) + " threads";
  print_latencies(name.c_str(), all, elapsed, static_cast<double>(all.size()) / syncs);
}

void measure_scan(const std::string& path) {
  BenchLog log(path);
  const wal::LogPosition position = log.log().position();
  const std::string payload(kPayloadSize, 'p');
  while (log.log().reserve(payload.size()).is_ok()) log.append(payload);
  require(log.log().sync(log.log().position().lsn));
  const std::unique_ptr<os::File> file = os::system_env().open(path, os::OpenMode::ReadOnly).value();
  const Clock::time_point start = Clock::now();
  const wal::ScanResult result =
      wal::scan_log(*file, {kFile, position, true}, [](std::uint64_t, format::Lsn, Bytes) { return Status{}; }).value();
  const double seconds = seconds_since(start);
  const auto count = static_cast<double>(result.transactions);
  std::printf("%-24s %9.0f transactions in %.3f s, %.0f MB/s\n", "scan of a full log", count, seconds,
              static_cast<double>(log.log().capacity()) / seconds / 1e6);
}

}  // namespace

int main(int argument_count, char** arguments) {
  const std::string directory = argument_count > 1 ? arguments[1] : ".";
  unsigned seconds = 2;
  if (argument_count > 2) std::from_chars(arguments[2], arguments[2] + std::strlen(arguments[2]), seconds);
  const std::string path = directory + "/log_bench.tmp";
  measure_append(path, "append, in memory", 8u << 20, 10'000);
  measure_append(path, "append, written out", 1u << 20, 10'000);
  measure_scan(path);
  measure_floor(path, seconds);
  for (const unsigned threads : {1u, 2u, 8u, 32u}) measure_commits(path, threads, seconds);
  measure_floor(path, seconds);
}
