// SPDX-License-Identifier: MIT OR Apache-2.0
// Strict parsing and short formatting of figures.
#include "cli/values.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <limits>

#include "base/try.hpp"

namespace vitrine::cli {
namespace {

constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();

Status bad_value(std::string_view message, std::string_view text) {
  return Status::error(ErrorCode::ArgumentInvalid, message).with("value", text);
}

struct Unit {
  std::string_view suffix;  // lower case
  std::uint64_t factor;
};

constexpr std::array<Unit, 14> kSizeUnits{{{"", 1},
                                           {"b", 1},
                                           {"k", 1ull << 10},
                                           {"kib", 1ull << 10},
                                           {"kb", 1'000},
                                           {"m", 1ull << 20},
                                           {"mib", 1ull << 20},
                                           {"mb", 1'000'000},
                                           {"g", 1ull << 30},
                                           {"gib", 1ull << 30},
                                           {"gb", 1'000'000'000},
                                           {"t", 1ull << 40},
                                           {"tib", 1ull << 40},
                                           {"tb", 1'000'000'000'000}}};
constexpr std::array<Unit, 4> kDurationUnits{{{"", 1}, {"ms", 1}, {"s", 1'000}, {"m", 60'000}}};

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& character : lower) {
    if (character >= 'A' && character <= 'Z') character = static_cast<char>(character - 'A' + 'a');
  }
  return lower;
}

template <std::size_t N>
Result<std::uint64_t> parse_with_unit(std::string_view text, const std::array<Unit, N>& units,
                                      std::string_view message) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  if (digits == 0) return bad_value(message, text);
  const std::uint64_t number = TRY(parse_number(text.substr(0, digits)));
  const std::string suffix = lower_case(text.substr(digits));
  for (const Unit& unit : units) {
    if (unit.suffix != suffix) continue;
    if (number > kMax / unit.factor) return bad_value("the number is too large", text);
    return number * unit.factor;
  }
  return bad_value(message, text);
}

}  // namespace

Result<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc::result_out_of_range) return bad_value("the number is too large", text);
  if (error != std::errc{} || stop != end) return bad_value("not a whole number", text);
  return number;
}

Result<std::uint64_t> parse_size(std::string_view text) {
  return parse_with_unit(text, kSizeUnits, "not a size such as 4096, 64KiB or 4MiB");
}

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  const std::uint64_t ms = TRY(parse_with_unit(text, kDurationUnits, "not a duration such as 250ms, 5s or 2m"));
  constexpr std::uint64_t kYearMs = 366ull * 24 * 3600 * 1000;  // keeps later arithmetic far from overflow
  if (ms > kYearMs) return bad_value("the duration is longer than a year", text);
  return std::chrono::milliseconds(ms);
}

std::string format_count(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, 1, ',');
  return digits;
}

std::string format_decimal(double value, int digits) {
  std::array<char, 352> text{};  // holds the largest double written out
  const int size = std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return std::string(text.data(), static_cast<std::size_t>(size));
}

std::string format_size(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  constexpr std::array<std::string_view, 6> kNames{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // 1023.95 would print as "1024.0".
  while (value >= 1023.95 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  return format_decimal(value, 1).append(" ").append(kNames[unit]);
}

std::string format_rate(double per_second) {
  constexpr std::array<std::string_view, 4> kNames{"", " k", " M", " G"};
  std::size_t unit = 0;
  while (per_second >= 999.95 && unit + 1 < kNames.size()) {
    per_second /= 1000;
    ++unit;
  }
  return format_decimal(per_second, unit == 0 ? 0 : 1).append(kNames[unit]);
}

std::string format_clock(double seconds) {
  constexpr double kDaysShown = 99;
  const auto total = static_cast<std::uint64_t>(std::min(seconds, kDaysShown * 86400) + 0.5);
  std::array<char, 32> text{};
  const int size =
      total >= 3600
          ? std::snprintf(text.data(), text.size(), "%llu:%02llu:%02llu", static_cast<unsigned long long>(total / 3600),
                          static_cast<unsigned long long>(total / 60 % 60), static_cast<unsigned long long>(total % 60))
          : std::snprintf(text.data(), text.size(), "%llu:%02llu", static_cast<unsigned long long>(total / 60),
                          static_cast<unsigned long long>(total % 60));
  return std::string(text.data(), static_cast<std::size_t>(size));
}

std::string format_utc(std::uint64_t wall_ms) {
  namespace chrono = std::chrono;
  const chrono::sys_time<chrono::milliseconds> moment{chrono::milliseconds(static_cast<std::int64_t>(wall_ms))};
  const auto day = chrono::floor<chrono::days>(moment);
  const chrono::year_month_day date(day);
  const auto second = chrono::duration_cast<chrono::seconds>(moment - day).count();
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02lld:%02lld:%02lld UTC",
                                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                                 static_cast<unsigned>(date.day()), static_cast<long long>(second / 3600),
                                 static_cast<long long>(second / 60 % 60), static_cast<long long>(second % 60));
  return std::string(text.data(), static_cast<std::size_t>(size));
}

}  // namespace vitrine::cli
