// SPDX-License-Identifier: MIT OR Apache-2.0
// Making an index of a large collection while others read and write. From the first transaction on, every writer keeps
// the index; batches add what was there before, in the order of ids, and note how far they have come. So a document
// is in the index whether it was written before or behind the mark, and a build that was cut off goes on from there.
// Of two documents with the same key in a unique index, whichever comes second sees the first.
#pragma once

#include "doc/catalog.hpp"
#include "kv/store.hpp"
#include "vitrine/options.hpp"

namespace vitrine::doc {

inline constexpr std::size_t kBuildBatchBytes = std::size_t{1} << 20;  // of entries in one transaction

// Progress: encoded bytes are not known beforehand, so it counts documents. An error other than Cancelled drops the
// index again, as far as the store lets it.
Status build_index(kv::Store& store, Bytes collection, const IndexDefinition& definition,
                   const ProgressFunction& progress, std::size_t batch_bytes = kBuildBatchBytes);

}  // namespace vitrine::doc
