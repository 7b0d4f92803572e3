// SPDX-License-Identifier: MIT OR Apache-2.0
// A progress line with rate and remaining time for long work. It is drawn on standard error, only when that is a
// terminal, at most ten times a second, and wiped when the work ends. Used by one thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "vitrine/options.hpp"

namespace vitrine::cli {

// The line at one moment, without the control characters around it: at most 79 columns.
std::string format_progress(std::string_view title, const Progress& progress, double elapsed_seconds);

class ProgressBar {
 public:
  enum class Drawing : bool { Off, On };

  ProgressBar(std::string title, Drawing drawing);
  ~ProgressBar() { finish(); }
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void update(const Progress& progress);
  void finish();  // wipes the line; update() draws a new one

 private:
  using Clock = std::chrono::steady_clock;

  std::string title_;
  Drawing drawing_;
  bool is_shown_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_draw_ = start_;
};

// For the long calls of Database: draws, and cancels the work once the user has asked for an end (terminal.hpp).
ProgressFunction progress_function(ProgressBar& bar);

}  // namespace vitrine::cli
