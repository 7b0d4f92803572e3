// SPDX-License-Identifier: MIT OR Apache-2.0
// The progress line at fixed moments, and that the bar draws rarely and cleans up.
#include "cli/progress.hpp"

#include <gtest/gtest.h>

namespace vitrine::cli {
namespace {

TEST(Progress, shows_share_rate_and_remaining_time) {
  EXPECT_EQ(format_progress("verify", {500, 2000, "pages"}, 2.0),
            "verify [#####...............]  25%  500/2,000 pages  250/s  ETA 0:06");
}

TEST(Progress, without_a_total_shows_what_is_done_and_the_time) {
  EXPECT_EQ(format_progress("put", {12345, 0, "entries"}, 10.0), "put  12,345 entries  1.2 k/s  0:10");
}

TEST(Progress, bytes_are_shown_as_sizes) {
  EXPECT_EQ(format_progress("backup", {1 << 20, 4 << 20, "bytes"}, 1.0),
            "backup [#####...............]  25%  1.0 MiB/4.0 MiB  1.0 MiB/s  ETA 0:03");
}

TEST(Progress, odd_figures_do_not_break_the_line) {
  EXPECT_EQ(format_progress("x", {30, 20, "pages"}, 0),  // more than expected, and no time has passed
            "x [####################] 100%  30/20 pages  0/s  0:00");
  EXPECT_EQ(format_progress("x", {0, 20, "pages"}, 1), "x [....................]   0%  0/20 pages  0/s  0:01");
  EXPECT_LE(format_progress(std::string(60, 't'), {~0ull - 1, ~0ull, "entries"}, 1e9).size(), 79u);
}

TEST(Progress, a_bar_that_is_off_draws_nothing) {
  testing::internal::CaptureStderr();
  {
    ProgressBar bar("quiet", ProgressBar::Drawing::Off);
    const ProgressFunction function = progress_function(bar);
    EXPECT_TRUE(function({1, 2, "pages"}));
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Progress, a_bar_draws_at_intervals_and_wipes_its_line) {
  testing::internal::CaptureStderr();
  {
    ProgressBar bar("busy", ProgressBar::Drawing::On);
    for (std::uint64_t i = 0; i < 1000; ++i) bar.update({i, 1000, "pages"});
  }
  const std::string drawn = testing::internal::GetCapturedStderr();
  EXPECT_EQ(drawn.rfind("\r\x1b[Kbusy [", 0), 0u);
  EXPECT_LT(drawn.size(), 1000u);  // a thousand updates within far less than a second
  EXPECT_EQ(drawn.substr(drawn.size() - 4), "\r\x1b[K");
}

}  // namespace
}  // namespace vitrine::cli
