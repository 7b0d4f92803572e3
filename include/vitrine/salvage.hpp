// SPDX-License-Identifier: MIT OR Apache-2.0
// Saves from a damaged file everything that still verifies. The damaged file is opened for reading only, and never
// changed.
//
// What counts: a record whose leaf and, for a large value, all its pages verify. Leaves that lost the way from the root
// are found by the map of free space, or without it by looking at every page; then the log is replayed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vitrine/options.hpp"
#include "vitrine/status.hpp"

namespace vitrine {

struct SalvageLoss {
  std::uint64_t page = 0;  // 0: not about one page
  std::string code;        // an error name, or SALVAGE_KEYSPACE_NAME, SALVAGE_COLLECTION_NAME, SALVAGE_INDEX,
                           // SALVAGE_CHANGES
  std::string message;
};

struct SalvageReport {
  std::uint64_t records_in_place = 0;   // found from the root
  std::uint64_t records_orphaned = 0;   // found in leaves that nothing intact leads to
  std::uint64_t records_uncertain = 0;  // of these: without the map nothing says that they were not replaced or erased
  std::uint64_t values_lost = 0;        // records whose key is intact and whose value is not
  std::uint64_t log_transactions = 0;   // replayed
  std::uint64_t entries = 0;            // in the new file, the catalog included; 0 in a dry run
  std::uint64_t losses_count = 0;       // `losses` ends after 10,000
  std::vector<SalvageLoss> losses;
  bool is_complete() const noexcept { return losses_count == 0 && records_uncertain == 0; }
};

// Looks only: says what salvage() would find.
Result<SalvageReport> salvage_dry_run(const std::string& damaged, const Options& options = {});

// Makes `path`, which must not exist, from what `damaged` still has. All or nothing; the new file has passed the full
// check. Indexes of documents are made anew where they do not agree with the documents that are left. Page size and
// entry versions stay; an encrypted file needs Options::secret, which opens the new one, too. Errors: the file errors,
// NotDatabase, VersionUnsupported, FileExists, HeaderDamaged (without a header and a log nothing can be checked),
// KeyRequired, KeyMismatch.
Result<SalvageReport> salvage(const std::string& damaged, const std::string& path, const Options& options = {});

}  // namespace vitrine
