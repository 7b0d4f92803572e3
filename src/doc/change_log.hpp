// SPDX-License-Identifier: MIT OR Apache-2.0
// The log of changes that watch() reads: entries of the store, written by the transaction that makes the change, so
// that they are undone with it and come in the order of commits.
//
//   06                        how many entries are kept at most, a varint; not there: no log is kept
//   07                        the position of the last entry that was given up: VERSION SEQUENCE
//   30 VERSION SEQUENCE       a change. VERSION: that of the document, 8 bytes; SEQUENCE: 4 bytes, within the
//                             transaction; both big-endian. Value: `01`, kind, number of the entry (a varint), length
//                             of the collection's name (a varint), name, BSON
//
// Who appends has read where the log ends, so on a store that lets many writers in, two that append meet in a conflict
// and one comes later. Without that an entry could appear before one that somebody has read already.
#pragma once

#include "doc/filter.hpp"
#include "kv/store.hpp"
#include "vitrine/documents.hpp"

namespace vitrine::doc {

Result<bool> keeps_changes(const kv::StoreReader& txn);
// Appends, if a log is kept. `bson`: the document after the change, or before its removal; empty for none.
Status log_change(kv::StoreWriter& txn, ChangeKind kind, Bytes collection, Bytes bson);

// 0 ends the log and gives up what it holds.
Status keep_changes(kv::StoreWriter& txn, std::uint64_t entries_max);

// Gives up what the log holds and goes on with what comes: every position of before is gone. False: no log is kept.
Result<bool> give_up_changes(kv::StoreWriter& txn);

struct ChangeView {
  ChangeKind kind = ChangeKind::Insert;
  Bytes collection;
  std::uint64_t version = 0;
  Bytes bson;  // empty: none
  Bytes position;
};

// Visits what comes after `position` (empty: everything held), until `visit` answers false; returns the position of the
// last entry looked at, whether it was visited or not. Errors: Misuse, KeyNotFound, DocumentMalformed (damaged).
Result<ByteString> read_changes(const kv::StoreReader& txn, Bytes position,
                                const std::function<bool(const ChangeView& change)>& visit);

// The position before the first change of a version, and that of the newest change.
ByteString position_before(std::uint64_t version);
Result<ByteString> last_position(const kv::StoreReader& txn);

}  // namespace vitrine::doc
