// SPDX-License-Identifier: MIT OR Apache-2.0
// Files in RAM: carries in-memory databases, and tests that need no disk. Names are compared as they are written;
// every directory exists. Nothing outlives the environment and the handles opened from it.
#pragma once

#include <memory>

#include "os/env.hpp"

namespace vitrine::os {

// Clocks and randomness are the machine's. Handles may outlive the environment.
std::unique_ptr<Env> make_memory_env();

}  // namespace vitrine::os
