// SPDX-License-Identifier: MIT OR Apache-2.0
// The operations that must stay cheap, one after the other, for callgrind: bench/instructions.py runs this program
// under it and compares the instructions of each with those kept in bench/instructions.json. Everything is the same in
// every run: the data, the order, and a database in memory, which has no threads and no disk.
//
// Prints "NAME OPERATIONS" for each; callgrind dumps what it counted under the same name.
#include <valgrind/callgrind.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "cli/bench_data.hpp"
#include "vitrine/vitrine.hpp"

namespace {

using namespace vitrine;
using cli::BenchKey;
using cli::BenchValues;
using cli::KeyOrder;

constexpr unsigned kRecords = 20'000;
constexpr unsigned kOperations = 2'000;
constexpr unsigned kBatch = 500;
constexpr unsigned kRange = 100;
constexpr unsigned kStride = 7919;  // a prime: walks over all records in no order

void require(bool is_ok, const char* what) {
  if (is_ok) return;
  std::fprintf(stderr, "hot_operations: %s\n", what);
  std::exit(1);
}
void require(const Status& status) { require(status.is_ok(), status.to_string().c_str()); }

class HotOperations {
 public:
  HotOperations() : db_(Database::open_in_memory(options()).value()), values_(100) {
    require(db_.write([&](WriteTransaction& txn) -> Status {
      for (unsigned i = 0; i < kRecords; ++i) {
        if (Status put = txn.put(key(i).bytes(), values_.of(i)); !put.is_ok()) return put;
      }
      return txn.put("large", std::string(64u << 10, 'l'));
    }));
    require(db_.checkpoint());
  }

  void run() {
    reads();
    scans();
    writes();
    batches();
  }

 private:
  static Options options() {
    Options options;
    options.durability = Durability::None;
    options.cache_size = 64u << 20;
    return options;
  }
  static BenchKey key(unsigned index) { return {index, KeyOrder::Scattered}; }
  static unsigned pick(unsigned i) { return i * kStride % kRecords; }

  // Runs the step a tenth as often to warm up, then counted.
  template <typename Step>
  void count(const char* name, unsigned operations, const Step& step) {
    for (unsigned i = 0; i < operations / 10; ++i) step(i);
    CALLGRIND_ZERO_STATS;
    CALLGRIND_TOGGLE_COLLECT;
    for (unsigned i = operations / 10; i < operations / 10 + operations; ++i) step(i);
    CALLGRIND_TOGGLE_COLLECT;
    CALLGRIND_DUMP_STATS_AT(name);
    std::printf("%s %u\n", name, operations);
  }

  void reads() {
    const ReadTransaction txn = db_.begin_read().value();
    std::string value;
    count("get", kOperations, [&](unsigned i) { require(*txn.get({}, key(pick(i)).bytes(), value), "not found"); });
    count("get_missing", kOperations,
          [&](unsigned i) { require(!*txn.get({}, key(kRecords + pick(i)).bytes(), value), "found"); });
    count("get_in_own_snapshot", kOperations,
          [&](unsigned i) { require(*db_.begin_read()->get({}, key(pick(i)).bytes(), value), "not found"); });
    count("get_64k", kOperations / 20, [&](unsigned) { require(*txn.get({}, "large", value), "not found"); });
  }

  void scans() {
    const ReadTransaction txn = db_.begin_read().value();
    const auto visit = [](Bytes, Bytes value) { return !value.empty(); };
    ScanOptions all;
    all.limit = kOperations;
    count("scan_2000", 10, [&](unsigned) { require(*txn.scan({}, all, visit) == kOperations, "short scan"); });
    count("range_100", kOperations / 20, [&](unsigned i) {
      const BenchKey from = key(pick(i));
      ScanOptions range;
      range.from = from.bytes();
      range.limit = kRange;
      require(txn.scan({}, range, visit).status());
    });
    Cursor cursor = txn.cursor();
    require(cursor.seek_last());
    count("cursor_prev", kOperations, [&](unsigned) { require(cursor.prev()); });
  }

  void writes() {
    count("update", kOperations, [&](unsigned i) { require(db_.put(key(pick(i)).bytes(), values_.of(i + 1))); });
    count("compare_and_set", kOperations, [&](unsigned i) {
      require(db_.write([&](WriteTransaction& txn) -> Status {
        const BenchKey wanted = key(pick(i));
        Result<std::optional<Entry>> entry = txn.get_entry({}, wanted.bytes());
        if (!entry.has_value()) return entry.status();
        return txn.compare_and_set({}, wanted.bytes(), (*entry)->version, values_.of(i + 2));
      }));
    });
  }

  void batches() {
    const auto batch = [&](unsigned i, KeyOrder order) {
      require(db_.write([&](WriteTransaction& txn) -> Status {
        for (unsigned k = i * kBatch; k < (i + 1) * kBatch; ++k) {
          const Status put = txn.put(BenchKey(2 * kRecords + k, order).bytes(), values_.of(k));
          if (!put.is_ok()) return put;
        }
        return {};
      }));
    };
    count("put_500_at_random", 10, [&](unsigned i) { batch(i, KeyOrder::Scattered); });
    count("put_500_in_order", 10, [&](unsigned i) { batch(i, KeyOrder::Sequential); });
    count("erase_500", 10, [&](unsigned i) {
      require(db_.write([&](WriteTransaction& txn) -> Status {
        for (unsigned k = i * kBatch; k < (i + 1) * kBatch; ++k) {
          const Result<bool> erased = txn.erase(key(2 * kRecords + k).bytes());
          if (!erased.has_value()) return erased.status();
        }
        return {};
      }));
    });
  }

  Database db_;
  const BenchValues values_;
};

}  // namespace

int main() { HotOperations().run(); }
