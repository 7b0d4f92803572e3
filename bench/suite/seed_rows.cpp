// SPDX-License-Identifier: MIT OR Apache-2.0
// The ten rows by which a small key-value store in Rust shows what it does: 64 operations each, every write durable,
// the median of three rounds. Here for every peer, on the same disk.
#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <thread>

#include "base/prng.hpp"
#include "suite/single.hpp"

namespace vitrine::bench {
namespace {

constexpr std::uint64_t kOperations = 64;
constexpr std::uint64_t kScanned = 1280;
constexpr std::uint64_t kReaders = 4;
constexpr int kRounds = 3;

class SeedRows {
 public:
  explicit SeedRows(Single& single) : data_(single.data), store_(single.kind, single.directory, single.options) {
    for (unsigned i = 0; i < kReaders; ++i) store_.session(i);
    load(store_, data_, KeyOrder::Scattered, 0, kScanned, kScanned);
  }

  nlohmann::json run() {
    for (int round = 0; round < kRounds; ++round) {
      next_ = 1'000'000 + static_cast<std::uint64_t>(round) * 10'000;
      keep("sequential insert", kOperations, [&] { put_range(0, next_, KeyOrder::Sequential); });
      keep("random insert", kOperations, [&] { put_range(0, next_, KeyOrder::Scattered); });
      keep("point lookup", kOperations, [&] { get_some(0); });
      keep("scan (1280 entries)", kScanned, [&] { scan(); });
      keep("update", kOperations, [&] { put_range(0, 0, KeyOrder::Scattered, kOperations, next_); });
      keep("delete", kOperations, [&] { erase_range(next_); });
      bool has_compact = true;
      keep("compact", 1, [&] { has_compact = store_.peer().compact(); });
      if (!has_compact) rates_.erase("compact");
      keep("concurrent read (4 threads)", kOperations * kReaders, [&] { in_threads(kReaders, 0); });
      keep("concurrent write (4 threads)", kOperations, [&] { in_threads(0, 4); });
      keep("mixed (3 readers, 1 writer)", kOperations * 4, [&] { in_threads(3, 1); });
    }
    nlohmann::json result;
    for (auto& [row, rates] : rates_) {
      std::ranges::sort(rates);
      result[row] = rates[rates.size() / 2];
    }
    return result;
  }

 private:
  void keep(const std::string& row, std::uint64_t operations, const std::function<void()>& step) {
    const Clock::time_point start = Clock::now();
    step();
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    rates_[row].push_back(static_cast<double>(operations) / seconds);
  }

  // The salt makes the values differ from those that are there.
  void put_range(unsigned thread, std::uint64_t from, KeyOrder order, std::uint64_t count = kOperations,
                 std::uint64_t salt = 0) {
    Session& session = store_.session(thread);
    for (std::uint64_t i = from; i < from + count; ++i) {
      session.begin_write();
      session.put(BenchKey(i, order).bytes(), data_.value(i + salt));
      session.commit();
    }
  }
  void erase_range(std::uint64_t from) {
    Session& session = store_.session(0);
    for (std::uint64_t i = from; i < from + kOperations; ++i) {
      session.begin_write();
      session.erase(BenchKey(i, KeyOrder::Scattered).bytes());
      session.commit();
    }
  }
  void get_some(unsigned thread) {
    Session& session = store_.session(thread);
    base::Prng prng(thread + 1);
    session.begin_snapshot();
    for (std::uint64_t i = 0; i < kOperations; ++i) {
      std::string_view value;
      require(session.get(BenchKey(prng.below(kScanned), KeyOrder::Scattered).bytes(), value), "a key is not found");
    }
    session.end_snapshot();
  }
  void scan() {
    ScanSum sum;
    store_.session(0).begin_snapshot();
    store_.session(0).scan({}, kScanned, sum);
    store_.session(0).end_snapshot();
    require(sum.count == kScanned, "a scan missed entries");
  }

  // Readers do 64 gets each; writers share 64 puts.
  void in_threads(unsigned readers, unsigned writers) {
    std::vector<std::string> failures(readers + writers);
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < readers + writers; ++i) {
      threads.emplace_back([this, i, readers, writers, &failures] {
        try {
          if (i < readers) {
            get_some(i);
          } else {
            put_range(i, next_ + 1000 + i * kOperations, KeyOrder::Scattered, kOperations / writers);
          }
        } catch (const std::exception& failure) {
          failures[i] = failure.what();
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const std::string& failure : failures) require(failure.empty(), failure.c_str());
  }

  const Data& data_;
  Store store_;
  std::uint64_t next_ = 0;
  std::map<std::string, std::vector<double>> rates_;
};

}  // namespace

nlohmann::json measure_seed_rows(Single& single) {
  single.options.survives = Survives::Power;
  return SeedRows(single).run();
}

}  // namespace vitrine::bench
