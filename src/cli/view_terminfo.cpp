// SPDX-License-Identifier: MIT OR Apache-2.0
// Apart from the rest of the terminal, because <term.h> defines macros with everyday names.
#include "cli/view_terminal.hpp"

#include <ncurses.h>
#include <term.h>

namespace vitrine::cli::view {

std::string terminal_capability(const char* name) {
  const char* const text = tigetstr(name);
  const bool is_there = text != nullptr && text != reinterpret_cast<const char*>(-1);
  return is_there ? text : "";
}

}  // namespace vitrine::cli::view
