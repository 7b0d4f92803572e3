// SPDX-License-Identifier: MIT OR Apache-2.0
// `bench`: what this machine does with this engine, each figure beside what bounds it. The database is made for the
// run and removed after it.
#include <fstream>
#include <functional>

#include "base/prng.hpp"
#include "base/try.hpp"
#include "cli/bench_data.hpp"
#include "cli/bench_durable.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/terminal.hpp"
#include "cli/values.hpp"
#include "os/env.hpp"

namespace vitrine::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kEntriesPerCommit = 1000;
constexpr std::uint64_t kCheckEvery = 1024;  // operations between two looks at the progress bar and the user

struct BenchSettings {
  std::uint64_t records = 1'000'000;
  std::size_t value_size = 100;
  std::vector<unsigned> threads{1, 8, 32};
  std::chrono::seconds duration{3};
};

Result<std::vector<unsigned>> parse_threads(std::string_view list) {
  std::vector<unsigned> threads;
  for (;;) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::uint64_t count = TRY(parse_number(list.substr(0, comma)));
    if (count < 1 || count > 1024) return usage_error("--threads takes numbers from 1 to 1024");
    threads.push_back(static_cast<unsigned>(count));
    if (comma == list.size()) return threads;
    list.remove_prefix(comma + 1);
  }
}

Result<BenchSettings> settings_of(const Arguments& arguments) {
  BenchSettings settings;
  settings.records = TRY(arguments.number("--records")).value_or(settings.records);
  settings.value_size = static_cast<std::size_t>(TRY(arguments.size("--value-size")).value_or(settings.value_size));
  if (const auto list = arguments.value("--threads")) settings.threads = TRY(parse_threads(*list));
  if (const auto seconds = TRY(arguments.number("--seconds"))) settings.duration = std::chrono::seconds(*seconds);
  if (settings.records == 0 || settings.records > 10'000'000'000) {
    return usage_error("--records is from 1 to 10000000000");
  }
  if (settings.value_size > 64u << 20) return usage_error("--value-size is at most 64MiB");
  if (settings.duration < std::chrono::seconds(1) || settings.duration > std::chrono::hours(1)) {
    return usage_error("--seconds is from 1 to 3600");
  }
  return settings;
}

// The most memory the process has held, or 0 where the system does not tell.
std::uint64_t peak_memory_bytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::uint64_t kib = 0;
    if (word == "VmHWM:" && status >> kib) return kib * 1024;
  }
  return 0;
}

class Bench {
 public:
  Bench(Database& db, std::string path, const BenchSettings& settings, Console& console)
      : db_(db), path_(std::move(path)), settings_(settings), values_(settings.value_size), console_(console) {}

  Status run() {
    CHECK(measure("sequential_put", 1, [&](ProgressBar& bar) { return load(KeyOrder::Sequential, bar); }));
    CHECK(measure("random_put", 1, [&](ProgressBar& bar) { return load(KeyOrder::Scattered, bar); }));
    const std::uint64_t peak = peak_memory_bytes();
    CHECK(measure("random_get", 1, [&](ProgressBar& bar) { return get_at_random(bar); }));
    CHECK(measure("scan", 1, [&](ProgressBar& bar) { return scan(bar); }));
    std::uint64_t next_index = 0;
    for (const unsigned threads : settings_.threads) {
      CHECK(measure("bare_fdatasync", 1,
                    [&](ProgressBar& bar) { return measure_bare_syncs(path_, settings_.duration, bar); }));
      CHECK(measure("durable_put", threads, [&](ProgressBar& bar) {
        return measure_durable_puts(db_, values_, threads, settings_.duration, next_index, bar);
      }));
    }
    Record record;
    record.add("records", settings_.records).add("key_size", std::uint64_t{16});
    record.add("value_size", std::uint64_t{settings_.value_size}).add("entries_per_commit", kEntriesPerCommit);
    record.add("peak_load_memory_bytes", peak).add("file_bytes", TRY(db_.info()).file_bytes);
    record.add("results", std::move(rows_));
    return console_.print(record);
  }

 private:
  using Phase = std::function<Result<Measured>(ProgressBar&)>;

