// SPDX-License-Identifier: MIT OR Apache-2.0
#include "space/map_page.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <functional>
#include <numeric>
#include <string_view>

#include "base/assert.hpp"
#include "base/codec.hpp"
#include "base/try.hpp"

namespace vitrine::space {

using format::PageHeader;
using format::PageType;

namespace {

struct MapBody {
  std::uint64_t first_page;
  std::uint64_t count;
  std::uint64_t zero[2];
};
constexpr std::size_t kBodyOffset = format::kPageHeaderSize;
constexpr std::size_t kContentOffset = kBodyOffset + sizeof(MapBody);
static_assert(sizeof(MapBody) == 32 && offsetof(MapBody, count) == 8 && offsetof(MapBody, zero) == 16);
static_assert(kContentOffset == 64 && 128 - kContentOffset - format::kPageTrailerSize == 24);
// The smallest page has the smallest fan-out: four levels of inner pages cover every page number.
static_assert(bits_per_leaf(format::kPageSizeMin) * refs_per_inner(format::kPageSizeMin) *
                  refs_per_inner(format::kPageSizeMin) * refs_per_inner(format::kPageSizeMin) *
                  refs_per_inner(format::kPageSizeMin) >
              format::kPageNoMax);

std::size_t content_size(const MapShape& shape) noexcept { return shape.page_size() - 128; }

Status malformed(const std::byte* image, std::string_view reason) {
  return Status::error(ErrorCode::PageMalformed)
      .with("page", base::load<PageHeader>(image).page)
      .with("reason", reason);
}

void encode_head(const MapShape& shape, const PageRef& ref, MapNode node, std::uint64_t count,
                 std::byte* image) noexcept {
  const PageType type = node.level == 0 ? PageType::MapLeaf : PageType::MapInner;
  base::store(image, PageHeader{type, node.level, 0, 0, ref.page(), ref.generation, ref.session});
  base::store(image + kBodyOffset, MapBody{node.index * shape.span(node.level), count, {0, 0}});
}

bool is_zero(const std::byte* begin, const std::byte* end) noexcept {
  return std::all_of(begin, end, [](std::byte byte) { return byte == std::byte{0}; });
}

// Checks all but the content. `used` is how many bytes of the content area have a meaning.
Status check_head(const MapShape& shape, MapNode node, std::size_t used, const std::byte* image) {
  if (TRY(map_level(shape, image)) != node.level) return malformed(image, "level of a map page");
  const auto body = base::load<MapBody>(image + kBodyOffset);
  if (body.first_page != node.index * shape.span(node.level)) return malformed(image, "range of a map page");
  const std::byte* unused_end = image + shape.page_size() - format::kPageTrailerSize;
  if (body.zero[0] != 0 || body.zero[1] != 0 || !is_zero(image + kContentOffset + used, unused_end)) {
    return malformed(image, "unused bytes of a map page");
  }
  return {};
}

std::uint64_t stored_count(const std::byte* image) noexcept { return base::load<MapBody>(image + kBodyOffset).count; }

std::uint64_t count_bits(std::span<const std::uint64_t> bits) noexcept {
  return std::transform_reduce(bits.begin(), bits.end(), std::uint64_t{0}, std::plus<>(),
                               [](std::uint64_t word) { return static_cast<std::uint64_t>(std::popcount(word)); });
}

std::uint64_t count_refs(std::span<const PageRef> refs) noexcept {
  return static_cast<std::uint64_t>(
      std::count_if(refs.begin(), refs.end(), [](const PageRef& ref) { return !ref.is_null(); }));
}

}  // namespace

std::uint64_t MapShape::span(std::uint8_t level) const noexcept {
  VITRINE_ASSERT(level <= kMapLevelMax);
  std::uint64_t pages = bits_per_leaf(page_size_);
  for (; level > 0; --level) pages *= fanout();
  return pages;
}

std::uint64_t MapShape::nodes(std::uint8_t level, std::uint64_t page_count) const noexcept {
  return level > top(page_count) ? 0 : (page_count + span(level) - 1) / span(level);
}

std::uint8_t MapShape::top(std::uint64_t page_count) const noexcept {
  std::uint8_t level = 0;
  while (span(level) < page_count) ++level;
  return level;
}

void encode_map_leaf(const MapShape& shape, const PageRef& ref, std::uint64_t index,
                     std::span<const std::uint64_t> bits, std::byte* image) noexcept {
  VITRINE_ASSERT(bits.size_bytes() <= content_size(shape));
  encode_head(shape, ref, {0, index}, count_bits(bits), image);
  std::memcpy(image + kContentOffset, bits.data(), bits.size_bytes());
}

void encode_map_inner(const MapShape& shape, const PageRef& ref, MapNode node, std::span<const PageRef> refs,
                      std::byte* image) noexcept {
  VITRINE_ASSERT(node.level > 0 && refs.size() <= shape.fanout());
  encode_head(shape, ref, node, count_refs(refs), image);
  std::byte* to = image + kContentOffset;
  for (const PageRef& child : refs) {
    if (!child.is_null()) base::store(to, PageRef{child.page(), child.generation, child.session});  // without the hint
    to += sizeof(PageRef);
  }
}

Result<std::uint8_t> map_level(const MapShape& shape, const std::byte* image) {
  const auto header = base::load<PageHeader>(image);
  if (header.type == PageType::MapLeaf && header.level == 0) return header.level;
  const std::uint8_t top = shape.top(format::kPageNoMax + 1);
  if (header.type == PageType::MapInner && header.level > 0 && header.level <= top) return header.level;
  return malformed(image, "not a map page");
}

Result<std::vector<std::uint64_t>> decode_map_leaf(const MapShape& shape, std::uint64_t index, const std::byte* image) {
  CHECK(check_head(shape, {0, index}, content_size(shape), image));
  std::vector<std::uint64_t> bits(content_size(shape) / sizeof(std::uint64_t));
  std::memcpy(bits.data(), image + kContentOffset, content_size(shape));
  if (count_bits(bits) != stored_count(image)) return malformed(image, "count of a map leaf");
  return bits;
}

Result<std::vector<PageRef>> decode_map_inner(const MapShape& shape, MapNode node, const std::byte* image) {
  std::vector<PageRef> refs(shape.fanout());
  CHECK(check_head(shape, node, refs.size() * sizeof(PageRef), image));
  std::memcpy(refs.data(), image + kContentOffset, refs.size() * sizeof(PageRef));
  for (const PageRef& ref : refs) {
    const bool is_bare = ref.where <= format::kPageNoMax && (ref.where != 0 || ref.same(PageRef{}));
    if (!is_bare) return malformed(image, "ref in a map page");
  }
  if (count_refs(refs) != stored_count(image)) return malformed(image, "count of a map page");
  return refs;
}

void describe_map(format::FieldNotes& to, std::uint32_t page_size, const std::byte* image) {
  static constexpr std::array kFields{
      format::FieldSpec{offsetof(MapBody, first_page), 8, "first_page", "number of the first page covered"},
      format::FieldSpec{offsetof(MapBody, count), 8, "count", "pages in use (leaf), or children (inner page)"},
      format::FieldSpec{offsetof(MapBody, zero), 16, "reserved", "0", format::FieldSpec::Form::Bytes},
  };
  format::describe_fields(to, kFields, image + kBodyOffset, kBodyOffset);
  const bool is_leaf = base::load<PageHeader>(image).type == PageType::MapLeaf;
  to.push_back({kContentOffset, page_size - 128, is_leaf ? "bits" : "refs", "",
                is_leaf ? "one bit for each page, 1: in use" : "24 bytes for each child: page, generation, session"});
}

}  // namespace vitrine::space
