// SPDX-License-Identifier: MIT OR Apache-2.0
// The names of the members of one object, to see that they differ. Most objects have few, and every document that comes
// in passes here, so few names take no memory of their own. The names must outlive the collection of them.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "vitrine/bytes.hpp"
#include "vitrine/status.hpp"

namespace vitrine::doc {

inline Status repeated_name() {
  return Status::error(ErrorCode::DocumentMalformed, "a document has two members of the same name");
}

class Names {
 public:
  // False when it is there already.
  bool add(Bytes name) {
    if (count_ == few_.size()) {
      many_.push_back(name);
      return true;
    }
    for (std::size_t i = 0; i < count_; ++i) {
      if (few_[i] == name) return false;
    }
    few_[count_++] = name;
    return true;
  }
  bool all_differ() {
    if (many_.empty()) return true;
    many_.insert(many_.end(), few_.begin(), few_.end());
    std::sort(many_.begin(), many_.end());
    return std::adjacent_find(many_.begin(), many_.end()) == many_.end();
  }

 private:
  std::array<Bytes, 16> few_;
  std::size_t count_ = 0;
  std::vector<Bytes> many_;
};

}  // namespace vitrine::doc
