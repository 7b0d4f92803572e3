// SPDX-License-Identifier: MIT OR Apache-2.0
// Writes zeros. Whatever the length, they all come from one small block, named again and again: a large one would only
// make every program larger.
#pragma once

#include <cstdint>

#include "os/env.hpp"

namespace vitrine::os {

// Errors: those of File::write_at.
Status write_zeros(File& file, std::uint64_t offset, std::uint64_t size);

}  // namespace vitrine::os
