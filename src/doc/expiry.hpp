// SPDX-License-Identifier: MIT OR Apache-2.0
// When documents expire. From that moment no call sees a document, whether or not it was swept. An entry
//
//   20 TIME COLLECTION ID     TIME: milliseconds since 1970, 8 bytes, big-endian; the rest as in the document's key
//
// stands for each document that expires, so that a sweep reads no others. It is a hint: a sweep looks at the document.
#pragma once

#include "doc/store_documents.hpp"

namespace vitrine::doc {

// Milliseconds since 1970 at which a document expires; 0: never. The earlier one of its own time and the one that the
// options of its collection say. `own`: what was set for it alone.
std::uint64_t expires_ms(const Collection& collection, Bytes bson, std::uint64_t own);

inline bool is_past(std::uint64_t expires, std::uint64_t now) noexcept { return expires != 0 && expires <= now; }

// Moves the entry of a document from one time to another; 0: there is none.
Status move_expiry(kv::StoreWriter& txn, const Collection& collection, Bytes id, std::uint64_t from, std::uint64_t to);

// Makes the entries of all documents anew, after the options changed.
Status rebuild_expiry(kv::StoreWriter& txn, const Collection& collection);

struct Sweep {
  std::uint64_t removed = 0;
  bool is_done = true;  // nothing more is due now
};

// Looks at up to `entries_max` entries that are due and removes their documents. What it has seen to be past stays past
// whatever the clock does, also after a crash.
Result<Sweep> sweep_expired(kv::StoreWriter& txn, std::uint64_t entries_max);

Result<bool> is_sweep_due(const kv::StoreReader& txn);

// The time that counts in a transaction: the store's, and not before that of the latest sweep.
Result<std::uint64_t> current_ms(const kv::StoreReader& txn);

}  // namespace vitrine::doc
