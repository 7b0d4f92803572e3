// SPDX-License-Identifier: MIT OR Apache-2.0
// Rewriting the tree without changing its content: pages towards the start of the file, thin neighbours into one.
#include <algorithm>

#include "base/try.hpp"
#include "tree/tree.hpp"

namespace vitrine::tree {

Result<TreeWriter::MoveStep> TreeWriter::move_below(PageNo limit, Bytes from, std::uint64_t budget) {
  MoveStep step;
  if (!root_.page.is_null()) TRY(move_node(root_.page, limit, from, budget, step));
  return step;
}

// Moves the subtree's pages, children first, and then its own. Returns whether `ref` changed.
Result<bool> TreeWriter::move_node(PageRef& ref, PageNo limit, Bytes from, std::uint64_t budget, MoveStep& step) {
  const PageRef before = ref;
  pool::ReadGuard page = TRY(fetch_node(workspace_.pool(), ref, std::nullopt));
  if (view(page).is_leaf()) {
    page.release();
    CHECK(move_values(ref, limit, step));
  } else {
    for (unsigned i = view(page).child_for(from); i < view(page).count(); ++i) {
      if (step.moved >= budget && !step.next) {
        step.next.emplace();
        view(page).key(i).append_to(*step.next);
      }
      if (step.next) break;
      PageRef child = view(page).child(i);
      if (!TRY(move_node(child, limit, from, budget, step))) continue;
      page.release();
      pool::WriteGuard mutable_page = TRY(workspace_.make_mutable(ref));
      node(mutable_page).set_child(i, child);
      page = std::move(mutable_page);
    }
    page.release();
  }
  if (ref.page() >= limit) {
    if (TRY(workspace_.relocate_below(limit, ref))) ++step.moved;
  }
  return !ref.same(before);
}

Status TreeWriter::move_values(PageRef& ref, PageNo limit, MoveStep& step) {
  pool::Pool& pool = workspace_.pool();
  for (unsigned i = 0;; ++i) {
    LargeValue value;
    {
      const pool::ReadGuard page = TRY(fetch_node(pool, ref, 0));
      const NodeView leaf = view(page);
      while (i < leaf.count() && !leaf.is_large(i)) ++i;
      if (i == leaf.count()) return {};
      value = TRY(decode_large_value(leaf.value(i)));
    }
    bool beyond = value.ref.page() + value.pages > limit;
    for (const ExtentEntry& extent : TRY(extents_of(pool, value))) beyond |= extent.ref.page() + extent.pages > limit;
    if (!beyond) continue;
    const LargeValue moved = TRY(move_value(value));
    pool::WriteGuard page = TRY(workspace_.make_mutable(ref));
    const Bytes bytes(reinterpret_cast<const char*>(&moved), sizeof moved);
    node(page).replace(i, bytes, true, workspace_.scratch());  // same size, so it fits
    step.moved += moved.pages;
  }
}

// A copy of the value in new extents; the allocator takes the lowest space that fits.
Result<LargeValue> TreeWriter::move_value(const LargeValue& value) {
  pool::Pool& pool = workspace_.pool();
  LargeValueWriter writer(workspace_);
  for (const ExtentEntry& extent : TRY(extents_of(pool, value))) {
    CHECK(writer.append(TRY(read_extent(pool, extent, format::PageType::Extent))));
  }
  const LargeValue moved = TRY(writer.finish());
  CHECK(retire_large_value(workspace_, value));
  return moved;
}

Result<TreeWriter::MoveStep> TreeWriter::merge_thin(Bytes from, std::uint64_t budget) {
  MoveStep step;
  std::string at(from);
  const std::size_t fill = node_capacity(workspace_.pool().page_size()) * 95 / 100;
  while (step.moved < budget && !root_.page.is_null()) {
    if (TRY(depth_of(workspace_.pool(), root_)) < 2) return step;
    Path path = TRY(descend(at));
    path.pop_back();
    const std::size_t level = path.size() - 1;
    // Where the next parent of leaves begins: the first separator right of the path, looking upwards.
    std::optional<std::string> next;
    for (std::size_t up = level; up-- > 0 && !next;) {
      const NodeView above = view(path[up].page);
      if (path[up].index + 1 < above.count()) above.key(path[up].index + 1).append_to(next.emplace());
    }
    for (unsigned left = 0; left + 1 < view(path[level].page).count();) {
      if (TRY(join(path, level, left, fill, false)) == Joined::Merged) {
        ++step.moved;
      } else {
        ++left;
      }
    }
    CHECK(fix_underflow(path, level));
    if (!next) return step;
    at = std::move(*next);
  }
  step.next = std::move(at);
  return step;
}

}  // namespace vitrine::tree
