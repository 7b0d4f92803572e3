// SPDX-License-Identifier: MIT OR Apache-2.0
// How all three environments describe a failed file operation, so that a caller and a test meet the same details
// ("operation", "path", "errno", "offset") wherever the files live. Pure functions; safe from any thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "vitrine/status.hpp"

namespace vitrine::os {

// A failure that no system call reported.
Status file_error(ErrorCode code, std::string_view operation, std::string_view path, std::string_view message = {});

// A failed system call. `error` is its errno; `otherwise` is the code for errno values that have no code of their own.
Status system_error(int error, ErrorCode otherwise, std::string_view operation, std::string_view path);

// The directory part of `path`: "." for a bare name, "/" for a name in the root.
std::string_view directory_of(std::string_view path);

// True when [offset, offset + size) lies below the largest offset a file can have.
bool fits_in_file(std::uint64_t offset, std::uint64_t size);

}  // namespace vitrine::os
