// SPDX-License-Identifier: MIT OR Apache-2.0
#include "suite/workloads.hpp"

#include <array>
#include <cmath>

#include "base/prng.hpp"

namespace vitrine::bench {
namespace {

using base::Prng;

constexpr std::size_t kBatchOfGets = 8;
constexpr std::uint64_t kRangeSize = 100;
constexpr std::uint64_t kAll = ~std::uint64_t{0};

BenchKey key_of(std::uint64_t index) { return {index, KeyOrder::Scattered}; }

void must_find(bool found, const Job& job, std::string_view value) {
  require(found, "a key that was put is not found");
  require(value.size() == job.data.value_size(), "a value has the wrong size");
}

// --- Reads

std::uint64_t get_in_one_snapshot(const Job& job) {
  Session& session = job.store.session(job.thread);
  Prng prng(job.seed);
  std::uint64_t count = 0;
  ScanSum sum;
  session.begin_snapshot();
  for (Stopwatch watch(job.duration); watch.goes_on(); ++count) {
    const BenchKey key = key_of(prng.below(job.store.records));
    std::string_view value;
    must_find(session.get(key.bytes(), value), job, value);
    sum.add(key.bytes(), value);
  }
  session.end_snapshot();
  require(sum.check != 0, "values are empty");
  return count;
}

void get_one(const Job& job, Session& session, std::uint64_t index) {
  std::string_view value;
  must_find(session.get_alone(key_of(index).bytes(), value), job, value);
}

std::uint64_t get_each_in_a_snapshot(const Job& job) {
  Session& session = job.store.session(job.thread);
  Prng prng(job.seed);
  std::uint64_t count = 0;
  for (Stopwatch watch(job.duration); watch.goes_on(); ++count) get_one(job, session, prng.below(job.store.records));
  return count;
}

// Counts keys, not batches.
std::uint64_t get_in_batches(const Job& job) {
  Session& session = job.store.session(job.thread);
  Prng prng(job.seed);
  std::uint64_t count = 0;
  session.begin_snapshot();
  for (Stopwatch watch(job.duration, 8); watch.goes_on(); count += kBatchOfGets) {
    std::array<BenchKey, kBatchOfGets> keys = {key_of(0), key_of(0), key_of(0), key_of(0),
                                               key_of(0), key_of(0), key_of(0), key_of(0)};
    std::array<std::string_view, kBatchOfGets> views;
    for (std::size_t i = 0; i < kBatchOfGets; ++i) {
      keys[i] = key_of(prng.below(job.store.records));
      views[i] = keys[i].bytes();
    }
    ScanSum sum;
    require(session.get_all(views, sum) == kBatchOfGets, "a key that was put is not found");
  }
  session.end_snapshot();
  return count;
}

// Counts entries. At least one whole scan.
std::uint64_t scan_everything(const Job& job) {
  Session& session = job.store.session(job.thread);
  ScanSum sum;
  Stopwatch watch(job.duration, 1);
  do {
    const std::uint64_t before = sum.count;
    session.begin_snapshot();
    session.scan({}, kAll, sum);
    session.end_snapshot();
    require(sum.count - before == job.store.records, "a scan missed entries");
  } while (watch.goes_on());
  return sum.count;
}

std::uint64_t scan_ranges(const Job& job) {
  Session& session = job.store.session(job.thread);
  Prng prng(job.seed);
  std::uint64_t count = 0;
  ScanSum sum;
  session.begin_snapshot();
  for (Stopwatch watch(job.duration, 8); watch.goes_on(); ++count) {
    session.scan(key_of(prng.below(job.store.records)).bytes(), kRangeSize, sum);
  }
  session.end_snapshot();
  require(sum.count > count * kRangeSize / 2, "ranges are short");
  return count;
}

// --- Writes

void put_one(const Job& job, Session& session, std::uint64_t index, std::uint64_t salt) {
  session.put_alone(key_of(index).bytes(), job.data.value(index + salt));
}

std::uint64_t update_one_at_a_time(const Job& job) {
  Session& session = job.store.session(job.thread);
  Prng prng(job.seed);
  std::uint64_t count = 0;
  for (Stopwatch watch(job.duration, 16); watch.goes_on(); ++count) {
    put_one(job, session, prng.below(job.store.records), count);
  }
  return count;
}

// Threads have keys of their own, so that no store can run into a conflict.
std::uint64_t commit_durably(const Job& job) {
  Session& session = job.store.session(job.thread);
  Prng prng(job.seed);
  std::uint64_t count = 0;
  for (Stopwatch watch(job.duration, 1); watch.goes_on(); ++count) {
    const std::uint64_t index = prng.below(job.store.records / job.threads) * job.threads + job.thread;
    put_one(job, session, index, count);
  }
  return count;
}

// --- YCSB. Each operation is a transaction of its own, without sync.

struct Mix {
  unsigned reads;  // in percent
  unsigned updates;
  unsigned inserts;
  unsigned scans;
  unsigned read_modify_writes;
  bool latest;  // the newest records are the most wanted ones
};

void read_modify_write(const Job& job, Session& session, std::uint64_t index) {
  const BenchKey key = key_of(index);
  std::string_view value;
  session.begin_write();
  must_find(session.get(key.bytes(), value), job, value);
  session.put(key.bytes(), job.data.value(index + static_cast<unsigned char>(value.front())));
  session.commit();
}

void scan_some(Session& session, std::uint64_t index, std::uint64_t limit) {
  ScanSum sum;
  session.begin_snapshot();
  session.scan(key_of(index).bytes(), limit, sum);
  session.end_snapshot();
}

std::uint64_t run_mix(const Job& job, const Mix& mix) {
  Session& session = job.store.session(job.thread);
  Prng prng(job.seed);
  const std::span<const std::uint32_t> ranks = job.data.zipf();
  std::uint64_t at = prng.below(ranks.size());
  std::uint64_t count = 0;
  for (Stopwatch watch(job.duration, 16); watch.goes_on(); ++count) {
    const std::uint64_t rank = ranks[at++ % ranks.size()];
    const std::uint64_t index = mix.latest ? job.store.records - 1 - rank : rank;
    std::uint64_t dice = prng.below(100);
    if (dice < mix.reads) {
      get_one(job, session, index);
    } else if ((dice -= mix.reads) < mix.updates) {
      put_one(job, session, index, count);
    } else if ((dice -= mix.updates) < mix.inserts) {
      put_one(job, session, job.store.records++, 0);
    } else if ((dice -= mix.inserts) < mix.scans) {
      scan_some(session, index, prng.between(1, kRangeSize));
    } else {
      read_modify_write(job, session, index);
    }
  }
  return count;
}

std::uint64_t ycsb_a(const Job& job) { return run_mix(job, {50, 50, 0, 0, 0, false}); }
std::uint64_t ycsb_b(const Job& job) { return run_mix(job, {95, 5, 0, 0, 0, false}); }
std::uint64_t ycsb_c(const Job& job) { return run_mix(job, {100, 0, 0, 0, 0, false}); }
std::uint64_t ycsb_d(const Job& job) { return run_mix(job, {95, 0, 5, 0, 0, true}); }
std::uint64_t ycsb_e(const Job& job) { return run_mix(job, {0, 0, 5, 95, 0, false}); }
std::uint64_t ycsb_f(const Job& job) { return run_mix(job, {50, 0, 0, 0, 50, false}); }

constexpr Workload kWorkloads[] = {
    {"load_seq", Stage::LoadInOrder, 1, nullptr},
    {"load_rand", Stage::LoadAtRandom, 1, nullptr},
    {"get_1t", Stage::Read, 1, get_in_one_snapshot},
    {"get_snapshot_1t", Stage::Read, 1, get_each_in_a_snapshot},
    {"get_2t", Stage::Read, 2, get_in_one_snapshot},
    {"multi_get", Stage::Read, 1, get_in_batches},
    {"scan", Stage::Read, 1, scan_everything},
    {"range100", Stage::Read, 1, scan_ranges},
    {"ycsb_c", Stage::Read, 1, ycsb_c},
    {"ycsb_b", Stage::Write, 1, ycsb_b},
    {"ycsb_a", Stage::Write, 1, ycsb_a},
    {"ycsb_f", Stage::Write, 1, ycsb_f},
    {"update_1", Stage::Write, 1, update_one_at_a_time},
    {"ycsb_d", Stage::Write, 1, ycsb_d},
    {"ycsb_e", Stage::Write, 1, ycsb_e},
    {"commit_1t", Stage::Durable, 1, commit_durably},
    {"commit_8t", Stage::Durable, 8, commit_durably},
    {"commit_32t", Stage::Durable, 32, commit_durably},
};

}  // namespace

Data::Data(std::uint64_t records, std::size_t value_size) : records_(records), values_(value_size) {}

// Gray et al., "Quickly generating billion-record synthetic databases", SIGMOD 1994, as YCSB does it.
void Data::draw_zipf() {
  if (!zipf_.empty()) return;
  constexpr double kTheta = 0.99;
  constexpr std::size_t kDraws = std::size_t{1} << 20;
  const auto n = static_cast<double>(records_);
  double zeta = 0;
  for (std::uint64_t i = 1; i <= records_; ++i) zeta += std::pow(1.0 / static_cast<double>(i), kTheta);
  const double zeta_of_two = 1 + std::pow(0.5, kTheta);
  const double eta = (1 - std::pow(2.0 / n, 1 - kTheta)) / (1 - zeta_of_two / zeta);
  Prng prng(99);
  zipf_.reserve(kDraws);
  while (zipf_.size() < kDraws) {
    const double u = static_cast<double>(prng.next() >> 11) * 0x1p-53;
    const double rank = u * zeta < 1             ? 0
                        : u * zeta < zeta_of_two ? 1
                                                 : n * std::pow(eta * u - eta + 1, 1 / (1 - kTheta));
    zipf_.push_back(static_cast<std::uint32_t>(std::min(rank, n - 1)));
  }
}

std::span<const Workload> workloads() { return kWorkloads; }

void load(Store& store, const Data& data, KeyOrder order, std::uint64_t from, std::uint64_t to, std::uint64_t batch) {
  Session& session = store.session(0);
  for (std::uint64_t start = from; start < to; start += batch) {
    session.begin_write();
    for (std::uint64_t i = start; i < std::min(start + batch, to); ++i) {
      if (order == KeyOrder::Sequential) {
        session.append(BenchKey(i, order).bytes(), data.value(i));
      } else {
        session.put(BenchKey(i, order).bytes(), data.value(i));
      }
    }
    session.commit();
  }
  store.records = to;
}

}  // namespace vitrine::bench
