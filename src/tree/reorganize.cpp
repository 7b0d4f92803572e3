// SPDX-License-Identifier: MIT OR Apache-2.0
// Rewriting the tree without changing its content: pages towards the start of the file, thin neighbours into one.
#include <algorithm>

#include "base/assert.hpp"
#include "base/try.hpp"
#include "tree/tree.hpp"

namespace vitrine::tree {

namespace {

constexpr std::uint64_t kLooksPerMove = 8;

}  // namespace

// Looking is cheaper than moving, but the writer of a large tree must not wait for all of it either.
bool TreeWriter::MoveRule::is_enough(const MoveStep& step) const noexcept {
  return step.moved >= budget || (!limit && step.seen >= kLooksPerMove * budget);
}

Result<TreeWriter::MoveStep> TreeWriter::move_below(PageNo limit, Bytes from, std::uint64_t budget) {
  MoveStep step;
  forget_run();
  if (!root_.page.is_null()) TRY(move_node(root_.page, {.limit = limit, .budget = budget}, from, step));
  return step;
}

Result<TreeWriter::MoveStep> TreeWriter::renew(Version until, Bytes from, std::uint64_t budget) {
  MoveStep step;
  forget_run();
  const MoveRule rule{.limit = std::nullopt, .until = until, .budget = budget};
  if (!root_.page.is_null()) TRY(move_node(root_.page, rule, from, step));
  return step;
}

// Moves the subtree's pages, children first, and then its own. Returns whether `ref` changed.
Result<bool> TreeWriter::move_node(PageRef& ref, const MoveRule& rule, Bytes from, MoveStep& step) {
  const PageRef before = ref;
  ++step.seen;
  pool::ReadGuard page = TRY(fetch_node(workspace_.pool(), ref, std::nullopt));
  if (view(page).is_leaf()) {
    page.release();
    CHECK(move_values(ref, rule, step));
  } else {
    for (unsigned i = view(page).child_for(from); i < view(page).count(); ++i) {
      if (rule.is_enough(step) && !step.next) {
        step.next.emplace();
        view(page).key(i).append_to(*step.next);
      }
      if (step.next) break;
      PageRef child = view(page).child(i);
      if (!TRY(move_node(child, rule, from, step))) continue;
      page.release();
      pool::WriteGuard mutable_page = TRY(workspace_.make_mutable(ref));
      node(mutable_page).set_child(i, child);
      page = std::move(mutable_page);
    }
    page.release();
  }
  if (rule.takes(ref)) {
    const pool::WriteGuard moved =
        TRY(rule.limit ? workspace_.relocate_below(*rule.limit, ref) : workspace_.make_mutable(ref));
    if (moved) ++step.moved;
  } else if (!rule.limit && rule.takes(before)) {
    ++step.moved;  // along with a child
  }
  return !ref.same(before);
}

Status TreeWriter::move_values(PageRef& ref, const MoveRule& rule, MoveStep& step) {
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
    bool is_taken = rule.takes(value.ref, value.pages);
    for (const ExtentEntry& extent : TRY(extents_of(pool, value))) {
      is_taken |= rule.takes(extent.ref, extent.pages);
      step.seen += extent.pages;
    }
    if (!is_taken) continue;
    Result<LargeValue> moved = move_value(value, rule.limit);
    if (rule.limit && moved.status().code() == ErrorCode::SpaceExhausted) continue;  // it stays where it is
    CHECK(moved.status());
    pool::WriteGuard page = TRY(workspace_.make_mutable(ref));
    const Bytes bytes(reinterpret_cast<const char*>(&*moved), sizeof *moved);
    node(page).replace(i, bytes, true, workspace_.scratch());  // same size, so it fits
    step.moved += moved->pages;
  }
}

// A copy of the value in new extents, below `limit` if there is one. SpaceExhausted when there is no room; then nothing
// has changed.
Result<LargeValue> TreeWriter::move_value(const LargeValue& value, std::optional<PageNo> limit) {
  pool::Pool& pool = workspace_.pool();
  std::optional<Workspace::Ceiling> ceiling;
  if (limit) ceiling.emplace(workspace_, *limit);
  LargeValueWriter writer(workspace_);
  for (const ExtentEntry& extent : TRY(extents_of(pool, value))) {
    CHECK(writer.append(TRY(read_extent(pool, extent, format::PageType::Extent))));
  }
  const LargeValue moved = TRY(writer.finish());
  CHECK(retire_large_value(workspace_, value));
  return moved;
}

// --- Thin leaves -----------------------------------------------------------------------------------------------------

namespace {

constexpr unsigned kRepackLeaves = 8;  // looked at together: seven full ones from eight that are 7/8 full

// Leaves stay a little open, so that the next insert does not split them again.
constexpr std::size_t fill_target(std::uint32_t page_size) noexcept { return node_capacity(page_size) * 95 / 100; }

// How many leaves from `first` on fit into at least one fewer; 0: none.
unsigned thin_run(const std::vector<std::size_t>& used, std::size_t first, std::size_t fill) {
  std::size_t sum = used[first];
  for (unsigned count = 2; count <= kRepackLeaves && first + count <= used.size(); ++count) {
    sum += used[first + count - 1];
    if (sum <= (count - 1) * fill) return count;
  }
  return 0;
}

}  // namespace

