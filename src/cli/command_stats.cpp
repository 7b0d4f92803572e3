// SPDX-License-Identifier: MIT OR Apache-2.0
// `stats`: the numbers of a database once, as OpenMetrics text, or a line for each interval.
#include <chrono>

#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/terminal.hpp"
#include "os/env.hpp"
#include "vitrine/metrics.hpp"

namespace vitrine::cli {
namespace {

Record row_of(std::string_view of, const Latencies& latencies) {
  Record row;
  row.add("of", of.substr(0, of.rfind('_'))).add("count", latencies.count);
  row.add("mean_ns", latencies.count == 0 ? 0 : latencies.sum_ns / latencies.count);
  row.add("p50_ns", latencies.below_ns(0.5)).add("p90_ns", latencies.below_ns(0.9));
  row.add("p99_ns", latencies.below_ns(0.99)).add("p999_ns", latencies.below_ns(0.999));
  return row.add("max_ns", latencies.max_ns);
}

void add_warnings(Record& to, const std::vector<HealthWarning>& warnings) {
  std::vector<Record> rows;
  for (const HealthWarning& warning : warnings) {
    rows.emplace_back().add("code", warning.code).add("message", warning.message).add("advice", warning.advice);
  }
  to.add("warnings", std::move(rows));
}

Record record_of(const Stats& stats, const DatabaseInfo& info) {
  Record record;
  std::vector<Record> latencies;
  for (const Metric& metric : metrics()) {
    if (const auto* number = std::get_if<std::uint64_t Stats::*>(&metric.member)) {
      record.add(metric.name, stats.*(*number));
    } else if (const auto* small = std::get_if<std::uint32_t Stats::*>(&metric.member)) {
      record.add(metric.name, std::uint64_t{stats.*(*small)});
    } else if (const auto* real = std::get_if<double Stats::*>(&metric.member)) {
      record.add(metric.name, stats.*(*real));
    } else {
      latencies.push_back(row_of(metric.name, stats.*(*std::get_if<Latencies Stats::*>(&metric.member))));
    }
  }
  record.add("latencies", std::move(latencies));
  add_warnings(record, warnings_of(stats, info));
  return record;
}

// What can be seen of a writer from outside, as one line.
struct Tick {
  std::uint64_t commit_seq = 0;
  std::uint64_t at_ns = 0;
};

Record tick_record(const Stats& stats, const DatabaseInfo& info, const Tick& before, const Tick& now) {
  const double seconds = static_cast<double>(now.at_ns - before.at_ns) / 1e9;
  const double commits =
      now.commit_seq > before.commit_seq ? static_cast<double>(now.commit_seq - before.commit_seq) : 0;
  std::string codes;
  for (const HealthWarning& warning : warnings_of(stats, info)) {
    codes.append(codes.empty() ? "" : ",").append(warning.code);
  }
  Record record;
  record.add("commits_per_s", before.at_ns == 0 || seconds <= 0 ? 0.0 : commits / seconds);
  record.add("commit_seq", stats.commit_seq).add("entries", stats.entries);
  record.add("checkpoint", info.checkpoint).add("checkpoint_age_ms", stats.checkpoint_age_ms);
  record.add("log_used_bytes", stats.log_used_bytes).add("file_bytes", info.file_bytes);
  record.add("pages_free", stats.pages_free).add("warnings", codes);
  return record;
}

// Columns are as wide as their names, or 12.
std::string line_of(const Record& record, bool is_heading) {
  std::string line;
  for (const Field& field : record.fields()) {
    std::string cell = field.name;
    if (const auto* number = std::get_if<std::uint64_t>(&field.value); number && !is_heading) {
      cell = std::to_string(*number);
    } else if (const auto* real = std::get_if<double>(&field.value); real && !is_heading) {
      cell = std::to_string(static_cast<std::uint64_t>(*real + 0.5));
    } else if (const auto* text = std::get_if<std::string>(&field.value); text && !is_heading) {
      cell = text->empty() ? "-" : printable(*text);
    }
    const std::size_t width = std::max<std::size_t>(field.name.size(), 12);
    if (!line.empty()) line.append("  ");
    line.append(cell.size() < width ? width - cell.size() : 0, ' ').append(cell);
  }
  return line.append("\n");
}

Status watch(Database& db, std::uint64_t interval_ms, std::uint64_t ticks, Console& console) {
  constexpr std::uint64_t kHeadingEvery = 20;
  constexpr std::uint64_t kNapMs = 50;
  os::Env& env = os::system_env();
  Tick before;
  for (std::uint64_t tick = 0; tick < ticks; ++tick) {
    const std::uint64_t until_ns = env.monotonic_ns() + interval_ms * 1'000'000;
    while (tick > 0 && env.monotonic_ns() < until_ns) {
      if (interrupt_requested()) return {};
      env.sleep_ms(std::min(kNapMs, interval_ms));
    }
    TRY(db.refresh());
    const Stats stats = TRY(db.stats());
    const Tick now{stats.commit_seq, env.monotonic_ns()};
    const Record record = tick_record(stats, TRY(db.info()), before, now);
    before = now;
    if (console.json()) {
      CHECK(console.print_line(record));
    } else {
      if (tick % kHeadingEvery == 0) CHECK(console.write(line_of(record, true)));
      CHECK(console.write(line_of(record, false)));
    }
    CHECK(console.flush());
  }
  return {};
}

}  // namespace

Status run_stats(const Arguments& arguments, Console& console) {
  CHECK(arguments.at_most_one_of({"--openmetrics", "--watch"}));
  CHECK(arguments.at_most_one_of({"--openmetrics", "--json"}));
  const std::uint64_t interval_ms = TRY(arguments.duration_ms("--interval")).value_or(1000);
  const std::uint64_t ticks = TRY(arguments.number("--ticks")).value_or(~std::uint64_t{0});
  if (interval_ms == 0) return usage_error("--interval must be longer than nothing");
  if (arguments.has("--watch")) {
    Database db = TRY(open_database(arguments, Access::ReadOnly));
    return watch(db, interval_ms, ticks, console);
  }
  if (arguments.has("--openmetrics")) {
    const Database db = TRY(open_database(arguments, Access::ReadOnly));
    return console.write(to_openmetrics(TRY(db.stats()), TRY(db.info())));
  }
  const auto numbers = [&]() -> Result<Console::Answer> {
    const Database db = TRY(open_database(arguments, Access::ReadOnly));
    return Console::Answer{record_of(TRY(db.stats()), TRY(db.info()))};
  };
  return console.answer("stats", numbers());
}

}  // namespace vitrine::cli
