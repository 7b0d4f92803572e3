// SPDX-License-Identifier: MIT OR Apache-2.0
// The viewer without a terminal: it takes inputs, asks for data, and says what the screen shows.
//
// Layout: title, panels by number, the panel, and a line that asks or tells. Thread safety: none.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/view_panel.hpp"

namespace vitrine::cli::view {

class Model {
 public:
  Model(std::string title, Looker look, bool is_watching);

  void resize(Size size);
  void input(const Input& input);
  // While watching: looks again, and marks what changed.
  void tick();

  Lines screen() const;
  bool is_done() const noexcept { return is_done_; }
  bool is_watching() const noexcept { return is_watching_; }

 private:
  enum class Prompt : std::uint8_t { None, Find, Jump };

  Panel& panel() noexcept { return *panels_[current_]; }
  const Panel& panel() const noexcept { return *panels_[current_]; }
  Size body() const noexcept;
  void load(bool mark);
  void show(std::size_t number);
  void type(const Input& input);
  void command(const Input& input);
  bool common_command(char character);
  void answer(const std::string& text);
  void find(bool forward);
  void jump(const std::string& where);
  void enter();
  void click(const Input& input);
  Line title_line() const;
  Line panels_line() const;
  Line last_line() const;

  const std::string title_;
  const Looker look_;
  std::vector<std::unique_ptr<Panel>> panels_;
  std::size_t current_ = 0;
  std::vector<std::size_t> came_from_;  // panels that were left by entering something
  Size size_;
  Status failed_;          // of the last look
  inspect::Value header_;  // for the title
  std::string since_;      // what the last tick found
  std::string message_;
  Prompt prompt_ = Prompt::None;
  std::string typed_, searched_;
  bool is_watching_;
  bool is_help_ = false;
  bool is_done_ = false;
};

}  // namespace vitrine::cli::view
