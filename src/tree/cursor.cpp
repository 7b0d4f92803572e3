// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tree/cursor.hpp"

#include <algorithm>

#include "base/try.hpp"

namespace vitrine::tree {

void TreeCursor::take_key() {
  key_.clear();
  node().key(index_).append_to(key_);
}

// --- The way down ----------------------------------------------------------------------------------------------------

PageRef TreeCursor::take_child(const NodeView& parent, unsigned index) noexcept {
  following_ = index + 1 < parent.count() ? parent.child(index + 1) : PageRef{};
  return parent.child(index);
}

// From the inner node at `ref` to a child of it.
void TreeCursor::take_step(PageRef& ref, const NodeView& inner, unsigned index) {
  path_.push_back({ref, index, inner.count(), inner.level()});
  ref = take_child(inner, index);
}

// From `ref` down as far as the inner nodes are in memory; the rest of the way is for go_down().
template <typename Choose>
void TreeCursor::peek_down(PageRef& ref, std::optional<unsigned>& level, Choose&& choose) {
  const pool::Visits::Visit visit = pool_->visits().enter(pool::Visits::kNone);
  while (visit && level != 0u) {
    const std::byte* const page = pool_->peek(ref);
    if (page == nullptr) return;
    const NodeView here(page, pool_->page_size());
    if (!is_node_at(here, level) || here.is_leaf()) return;
    level = here.level() - 1;
    take_step(ref, here, choose(here));
  }
}

// From `ref` to a leaf: `choose` gives the child of each inner node.
template <typename Choose>
Status TreeCursor::go_down(PageRef ref, std::optional<unsigned> level, Choose&& choose) {
  path_.reserve(8);
  peek_down(ref, level, choose);
  for (;;) {
    pool::ReadGuard page = TRY(fetch_node(*pool_, ref, level));
    const NodeView here(page.data(), pool_->page_size());
    if (here.is_leaf()) {
      leaf_ = std::move(page);
      return {};
    }
    level = here.level() - 1;
    take_step(ref, here, choose(here));
  }
}

// From `ref` to the first or last entry below it.
Status TreeCursor::go_to_edge(PageRef ref, std::optional<unsigned> level, Edge edge) {
  CHECK(go_down(ref, level, [&](const NodeView& inner) { return edge == Edge::First ? 0 : inner.count() - 1; }));
  index_ = edge == Edge::First ? 0 : node().count() - 1;
  look_around(edge == Edge::First ? Edge::Last : Edge::First);
  return {};
}

// To the leaf that covers `key`, at the first entry >= key (possibly behind the last).
Status TreeCursor::go_down_to(Bytes key, Edge towards) {
  release();
  path_.clear();
  if (root_.page.is_null()) return {};
  CHECK(go_down(root_.page, std::nullopt, [&](const NodeView& inner) { return inner.child_for(key); }));
  index_ = node().lower_bound(key).index;
  look_around(towards);
  return {};
}

// --- From leaf to leaf -----------------------------------------------------------------------------------------------

// The child that `step`, on the way to this leaf, stands at.
Result<PageRef> TreeCursor::child_of(const Step& step) {
  {
    const pool::Visits::Visit visit = pool_->visits().enter(pool::Visits::kNone);
    const std::byte* const page = visit ? pool_->peek(step.page) : nullptr;
    const NodeView parent(page, pool_->page_size());
    if (page != nullptr && is_node_at(parent, step.level)) return take_child(parent, step.index);
  }
  const pool::ReadGuard page = TRY(fetch_node(*pool_, step.page, step.level));
  return take_child(NodeView(page.data(), pool_->page_size()), step.index);
}

Status TreeCursor::next_leaf() {
  pool::ReadGuard ahead = std::move(ahead_);
  leaf_.release();
  while (!path_.empty() && path_.back().index + 1 == path_.back().count) path_.pop_back();
  if (path_.empty()) return {};
  Step& step = path_.back();
  ++step.index;
  const PageRef child = TRY(child_of(step));
  if (!ahead) return go_to_edge(child, step.level - 1, Edge::First);
  leaf_ = std::move(ahead);
  index_ = 0;
  look_ahead(node());
  return {};
}

Status TreeCursor::prev_leaf() {
  release();
  while (!path_.empty() && path_.back().index == 0) path_.pop_back();
  if (path_.empty()) return {};
  Step& step = path_.back();
  --step.index;
  return go_to_edge(TRY(child_of(step)), step.level - 1, Edge::Last);
}

// --- Asking memory for what comes next -------------------------------------------------------------------------------

// Where a walk begins.
void TreeCursor::look_around(Edge towards) noexcept {
  const NodeView leaf = node();
  if (towards == Edge::First) {
    for (unsigned i = index_ - std::min(index_, kCellsAhead); i < index_; ++i) leaf.prefetch_cell(i);
    return;
  }
  for (unsigned i = index_; i < index_ + kCellsAhead; ++i) leaf.prefetch_cell(i);
  if (leaf.count() - index_ <= 2 * kCellsAhead) pool_->prefetch(following_);
}

// At entry `index` of the leaf behind this one, if that is in memory.
void TreeCursor::look_beyond(unsigned index) noexcept {
  if (!ahead_) {
    if (following_.is_null()) return;
    ahead_ = pool_->try_fetch(std::exchange(following_, {}));
    if (!ahead_) return;
    if (!is_node_at(NodeView(ahead_.data(), pool_->page_size()), 0)) return ahead_.release();
  }
  NodeView(ahead_.data(), pool_->page_size()).prefetch_cell(index);
}

// --- Moves -----------------------------------------------------------------------------------------------------------

Status TreeCursor::start(Edge edge) {
  release();
  path_.clear();
  if (root_.page.is_null()) return {};
  CHECK(go_to_edge(root_.page, std::nullopt, edge));
  take_key();
  return {};
}

Status TreeCursor::seek_first() { return start(Edge::First); }
Status TreeCursor::seek_last() { return start(Edge::Last); }

Status TreeCursor::seek(Bytes key) {
  CHECK(go_down_to(key, Edge::Last));
  if (is_valid() && index_ == node().count()) CHECK(next_leaf());
  if (is_valid()) take_key();
  return {};
}

Status TreeCursor::seek_before(Bytes key) {
  CHECK(go_down_to(key, Edge::First));
  if (!is_valid()) return {};
  if (index_ == 0) {
    CHECK(prev_leaf());
  } else {
    --index_;
  }
  if (is_valid()) take_key();
  return {};
}

Status TreeCursor::next() {
  if (next_in_leaf()) return {};
  CHECK(next_leaf());
  if (is_valid()) take_key();
  return {};
}

Status TreeCursor::prev() {
  if (index_ > 0) {
    --index_;
    take_suffix(node());
    if (index_ >= kCellsAhead) node().prefetch_cell(index_ - kCellsAhead);
    return {};
  }
  CHECK(prev_leaf());
  if (is_valid()) take_key();
  return {};
}

}  // namespace vitrine::tree
