// SPDX-License-Identifier: MIT OR Apache-2.0
// Durable puts and bare syncs: each side runs for a fixed time and counts.
#include "cli/bench_durable.hpp"

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "base/try.hpp"
#include "cli/database_access.hpp"
#include "cli/terminal.hpp"
#include "os/env.hpp"

namespace vitrine::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kBlockSize = 4096;
constexpr std::size_t kFileSize = std::size_t{16} << 20;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

Status write_block(os::File& file, std::uint64_t offset, const std::string& bytes) {
  const os::IoSlice slice{bytes.data(), bytes.size()};
  return file.write_at(offset, {&slice, 1});
}

Result<Measured> sync_for(os::File& file, std::chrono::seconds duration, ProgressBar& bar) {
  CHECK(write_block(file, 0, std::string(kFileSize, 'w')));
  CHECK(file.sync());
  const std::string block(kBlockSize, 'b');
  Measured measured;
  const Clock::time_point start = Clock::now();
  while (Clock::now() < start + duration) {
    if (interrupt_requested()) return cancelled();
    CHECK(write_block(file, measured.operations * kBlockSize % kFileSize, block));
    CHECK(file.sync());
    ++measured.operations;
    bar.update({measured.operations, 0, "syncs"});
  }
  measured.seconds = seconds_since(start);
  return measured;
}

// Counts what the putting threads did and keeps the first error among them.
struct Tally {
  std::atomic<bool> is_over{false};
  std::atomic<std::uint64_t> next_index{0};
  std::atomic<std::uint64_t> done{0};
  std::mutex mutex;
  Status status;

  void fail(Status error) {
    is_over = true;
    const std::lock_guard guard(mutex);
    if (status.is_ok()) status = std::move(error);
  }
};

void put_until_over(Database& db, const BenchValues& values, Tally& tally) {
  while (!tally.is_over.load(std::memory_order_relaxed)) {
    const std::uint64_t index = tally.next_index.fetch_add(1);
    if (Status put = db.put(BenchKey(index, KeyOrder::Scattered).bytes(), values.of(index)); !put.is_ok()) {
      return tally.fail(std::move(put));
    }
    tally.done.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace

Result<Measured> measure_bare_syncs(const std::string& path, std::chrono::seconds duration, ProgressBar& bar) {
  const std::string name = path + ".bare";
  std::unique_ptr<os::File> file = TRY(os::system_env().open(name, os::OpenMode::CreateNew));
  Result<Measured> measured = sync_for(*file, duration, bar);
  file.reset();
  CHECK(os::system_env().remove(name));
  return measured;
}

Result<Measured> measure_durable_puts(Database& db, const BenchValues& values, unsigned threads,
                                      std::chrono::seconds duration, std::uint64_t& first_index, ProgressBar& bar) {
  Tally tally;
  tally.next_index = first_index;
  const Clock::time_point start = Clock::now();
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < threads; ++i) {
    workers.emplace_back([&] { put_until_over(db, values, tally); });
  }
  while (!tally.is_over && Clock::now() < start + duration) {
    if (interrupt_requested()) tally.fail(cancelled());
    bar.update({tally.done, 0, "commits"});
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  tally.is_over = true;
  for (std::thread& worker : workers) worker.join();
  first_index = tally.next_index;
  if (!tally.status.is_ok()) return tally.status;
  return Measured{tally.done, seconds_since(start)};
}

}  // namespace vitrine::cli
