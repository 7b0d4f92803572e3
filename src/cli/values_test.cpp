// SPDX-License-Identifier: MIT OR Apache-2.0
// Figures that are accepted, refused and shown.
#include "cli/values.hpp"

#include <gtest/gtest.h>

namespace vitrine::cli {
namespace {

TEST(Values, sizes_take_binary_and_decimal_units) {
  EXPECT_EQ(parse_size("4096").value(), 4096u);
  EXPECT_EQ(parse_size("4MiB").value(), 4u << 20);
  EXPECT_EQ(parse_size("4m").value(), 4u << 20);
  EXPECT_EQ(parse_size("64KiB").value(), 65536u);
  EXPECT_EQ(parse_size("64KB").value(), 64000u);
  EXPECT_EQ(parse_size("1T").value(), 1ull << 40);
  EXPECT_EQ(parse_size("0").value(), 0u);
}

TEST(Values, what_is_not_one_whole_number_is_refused) {
  for (const char* const text : {"", "-1", "+1", " 1", "1 ", "1.5", "0x10", "4MiBs", "MiB", "4 MiB", "1e3"}) {
    EXPECT_EQ(parse_size(text).status().code(), ErrorCode::ArgumentInvalid) << '"' << text << '"';
    EXPECT_EQ(parse_number(text).status().code(), ErrorCode::ArgumentInvalid) << '"' << text << '"';
  }
}

TEST(Values, numbers_that_do_not_fit_are_refused_and_the_largest_is_not) {
  EXPECT_EQ(parse_number("18446744073709551615").value(), 18446744073709551615ull);
  EXPECT_FALSE(parse_number("18446744073709551616").has_value());
  EXPECT_EQ(parse_size("16777215TiB").value(), 16777215ull << 40);
  EXPECT_FALSE(parse_size("16777216TiB").has_value());
}

TEST(Values, durations_take_milliseconds_seconds_and_minutes) {
  EXPECT_EQ(parse_duration("250").value().count(), 250);
  EXPECT_EQ(parse_duration("250ms").value().count(), 250);
  EXPECT_EQ(parse_duration("5s").value().count(), 5000);
  EXPECT_EQ(parse_duration("2m").value().count(), 120000);
  EXPECT_FALSE(parse_duration("5h").has_value());
  EXPECT_FALSE(parse_duration("99999999999s").has_value());
}

TEST(Values, figures_are_formatted_for_people) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1234567), "1,234,567");
  EXPECT_EQ(format_size(1023), "1023 B");
  EXPECT_EQ(format_size(1024), "1.0 KiB");
  EXPECT_EQ(format_size((1u << 20) - 1), "1.0 MiB");
  EXPECT_EQ(format_size(~0ull), "16.0 EiB");
  EXPECT_EQ(format_rate(12.4), "12");
  EXPECT_EQ(format_rate(12345), "12.3 k");
  EXPECT_EQ(format_rate(999999), "1.0 M");
  EXPECT_EQ(format_clock(0), "0:00");
  EXPECT_EQ(format_clock(3599.4), "59:59");
  EXPECT_EQ(format_clock(3723), "1:02:03");
  EXPECT_EQ(format_clock(1e300), "2376:00:00");
  EXPECT_EQ(format_utc(1714564800123), "2024-05-01 12:00:00 UTC");
}

}  // namespace
}  // namespace vitrine::cli
