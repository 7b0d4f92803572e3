// SPDX-License-Identifier: MIT OR Apache-2.0
// A line typed at a terminal, with editing, history and completion by libedit. Used by one thread, one at a time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/shell_completion.hpp"

namespace vitrine::cli {

class LineEditor {
 public:
  using Complete = std::function<ShellCompletion(std::string_view before_cursor)>;

  // `history_path`: where lines are kept between sessions; empty: nowhere. A file that cannot be used is no error.
  LineEditor(std::string history_path, Complete complete);
  ~LineEditor();
  LineEditor(const LineEditor&) = delete;
  LineEditor& operator=(const LineEditor&) = delete;

  // Without its newline. Nothing at the end of the input and at an interrupt.
  std::optional<std::string> read_line(std::string prompt);
  void remember(const std::string& line);
  void keep_no_history();  // not in a file, that is

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitrine::cli
