// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tree/describe.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace vitrine::tree {
namespace {

using format::FieldNotes;
using format::FieldSpec;
using format::kPageHeaderSize;
using format::kPageTrailerSize;

constexpr std::array kNodeFields{
    FieldSpec{offsetof(NodeHeader, count), 2, "count", "slots of the node"},
    FieldSpec{offsetof(NodeHeader, prefix_size), 2, "prefix_size", "bytes that all keys share, kept once"},
    FieldSpec{offsetof(NodeHeader, heap_begin), 4, "heap_begin", "where the cells begin"},
    FieldSpec{offsetof(NodeHeader, dead), 4, "dead", "bytes of the heap that no cell uses any more"},
    FieldSpec{offsetof(NodeHeader, prefix_offset), 4, "prefix_offset", "where the prefix stands, 0 when it is empty"},
};
constexpr std::uint64_t kExtentPayloadMax = std::uint64_t{1} << 24;  // more than any writer puts into one

std::uint64_t offset_in(const NodeView& node, Bytes part) noexcept {
  return static_cast<std::uint64_t>(part.data() - reinterpret_cast<const char*>(node.page()));
}

void describe_cell(FieldNotes& to, const NodeView& node, unsigned index, bool keys) {
  const std::string number = std::to_string(index);
  const Bytes value = node.value(index);
  const Bytes suffix = node.suffix(index);
  if (node.is_leaf()) {
    const bool is_large = node.is_large(index);
    to.push_back(
        {offset_in(node, value), value.size(), "value " + number, "",
         is_large ? "where the large value lies: size, page, generation, session, pages, depth" : "the value"});
  } else {
    to.push_back({offset_in(node, value), value.size(), "child " + number, std::to_string(node.child(index).page()),
                  "page, generation and session of the child"});
  }
  if (suffix.empty()) return;
  to.push_back({offset_in(node, suffix), suffix.size(), "key " + number,
                keys ? format::hex_of(suffix.data(), suffix.size()) : "", "the key without the common prefix"});
}

}  // namespace

void describe_node(FieldNotes& to, const NodeView& node, bool keys) {
  describe_fields(to, kNodeFields, node.page() + kPageHeaderSize, kPageHeaderSize);
  to.push_back({kNodeHints, kNodeSlots - kNodeHints, "hints", "", "16 key heads, sampled for the search"});
  if (!node.validate().is_ok()) return;
  for (unsigned i = 0; i < node.count(); ++i) {
    to.push_back({kNodeSlots + i * kSlotSize, kSlotSize, "slot " + std::to_string(i), "",
                  "first 4 bytes of the key, place of the cell, size of key and value"});
  }
  for (unsigned i = 0; i < node.count(); ++i) describe_cell(to, node, i, keys);
  const Bytes prefix = node.prefix();
  if (!prefix.empty()) {
    to.push_back({offset_in(node, prefix), prefix.size(), "prefix",
                  keys ? format::hex_of(prefix.data(), prefix.size()) : "", "bytes that all keys share"});
  }
}

void describe_extent(FieldNotes& to, const std::byte* image, std::size_t size) {
  static constexpr std::array kFields{FieldSpec{0, 8, "payload_bytes", "bytes of the value in this extent"}};
  describe_fields(to, kFields, image + kPageHeaderSize, kPageHeaderSize);
  const std::uint64_t payload = std::min<std::uint64_t>(base::load<std::uint64_t>(image + kPageHeaderSize),
                                                        size - kPageHeaderSize - 8 - kPageTrailerSize);
  to.push_back({kPageHeaderSize + 8, payload, "payload", "", "bytes of the value, or entries of the list"});
}

std::optional<std::uint64_t> extent_image_size(const std::byte* head, std::uint32_t page_size) noexcept {
  const auto header = base::load<format::PageHeader>(head);
  if (header.type != format::PageType::Extent && header.type != format::PageType::ExtentList) return std::nullopt;
  const auto payload = base::load<std::uint64_t>(head + kPageHeaderSize);
  if (payload > kExtentPayloadMax) return std::nullopt;
  return base::align_up(payload + kExtentOverhead, page_size);
}

}  // namespace vitrine::tree
