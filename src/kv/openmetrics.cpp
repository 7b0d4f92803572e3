// SPDX-License-Identifier: MIT OR Apache-2.0
// Metrics as OpenMetrics text. Buckets of histograms are always the same, powers of two nanoseconds, because those who
// read the text compare them over time; at these bounds the counts are exact.
#include <cstdio>

#include "vitrine/metrics.hpp"

namespace vitrine {
namespace {

constexpr unsigned kFirstBound = 8, kLastBound = 34, kBoundStep = 2;  // 256 ns to 17 s

bool ends_with(std::string_view text, std::string_view end) noexcept {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

std::string number(double value) {
  char digits[40];
  std::snprintf(digits, sizeof digits, "%.17g", value);
  for (int precision = 1; precision < 17; ++precision) {  // the shortest that reads back the same
    char shorter[40];
    std::snprintf(shorter, sizeof shorter, "%.*g", precision, value);
    double back = 0;
    if (std::sscanf(shorter, "%lf", &back) == 1 && !(back < value) && !(back > value)) return shorter;
  }
  return digits;
}

std::string label(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\\' || c == '"') text.push_back('\\');
    text.append(c == '\n' ? std::string("\\n") : std::string(1, c));
  }
  return text;
}

class OpenMetrics {
 public:
  void add(const Metric& metric, const Stats& stats) {
    if (const auto* latencies = std::get_if<Latencies Stats::*>(&metric.member)) {
      return add_histogram(metric, stats.*(*latencies));
    }
    std::string name(metric.name), unit;
    double scale = 1;
    if (ends_with(name, "_ms")) {
      name.replace(name.size() - 3, 3, "_seconds");
      unit = "seconds";
      scale = 1000;
    } else if (ends_with(name, "_bytes")) {
      unit = "bytes";
    }
    const bool is_counter = metric.kind == MetricKind::Counter;
    head(name, is_counter ? "counter" : "gauge", unit, metric.help);
    text_.append("vitrine_").append(name).append(is_counter ? "_total " : " ");
    text_.append(value_text(metric, stats, scale)).append("\n");
  }

  void add_info(const DatabaseInfo& info) {
    head("database", "info", "", "what the database is");
    text_.append("vitrine_database_info{file_id=\"").append(label(info.file_id)).append("\",path=\"");
    text_.append(label(info.path)).append("\",cipher=\"").append(label(info.cipher)).append("\"} 1\n");
  }

  void add_warnings(const std::vector<HealthWarning>& warnings) {
    head("warning", "gauge", "", "1 for each warning that stands; docs/METRICS.md says what to do");
    for (const HealthWarning& warning : warnings) {
      text_.append("vitrine_warning{code=\"").append(label(warning.code)).append("\"} 1\n");
    }
  }

  std::string take() && { return std::move(text_.append("# EOF\n")); }

 private:
  static std::string value_text(const Metric& metric, const Stats& stats, double scale) {
    if (const auto* real = std::get_if<double Stats::*>(&metric.member)) return number(stats.*(*real));
    const auto* const large = std::get_if<std::uint64_t Stats::*>(&metric.member);
    const std::uint64_t whole =
        large != nullptr ? stats.*(*large) : stats.*(*std::get_if<std::uint32_t Stats::*>(&metric.member));
    return scale > 1 ? number(static_cast<double>(whole) / scale) : std::to_string(whole);
  }

  void head(std::string_view name, std::string_view type, std::string_view unit, std::string_view help) {
    text_.append("# TYPE vitrine_").append(name).append(" ").append(type).append("\n");
    if (!unit.empty()) text_.append("# UNIT vitrine_").append(name).append(" ").append(unit).append("\n");
    text_.append("# HELP vitrine_").append(name).append(" ").append(help).append("\n");
  }

  void add_histogram(const Metric& metric, const Latencies& latencies) {
    const std::string name = std::string(metric.name) + "_seconds";
    head(name, "histogram", "seconds", metric.help);
    for (unsigned power = kFirstBound; power <= kLastBound; power += kBoundStep) {
      const std::uint64_t bound = std::uint64_t{1} << power;
      bucket(name, number(static_cast<double>(bound) / 1e9), latencies.count_below(bound));
    }
    bucket(name, "+Inf", latencies.count);
    text_.append("vitrine_").append(name).append("_count ").append(std::to_string(latencies.count)).append("\n");
    text_.append("vitrine_").append(name).append("_sum ");
    text_.append(number(static_cast<double>(latencies.sum_ns) / 1e9)).append("\n");
  }

  void bucket(const std::string& name, const std::string& bound, std::uint64_t count) {
    text_.append("vitrine_").append(name).append("_bucket{le=\"").append(bound).append("\"} ");
    text_.append(std::to_string(count)).append("\n");
  }

  std::string text_;
};

}  // namespace

std::string to_openmetrics(const Stats& stats, const DatabaseInfo& info) {
  OpenMetrics text;
  text.add_info(info);
  for (const Metric& metric : metrics()) text.add(metric, stats);
  text.add_warnings(warnings_of(stats, info));
  return std::move(text).take();
}

}  // namespace vitrine
