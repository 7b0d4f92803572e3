// SPDX-License-Identifier: MIT OR Apache-2.0
// Sets of values that a condition of a filter may accept, as ranges of encoded keys, and what they become in the keys
// of a compound index. A position is a string of bytes that divides encoded keys: those below it, and all others. A set
// may hold more than the condition accepts, never less.
#pragma once

#include <vector>

#include "doc/index.hpp"

namespace vitrine::doc {

// Positions: [low, high).
struct KeyRange {
  ByteString low, high;
  bool is_point = false;  // holds the encoding of one value
};

// Sorted, apart from each other.
using KeyRanges = std::vector<KeyRange>;

KeyRanges all_keys();
KeyRange point_of(const Value& value);

KeyRanges intersect(const KeyRanges& a, const KeyRanges& b);
// Sorts and joins.
KeyRanges unite(KeyRanges ranges);
bool is_all(const KeyRanges& ranges);

// The ranges of whole keys of an index: values for value of the leading paths while they are points, a range of the
// next one. `parts` has one set for each path. At most `count_max` ranges; with more, later paths are left out.
struct IndexRanges {
  KeyRanges ranges;
  std::size_t points = 0;  // leading paths that are held to points
  std::size_t used = 0;    // leading paths that are held to anything
};
IndexRanges index_ranges(const Index& index, const std::vector<KeyRanges>& parts, std::size_t count_max);

}  // namespace vitrine::doc
