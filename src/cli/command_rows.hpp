// SPDX-License-Identifier: MIT OR Apache-2.0
// Parts of the table of commands (command_table.cpp) that stand in files of their own.
#pragma once

#include <vector>

#include "cli/arguments.hpp"

namespace vitrine::cli {

using OptionRows = std::vector<OptionSpec>;

// `reading`, `writing`: the options of every command that reads or writes.
std::vector<CommandSpec> document_commands(const OptionRows& reading, const OptionRows& writing);

}  // namespace vitrine::cli
