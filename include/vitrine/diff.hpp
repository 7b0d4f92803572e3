// SPDX-License-Identifier: MIT OR Apache-2.0
// What changed between two database files, or between the two checkpoints that one file holds: by key and by page.
// Rows come one by one, so that memory does not grow with the files.
//
// By key, a part of the tree that both have in common is passed over unread, so two checkpoints, or a file and a copy
// of it, cost what changed. A database that can be opened is compared with what its log has; else its last checkpoint
// is, and keys under pages that cannot be read are "unknown", not gone.
//
// Thread safety: the functions share nothing and may be called from any thread.
#pragma once

#include <string>

#include "vitrine/explain.hpp"

namespace vitrine::inspect {

struct DiffRequest {
  bool keys = true;
  bool pages = true;
  Disclosure disclosure = Disclosure::Automatic;  // structure when one of the files is encrypted
};

// Rows as in docs/schemas/diff.json; returns the last of them, with the counts. Options::secret unlocks both files, or
// the one that is encrypted. Without it pages are compared by their place, free ones as well, and keys are not. Errors:
// as look(); KeyRequired when nothing can be compared; ArgumentInvalid when a file has no older checkpoint.
Result<Value> diff(const std::string& before, const std::string& after, const DiffRequest& request,
                   const RowFunction& row, const Options& options = {});
// From the older checkpoint of the file to the newest. A checkpoint may use the pages again that only the one before
// the last needed; what of the older one was overwritten is told as `gaps_before`.
Result<Value> diff_checkpoints(const std::string& path, const DiffRequest& request, const RowFunction& row,
                               const Options& options = {});

}  // namespace vitrine::inspect
