// SPDX-License-Identifier: MIT OR Apache-2.0
// What the program needs of the process it runs in: is there a terminal, has the user asked for an end. The library
// itself never looks at any of this.
#pragma once

namespace vitrine::cli {

enum class Stream : int { Input = 0, Output = 1, Error = 2 };

bool is_terminal(Stream stream) noexcept;

// Call first. Standard streams that the caller closed are filled with /dev/null opened the wrong way round: nothing
// opened later, such as a database, can get their numbers and be written to by a print, and using them still fails.
// A reader that goes away and a limit on file sizes become errors of the write instead of signals. The first interrupt
// or termination request is only noted; the second kills.
void prepare_process() noexcept;

bool interrupt_requested() noexcept;

}  // namespace vitrine::cli
