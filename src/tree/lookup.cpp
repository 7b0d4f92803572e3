// SPDX-License-Identifier: MIT OR Apache-2.0
// Reading single entries of any version of the tree.
#include <array>

#include "base/assert.hpp"
#include "base/prng.hpp"
#include "base/try.hpp"
#include "tree/tree.hpp"

namespace vitrine::tree {

Status check_node(const NodeView& node, PageNo page, std::optional<unsigned> level) {
  if (!is_node(node.page())) {
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

namespace {

// As fetch_node(), without a Result while all is well and in memory. `page` may hold the parent that `ref` lies in.
Status step_to(pool::Pool& pool, const PageRef& ref, std::optional<unsigned> level, pool::ReadGuard& page) {
  pool::ReadGuard next = pool.try_fetch(ref);
  if (!next) next = TRY(pool.fetch(ref));
  page = std::move(next);
  const NodeView node(page.data(), pool.page_size());
  return is_node_at(node, level) ? Status{} : check_node(node, ref.page(), level);
}

Result<pool::ReadGuard> fetch_leaf(pool::Pool& pool, const PageRef& root, Bytes key) {
  pool::ReadGuard page;
  CHECK(step_to(pool, root, std::nullopt, page));
  for (;;) {
    const NodeView node(page.data(), pool.page_size());
    if (node.is_leaf()) return page;
    CHECK(step_to(pool, node.child(node.child_for(key)), node.level() - 1, page));
  }
}

}  // namespace

// All slots of a leaf whose entries have 150 bytes and more. Asking for them together with what stands before them
// spares a single search one wait. Searches made together would only push each other out.
constexpr std::uint32_t kLeafBegin = 8 * 64;

PageRef peek_leaf(pool::Pool& pool, PageRef at, Bytes key) noexcept {
  for (std::optional<unsigned> level; level != 0u;) {
    const std::byte* const page = pool.peek(at);
    if (page == nullptr) return {};
    const NodeView node(page, pool.page_size());
    if (!is_node_at(node, level)) return {};
    if (node.is_leaf()) break;
    level = node.level() - 1;
    at = node.child(node.child_for(key));
    if (level == 0u) pool.prefetch_content(at, kLeafBegin);
  }
  return at;
}

namespace {

// With a pin on the leaf alone, as long as its parents are in memory: other threads do not notice.
Result<pool::ReadGuard> find_leaf(pool::Pool& pool, const PageRef& root, Bytes key) {
  PageRef leaf;
  {
    const pool::Visits::Visit visit = pool.visits().enter(pool::Visits::kNone);
    if (visit) leaf = peek_leaf(pool, root, key);
  }
  if (leaf.is_null()) return fetch_leaf(pool, root, key);
  pool::ReadGuard page;
  CHECK(step_to(pool, leaf, 0, page));
  return page;
}

}  // namespace

Result<Found> find(pool::Pool& pool, const TreeRoot& root, Bytes key) {
  Found found;
  if (root.page.is_null()) return found;
  pool::ReadGuard leaf = TRY(find_leaf(pool, root.page, key));
  const NodeView node(leaf.data(), pool.page_size());
  const Position at = node.lower_bound(key);
  if (at.exact) found = {std::move(leaf), node.value(at.index), node.is_large(at.index)};
  return found;
}

Glimpse glimpse(pool::Pool& pool, const TreeRoot& root, Bytes key) noexcept {
  if (root.page.is_null()) return {true, std::nullopt};
  const PageRef leaf = peek_leaf(pool, root.page, key);
  const std::byte* const page = leaf.is_null() ? nullptr : pool.peek(leaf);
  if (page == nullptr) return {};
  const NodeView node(page, pool.page_size());
  if (!is_node_at(node, 0)) return {};
  const Position at = node.lower_bound(key);
  if (!at.exact) return {true, std::nullopt};
  if (node.is_large(at.index)) return {};
  return {true, node.value(at.index)};
}

namespace {

// One key of find_many() on its way down, in memory. `node` is null once it cannot go on there.
struct Lane {
  const std::byte* node = nullptr;
  NodeSearch search;
  PageRef child;
  pool::ReadGuard leaf;

  NodeView view(const pool::Pool& pool) const noexcept { return {node, pool.page_size()}; }
  // Onto `child`, which is at `level`. Leaves are pinned, because the caller keeps them.
  void step(pool::Pool& pool, unsigned level) noexcept {
    if (level > 0) {
      node = pool.peek(child);
    } else {
      leaf = pool.try_fetch(child);
      node = leaf ? leaf.data() : nullptr;
    }
    if (node != nullptr && !is_node_at(view(pool), level)) node = nullptr;
  }
};

// Takes each lane to the slot of its leaf, as far as the pages are in memory. Each step is made for all of them before
// the next one.
void descend_together(pool::Pool& pool, const PageRef& root, std::span<const Bytes> keys, std::span<Lane> lanes) {
  const pool::Visits::Visit visit = pool.visits().enter(pool::Visits::kNone);
  const std::byte* const top = visit ? pool.peek(root) : nullptr;
  if (top == nullptr || !is_node_at(NodeView(top, pool.page_size()), std::nullopt)) return;
  unsigned level = NodeView(top, pool.page_size()).level();
  if (level == 0) return;
  for (Lane& lane : lanes) lane.node = top;
  const auto for_each = [&](auto&& step) {
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      if (lanes[i].node != nullptr) step(lanes[i], keys[i]);
    }
  };
  for (;; --level) {
    for_each([&](Lane& lane, Bytes key) { lane.search = lane.view(pool).narrow(key); });
    for_each([&](Lane& lane, Bytes) { lane.view(pool).locate(lane.search); });
    if (level == 0) return;
    for_each([&](Lane& lane, Bytes) {
      const NodeView node = lane.view(pool);
      lane.child = node.child(node.child_at(node.settle(lane.search)));
      pool.prefetch(lane.child);
    });
    for_each([&](Lane& lane, Bytes) { lane.step(pool, level - 1); });
  }
}

}  // namespace

Status find_many(pool::Pool& pool, const TreeRoot& root, std::span<const Bytes> keys, std::span<Found> found) {
  VITRINE_ASSERT(keys.size() <= kFindLanes && found.size() >= keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) found[i] = {};
  if (root.page.is_null()) return {};
  std::array<Lane, kFindLanes> lanes;
  descend_together(pool, root.page, keys, std::span(lanes).first(keys.size()));
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (lanes[i].node == nullptr) {
      found[i] = TRY(find(pool, root, keys[i]));
      continue;
    }
    const NodeView leaf = lanes[i].view(pool);
    const Position at = leaf.settle(lanes[i].search);
    if (at.exact) found[i] = {std::move(lanes[i].leaf), leaf.value(at.index), leaf.is_large(at.index)};
  }
  return {};
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
