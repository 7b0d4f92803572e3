// SPDX-License-Identifier: MIT OR Apache-2.0
// Reading single entries of any version of the tree.
#include "base/prng.hpp"
#include "base/try.hpp"
#include "tree/tree.hpp"

namespace vitrine::tree {

Status check_node(const NodeView& node, PageNo page, std::optional<unsigned> level) {
  const auto type = static_cast<format::PageType>(*node.page());
  if (type != format::PageType::Leaf && type != format::PageType::Inner) {
    return Status::error(ErrorCode::PageMalformed, "a child of the tree is not a node").with("page", page);
  }
  if (level && *level != node.level()) {
    return Status::error(ErrorCode::PageMalformed, "a child is not one level below its parent").with("page", page);
  }
  return {};
}

Result<pool::ReadGuard> fetch_node(pool::Pool& pool, const PageRef& ref, std::optional<unsigned> level) {
  pool::ReadGuard page = TRY(pool.fetch(ref));
  CHECK(check_node(NodeView(page.data(), pool.page_size()), ref.page(), level));
  return page;
}

Result<std::optional<Found>> find(pool::Pool& pool, const TreeRoot& root, Bytes key) {
  if (root.page.is_null()) return std::optional<Found>();
  pool::ReadGuard page = TRY(fetch_node(pool, root.page, std::nullopt));
  for (;;) {
    const NodeView node(page.data(), pool.page_size());
    if (node.is_leaf()) {
      const Position at = node.lower_bound(key);
      if (!at.exact) return std::optional<Found>();
      return std::optional<Found>(Found{std::move(page), node.value(at.index), node.is_large(at.index)});
    }
    page = TRY(fetch_node(pool, node.child(node.child_for(key)), node.level() - 1));
  }
}

Status read_value(pool::Pool& pool, Bytes value, bool large, std::string& to) {
  if (!large) {
    to.assign(value);
    return {};
  }
  LargeValueReader reader = TRY(LargeValueReader::open(pool, value));
  to.resize(reader.size());
  const std::size_t got = TRY(reader.read_at(0, to.data(), to.size()));
  if (got != to.size()) return Status::error(ErrorCode::PageMalformed, "a large value is shorter than it says");
  return {};
}

Result<double> estimate_leaf_fill(pool::Pool& pool, const TreeRoot& root, unsigned samples) {
  if (root.page.is_null()) return 0.0;
  base::Prng random(root.entries);
  const auto capacity = static_cast<double>(node_capacity(pool.page_size()));
  double sum = 0;
  for (unsigned sample = 0; sample < samples; ++sample) {
    pool::ReadGuard page = TRY(fetch_node(pool, root.page, std::nullopt));
    for (;;) {
      const NodeView node(page.data(), pool.page_size());
      if (node.is_leaf()) {
        sum += static_cast<double>(node.used()) / capacity;
        break;
      }
      const auto child = static_cast<unsigned>(random.below(node.count()));
      page = TRY(fetch_node(pool, node.child(child), node.level() - 1));
    }
  }
  return sum / samples;
}

Result<std::uint32_t> depth_of(pool::Pool& pool, const TreeRoot& root) {
  if (root.page.is_null()) return std::uint32_t{0};
  const pool::ReadGuard page = TRY(fetch_node(pool, root.page, std::nullopt));
  return NodeView(page.data(), pool.page_size()).level() + 1;
}

}  // namespace vitrine::tree
