// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/index_changes.hpp"

#include <algorithm>
#include <iterator>

#include "base/try.hpp"
#include "doc/store_documents.hpp"

namespace vitrine::doc {
namespace {

Status duplicate(const Index& index, const Value& id) {
  Builder holder;
  holder.add(kIdName, id);
  const Document other = TRY(Document::from_bson(holder.finish()));
  return Status::error(ErrorCode::IndexDuplicate).with("index", index.name).with("document", other.to_json());
}

}  // namespace

IndexChanges::IndexChanges(const Collection& collection) : collection_(collection) {
  for (const Index& index : collection.indexes) multikey_.push_back(index.multikey);
}

void IndexChanges::hold(IndexEntry&& entry, const Index& index, bool has_expired) {
  bytes_ += sizeof(Added) + entry.key.size() + entry.value.size();
  added_.push_back({std::move(entry), &index, has_expired});
}

Status IndexChanges::add(Bytes before, Bytes after, Bytes id) {
  for (std::size_t i = 0; i < collection_.indexes.size(); ++i) {
    const Index& index = collection_.indexes[i];
    if (!before.empty() && !after.empty() && have_same_entries(index, before, after)) continue;
    std::uint64_t ignored = 0;
    old_entries_.clear();
    new_entries_.clear();
    if (!before.empty()) CHECK(make_entries(index, before, id, ignored, old_entries_));
    if (!after.empty()) CHECK(make_entries(index, after, id, multikey_[i], new_entries_));
    for (const IndexEntry& entry : old_entries_) {
      if (std::binary_search(new_entries_.begin(), new_entries_.end(), entry)) continue;
      bytes_ += sizeof(ByteString) + entry.key.size();
      erased_.push_back(entry.key);
    }
    for (IndexEntry& entry : new_entries_) {
      const auto same = std::lower_bound(old_entries_.begin(), old_entries_.end(), entry);
      const bool is_there = same != old_entries_.end() && same->key == entry.key;
      if (!is_there || same->value != entry.value) hold(std::move(entry), index, false);
    }
  }
  return {};
}

Status IndexChanges::add_to(const Index& index, const RecordView& after, Bytes id) {
  const bool has_expired = !is_visible(collection_, after);
  const auto at = static_cast<std::size_t>(&index - collection_.indexes.data());
  CHECK(make_entries(index, after.bson, id, multikey_[at], new_entries_));
  for (IndexEntry& entry : new_entries_) hold(std::move(entry), index, has_expired);
  return {};
}

// By index and key, so that the tree is written in order. Most keys differ in the bytes behind the index: a word of
// them is compared first, and what is moved about is small.
void IndexChanges::sort() {
  struct Place {
    const Index* index;
    std::uint64_t word;
    std::size_t at;
  };
  std::vector<Place> order;
  order.reserve(added_.size());
  for (std::size_t i = 0; i < added_.size(); ++i) {
    std::uint64_t word = 0;
    for (std::size_t k = kIndexPrefixSize; k < kIndexPrefixSize + sizeof word; ++k) {
      const ByteString& key = added_[i].entry.key;
      word = word << 8 | (k < key.size() ? static_cast<std::uint8_t>(key[k]) : 0);
    }
    order.push_back({added_[i].index, word, i});
  }
  std::sort(order.begin(), order.end(), [&](const Place& a, const Place& b) {
    if (a.index != b.index) return a.index < b.index;
    return a.word != b.word ? a.word < b.word : added_[a.at].entry < added_[b.at].entry;
  });
  std::vector<Added> sorted;
  sorted.reserve(added_.size());
  for (const Place& place : order) sorted.push_back(std::move(added_[place.at]));
  added_ = std::move(sorted);
  std::sort(erased_.begin(), erased_.end());
}

Status IndexChanges::check(const kv::StoreReader& txn) {
  sort();
  for (const Added& added : added_) {
    if (added.is_unique()) CHECK(check_against_store(txn, added));
  }
  return check_among_added();
}

// Entries of another document with the same whole key, which stay.
Status IndexChanges::check_against_store(const kv::StoreReader& txn, const Added& added) const {
  const IndexEntryView mine = TRY(read_entry(added.entry.key, added.entry.value));
  const ByteString prefix = entry_prefix(*added.index, mine.key);
  std::vector<ByteString> others;
  Status damaged;
  TRY(txn.scan(prefix, after_prefix(prefix), {}, [&](Bytes key, Bytes value) {
    const Result<IndexEntryView> there = read_entry(key, value);
    damaged = there.status();
    if (!damaged.is_ok()) return false;
    const bool is_other = there->key == mine.key && there->id != mine.id;
    if (is_other && !std::binary_search(erased_.begin(), erased_.end(), key)) others.emplace_back(there->id);
    return true;
  }));
  CHECK(damaged);
  for (const ByteString& other : others) {
    // A document that is as good as gone does not count.
    const std::optional<Record> record = TRY(read_document_at(txn, collection_, other));
    if (record) return duplicate(*added.index, id_of(record->bson));
  }
  return {};
}

Status IndexChanges::check_among_added() const {
  for (std::size_t i = 1; i < added_.size(); ++i) {
    const Added& mine = added_[i];
    if (!mine.is_unique()) continue;
    const IndexEntryView view = TRY(read_entry(mine.entry.key, mine.entry.value));
    const Bytes prefix = Bytes(mine.entry.key).substr(0, mine.entry.key.size() - view.id.size());
    // More than one step back only where different keys have the same hash.
    for (std::size_t k = i; k-- > 0 && added_[k].entry.key.starts_with(prefix);) {
      if (added_[k].has_expired) continue;
      const IndexEntryView other = TRY(read_entry(added_[k].entry.key, added_[k].entry.value));
      if (other.key != view.key || other.id == view.id) continue;
      return Status::error(ErrorCode::IndexDuplicate, "two of the documents").with("index", mine.index->name);
    }
  }
  return {};
}

Status IndexChanges::apply(kv::StoreWriter& txn) {
  for (const ByteString& key : erased_) CHECK(txn.erase(key));
  for (const Added& added : added_) CHECK(txn.put(added.entry.key, added.entry.value));
  return apply_multikey(txn);
}

Status IndexChanges::apply_multikey(kv::StoreWriter& txn) const {
  bool is_new = false;
  for (std::size_t i = 0; i < multikey_.size(); ++i) is_new |= multikey_[i] != collection_.indexes[i].multikey;
  if (!is_new) return {};
  // The catalog may know more by now than the caller's copy does.
  Collection now = TRY(open_collection(txn, collection_.name));
  for (Index& index : now.indexes) {
    for (std::size_t i = 0; i < multikey_.size(); ++i) {
      if (collection_.indexes[i].id == index.id) index.multikey |= multikey_[i];
    }
  }
  return save_indexes(txn, now);
}

}  // namespace vitrine::doc
