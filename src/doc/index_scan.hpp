// SPDX-License-Identifier: MIT OR Apache-2.0
// Reading the entries of an index in their exact order: by whole key, up or down, and for equal keys always up by id.
// Cut keys are put in order in memory, those that share their beginning at a time.
#pragma once

#include "base/function_ref.hpp"
#include "doc/bounds.hpp"
#include "doc/index_entry.hpp"
#include "kv/store.hpp"

namespace vitrine::doc {

struct IndexScan {
  KeyRanges ranges;          // of whole keys
  bool is_equality = false;  // each range is one whole key
  bool reverse = false;
  std::uint64_t bytes_max = std::uint64_t{64} << 20;  // of entries that are held to be put in order
};

// `visit` answers false to stop, and may read through the transaction. `examined` counts entries.
// Errors: BudgetExhausted, DocumentMalformed.
using IndexVisitor = base::FunctionRef<bool(const IndexEntryView& entry)>;
Status scan_index(const kv::StoreReader& txn, const Index& index, const IndexScan& scan, std::uint64_t& examined,
                  IndexVisitor visit);

// How many entries there are in the ranges, counting no further than `limit`; without a look at cut keys.
Result<std::uint64_t> count_entries(const kv::StoreReader& txn, const Index& index, const KeyRanges& ranges,
                                    bool is_equality, std::uint64_t limit);

}  // namespace vitrine::doc
