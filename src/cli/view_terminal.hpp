// SPDX-License-Identifier: MIT OR Apache-2.0
// The terminal of the viewer: draws what the model shows, and tells it what was typed. The terminal is as it was before
// on every way out, also when the process is told to end, or dies.
#pragma once

#include <chrono>

#include "cli/view_model.hpp"

namespace vitrine::cli::view {

// Runs until the user quits or the process is told to end. Errors: Misuse when there is no terminal, or one of an
// unknown kind.
Status run_in_terminal(Model& model, std::chrono::milliseconds tick);

// What the terminal opened last wants to be sent for `name` of terminfo; empty when it has no such thing.
std::string terminal_capability(const char* name);

}  // namespace vitrine::cli::view
