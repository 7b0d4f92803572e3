// SPDX-License-Identifier: MIT OR Apache-2.0
#include "inspect/parent.hpp"

#include "base/codec.hpp"
#include "base/try.hpp"
#include "inspect/tree_walk.hpp"
#include "space/map_page.hpp"

namespace vitrine::inspect {
namespace {

using Found = std::optional<Parent>;

PageRef self_of(const PageLook& look) noexcept {
  const format::PageHeader header = look.header();
  return {header.page, header.generation, header.session};
}

// A key that lies in the range of the node.
std::optional<std::string> key_inside(const tree::NodeView& node) {
  const unsigned index = node.is_leaf() ? 0 : 1;  // the first key of an inner node may be cut to nothing
  if (node.count() <= index) return std::nullopt;
  std::string key;
  node.key(index).append_to(key);
  return key;
}

Result<Found> tree_parent(SourceFile& source, const PageLook& look) {
  const PageRef self = self_of(look);
  PageRef ref = source.meta().tree_root;
  if (ref.same(self)) return Found(Parent{});
  const tree::NodeView wanted(look.image.data(), source.page_size());
  if (!wanted.validate().is_ok()) return Found();
  const std::optional<std::string> key = key_inside(wanted);
  if (!key) return Found();
  std::vector<std::byte> image;
  std::optional<unsigned> level;
  while (!ref.is_null()) {
    const Result<tree::NodeView> node = read_node(source, ref, level, image);
    if (!node.has_value() && node.status().kind() != ErrorKind::IntegrityFailure) return node.status();
    if (!node.has_value() || node->level() <= wanted.level()) return Found();
    const unsigned slot = node->child_for(*key);
    const PageRef child = node->child(slot);
    if (child.same(self)) return Found(Parent{ref.page(), slot});
    level = node->level() - 1;
    ref = child;
  }
  return Found();
}

Result<Found> map_parent(SourceFile& source, const PageLook& look) {
  const PageRef self = self_of(look);
  PageRef ref = source.meta().map_root;
  if (ref.same(self)) return Found(Parent{});
  const space::MapShape shape(source.page_size());
  const auto covered = base::load<PageNo>(look.image.data() + format::kPageHeaderSize);
  std::vector<std::byte> image;
  std::optional<std::uint8_t> level;
  while (!ref.is_null()) {
    const Status status = source.read(ref, 1, image);
    if (!status.is_ok() && status.kind() != ErrorKind::IntegrityFailure) return status;
    if (!status.is_ok()) return Found();
    if (!level) {
      const Result<std::uint8_t> top = space::map_level(shape, image.data());
      if (!top.has_value()) return Found();
      level = *top;
    }
    if (*level <= look.header().level) return Found();
    const auto below = static_cast<std::uint8_t>(*level - 1);
    const Result<std::vector<PageRef>> refs =
        space::decode_map_inner(shape, {*level, covered / shape.span(*level)}, image.data());
    if (!refs.has_value()) return Found();
    const auto slot = static_cast<std::uint32_t>(covered / shape.span(below) % shape.fanout());
    const PageRef child = (*refs)[slot];
    if (child.same(self)) return Found(Parent{ref.page(), slot});
    ref = child;
    level = below;
  }
  return Found();
}

}  // namespace

Result<std::optional<Parent>> find_parent(SourceFile& source, const PageLook& look) {
  switch (look.header().type) {
    case format::PageType::Leaf:
    case format::PageType::Inner:
      return tree_parent(source, look);
    case format::PageType::MapLeaf:
    case format::PageType::MapInner:
      return map_parent(source, look);
    case format::PageType::Extent:
    case format::PageType::ExtentList:
      break;
  }
  return std::optional<Parent>();
}

}  // namespace vitrine::inspect
