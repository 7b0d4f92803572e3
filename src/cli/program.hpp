// SPDX-License-Identifier: MIT OR Apache-2.0
// From the words of a command line to an exit code.
#pragma once

#include <string>
#include <vector>

namespace vitrine::cli {

// `words` come after the name of the program. Never throws.
int run_program(const std::vector<std::string>& words) noexcept;

}  // namespace vitrine::cli
