// SPDX-License-Identifier: MIT OR Apache-2.0
// What Stats tells, for monitoring: names, meanings and units as one table, the text that Prometheus and others read,
// and warnings with advice. docs/METRICS.md has the table for people.
//
//   Database db = ...;
//   std::string text = to_openmetrics(db.stats().value(), db.info().value());
//
// Thread safety: pure functions.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vitrine/report.hpp"

namespace vitrine {

enum class MetricKind : std::uint8_t {
  Counter,    // only grows while the handle is open
  Gauge,      // of this moment
  Histogram,  // durations
};

struct Metric {
  std::string_view name;  // of the member of Stats; what ends in _bytes or _ms has that unit
  MetricKind kind;
  std::variant<std::uint64_t Stats::*, std::uint32_t Stats::*, double Stats::*, Latencies Stats::*> member;
  std::string_view help;
};

// Every member of Stats, in the order in which `vitrine stats` shows them.
std::span<const Metric> metrics() noexcept;

// OpenMetrics text, version 1.0.0. Each metric is called vitrine_NAME, in base units: bytes, and seconds for what is in
// milliseconds or a duration; a counter ends in _total.
std::string to_openmetrics(const Stats& stats, const DatabaseInfo& info);

// What in these numbers needs somebody's attention; worst first. Also part of to_openmetrics(), as vitrine_warning.
std::vector<HealthWarning> warnings_of(const Stats& stats, const DatabaseInfo& info);

}  // namespace vitrine
