// SPDX-License-Identifier: MIT OR Apache-2.0
// The entries of an index, one for each combination of values that a document has in its paths. The whole key of an
// entry is those values, encoded one after the other. Keys of the store end at 1000 bytes, values do not, so what is
// long is cut, and stands whole in the value of the entry (docs/adr/0025):
//
//   11 INDEX KEY ID                    value: FLAGS SIZE
//   11 INDEX KEY[0, 464) HASH ID       value: FLAGS SIZE KEY     when KEY is longer
//
// INDEX: four bytes, big-endian. ID: the encoded id of the document. HASH: XXH3-128 of KEY in canonical form, which
// keeps equal keys together. SIZE: a varint, that of KEY. FLAGS: 1: KEY was cut; 2: KEY and ID do not tell all of their
// members: exact values, that they are there, are no arrays and stand in the order of the index.
// No encoding is the beginning of another one, so a whole key and a cut one never share their first 464 bytes: only cut
// keys that share them need to be put in order by whoever reads them.
#pragma once

#include "doc/index.hpp"

namespace vitrine::doc {

inline constexpr std::size_t kIndexPrefixSize = 5;  // of an entry, before the key: which index it is of
inline constexpr std::size_t kIndexHeadMax = 464;   // bytes of a key in the key of its entry
inline constexpr std::size_t kIndexHashSize = 16;
// Of one document in one index.
inline constexpr std::size_t kIndexEntriesMax = 1'000'000;
inline constexpr std::size_t kIndexEntriesBytesMax = std::size_t{256} << 20;

struct IndexEntry {
  ByteString key, value;

  friend bool operator<(const IndexEntry& a, const IndexEntry& b) noexcept { return a.key < b.key; }
};

struct IndexEntryView {
  Bytes key;  // whole
  Bytes id;   // encoded
  bool is_cut = false;
  bool is_exact = false;
};

// The entries of a document, sorted, in the place of what `to` holds. `multikey` gets a bit for each path with several
// values. Errors: IndexTooManyKeys.
Status make_entries(const Index& index, Bytes document, Bytes id, std::uint64_t& multikey, std::vector<IndexEntry>& to);
Result<std::vector<IndexEntry>> make_entries(const Index& index, Bytes document, Bytes id, std::uint64_t& multikey);
// Do two states of a document clearly have the same entries? False when in doubt.
bool have_same_entries(const Index& index, Bytes before, Bytes after) noexcept;

// Errors: DocumentMalformed, when it is damaged.
Result<IndexEntryView> read_entry(Bytes key, Bytes value);

// What the keys of all entries with the whole key `key` begin with, and maybe those of others, when it is cut.
ByteString entry_prefix(const Index& index, Bytes key);
// Where entries that are not below the position `bound` of whole keys begin; some may be below, when they are cut.
ByteString entry_position(const Index& index, Bytes bound);
// Where all of those that are below it end.
ByteString entry_position_after(const Index& index, Bytes bound);

}  // namespace vitrine::doc
