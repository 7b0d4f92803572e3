// SPDX-License-Identifier: MIT OR Apache-2.0
// What is measured: one function for each workload, the same for every store.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "suite/store.hpp"

namespace vitrine::bench {

using Clock = std::chrono::steady_clock;

// The data set, and numbers drawn beforehand so that drawing them costs a workload nothing.
class Data {
 public:
  Data(std::uint64_t records, std::size_t value_size);

  std::uint64_t records() const noexcept { return records_; }
  std::size_t value_size() const noexcept { return values_.of(0).size(); }
  std::string_view value(std::uint64_t index) const noexcept { return values_.of(index); }
  // Ranks from 0, by Zipf's law with exponent 0.99 (YCSB's), over the records.
  std::span<const std::uint32_t> zipf() const noexcept { return zipf_; }
  void draw_zipf();                                                       // only the YCSB workloads need it
  void keep_only(std::uint64_t records) noexcept { records_ = records; }  // before drawing

 private:
  std::uint64_t records_;
  BenchValues values_;
  std::vector<std::uint32_t> zipf_;
};

// When a thread of a workload has to stop. Looks at the clock once in a while only.
class Stopwatch {
 public:
  explicit Stopwatch(Clock::duration duration, unsigned check_every = 64)
      : check_every_(check_every), start_(Clock::now()), end_(start_ + duration) {}
  bool goes_on() noexcept {
    if (++steps_ % check_every_ != 0) return true;
    now_ = Clock::now();
    return now_ < end_;
  }
  double seconds() const noexcept { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  unsigned check_every_;
  unsigned steps_ = 0;
  Clock::time_point start_;
  Clock::time_point end_;
  Clock::time_point now_;
};

struct Job {
  Store& store;
  const Data& data;
  unsigned thread = 0;
  unsigned threads = 1;
  std::uint64_t seed = 0;
  Clock::duration duration{};
};

// Which database a workload runs on.
enum class Stage : std::uint8_t {
  LoadInOrder,   // an empty one, by chunks
  LoadAtRandom,  // an empty one, by chunks; what is left is what Read and Write use
  Read,          // the loaded one
  Write,         // the loaded one, changed meanwhile
  Durable,       // a small one whose commits survive power loss
};

struct Workload {
  std::string_view name;
  Stage stage;
  unsigned threads;
  std::uint64_t (*run)(const Job& job);  // returns the operations done; null: the loads
};

std::span<const Workload> workloads();

// Puts records [from, to) of the data set, in transactions of `batch`.
void load(Store& store, const Data& data, KeyOrder order, std::uint64_t from, std::uint64_t to, std::uint64_t batch);

}  // namespace vitrine::bench