// Reads only: how full the leaves beside the one that covers `key` are.
Result<TreeWriter::LeafRow> TreeWriter::leaf_row(Bytes key) {
  pool::Pool& pool = workspace_.pool();
  LeafRow row;
  pool::ReadGuard page = TRY(fetch_node(pool, root_.page, std::nullopt));
  while (view(page).level() > 1) {
    const NodeView here = view(page);
    const unsigned index = here.child_for(key);
    if (index + 1 < here.count()) here.key(index + 1).append_to(row.next.emplace());
    page = TRY(fetch_node(pool, here.child(index), here.level() - 1));
  }
  if (view(page).is_leaf()) return row;
  for (unsigned i = 0; i < view(page).count(); ++i) {
    const pool::ReadGuard leaf = TRY(fetch_node(pool, view(page).child(i), 0));
    row.used.push_back(view(leaf).used());
  }
  return row;
}

// Leaves [first, first + count) of the parent that covers `key` become fewer. False: they, or their separators in the
// parent, would not fit after all; nothing has changed then.
Result<bool> TreeWriter::repack(Bytes key, unsigned first, unsigned count) {
  pool::Pool& pool = workspace_.pool();
  const std::uint32_t page_size = pool.page_size();
  Path path = TRY(descend(key));
  path.pop_back();
  Node parent = node(path.back().page);
  std::vector<PageRef> refs;
  std::vector<std::byte> copies(std::size_t{count} * page_size);
  std::vector<Cell> cells;
  for (unsigned i = 0; i < count; ++i) {
    refs.push_back(parent.child(first + i));
    const pool::ReadGuard page = TRY(fetch_node(pool, refs.back(), 0));
    std::byte* copy = copies.data() + std::size_t{i} * page_size;
    std::copy_n(page.data(), page_size, copy);
    const NodeView leaf(copy, page_size);
    const std::size_t before = cells.size();
    for (unsigned c = 0; c < leaf.count(); ++c) cells.push_back({leaf.key(c), leaf.value(c), leaf.is_large(c)});
    CHECK(check_order(cells, before));
  }
  // Greedy: each leaf takes as many cells as it may.
  const Cell* const all = cells.data();
  std::vector<std::size_t> cuts{0};
  while (cuts.back() < cells.size()) {
    std::size_t low = cuts.back() + 1, high = cells.size();
    while (low < high) {
      const std::size_t middle = (low + high + 1) / 2;
      const bool fits = size_of_cells(all + cuts.back(), all + middle, true) <= fill_target(page_size);
      (fits ? low : high) = fits ? middle : middle - 1;
    }
    cuts.push_back(low);
  }
  const std::size_t leaves = cuts.size() - 1;
  std::size_t separator_bytes = 0;
  for (std::size_t i = 1; i < leaves; ++i) {
    separator_bytes += kSlotSize + sizeof(PageRef) + 8 + cells[cuts[i]].key.size();
  }
  // Even if the new separators shared nothing with the parent's prefix there must be room for them.
  // Twice 7, because cells that were padded when one separator shortened the prefix may be padded again for the next.
  const std::size_t prefix_growth = parent.prefix().empty() ? 0 : (parent.prefix().size() + 14) * parent.count();
  if (leaves >= count || parent.used() + separator_bytes + prefix_growth > node_capacity(page_size)) return false;

  for (unsigned i = count - 1; i > 0; --i) parent.remove(first + i);
  for (std::size_t i = 0; i < count; ++i) {
    if (i >= leaves) {
      workspace_.retire(refs[i]);
      continue;
    }
    {
      pool::WriteGuard page = TRY(workspace_.make_mutable(refs[i]));
      node(page).assign(all + cuts[i], all + cuts[i + 1]);
    }
    const unsigned index = first + static_cast<unsigned>(i);
    if (i == 0) {
      parent.set_child(index, refs[i]);
      continue;
    }
    const std::string separator = shortest_separator(cells[cuts[i] - 1].key, cells[cuts[i]].key);
    const bool placed = parent.insert(index, separator, ref_bytes(refs[i]), false, workspace_.scratch());
    VITRINE_ASSERT(placed);
  }
  CHECK(fix_underflow(path, path.size() - 1));
  return true;
}

Result<TreeWriter::MoveStep> TreeWriter::merge_thin(Bytes from, std::uint64_t budget) {
  MoveStep step;
  forget_run();
  std::string at(from);
  // Looking is cheaper than moving, but the writer of a large tree must not wait for all of it either.
  std::uint64_t left_to_look_at = kLooksPerMove * budget;
  while (step.moved < budget && left_to_look_at > 0) {
    if (root_.page.is_null()) return step;
    LeafRow row = TRY(leaf_row(at));
    left_to_look_at -= std::min<std::uint64_t>(left_to_look_at, row.used.size());
    for (unsigned first = 0; first + 1 < row.used.size(); ++first) {
      const unsigned count = thin_run(row.used, first, fill_target(workspace_.pool().page_size()));
      if (count == 0 || !TRY(repack(at, first, count))) continue;
      step.moved += count;
      row = TRY(leaf_row(at));
    }
    if (!row.next) return step;
    at = std::move(*row.next);
  }
  step.next = std::move(at);
  return step;
}

}  // namespace vitrine::tree
