// SPDX-License-Identifier: MIT OR Apache-2.0
// Encoded ids of documents, one behind the other in one piece of memory.
#pragma once

#include <algorithm>
#include <vector>

#include "vitrine/bytes.hpp"

namespace vitrine::doc {

class IdList {
 public:
  void add(Bytes id) {
    places_.push_back({bytes_.size(), id.size()});
    bytes_.append(id);
  }
  void sort_and_keep_one_each() {
    const auto before = [&](const Place& a, const Place& b) { return at(a) < at(b); };
    const auto same = [&](const Place& a, const Place& b) { return at(a) == at(b); };
    if (!std::is_sorted(places_.begin(), places_.end(), before)) std::sort(places_.begin(), places_.end(), before);
    places_.erase(std::unique(places_.begin(), places_.end(), same), places_.end());
  }
  std::size_t size() const noexcept { return places_.size(); }
  std::uint64_t memory() const noexcept { return bytes_.size() + places_.size() * sizeof(Place); }
  Bytes operator[](std::size_t i) const { return at(places_[i]); }

 private:
  struct Place {
    std::size_t offset, size;
  };
  Bytes at(const Place& place) const { return Bytes(bytes_).substr(place.offset, place.size); }

  ByteString bytes_;
  std::vector<Place> places_;
};

}  // namespace vitrine::doc
