// SPDX-License-Identifier: MIT OR Apache-2.0
// Drawing of the progress line. The arithmetic is in format_progress, which tests call without a terminal.
#include "cli/progress.hpp"

#include <algorithm>
#include <cstdio>

#include "cli/terminal.hpp"
#include "cli/values.hpp"

namespace vitrine::cli {
namespace {

constexpr std::size_t kColumns = 79;  // the 80th would wrap on some terminals
constexpr std::size_t kBarColumns = 20;
constexpr auto kDrawInterval = std::chrono::milliseconds(100);

std::string amount(std::uint64_t count, bool is_bytes) { return is_bytes ? format_size(count) : format_count(count); }

std::string bar_of(double share) {
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(kBarColumns));
  return std::string("[").append(filled, '#').append(kBarColumns - filled, '.').append("]");
}

}  // namespace

std::string format_progress(std::string_view title, const Progress& progress, double elapsed_seconds) {
  const bool is_bytes = progress.unit == "bytes";
  const auto done = static_cast<double>(progress.done);
  const double rate = elapsed_seconds > 0 ? done / elapsed_seconds : 0;
  std::string line(title);
  if (progress.total > 0) {
    const double share = std::min(done / static_cast<double>(progress.total), 1.0);
    const std::string percent = std::to_string(static_cast<int>(share * 100));
    line.append(" ").append(bar_of(share)).append(" ").append(3 - std::min<std::size_t>(percent.size(), 3), ' ');
    line.append(percent).append("%  ").append(amount(progress.done, is_bytes)).append("/");
    line.append(amount(progress.total, is_bytes));
  } else {
    line.append("  ").append(amount(progress.done, is_bytes));
  }
  if (!is_bytes) line.append(" ").append(progress.unit);
  line.append("  ").append(is_bytes ? format_size(static_cast<std::uint64_t>(rate)) : format_rate(rate)).append("/s");
  if (progress.total > progress.done && rate > 0) {
    line.append("  ETA ").append(format_clock(static_cast<double>(progress.total - progress.done) / rate));
  } else {
    line.append("  ").append(format_clock(elapsed_seconds));
  }
  if (line.size() > kColumns) line.resize(kColumns);
  return line;
}

ProgressBar::ProgressBar(std::string title, Drawing drawing) : title_(std::move(title)), drawing_(drawing) {}

void ProgressBar::update(const Progress& progress) {
  if (drawing_ == Drawing::Off) return;
  const Clock::time_point now = Clock::now();
  if (now < next_draw_) return;
  next_draw_ = now + kDrawInterval;
  is_shown_ = true;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  std::fprintf(stderr, "\r\x1b[K%s", format_progress(title_, progress, elapsed).c_str());
  std::fflush(stderr);
}

void ProgressBar::finish() {
  if (!is_shown_) return;
  is_shown_ = false;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
}

ProgressFunction progress_function(ProgressBar& bar) {
  return [&bar](const Progress& progress) {
    bar.update(progress);
    return !interrupt_requested();
  };
}

}  // namespace vitrine::cli
