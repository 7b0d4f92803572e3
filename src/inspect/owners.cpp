// SPDX-License-Identifier: MIT OR Apache-2.0
#include "inspect/owners.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "inspect/tree_walk.hpp"

namespace vitrine::inspect {

Owners::Owners(SourceFile& source, PageNo begin, PageNo end)
    : source_(source), begin_(begin), end_(end), owners_(end - begin) {}

Status Owners::collect() {
  const format::Meta& meta = source_.meta();
  if (!meta.map_root.is_null()) CHECK(map(meta.map_root, std::nullopt, {0, 0, OwnerKind::MapRoot}).status());
  if (!meta.tree_root.is_null()) CHECK(tree(meta.tree_root, std::nullopt, {0, 0, OwnerKind::TreeRoot}, false).status());
  return {};
}

void Owners::own(const PageRef& ref, std::uint32_t pages, Link link) {
  for (PageNo page = std::max(ref.page(), begin_); page < std::min(ref.page() + pages, end_); ++page) {
    Owner& owner = owners_[page - begin_];
    if (owner.kind != OwnerKind::None) {
      owner.is_shared = true;
      continue;
    }
    owner.kind = link.kind;
    owner.page = link.from;
    owner.slot = link.slot;
    owner.expected = ref;
    owner.pages = pages;
  }
}

void Owners::count(Owner* owner, PageNo named, const Outcome& outcome) const noexcept {
  if (owner == nullptr) return;
  ++owner->names;
  owner->bad_below += outcome.bad_below;
  if (outcome.is_good) return;
  if (owner->names_bad++ == 0) owner->first_bad = named;
}

Owners::Outcome Owners::gap() noexcept {
  ++gaps_;
  return {false, 0};
}

Result<Owners::Outcome> Owners::tree(const PageRef& ref, std::optional<unsigned> level, Link link, bool is_checked) {
  own(ref, 1, link);
  is_checked = is_checked || find(ref.page()) != nullptr;
  if (++nodes_ > source_.page_count()) return gap();  // more than there can be: forged references to the same nodes
  std::vector<std::byte> image;
  const Result<tree::NodeView> node = read_node(source_, ref, level, image);
  if (!node.has_value()) {
    if (node.status().kind() != ErrorKind::IntegrityFailure) return node.status();
    return gap();
  }
  Outcome outcome;
  if (node->is_leaf()) {
    CHECK(leaf(*node, ref, is_checked, outcome));
    return outcome;
  }
  for (unsigned i = 0; i < node->count(); ++i) {
    const PageRef child = node->child(i);
    const Outcome found = TRY(tree(child, node->level() - 1, {ref.page(), i, OwnerKind::Node}, is_checked));
    count(find(ref.page()), child.page(), found);
    outcome.bad_below += found.bad_below + (found.is_good ? 0 : 1);
  }
  return outcome;
}

Status Owners::leaf(const tree::NodeView& node, const PageRef& ref, bool is_checked, Outcome& outcome) {
  Owner* const owner = find(ref.page());
  for (unsigned i = 0; i < node.count(); ++i) {
    if (!node.is_large(i)) continue;
    const Outcome found = TRY(value(node.value(i), {ref.page(), i, OwnerKind::Leaf}, is_checked));
    const Result<tree::LargeValue> large = tree::decode_large_value(node.value(i));
    count(owner, large.has_value() ? large->ref.page() : 0, found);
    outcome.bad_below += found.bad_below + (found.is_good ? 0 : 1);
  }
  return {};
}

// The extents of a value, and its list of extents. A list is read whenever one of its extents may be in the window.
Result<Owners::Outcome> Owners::value(Bytes descriptor, Link link, bool is_checked) {
  const Result<tree::LargeValue> value = tree::decode_large_value(descriptor);
  if (!value.has_value()) return gap();
  if (value->depth == 0) {
    return extent({value->ref, value->pages, static_cast<std::uint32_t>(value->size)}, link, is_checked);
  }
  own(value->ref, value->pages, link);
  const Result<std::vector<tree::ExtentEntry>> entries = source_.extents_of(*value);
  if (!entries.has_value()) {
    if (entries.status().kind() != ErrorKind::IntegrityFailure) return entries.status();
    return gap();
  }
  Outcome outcome;
  Owner* const owner = find(value->ref.page());
  std::uint32_t slot = 0;
  for (const tree::ExtentEntry& entry : *entries) {
    const Outcome found =
        TRY(extent(entry, {value->ref.page(), slot++, OwnerKind::ExtentList}, is_checked || owner != nullptr));
    count(owner, entry.ref.page(), found);
    outcome.bad_below += found.is_good ? 0 : 1;
  }
  return outcome;
}

Result<Owners::Outcome> Owners::extent(const tree::ExtentEntry& entry, Link link, bool is_checked) {
  own(entry.ref, entry.pages, link);
  if (!is_checked) return Outcome{};
  std::vector<std::byte> image;
  Status status = source_.read(entry.ref, entry.pages, image);
  if (status.is_ok()) status = tree::extent_payload(image, entry, format::PageType::Extent).status();
  if (status.is_ok()) return Outcome{};
  if (status.kind() != ErrorKind::IntegrityFailure) return status;
  return Outcome{false, 0};  // nothing below it is unknown
}

Result<Owners::Outcome> Owners::map(const PageRef& ref, std::optional<space::MapNode> node, Link link) {
  own(ref, 1, link);
  const space::MapShape shape(source_.page_size());
  std::vector<std::byte> image;
  const Status status = source_.read(ref, 1, image);
  if (!status.is_ok() && status.kind() != ErrorKind::IntegrityFailure) return status;
  if (!status.is_ok()) return gap();
  if (!node) {
    const Result<std::uint8_t> top = space::map_level(shape, image.data());
    if (!top.has_value()) return gap();
    node = space::MapNode{*top, 0};
  }
  if (node->level == 0) {
    return space::decode_map_leaf(shape, node->index, image.data()).has_value() ? Outcome{} : gap();
  }
  const Result<std::vector<PageRef>> refs = space::decode_map_inner(shape, *node, image.data());
  if (!refs.has_value()) return gap();
  Outcome outcome;
  for (std::uint32_t i = 0; i < refs->size(); ++i) {
    const PageRef& child = (*refs)[i];
    if (child.is_null()) continue;
    const space::MapNode below{static_cast<std::uint8_t>(node->level - 1), node->index * shape.fanout() + i};
    const Outcome found = TRY(map(child, below, {ref.page(), i, OwnerKind::Map}));
    count(find(ref.page()), child.page(), found);
    outcome.bad_below += found.bad_below + (found.is_good ? 0 : 1);
  }
  return outcome;
}

}  // namespace vitrine::inspect
