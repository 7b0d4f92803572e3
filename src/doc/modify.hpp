// SPDX-License-Identifier: MIT OR Apache-2.0
// Changing documents that a filter finds. The ids of what matches are collected first, so that no change is met again.
// After an error a part may have been done: the caller must undo the transaction, or go back to a savepoint.
#pragma once

#include "doc/query.hpp"
#include "doc/update.hpp"

namespace vitrine::doc {

// Which documents a change is for.
struct Target {
  ByteString filter;  // BSON
  SortOrder order;
  bool many = false;
  std::optional<std::uint64_t> expected;  // version, when not many
  std::uint64_t steps_max = 0;
  std::uint64_t bytes_max = 0;
};

struct Change {
  std::optional<Record> before, after;
  bool is_modified() const noexcept { return !before || !after || before->bson != after->bson; }
};

using ChangeFunction = std::function<void(const Change& change)>;

struct Modification {
  const Update& update;
  bool upsert = false;
  std::uint64_t now_ms = 0;
};

// Calls `seen` for each document that matches, or that was inserted. Errors: as DocumentWriter::update says.
Status update_documents(kv::StoreWriter& txn, const Collection& collection, const Target& target,
                        const Modification& modification, const ChangeFunction& seen);
// Errors: FilterMalformed, BudgetExhausted, VersionDiffers.
Status remove_documents(kv::StoreWriter& txn, const Collection& collection, const Target& target,
                        const ChangeFunction& seen);

// The document that a filter describes by what it wants to be equal. Errors: UpdatePathConflict.
Result<ByteString> document_of_filter(Bytes filter);

// {"values": [...]}, sorted. `query` has no order. Errors: FilterMalformed, BudgetExhausted, DocumentTooLarge.
Result<ByteString> distinct_values(const kv::StoreReader& txn, const Collection& collection, const Query& query,
                                   Bytes path);

}  // namespace vitrine::doc
