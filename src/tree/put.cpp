// SPDX-License-Identifier: MIT OR Apache-2.0
// Inserting and replacing: the way down, splits by bytes, the way up.
#include <algorithm>
#include <cstring>

#include "base/assert.hpp"
#include "base/try.hpp"
#include "tree/tree.hpp"

namespace vitrine::tree {
namespace {

// Where to cut `cells` in two so that the fuller part is as small as can be; near the middle, the cut with the shortest
// separator wins.
std::size_t choose_cut(const std::vector<Cell>& cells, bool leaf, std::size_t capacity) {
  const std::size_t count = cells.size();
  const CellSizes sizes(cells, leaf);
  const std::size_t middle = sizes.middle();
  const auto fuller = [&](std::size_t cut) { return std::max(sizes.of(0, cut), sizes.of(cut, count)); };
  std::size_t best = middle;
  if (leaf) {
    const std::size_t reach = std::min<std::size_t>(count / 16, 8);
    std::size_t best_size = ~std::size_t{0};
    for (std::size_t cut = std::max<std::size_t>(1, middle - std::min(middle, reach));
         cut <= std::min(count - 1, middle + reach); ++cut) {
      const std::size_t size = shortest_separator(cells[cut - 1].key, cells[cut].key).size();
      if (size < best_size) {
        best_size = size;
        best = cut;
      }
    }
  }
  if (fuller(best) <= capacity) return best;
  // Very uneven cells, or a key outside the common prefix: look at every cut.
  std::size_t best_size = ~std::size_t{0};
  for (std::size_t cut = 1; cut < count; ++cut) {
    if (const std::size_t size = fuller(cut); size < best_size) {
      best_size = size;
      best = cut;
    }
  }
  return best;
}

}  // namespace

Status TreeWriter::put(Bytes key, Bytes first, Bytes rest) {
  if (!is_small(key, first.size() + rest.size())) {
    LargeValueWriter writer(workspace_);
    CHECK(writer.append(first));
    CHECK(writer.append(rest));
    return put_large(key, TRY(writer.finish()));
  }
  return put_cell(key, joined(first, rest), false);
}

bool TreeWriter::is_small(Bytes key, std::size_t value_size) const noexcept {
  return kSlotSize + key.size() + value_size <= cell_max(workspace_.pool().page_size());
}

Bytes TreeWriter::joined(Bytes first, Bytes rest) {
  if (first.empty()) return rest;
  return joined_.assign(first).append(rest);
}

Status TreeWriter::put_large(Bytes key, const LargeValue& value) {
  return put_cell(key, {reinterpret_cast<const char*>(&value), sizeof value}, true);
}

Result<TreeWriter::Path> TreeWriter::descend(Bytes key) {
  Path path;
  path.reserve(8);
  path.push_back({TRY(workspace_.make_mutable(root_.page)), 0});
  CHECK(check_node(view(path.back().page), root_.page.page(), std::nullopt));
  for (;;) {
    Node parent = node(path.back().page);
    if (parent.is_leaf()) return path;
    const unsigned index = parent.child_for(key);
    path.back().index = index;
    PageRef child = parent.child(index);
    const PageRef before = child;
    pool::WriteGuard page = TRY(workspace_.make_mutable(child));
    if (!child.same(before)) parent.set_child(index, child);
    CHECK(check_node(view(page), child.page(), parent.level() - 1));
    path.push_back({std::move(page), 0});
  }
}

Status TreeWriter::put_cell(Bytes key, Bytes value, bool large) {
  if (put_behind(key, value, large)) return {};
  if (root_.page.is_null()) {
    pool::WriteGuard page = TRY(workspace_.create(format::PageType::Leaf, 0, root_.page));
    node(page).clear();
    const bool placed = node(page).insert(0, key, value, large, workspace_.scratch());
    VITRINE_ASSERT(placed);
    root_.entries = 1;
    return {};
  }
  Path path = TRY(descend(key));
  Step& leaf = path.back();
  const Position at = view(leaf.page).lower_bound(key);
  if (at.exact) {
    CHECK(free_value(view(leaf.page), at.index));
    if (node(leaf.page).replace(at.index, value, large, workspace_.scratch())) return {};
    node(leaf.page).remove(at.index);
  } else {
    ++root_.entries;
  }
  return insert_at(path, path.size() - 1, at.index, key, value, large);
}

Status TreeWriter::free_value(const NodeView& leaf, unsigned index) {
  if (!leaf.is_large(index)) return {};
  return retire_large_value(workspace_, TRY(decode_large_value(leaf.value(index))));
}

Status TreeWriter::insert_at(Path& path, std::size_t level, unsigned index, Bytes key, Bytes value, bool large) {
  Node target = node(path[level].page);
  if (!target.insert(index, key, value, large, workspace_.scratch()))
    return split(path, level, index, key, value, large);
  if (!target.is_leaf()) return {};
  note_insert(path[level].page.frame()->page.load(std::memory_order_relaxed), index);
  if (ascending_ >= kAscendingRun) remember_run(path);
  return {};
}

// Keys in a row go to one leaf, one behind the other: while that leaf is known there is no way down to it.
bool TreeWriter::put_behind(Bytes key, Bytes value, bool large) {
  if (run_.leaf.is_null() || run_.leaf.page() != last_leaf_ || !workspace_.is_own(run_.leaf)) return false;
  if (run_.end && key >= *run_.end) return false;
  const pool::WriteGuard leaf = workspace_.pool().try_dirty(run_.leaf);
  if (!leaf) return false;  // it was written out meanwhile
  Node target = node(leaf);
  const unsigned index = last_index_ + 1;
  if (index > target.count() || target.compare(last_index_, key) >= 0) return false;
  if (index < target.count() && target.compare(index, key) <= 0) return false;
  if (!target.insert(index, key, value, large, workspace_.scratch())) return false;
  ++ascending_;
  last_index_ = index;
  ++root_.entries;
  return true;
}

void TreeWriter::remember_run(const Path& path) {
  forget_run();
  for (std::size_t level = path.size() - 1; level-- > 0 && !run_.end;) {
    const NodeView parent = view(path[level].page);
    const unsigned next = path[level].index + 1;
    if (next < parent.count()) parent.key(next).append_to(run_.end.emplace());
  }
  const auto header = base::load<format::PageHeader>(path.back().page.data());
  run_.leaf = {header.page, header.generation, header.session};
}

// Keeps count of how many inserts in a row came right behind the last one. A copy of the leaf under another page number
// breaks the run only for a moment: the next insert starts it again, and splits are far rarer than copies.
void TreeWriter::note_insert(PageNo leaf, unsigned index) noexcept {
  const bool follows = index == last_index_ + 1 || (index <= 1 && leaf != last_leaf_);
  ascending_ = follows ? ascending_ + 1 : 0;
  last_leaf_ = leaf;
  last_index_ = index;
}

bool TreeWriter::is_ascending(const Step& leaf, unsigned index) const noexcept {
  return ascending_ >= kAscendingRun && index == last_index_ + 1 && index == view(leaf.page).count();
}

Status TreeWriter::split(Path& path, std::size_t level, unsigned index, Bytes key, Bytes value, bool large) {
  const std::uint32_t page_size = workspace_.pool().page_size();
  forget_run();
  Step& left = path[level];
  const bool ascending = view(left.page).is_leaf() && is_ascending(left, index);
  std::memcpy(workspace_.scratch(), left.page.data(), page_size);
  const NodeView old(workspace_.scratch(), page_size);
  const unsigned old_count = old.count();

  std::vector<Cell> cells;
  cells.reserve(old_count + 1);
  for (unsigned i = 0; i < old_count; ++i) {
    if (i == index) cells.push_back({{{}, key}, value, large});
    cells.push_back({old.key(i), old.value(i), old.is_large(i)});
  }
  if (index == old_count) cells.push_back({{{}, key}, value, large});

  const std::size_t cut = ascending ? old_count : choose_cut(cells, old.is_leaf(), node_capacity(page_size));
  const Cell* middle = cells.data() + cut;
  const Cell* end = cells.data() + cells.size();
  VITRINE_ASSERT(size_of_cells(cells.data(), middle, old.is_leaf()) <= node_capacity(page_size));
  VITRINE_ASSERT(size_of_cells(middle, end, old.is_leaf()) <= node_capacity(page_size));
  std::string separator;
  if (old.is_leaf()) {
    separator = shortest_separator((middle - 1)->key, middle->key);
  } else {
    middle->key.append_to(separator);  // the first key of the right node moves up
  }
  const unsigned node_level = old.level();
  const auto type = old.is_leaf() ? format::PageType::Leaf : format::PageType::Inner;
  if (level > 0) CHECK(check_separator(view(path[level - 1].page), path[level - 1].index + 1, separator));
  PageRef right_ref;
  {
    pool::WriteGuard right = TRY(workspace_.create(type, static_cast<std::uint8_t>(node_level), right_ref));
    node(right).assign(middle, end);
  }
  node(left.page).assign(cells.data(), middle);
  if (node_level == 0) {
    const bool in_left = index < cut;
    last_leaf_ = in_left ? left.page.frame()->page.load(std::memory_order_relaxed) : right_ref.page();
    last_index_ = in_left ? index : index - static_cast<unsigned>(cut);
  }
  if (level == 0) return grow_root(separator, right_ref, node_level + 1);
  return insert_at(path, level - 1, path[level - 1].index + 1, separator, ref_bytes(right_ref), false);
}

Status TreeWriter::check_order(const std::vector<Cell>& cells, std::size_t middle) {
  if (middle == 0 || middle == cells.size() || is_less(cells[middle - 1].key, cells[middle].key)) return {};
  return Status::error(ErrorCode::PageMalformed, "keys of neighbouring nodes are not in order");
}

Status TreeWriter::check_separator(const NodeView& parent, unsigned index, Bytes separator) {
  const SplitKey key{{}, separator};
  const bool above_last = index < 2 || is_less(parent.key(index - 1), key);
  if (above_last && (index == parent.count() || is_less(key, parent.key(index)))) return {};
  return Status::error(ErrorCode::PageMalformed, "a node has keys that its parent has elsewhere");
}

Status TreeWriter::grow_root(Bytes separator, const PageRef& right, unsigned level) {
  const PageRef left = root_.page;
  PageRef fresh;
  pool::WriteGuard page = TRY(workspace_.create(format::PageType::Inner, static_cast<std::uint8_t>(level), fresh));
  Node root = node(page);
  root.clear();
  const bool both = root.insert(0, {}, ref_bytes(left), false, workspace_.scratch()) &&
                    root.insert(1, separator, ref_bytes(right), false, workspace_.scratch());
  VITRINE_ASSERT(both);
  root_.page = fresh;
  return {};
}

}  // namespace vitrine::tree
