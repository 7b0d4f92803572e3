// SPDX-License-Identifier: MIT OR Apache-2.0
// What the program needs of the process it runs in: is there a terminal, has the user asked for an end. The library
// itself never looks at any of this.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "vitrine/status.hpp"

namespace vitrine::cli {

enum class Stream : int { Input = 0, Output = 1, Error = 2 };

bool is_terminal(Stream stream) noexcept;

// Call first. Standard streams that the caller closed are filled with /dev/null opened the wrong way round: nothing
// opened later, such as a database, can get their numbers and be written to by a print, and using them still fails.
// A reader that goes away and a limit on file sizes become errors of the write instead of signals. The first interrupt
// or termination request is only noted; the second kills.
void prepare_process() noexcept;

bool interrupt_requested() noexcept;
// For a prompt, where an interrupt from the keyboard ends what is being done and not the program: forgets it, and notes
// the next one again. True when there was one.
bool take_keyboard_interrupt() noexcept;

// Reads up to the next newline, which is dropped, or the end, and not a byte further, so that what follows is there for
// others. Returns how much was read. Errors: ReadFailed, Cancelled, ArgumentInvalid when `to` is too small.
Result<std::size_t> read_line_from(int descriptor, std::span<char> to);

// Waits until something was typed, the time is over, or a signal came. Gone: nobody will type any more.
enum class InputState : std::uint8_t { Typed, Quiet, Gone };
InputState wait_for_input(std::chrono::milliseconds time) noexcept;

// Until the end of its scope, a process that dies of its own mistake first gives the terminal its settings back and
// writes `farewell`, which ends special modes. One at a time.
class TerminalRescue {
 public:
  explicit TerminalRescue(std::string_view farewell) noexcept;
  ~TerminalRescue();
  TerminalRescue(const TerminalRescue&) = delete;
  TerminalRescue& operator=(const TerminalRescue&) = delete;
};

// One byte; nothing at the end of the input and at an interrupt.
std::optional<char> read_byte_from(int descriptor) noexcept;

// Shows a prompt, and until the end of its scope nothing that is typed.
class HiddenInput {
 public:
  explicit HiddenInput(std::string_view prompt);
  ~HiddenInput();
  HiddenInput(const HiddenInput&) = delete;
  HiddenInput& operator=(const HiddenInput&) = delete;

 private:
  bool is_hidden_ = false;
};

}  // namespace vitrine::cli
