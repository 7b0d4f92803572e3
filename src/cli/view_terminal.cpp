// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/view_terminal.hpp"

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdlib>
#include <cwchar>
#include <optional>

#define NCURSES_NOMACROS 1
#include <ncurses.h>

#include "base/try.hpp"
#include "cli/terminal.hpp"

namespace vitrine::cli::view {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kIdleWait{250};  // how late a request to end is seen at worst
constexpr int kEscapeDelayMs = 50;                   // long enough for a slow line, too short to be felt

struct Look {
  short color;  // -1: that of the terminal
  attr_t attributes;
};

// By Style. Attributes tell styles apart where there are no colors.
constexpr std::array<Look, 12> kLooks{{{-1, A_NORMAL},
                                       {-1, A_BOLD},
                                       {-1, A_DIM},
                                       {-1, A_REVERSE},
                                       {COLOR_YELLOW, A_BOLD | A_UNDERLINE},
                                       {COLOR_GREEN, A_NORMAL},
                                       {COLOR_YELLOW, A_BOLD},
                                       {COLOR_RED, A_BOLD},
                                       {COLOR_BLUE, A_NORMAL},
                                       {COLOR_CYAN, A_NORMAL},
                                       {COLOR_YELLOW, A_NORMAL},
                                       {COLOR_MAGENTA, A_NORMAL}}};

// Owns the screen from open() on.
class Terminal {
 public:
  static Result<std::unique_ptr<Terminal>> open() {
    if (!is_terminal(Stream::Input) || !is_terminal(Stream::Output)) {
      return Status::error(ErrorCode::ArgumentInvalid, "view needs a terminal; inspect prints the same");
    }
    std::setlocale(LC_CTYPE, "");
    SCREEN* const screen = newterm(nullptr, stdout, stdin);
    if (screen == nullptr) {
      return Status::error(ErrorCode::ArgumentInvalid, "the terminal is of an unknown kind; see TERM");
    }
    return std::unique_ptr<Terminal>(new Terminal(screen));  // NOLINT: the constructor is private
  }

