// SPDX-License-Identifier: MIT OR Apache-2.0
// The fields of nodes and extents as data, for people who look at bytes. See format/describe.hpp.
#pragma once

#include "format/describe.hpp"
#include "tree/extent.hpp"
#include "tree/node.hpp"

namespace vitrine::tree {

// The fields of a node between page header and trailer. With `keys`, the values of key bytes are shown; cells are
// listed only for a node that is valid.
void describe_node(format::FieldNotes& to, const NodeView& node, bool keys);

// The count of payload bytes and the payload of an extent or a list of extents that is `size` bytes long.
void describe_extent(format::FieldNotes& to, const std::byte* image, std::size_t size);

// Bytes of the whole extent, trailer included, whose first page starts with `head`, if the page header and the payload
// size make sense: what has to be read to check it. REQUIRES: room for a page header and 8 bytes.
std::optional<std::uint64_t> extent_image_size(const std::byte* head, std::uint32_t page_size) noexcept;

}  // namespace vitrine::tree
