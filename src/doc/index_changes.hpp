// SPDX-License-Identifier: MIT OR Apache-2.0
// What writing documents does to the indexes of their collection: collected first, checked as a whole, then written, so
// that an error leaves the transaction as it was.
#pragma once

#include "doc/catalog.hpp"
#include "doc/index_entry.hpp"

namespace vitrine::doc {

struct RecordView;

class IndexChanges {
 public:
  // The collection must outlive the changes.
  explicit IndexChanges(const Collection& collection);

  // One document, before and after; empty: there is none. `id`: encoded. Errors: IndexTooManyKeys.
  Status add(Bytes before, Bytes after, Bytes id);
  // The same for one index alone, which is being built. The entries of a document that has expired are in nobody's way.
  Status add_to(const Index& index, const RecordView& after, Bytes id);

  // Are all keys of unique indexes free? Errors: IndexDuplicate, with "index" and "id" of the other document.
  Status check(const kv::StoreReader& txn);
  Status apply(kv::StoreWriter& txn);

  // About how much memory they take.
  std::size_t bytes() const noexcept { return bytes_; }
  bool is_empty() const noexcept { return added_.empty() && erased_.empty(); }

 private:
  struct Added {
    IndexEntry entry;
    const Index* index;
    bool has_expired = false;
    bool is_unique() const noexcept { return index->unique && !has_expired; }
  };

  void hold(IndexEntry&& entry, const Index& index, bool has_expired);
  void sort();
  Status check_against_store(const kv::StoreReader& txn, const Added& added) const;
  Status check_among_added() const;
  Status apply_multikey(kv::StoreWriter& txn) const;

  const Collection& collection_;
  std::vector<std::uint64_t> multikey_;  // of each index of the collection
  std::vector<Added> added_;
  std::vector<ByteString> erased_;
  std::size_t bytes_ = 0;
  std::vector<IndexEntry> old_entries_, new_entries_;  // of the document that is being added
};

}  // namespace vitrine::doc