  ~Terminal() {
    endwin();
    delscreen(screen_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  Size size() const noexcept {
    return {static_cast<std::size_t>(getmaxy(stdscr)), static_cast<std::size_t>(getmaxx(stdscr))};
  }

  void draw(const Lines& lines) const {
    werase(stdscr);
    for (std::size_t row = 0; row < lines.size(); ++row) draw_line(static_cast<int>(row), lines[row]);
    wrefresh(stdscr);
  }

  // What was typed, if anything. A new size is told by `is_resized`.
  std::optional<Input> read(bool& is_resized) const {
    const int key = wgetch(stdscr);
    if (key == KEY_RESIZE) is_resized = true;
    if (key == KEY_MOUSE) return read_mouse();
    return input_of(key);
  }

 private:
  explicit Terminal(SCREEN* screen)
      : screen_(screen),
        rescue_(terminal_capability("rmkx") + terminal_capability("sgr0") + terminal_capability("rmcup") +
                terminal_capability("cnorm")) {
    cbreak();
    noecho();
    nonl();
    set_escdelay(kEscapeDelayMs);
    keypad(stdscr, true);
    nodelay(stdscr, true);
    curs_set(0);
    mousemask(BUTTON1_PRESSED | BUTTON1_CLICKED | BUTTON4_PRESSED | BUTTON5_PRESSED, nullptr);
    mouseinterval(0);
    const char* const no_color = std::getenv("NO_COLOR");
    has_color_ = has_colors() && (no_color == nullptr || *no_color == '\0') && start_color() == OK;
    if (!has_color_) return;
    use_default_colors();
    for (std::size_t i = 0; i < kLooks.size(); ++i) init_pair(static_cast<short>(i + 1), kLooks[i].color, -1);
  }

  // Cut to the width by what each character takes; a character that cannot be shown here is a question mark.
  void draw_line(int row, const Line& line) const {
    wmove(stdscr, row, 0);
    int room = getmaxx(stdscr);
    for (const Span& span : line) {
      const auto style = static_cast<std::size_t>(span.style);
      wattrset(stdscr, static_cast<int>(kLooks[style].attributes));
      if (has_color_) wcolor_set(stdscr, static_cast<short>(style + 1), nullptr);
      if (has_color_) wattr_on(stdscr, kLooks[style].attributes, nullptr);
      draw_text(span.text, room);
    }
    wattrset(stdscr, A_NORMAL);
  }

  static void draw_text(const std::string& text, int& room) {
    std::mbstate_t state{};
    for (std::size_t at = 0; at < text.size() && room > 0;) {
      wchar_t character = L'?';
      const std::size_t size = std::mbrtowc(&character, text.data() + at, text.size() - at, &state);
      const bool is_good = size != 0 && size <= text.size() - at;
      if (!is_good) {
        character = L'?';
        state = {};
      }
      const int width = wcwidth(character);
      at += is_good ? size : 1;
      if (width > room) return;
      if (width < 0) continue;
      room -= width;
      waddnwstr(stdscr, &character, 1);
    }
  }

  static std::optional<Input> read_mouse() {
    MEVENT event{};
    if (getmouse(&event) != OK) return std::nullopt;
    Input input;
    input.row = static_cast<std::size_t>(event.y);
    input.column = static_cast<std::size_t>(event.x);
    if ((event.bstate & BUTTON4_PRESSED) != 0) {
      input.kind = Input::Kind::WheelUp;
    } else if ((event.bstate & BUTTON5_PRESSED) != 0) {
      input.kind = Input::Kind::WheelDown;
    } else if ((event.bstate & (BUTTON1_PRESSED | BUTTON1_CLICKED)) != 0) {
      input.kind = Input::Kind::Click;
    } else {
      return std::nullopt;
    }
    return input;
  }

  static std::optional<Input> input_of(int key) {
    using Kind = Input::Kind;
    struct Mapping {
      int key;
      Kind kind;
    };
    static constexpr std::array<Mapping, 19> kMappings{{{KEY_UP, Kind::Up},
                                                        {KEY_DOWN, Kind::Down},
                                                        {KEY_LEFT, Kind::Left},
                                                        {KEY_RIGHT, Kind::Right},
                                                        {KEY_PPAGE, Kind::PageUp},
                                                        {KEY_NPAGE, Kind::PageDown},
                                                        {KEY_HOME, Kind::Home},
                                                        {KEY_END, Kind::End},
                                                        {KEY_ENTER, Kind::Enter},
                                                        {'\r', Kind::Enter},
                                                        {'\n', Kind::Enter},
                                                        {KEY_BACKSPACE, Kind::Back},
                                                        {127, Kind::Back},
                                                        {8, Kind::Back},
                                                        {'\t', Kind::Tab},
                                                        {KEY_BTAB, Kind::BackTab},
                                                        {27, Kind::Escape},
                                                        {2, Kind::PageUp},      // Ctrl-B
                                                        {6, Kind::PageDown}}};  // Ctrl-F
    for (const Mapping& mapping : kMappings) {
      if (mapping.key == key) return Input{mapping.kind};
    }
    if (key == 12) wclear(stdscr);  // Ctrl-L: draw everything anew
    if (key < 0x20 || key > 0xff) return std::nullopt;
    return Input{Kind::Character, static_cast<char>(key)};
  }

  SCREEN* const screen_;
  const TerminalRescue rescue_;
  bool has_color_ = false;
};

}  // namespace

Status run_in_terminal(Model& model, std::chrono::milliseconds tick) {
  const std::unique_ptr<Terminal> terminal = TRY(Terminal::open());
  model.resize(terminal->size());
  Clock::time_point next_tick = Clock::now() + tick;
  terminal->draw(model.screen());
  while (!model.is_done()) {
    const auto until_tick = std::chrono::duration_cast<std::chrono::milliseconds>(next_tick - Clock::now());
    const auto wait = model.is_watching() ? std::clamp(until_tick, std::chrono::milliseconds{0}, kIdleWait) : kIdleWait;
    const InputState state = wait_for_input(wait);
    if (interrupt_requested() || state == InputState::Gone) return Status::error(ErrorCode::Cancelled);
    bool is_changed = false, is_resized = false;
    while (const std::optional<Input> input = terminal->read(is_resized)) {
      model.input(*input);
      is_changed = true;
      if (model.is_done()) return {};
    }
    if (is_resized) model.resize(terminal->size());
    const bool is_due = Clock::now() >= next_tick;
    if (is_due) next_tick = Clock::now() + tick;
    if (is_due && model.is_watching()) model.tick();
    if (is_changed || is_resized || (is_due && model.is_watching())) terminal->draw(model.screen());
  }
  return {};
}

}  // namespace vitrine::cli::view
