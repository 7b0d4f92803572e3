// SPDX-License-Identifier: MIT OR Apache-2.0
// What the viewer shows and what it is told, as plain data: the terminal draws the one and makes the other, and tests
// do both without a terminal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/inspect.hpp"

namespace vitrine::cli::view {

// What a piece of text means; the terminal chooses how that looks. Nothing is told by style alone.
enum class Style : std::uint8_t {
  Normal,
  Title,
  Dim,
  Selected,
  Changed,
  Good,
  Warning,
  Bad,
  Heat0,
  Heat1,
  Heat2,
  Heat3
};

struct Span {
  std::string text;  // UTF-8 without control characters
  Style style = Style::Normal;
};
using Line = std::vector<Span>;
using Lines = std::vector<Line>;

struct Size {
  std::size_t rows = 24;
  std::size_t columns = 80;
};

struct Input {
  enum class Kind : std::uint8_t {
    Character,
    Up,
    Down,
    Left,
    Right,
    PageUp,
    PageDown,
    Home,
    End,
    Enter,
    Back,
    Tab,
    BackTab,
    Escape,
    Click,
    WheelUp,
    WheelDown,
  };
  Kind kind = Kind::Character;
  char character = 0;               // a byte: a character of several comes in several inputs
  std::size_t row = 0, column = 0;  // of a click
};

// How data is asked for: inspect::look() on one file.
using Looker = std::function<Result<inspect::Value>(const inspect::Request& request)>;

std::string text_of(const Line& line);

// At most `columns` characters of `text`, or, so that lines up, filled with blanks to as many.
std::string clipped(std::string_view text, std::size_t columns);
std::string padded(std::string_view text, std::size_t columns);
std::size_t columns_of(std::string_view text) noexcept;

}  // namespace vitrine::cli::view
