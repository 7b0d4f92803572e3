// SPDX-License-Identifier: MIT OR Apache-2.0
// The durable half of `bench`: single puts from several threads, and the bare loop that shows what the disk can do.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "cli/bench_data.hpp"
#include "cli/progress.hpp"
#include "vitrine/database.hpp"

namespace vitrine::cli {

struct Measured {
  std::uint64_t operations = 0;
  double seconds = 0;
};

// Writes and syncs 4 KiB again and again in a file beside `path` that was written and synced in advance, so that a
// sync changes no size: the cheapest durable commit there can be. The file is removed.
Result<Measured> measure_bare_syncs(const std::string& path, std::chrono::seconds duration, ProgressBar& bar);

// Each of `threads` threads puts one entry after the other, each a durable transaction. `first_index` moves on, so
// that no key is used twice.
Result<Measured> measure_durable_puts(Database& db, const BenchValues& values, unsigned threads,
                                      std::chrono::seconds duration, std::uint64_t& first_index, ProgressBar& bar);

}  // namespace vitrine::cli
