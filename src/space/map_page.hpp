// SPDX-License-Identifier: MIT OR Apache-2.0
// Layout of the free-space map on disk. Knows one map page; must not know which pages are in use.
//
// The map is a tree of fixed shape: the page at {level, index} covers the pages [index, index + 1) * span(level) of
// the file. Level 0 are MapLeaf pages with one bit per page, 1 = allocated; higher levels are MapInner pages with
// refs of the level below. A null ref stands for a range without an allocated page. The root is the page {top level,
// 0}; a small file has a leaf as root. Its level stands in its page header.
//
// MAP PAGE (header and trailer as in format/page.hpp)
// OFFSET SIZE FIELD
//     32    8 number of the first page covered
//     40    8 leaf: bits that are 1; inner: refs that are not null
//     48   16 0
//     64    N leaf: bits, page n of the range in bit n % 8 of byte n / 8
//             inner: refs of 24 bytes (format::PageRef), then 0
//   64+N   24 0
// with N = page size - 128.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "format/describe.hpp"
#include "format/page.hpp"
#include "vitrine/status.hpp"

namespace vitrine::space {

using format::PageNo;
using format::PageRef;

// Pages one MapLeaf covers; a multiple of 64.
inline constexpr std::uint64_t bits_per_leaf(std::uint32_t page_size) noexcept { return (page_size - 128ull) * 8; }
// Refs one MapInner holds.
inline constexpr std::uint64_t refs_per_inner(std::uint32_t page_size) noexcept { return (page_size - 128ull) / 24; }

inline constexpr std::uint8_t kMapLevelMax = 4;  // enough for 2^40 pages at every page size; see map_page.cpp

// Place of a page in the tree. Orders by level, then from left to right.
struct MapNode {
  std::uint8_t level = 0;
  std::uint64_t index = 0;
  auto operator<=>(const MapNode&) const = default;
};

// The arithmetic of the tree for one page size.
class MapShape {
 public:
  explicit MapShape(std::uint32_t page_size) noexcept : page_size_(page_size) {}

  std::uint32_t page_size() const noexcept { return page_size_; }
  std::uint64_t fanout() const noexcept { return refs_per_inner(page_size_); }
  std::uint64_t span(std::uint8_t level) const noexcept;  // pages that one node of `level` covers
  std::uint64_t nodes(std::uint8_t level, std::uint64_t page_count) const noexcept;  // that a file needs
  std::uint8_t top(std::uint64_t page_count) const noexcept;                         // level of the root

 private:
  std::uint32_t page_size_;
};

// Fills a zeroed image of one page; the trailer is left to format::PageCodec. `bits` may be shorter than a leaf, `refs`
// shorter than an inner page.
void encode_map_leaf(const MapShape& shape, const PageRef& ref, std::uint64_t index,
                     std::span<const std::uint64_t> bits, std::byte* image) noexcept;
void encode_map_inner(const MapShape& shape, const PageRef& ref, MapNode node, std::span<const PageRef> refs,
                      std::byte* image) noexcept;

// What a verified image holds if it is a map page for `node`. Errors: PageMalformed.
Result<std::uint8_t> map_level(const MapShape& shape, const std::byte* image);  // of a page of unknown level
Result<std::vector<std::uint64_t>> decode_map_leaf(const MapShape& shape, std::uint64_t index, const std::byte* image);
Result<std::vector<PageRef>> decode_map_inner(const MapShape& shape, MapNode node, const std::byte* image);

// The fields between header and trailer, for people; REQUIRES: one page of bytes.
void describe_map(format::FieldNotes& to, std::uint32_t page_size, const std::byte* image);

}  // namespace vitrine::space
