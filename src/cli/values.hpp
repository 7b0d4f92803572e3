// SPDX-License-Identifier: MIT OR Apache-2.0
// Numbers, sizes and durations as people write and read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "vitrine/status.hpp"

namespace vitrine::cli {

// All three: the whole text must be one number without sign or space. Errors: ArgumentInvalid.
Result<std::uint64_t> parse_number(std::string_view text);
// "4096", "4KiB", "64k", "1GB": K, M, G, T and KiB, MiB, ... are powers of 1024; KB, MB, ... powers of 1000.
Result<std::uint64_t> parse_size(std::string_view text);
// "250" (milliseconds), "250ms", "5s", "2m".
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

std::string format_count(std::uint64_t count);  // 1,234,567
std::string format_size(std::uint64_t bytes);   // 4.0 MiB
std::string format_rate(double per_second);     // 12.3 k
std::string format_clock(double seconds);       // 1:02:03
std::string format_utc(std::uint64_t wall_ms);  // 2024-05-01 12:00:00 UTC
std::string format_decimal(double value, int digits);

}  // namespace vitrine::cli
