// SPDX-License-Identifier: MIT OR Apache-2.0
// What the planner understands of a filter: conditions that every matching document meets, each with the keys that one
// of the values of its path must have. Read from the BSON of a filter that compiles; what is not understood is left
// out, so the filter itself has the last word on each document.
#pragma once

#include <vector>

#include "doc/bounds.hpp"

namespace vitrine::doc {

struct Condition {
  ByteString path;
  ByteString op;             // "$eq", "$gt"...
  Value operand;             // a view of the filter
  KeyRanges ranges;          // of the keys of one value
  bool is_exact = false;     // the ranges say all of it
  bool needs_value = false;  // met by no document that has nothing there
  bool is_derived = false;   // follows from $elemMatch, which says more
};

struct Conditions {
  std::vector<Condition> all;                    // joined by and
  std::vector<std::vector<Bytes>> alternatives;  // for each $or its filters
  bool is_whole = true;                          // nothing was left out

  // `filter` must outlive the conditions.
  static Conditions of(Bytes filter);
};

// What a filter like {"a": 5} asks for: one path, and one value that is neither null nor an object, array or regular
// expression. Nothing for any other filter. This one compiles, and the key of the value says all of it.
std::optional<Element> plain_equality(Bytes filter) noexcept;

// Does every document that meets `given` match the filter `wanted`? False when in doubt.
bool implies(const Conditions& given, Bytes wanted);

}  // namespace vitrine::doc
