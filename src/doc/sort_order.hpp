// SPDX-License-Identifier: MIT OR Apache-2.0
// An order of documents: paths, each up or down. Of the values in an array the least counts going up, the greatest
// going down; a missing value sorts as null.
#pragma once

#include <vector>

#include "doc/key_encoding.hpp"
#include "doc/path.hpp"

namespace vitrine::doc {

class SortOrder {
 public:
  struct Part {
    ByteString name;
    Path path;
    Direction direction = Direction::Ascending;
  };

  // {"a": 1, "b.c": -1}. Errors: FilterMalformed.
  static Result<SortOrder> compile(Bytes bson);
  bool is_given() const noexcept { return !parts_.empty(); }
  const std::vector<Part>& parts() const noexcept { return parts_; }
  // Bytes that sort as the documents do.
  ByteString key_of(Bytes document) const;

 private:
  std::vector<Part> parts_;
};

}  // namespace vitrine::doc
