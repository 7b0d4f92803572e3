// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/view_model.hpp"

#include <algorithm>
#include <array>

#include "cli/encoding.hpp"
#include "cli/value_text.hpp"
#include "cli/values.hpp"

namespace vitrine::cli::view {
namespace {

constexpr std::size_t kFrameRows = 3;     // title, panels, last line
constexpr std::size_t kFindWindows = 20;  // that one search looks through

constexpr std::array<std::string_view, 15> kHelp{
    "1 to 9, Tab      the panels",
    "j k, arrows      down and up; PgDn, PgUp by screens",
    "g G, Home End    first and last",
    "Enter            into what is selected: page, child, run on the map",
    "b, Backspace     back: up in the tree, else to where you came from",
    "h l              map: left and right; page: the page before and after",
    "/                search: text; in tree and keys a key, or KEYSPACE/KEY",
    "n N              next and previous match",
    ":                jump: a page, in the log an LSN, in keys a key",
    "m                map: heat by type, fill, age or state",
    "p u              tree: the page of the node; page: to the page that points to it",
    "w                watch: look again each second, and mark with * what changed",
    "r                look again now",
    "?                this help",
    "q                quit",
};

bool is_down(char c) noexcept { return c == 'j'; }

// Letters that stand for other keys.
Input as_motion(const Input& input) {
  Input motion = input;
  if (input.kind != Input::Kind::Character) return motion;
  if (is_down(input.character)) motion.kind = Input::Kind::Down;
  if (input.character == 'k') motion.kind = Input::Kind::Up;
  if (input.character == 'g') motion.kind = Input::Kind::Home;
  if (input.character == 'G') motion.kind = Input::Kind::End;
  return motion;
}

std::string change_text(const inspect::Value& before, const inspect::Value& after) {
  std::string text;
  for (const std::string_view name : {"checkpoint", "page_count", "entries"}) {
    const std::string was = member_text(before, name), is = member_text(after, name);
    if (was != is) text += std::string(text.empty() ? "" : ", ") + std::string(name) + " " + was + " -> " + is;
  }
  return text;
}

}  // namespace

Model::Model(std::string title, Looker look, bool is_watching)
    : title_(std::move(title)), look_(std::move(look)), is_watching_(is_watching) {
  panels_.push_back(header_panel());
  panels_.push_back(map_panel());
  panels_.push_back(page_panel());
  panels_.push_back(tree_panel());
  panels_.push_back(log_panel());
  panels_.push_back(keys_panel());
  panels_.push_back(space_panel());
  panels_.push_back(snapshots_panel());
  panels_.push_back(findings_panel(panels_));
}

Size Model::body() const noexcept {
  return {std::max(size_.rows, kFrameRows + 1) - kFrameRows, std::max<std::size_t>(size_.columns, 1)};
}

void Model::load(bool mark) {
  const Result<inspect::Value> header = look_(request_of(inspect::View::Header));
  const inspect::Value* const chosen = header.has_value() ? header->find("chosen") : nullptr;
  const inspect::Value now = chosen != nullptr ? *chosen : inspect::Value();
  if (mark) since_ = change_text(header_, now);
  header_ = now;
  failed_ = panel().load(look_, body(), mark);
}

void Model::resize(Size size) {
  size_ = size;
  load(false);
}

void Model::tick() {
  if (is_watching_ && prompt_ == Prompt::None && !is_help_) load(true);
}

void Model::show(std::size_t number) {
  if (number < 1 || number > panels_.size()) return;
  current_ = number - 1;
  since_.clear();
  load(false);
}

// --- Inputs ----------------------------------------------------------------------------------------------------------

void Model::input(const Input& input) {
  message_.clear();
  if (is_help_) {
    is_help_ = false;
  } else if (prompt_ != Prompt::None) {
    type(input);
  } else if (input.kind == Input::Kind::Click) {
    click(input);
  } else {
    command(input);
  }
}

void Model::type(const Input& input) {
  switch (input.kind) {
    case Input::Kind::Character:
      typed_.push_back(input.character);
      return;
    case Input::Kind::Back:
      while (!typed_.empty() && (static_cast<unsigned char>(typed_.back()) & 0xc0) == 0x80) typed_.pop_back();
      if (!typed_.empty()) typed_.pop_back();
      return;
    case Input::Kind::Enter:
      answer(typed_);
      return;
    case Input::Kind::Escape:
      prompt_ = Prompt::None;
      return;
    default:
      return;
  }
}

void Model::answer(const std::string& text) {
  const Prompt asked = prompt_;
  prompt_ = Prompt::None;
  if (text.empty()) return;
  if (asked == Prompt::Jump) return jump(text);
  if (const std::optional<Status> went = panel().find_key(look_, text)) {
    if (!went->is_ok()) message_ = went->to_string();
    load(false);
    return;
  }
  searched_ = text;
  find(true);
}

void Model::command(const Input& input) {
  using Kind = Input::Kind;
  if (input.kind == Kind::Character && common_command(input.character)) return;
  if (input.kind == Kind::Tab) return show(current_ + 1 == panels_.size() ? 1 : current_ + 2);
  if (input.kind == Kind::BackTab) return show(current_ == 0 ? panels_.size() : current_);
  const bool is_back = input.kind == Kind::Back || (input.kind == Kind::Character && input.character == 'b');
  const bool is_page = input.kind == Kind::Character && input.character == 'p';
  if (panel().handle(as_motion(input), body())) {
    load(false);
  } else if (input.kind == Kind::Enter || is_page) {
    enter();
  } else if (is_back && !came_from_.empty()) {
    const std::size_t number = came_from_.back();
    came_from_.pop_back();
    show(number);
  }
}

bool Model::common_command(char character) {
  if (character >= '1' && character <= '9') {
    came_from_.clear();
    show(static_cast<std::size_t>(character - '0'));
    return true;
  }
  switch (character) {
    case 'q':
      is_done_ = true;
      return true;
    case '?':
      is_help_ = true;
      return true;
    case 'w':
      is_watching_ = !is_watching_;
      since_.clear();
      load(false);
      return true;
    case 'r':
      load(true);
      return true;
    case '/':
    case ':':
      prompt_ = character == '/' ? Prompt::Find : Prompt::Jump;
      typed_.clear();
      return true;
    case 'n':
    case 'N':
      find(character == 'n');
      return true;
    default:
      return false;
  }
}

// Through what is loaded, then through what follows.
void Model::find(bool forward) {
  if (searched_.empty()) return;
  for (std::size_t i = 0; i < kFindWindows; ++i) {
    if (panel().find_next(searched_, forward)) return;
    if (!panel().turn_over(forward)) break;
    load(false);
    if (!failed_.is_ok()) return;
  }
  message_ = "no " + searched_ + (forward ? " from here on" : " before this");
}

void Model::jump(const std::string& where) {
  const Status went = panel().go_to(where);
  if (!went.is_ok()) message_ = std::string(went.message());
  load(false);
}

void Model::enter() {
  const std::optional<Visit> visit = panel().visit();
  if (!visit) return;
  const std::size_t number = static_cast<std::size_t>(visit->panel);
  const Status went = panels_[number - 1]->go_to(visit->where);
  if (!went.is_ok()) {
    message_ = std::string(went.message());
    return;
  }
  if (number != current_ + 1) came_from_.push_back(current_ + 1);
  show(number);
}

void Model::click(const Input& input) {
  if (input.row == 1) {
    std::size_t column = 0;
    for (std::size_t i = 0; i < panels_.size(); ++i) {
      const std::size_t end = column + panels_[i]->name().size() + 2;
      if (input.column >= column && input.column < end) return show(i + 1);
      column = end + 2;
    }
    return;
  }
  if (input.row < 2 || input.row >= 2 + body().rows) return;
  Input inside = input;
  inside.row -= 2;
  if (panel().handle(inside, body())) load(false);
}

// --- The screen ------------------------------------------------------------------------------------------------------

Line Model::title_line() const {
  std::string text = title_;
  if (!header_.is_null()) {
    text += "  checkpoint " + member_text(header_, "checkpoint") + "  " + member_text(header_, "page_count") +
            " pages of " + format_size(member_number(header_, "page_size")) + "  " + member_text(header_, "entries") +
            " entries";
  }
  if (is_watching_) text += "  watching";
  return {{padded(text, size_.columns), Style::Title}};
}

Line Model::panels_line() const {
  Line line;
  std::size_t room = size_.columns;
  for (std::size_t i = 0; i < panels_.size() && room > 0; ++i) {
    const bool is_current = i == current_;
    const std::string text =
        clipped(std::to_string(i + 1) + (is_current ? ">" : " ") + std::string(panels_[i]->name()), room);
    line.push_back({text, is_current ? Style::Selected : Style::Normal});
    room -= text.size();
    if (i + 1 == panels_.size()) break;
    line.push_back({std::string(std::min<std::size_t>(room, 2), ' ')});
    room -= std::min<std::size_t>(room, 2);
  }
  return line;
}

Line Model::last_line() const {
  if (prompt_ != Prompt::None) {
    return {{clipped((prompt_ == Prompt::Find ? "/" : ":") + printable(typed_), size_.columns), Style::Title}};
  }
  if (!message_.empty()) return {{clipped(printable(message_), size_.columns), Style::Warning}};
  if (is_watching_ && (panel().changes() > 0 || !since_.empty())) {
    const std::string rows = std::to_string(panel().changes()) + " shown changed";
    return {{clipped("since the last look: " + rows + (since_.empty() ? "" : "; " + since_), size_.columns),
             Style::Changed}};
  }
  const std::string hint(panel().hint());
  return {{clipped("? help  q quit" + (hint.empty() ? "" : "  " + hint), size_.columns), Style::Dim}};
}

Lines Model::screen() const {
  Lines lines{title_line(), panels_line()};
  const std::size_t end = size_.rows > 0 ? size_.rows - 1 : 0;
  if (is_help_) {
    for (const std::string_view line : kHelp) lines.push_back({{clipped(line, size_.columns)}});
  } else if (!failed_.is_ok()) {
    lines.push_back({{clipped(printable(failed_.to_string()), size_.columns), Style::Bad}});
  } else {
    for (Line& line : panel().draw(body())) lines.push_back(std::move(line));
  }
  lines.resize(end);
  lines.push_back(last_line());
  return lines;
}

}  // namespace vitrine::cli::view
