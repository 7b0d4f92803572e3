// SPDX-License-Identifier: MIT OR Apache-2.0
// Loads a map from arbitrary pages, as if their checksums had held. Checked: no crash; a map that is accepted can be
// used, frozen and loaded again with the same allocated pages.
//
// Input: 2 bytes page count, then pages of 4096 bytes: the first is page 4 and the root, the next page 5, and so on.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/codec.hpp"
#include "space/space_map.hpp"

namespace vitrine::space {
namespace {

constexpr std::uint32_t kPageSize = 4096;
constexpr PageNo kFirst = 4;

void require(bool holds) {
  if (!holds) std::abort();
}

void run(const std::byte* pages, std::size_t size, std::uint64_t page_count) {
  SpaceMap map(kPageSize, [](std::uint64_t) { return Status{}; });
  const SpaceMap::Read read = [&](const PageRef& ref, std::byte* to) {
    const std::size_t offset = (ref.page() - kFirst) * kPageSize;
    if (ref.page() < kFirst || offset >= size) return Status::error(ErrorCode::PageChecksum);
    std::memset(to, 0, kPageSize);
    std::memcpy(to, pages + offset, std::min<std::size_t>(kPageSize, size - offset));
    return Status{};
  };
  if (!map.load(PageRef{kFirst, {1}, 1}, page_count, read).is_ok()) return;
  require(map.page_count() == page_count && map.allocated_count() <= page_count);
  map.hold(kFirst);
  require(map.allocate(3).has_value());
  map.unhold(kFirst);
  const auto frozen = map.freeze([](PageNo page) { return PageRef{page, {2}, 1}; });
  require(frozen.has_value());
  SpaceMap again(kPageSize, [](std::uint64_t) { return Status{}; });
  const Status status = again.load(frozen->root, frozen->page_count, [&](const PageRef& ref, std::byte* to) {
    for (const MapPage& page : frozen->pages) {
      if (page.ref.same(ref)) {
        std::memcpy(to, page.image.data(), kPageSize);
        return Status{};
      }
    }
    return read(ref, to);
  });
  require(status.is_ok() && again.allocated_count() == map.allocated_count());
  for (PageNo page = 0; page < map.page_count(); ++page) require(map.is_allocated(page) == again.is_allocated(page));
}

}  // namespace
}  // namespace vitrine::space

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const auto page_count = vitrine::base::load<std::uint16_t>(data);
  vitrine::space::run(reinterpret_cast<const std::byte*>(data + 2), size - 2, page_count);
  return 0;
}
