// SPDX-License-Identifier: MIT OR Apache-2.0
// Erasing one entry or a range, and keeping nodes from getting too thin.
#include <cstring>

#include "base/assert.hpp"
#include "base/try.hpp"
#include "tree/tree.hpp"

namespace vitrine::tree {
namespace {

// A node below this share of its capacity looks for a neighbour; a merge fills at most the second share, so that the
// next insert does not split it again.
constexpr std::size_t fill_min(std::uint32_t page_size) noexcept { return node_capacity(page_size) * 35 / 100; }
constexpr std::size_t fill_merged(std::uint32_t page_size) noexcept { return node_capacity(page_size) * 85 / 100; }

}  // namespace

Result<bool> TreeWriter::erase(Bytes key) {
  if (!TRY(find(workspace_.pool(), root_, key)).has_value()) return false;
  Path path = TRY(descend(key));
  Node leaf = node(path.back().page);
  const Position at = leaf.lower_bound(key);
  VITRINE_ASSERT(at.exact);
  CHECK(free_value(leaf, at.index));
  leaf.remove(at.index);
  --root_.entries;
  ascending_ = 0;
  forget_run();
  CHECK(fix_underflow(path, path.size() - 1));
  return true;
}

Status TreeWriter::fix_underflow(Path& path, std::size_t level) {
  for (; level > 0; --level) {
    bool parent_changed = false;
    CHECK(fix_level(path, level, parent_changed));
    if (!parent_changed) return {};
  }
  path.clear();  // the root must not be pinned
  return shrink_root();
}

// Removes the node path[level] if it is empty, joins it with a neighbour if it is thin.
Status TreeWriter::fix_level(Path& path, std::size_t level, bool& parent_changed) {
  const std::uint32_t page_size = workspace_.pool().page_size();
  const NodeView thin = view(path[level].page);
  if (thin.count() > 0 && thin.used() >= fill_min(page_size)) return {};
  Step& above = path[level - 1];
  const bool is_empty = thin.count() == 0;
  path.resize(level);
  if (is_empty) {
    const PageRef gone = view(above.page).child(above.index);
    node(above.page).remove(above.index);
    workspace_.retire(gone);
    parent_changed = true;
    return {};
  }
  if (view(above.page).count() < 2) return {};
  const unsigned left = above.index > 0 ? above.index - 1 : 0;
  parent_changed = TRY(join(path, level - 1, left)) == Joined::Merged;
  return {};
}

Result<TreeWriter::Joined> TreeWriter::join(Path& path, std::size_t level, unsigned left) {
  pool::Pool& pool = workspace_.pool();
  const std::uint32_t page_size = pool.page_size();
  Node parent = node(path[level].page);
  PageRef left_ref = parent.child(left), right_ref = parent.child(left + 1);
  const PageRef left_before = left_ref;
  std::vector<std::byte> copies(2 * std::size_t{page_size});
  {
    const pool::ReadGuard a = TRY(fetch_node(pool, left_ref, parent.level() - 1));
    const pool::ReadGuard b = TRY(fetch_node(pool, right_ref, parent.level() - 1));
    std::memcpy(copies.data(), a.data(), page_size);
    std::memcpy(copies.data() + page_size, b.data(), page_size);
  }
  const NodeView a(copies.data(), page_size), b(copies.data() + page_size, page_size);
  const bool leaf = a.is_leaf();
  std::string separator;  // the key of the right node's first child, which that node does not keep
  parent.key(left + 1).append_to(separator);
  std::vector<Cell> cells;
  cells.reserve(a.count() + b.count());
  for (unsigned i = 0; i < a.count(); ++i) cells.push_back({a.key(i), a.value(i), a.is_large(i)});
  for (unsigned i = 0; i < b.count(); ++i) {
    const bool keyless = !leaf && i == 0;
    cells.push_back({keyless ? SplitKey{{}, separator} : b.key(i), b.value(i), b.is_large(i)});
  }
  CHECK(check_order(cells, a.count()));
  const Cell* begin = cells.data();
  const Cell* end = begin + cells.size();
  const CellSizes sizes(cells, leaf);

  if (sizes.of(0, cells.size()) <= fill_merged(page_size)) {
    pool::WriteGuard page = TRY(workspace_.make_mutable(left_ref));
    node(page).assign(begin, end);
    if (!left_ref.same(left_before)) parent.set_child(left, left_ref);
    parent.remove(left + 1);
    workspace_.retire(right_ref);
    return Joined::Merged;
  }
  std::size_t cut = 1;
  while (cut + 1 < cells.size() && sizes.of(0, cut) < sizes.of(cut, cells.size())) ++cut;
  if (sizes.of(0, cut) > node_capacity(page_size)) --cut;
  if (cut == 0 || sizes.of(cut, cells.size()) > node_capacity(page_size)) return Joined::No;
  const Cell* middle = begin + cut;
  std::string new_separator;
  if (leaf) {
    new_separator = shortest_separator((middle - 1)->key, middle->key);
  } else {
    middle->key.append_to(new_separator);
  }
  {
    pool::WriteGuard page = TRY(workspace_.make_mutable(left_ref));
    node(page).assign(begin, middle);
    if (!left_ref.same(left_before)) parent.set_child(left, left_ref);
  }
  {
    pool::WriteGuard page = TRY(workspace_.make_mutable(right_ref));
    node(page).assign(middle, end);
  }
  parent.remove(left + 1);
  CHECK(check_separator(parent, left + 1, new_separator));
  CHECK(insert_at(path, level, left + 1, new_separator, ref_bytes(right_ref), false));
  return Joined::Balanced;
}

Status TreeWriter::shrink_root() {
  for (;;) {
    if (root_.page.is_null()) return {};
    PageRef child;
    {
      const pool::ReadGuard page = TRY(fetch_node(workspace_.pool(), root_.page, std::nullopt));
      const NodeView root = view(page);
      if (root.count() > 1 || (root.is_leaf() && root.count() == 1)) return {};
      if (!root.is_leaf() && root.count() == 1) child = root.child(0);
    }
    workspace_.retire(root_.page);
    root_.page = child;
  }
}

// --- Ranges ----------------------------------------------------------------------------------------------------------

Result<std::uint64_t> TreeWriter::erase_range(Bytes begin, Bytes end) {
  if (root_.page.is_null() || (!end.empty() && begin >= end)) return std::uint64_t{0};
  forget_run();
  const std::uint64_t erased = TRY(erase_in(root_.page, {begin, end}));
  root_.entries -= erased;
  if (erased == 0) return erased;
  ascending_ = 0;
  CHECK(shrink_root());
  CHECK(mend_seam(begin));
  if (!end.empty()) CHECK(mend_seam(end));
  return erased;
}

Result<std::uint64_t> TreeWriter::erase_in_leaf(PageRef& ref, const Bounds& bounds, pool::ReadGuard page) {
  const NodeView leaf = view(page);
  const unsigned from = leaf.lower_bound(bounds.begin).index;
  const unsigned to = bounds.end.empty() ? leaf.count() : leaf.lower_bound(bounds.end).index;
  if (from >= to) return std::uint64_t{0};
  for (unsigned i = from; i < to; ++i) CHECK(free_value(leaf, i));
  const bool all = from == 0 && to == leaf.count();
  page.release();
  if (all) {
    workspace_.retire(ref);
    ref = {};
    return std::uint64_t{to};
  }
  pool::WriteGuard mutable_page = TRY(workspace_.make_mutable(ref));
  for (unsigned i = to; i-- > from;) node(mutable_page).remove(i);
  return std::uint64_t{to - from};
}

Result<std::uint64_t> TreeWriter::erase_in(PageRef& ref, const Bounds& bounds) {
  pool::ReadGuard page = TRY(fetch_node(workspace_.pool(), ref, std::nullopt));
  if (view(page).is_leaf()) return erase_in_leaf(ref, bounds, std::move(page));
  const unsigned first = view(page).child_for(bounds.begin);
  const unsigned last = bounds.end.empty() ? view(page).count() - 1 : view(page).child_for(bounds.end);
  std::vector<PageRef> children;
  for (unsigned i = first; i <= last; ++i) children.push_back(view(page).child(i));
  const unsigned level = view(page).level();
  page.release();

  std::uint64_t erased = 0;
  bool changed = false;
  for (std::size_t i = 0; i < children.size(); ++i) {
    TRY(fetch_node(workspace_.pool(), children[i], level - 1)).release();
    const PageRef before = children[i];
    if (i > 0 && i + 1 < children.size()) {
      erased += TRY(free_subtree(children[i]));
      children[i] = {};
    } else {
      erased += TRY(erase_in(children[i], bounds));
    }
    changed |= !children[i].same(before);
  }
  if (!changed) return erased;
  pool::WriteGuard mutable_page = TRY(workspace_.make_mutable(ref));
  for (unsigned i = last + 1; i-- > first;) {
    if (children[i - first].is_null()) {
      node(mutable_page).remove(i);
    } else {
      node(mutable_page).set_child(i, children[i - first]);
    }
  }
  if (node(mutable_page).count() > 0) return erased;
  mutable_page.release();
  workspace_.retire(ref);
  ref = {};
  return erased;
}

Result<std::uint64_t> TreeWriter::free_subtree(const PageRef& ref) {
  pool::ReadGuard page = TRY(fetch_node(workspace_.pool(), ref, std::nullopt));
  const NodeView top = view(page);
  std::uint64_t entries = 0;
  if (top.is_leaf()) {
    entries = top.count();
    for (unsigned i = 0; i < top.count(); ++i) CHECK(free_value(top, i));
  } else {
    std::vector<PageRef> children;
    for (unsigned i = 0; i < top.count(); ++i) children.push_back(top.child(i));
    const unsigned level = top.level();
    page.release();
    for (const PageRef& child : children) {
      TRY(fetch_node(workspace_.pool(), child, level - 1)).release();
      entries += TRY(free_subtree(child));
    }
  }
  page.release();
  workspace_.retire(ref);
  return entries;
}

// A cut leaves thin nodes along the path to `key`; each level is looked at once, from the leaf up.
Status TreeWriter::mend_seam(Bytes key) {
  for (std::size_t from_leaf = 0;; ++from_leaf) {
    if (root_.page.is_null()) return {};
    Path path = TRY(descend(key));
    if (from_leaf + 1 >= path.size()) break;
    bool parent_changed = false;
    CHECK(fix_level(path, path.size() - 1 - from_leaf, parent_changed));
    path.clear();
    CHECK(shrink_root());
  }
  return {};
}

}  // namespace vitrine::tree