  Status measure(std::string_view name, unsigned threads, const Phase& phase) {
    ProgressBar bar(std::string(name), console_.progress());
    const Measured measured = TRY(phase(bar));
    const double per_second = measured.seconds > 0 ? static_cast<double>(measured.operations) / measured.seconds : 0;
    Record& row = rows_.emplace_back();
    row.add("test", name).add("threads", std::uint64_t{threads}).add("operations", measured.operations);
    row.add("seconds", measured.seconds).add("per_second", static_cast<std::uint64_t>(per_second));
    return {};
  }

  // Runs `step(i)` for each i below `count`, with progress and a way out.
  template <typename Step>
  Result<Measured> timed(std::uint64_t count, ProgressBar& bar, const Step& step) {
    const Clock::time_point start = Clock::now();
    for (std::uint64_t i = 0; i < count; ++i) {
      if (i % kCheckEvery == 0) {
        if (interrupt_requested()) return cancelled();
        bar.update({i, count, "entries"});
      }
      CHECK(step(i));
    }
    return Measured{count, std::chrono::duration<double>(Clock::now() - start).count()};
  }

  static std::string_view keyspace_name(KeyOrder order) {
    return order == KeyOrder::Sequential ? "sequential" : "scattered";
  }

  Result<Measured> load(KeyOrder order, ProgressBar& bar) {
    std::optional<WriteTransaction> txn;
    Keyspace keyspace;
    return timed(settings_.records, bar, [&](std::uint64_t i) -> Status {
      if (!txn) {
        txn.emplace(TRY(db_.begin_write()));
        keyspace = TRY(txn->ensure_keyspace(keyspace_name(order)));
      }
      CHECK(txn->put(keyspace, BenchKey(i, order).bytes(), values_.of(i)));
      if ((i + 1) % kEntriesPerCommit != 0 && i + 1 != settings_.records) return {};
      const Commit commit = txn->commit();
      txn.reset();
      return commit_status(commit);
    });
  }

  Result<Measured> get_at_random(ProgressBar& bar) {
    const ReadTransaction txn = TRY(db_.begin_read());
    const Keyspace keyspace = TRY(txn.keyspace(keyspace_name(KeyOrder::Scattered)));
    base::Prng prng(1);
    std::string value;
    return timed(settings_.records, bar, [&](std::uint64_t) -> Status {
      const BenchKey key(prng.below(settings_.records), KeyOrder::Scattered);
      if (!TRY(txn.get(keyspace, key.bytes(), value)) || value.size() != settings_.value_size) {
        return Status::error(ErrorCode::InternalBug, "a key that was put does not read back");
      }
      return {};
    });
  }

  Result<Measured> scan(ProgressBar& bar) {
    const ReadTransaction txn = TRY(db_.begin_read());
    const Keyspace keyspace = TRY(txn.keyspace(keyspace_name(KeyOrder::Scattered)));
    const Clock::time_point start = Clock::now();
    std::uint64_t seen = 0;
    const std::uint64_t visited = TRY(txn.scan(keyspace, ScanOptions{}, [&](Bytes, Bytes) {
      if (++seen % kCheckEvery == 0) bar.update({seen, settings_.records, "entries"});
      return !interrupt_requested();
    }));
    if (interrupt_requested()) return cancelled();
    if (visited != settings_.records) return Status::error(ErrorCode::InternalBug, "a scan missed entries");
    return Measured{visited, std::chrono::duration<double>(Clock::now() - start).count()};
  }

  Database& db_;
  const std::string path_;
  const BenchSettings& settings_;
  const BenchValues values_;
  Console& console_;
  std::vector<Record> rows_;
};

}  // namespace

Status run_bench(const Arguments& arguments, Console& console) {
  const BenchSettings settings = TRY(settings_of(arguments));
  Database db = TRY(open_database_as(arguments, OpenMode::CreateNew));
  const Status measured = Bench(db, arguments.database(), settings, console).run();
  const Status closed = db.close();
  if (!arguments.has("--keep")) CHECK(os::system_env().remove(arguments.database()));
  CHECK(measured);
  return closed;
}

}  // namespace vitrine::cli
