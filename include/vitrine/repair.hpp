// SPDX-License-Identifier: MIT OR Apache-2.0
// Repairs in place what is safe to repair: what verify() calls a warning, where no content is in doubt. A damaged copy
// of the header is written again from the good one; pages that nothing leads to become free. A file with any damage, or
// one that could not be looked at as a whole, is not touched at all: that is for a backup, or for salvage().
//
// A repair is an ordinary checkpoint: a crash at any moment leaves the content as it was, and repair can run again.
#pragma once

#include <string>
#include <vector>

#include "vitrine/options.hpp"
#include "vitrine/report.hpp"
#include "vitrine/status.hpp"

namespace vitrine {

struct RepairReport {
  std::vector<Finding> repaired;  // in a dry run: that would be
  std::vector<Finding> left;      // why the file was not touched
  bool is_clean() const noexcept { return left.empty(); }
};

// Looks only: says what repair() would do. Runs beside a writer.
Result<RepairReport> repair_dry_run(const std::string& path, const Options& options = {});

// Errors: those of Database::open for writing (FileLocked beside a writer; what cannot be opened cannot be repaired in
// place). Damage is in the report. A file with nothing to repair is not even opened for writing.
Result<RepairReport> repair(const std::string& path, const Options& options = {});

}  // namespace vitrine
