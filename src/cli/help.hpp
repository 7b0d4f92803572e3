// SPDX-License-Identifier: MIT OR Apache-2.0
// Help and version, made from the table of commands.
#pragma once

#include <string>

#include "cli/arguments.hpp"

namespace vitrine::cli {

std::string version_line();
std::string program_help();
std::string command_help(const CommandSpec& command);

}  // namespace vitrine::cli
