// SPDX-License-Identifier: MIT OR Apache-2.0
// A disk for map pages, and a view of a map's whole state, for the tests of this folder. Not part of the library.
#pragma once

#include <cstring>
#include <functional>
#include <map>
#include <vector>

#include "base/codec.hpp"
#include "space/space_map.hpp"

namespace vitrine::space::testing {

// Keeps sealed map pages by number, as a file would: an older page under the same number is gone.
class MapDisk {
 public:
  explicit MapDisk(std::uint32_t page_size) : page_size_(page_size) {}

  SpaceMap::Identify identify() {
    return [this](PageNo page) { return PageRef{page, format::Generation{++identities_}, 0x5e55}; };
  }

  void write(FrozenMap& frozen) {
    for (MapPage& page : frozen.pages) {
      if (!codec_.seal(page.image.data(), page.image.size()).is_ok()) std::abort();
      pages_[page.ref.page()] = page.image;
    }
  }

  SpaceMap::Read read() {
    return [this](const PageRef& ref, std::byte* to) {
      const auto found = pages_.find(ref.page());
      if (found == pages_.end()) return Status::error(ErrorCode::PageChecksum).with("page", ref.page());
      std::memcpy(to, found->second.data(), page_size_);
      return codec_.open(to, page_size_, ref);
    };
  }

  // Damages a page in a way that its checksum does not show.
  template <typename T>
  void forge(const PageRef& ref, std::size_t offset, T value) {
    auto& image = pages_.at(ref.page());
    base::store(image.data() + offset, value);
    if (!codec_.seal(image.data(), image.size()).is_ok()) std::abort();
  }

 private:
  std::uint32_t page_size_;
  std::uint64_t identities_ = 0;
  format::PageCodec codec_{format::FileId{1, 2}};
  std::map<PageNo, std::vector<std::byte>> pages_;
};

// Everything that can be seen of a map but the length of the file.
struct MapState {
  std::vector<PageNo> allocated;
  std::vector<PageNo> held;
  std::vector<PageNo> map_pages;
  std::uint64_t allocated_count = 0;
  std::uint64_t held_count = 0;
  bool operator==(const MapState&) const = default;
};

inline MapState state_of(const SpaceMap& map) {
  MapState state;
  for (PageNo page = 0; page < map.page_count(); ++page) {
    if (map.is_allocated(page)) state.allocated.push_back(page);
    if (map.is_held(page)) state.held.push_back(page);
  }
  map.each_map_page([&](const PageRef& ref) { state.map_pages.push_back(ref.page()); });
  state.allocated_count = map.allocated_count();
  state.held_count = map.held_count();
  return state;
}

// A file without a limit.
inline SpaceMap::Grow grow_freely() {
  return [](std::uint64_t) { return Status{}; };
}

}  // namespace vitrine::space::testing
