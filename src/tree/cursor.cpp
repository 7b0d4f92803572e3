// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tree/cursor.hpp"

#include <cstring>

#include "base/try.hpp"

namespace vitrine::tree {
namespace {

// Cells lie in their page in the order they came, so the processor cannot guess the next one. So many entries ahead a
// cell is asked for while the caller looks at this one.
constexpr unsigned kCellsAhead = 8;

}  // namespace

void TreeCursor::take_key() {
  key_.clear();
  node().key(index_).append_to(key_);
}

// Within a leaf the prefix stays. REQUIRES: key_ is of this leaf.
void TreeCursor::take_suffix() {
  const NodeView leaf = node();
  const Bytes suffix = leaf.suffix(index_);
  const std::size_t prefix_size = leaf.prefix().size();
  key_.resize(prefix_size + suffix.size());  // the same size again, as a rule
  std::memcpy(key_.data() + prefix_size, suffix.data(), suffix.size());
}

// From `ref` to the first or last entry below it.
Status TreeCursor::go_down(PageRef ref, std::optional<unsigned> level, Edge edge) {
  for (;;) {
    pool::ReadGuard page = TRY(fetch_node(*pool_, ref, level));
    const NodeView here(page.data(), pool_->page_size());
    const unsigned index = edge == Edge::First ? 0 : here.count() - 1;
    if (here.is_leaf()) {
      leaf_ = std::move(page);
      index_ = index;
      return {};
    }
    path_.push_back({ref, index, here.count(), here.level()});
    ref = here.child(index);
    level = here.level() - 1;
  }
}

// To the leaf that covers `key`, at the first entry >= key (possibly behind the last).
Status TreeCursor::go_down_to(Bytes key) {
  leaf_.release();
  path_.clear();
  if (root_.page.is_null()) return {};
  PageRef ref = root_.page;
  std::optional<unsigned> level;
  for (;;) {
    pool::ReadGuard page = TRY(fetch_node(*pool_, ref, level));
    const NodeView here(page.data(), pool_->page_size());
    if (here.is_leaf()) {
      index_ = here.lower_bound(key).index;
      leaf_ = std::move(page);
      return {};
    }
    const unsigned index = here.child_for(key);
    path_.push_back({ref, index, here.count(), here.level()});
    ref = here.child(index);
    level = here.level() - 1;
  }
}

Status TreeCursor::next_leaf() {
  leaf_.release();
  while (!path_.empty() && path_.back().index + 1 == path_.back().count) path_.pop_back();
  if (path_.empty()) return {};
  Step& step = path_.back();
  ++step.index;
  PageRef child;
  {
    const pool::ReadGuard page = TRY(fetch_node(*pool_, step.page, step.level));
    const NodeView parent(page.data(), pool_->page_size());
    child = parent.child(step.index);
    if (step.index + 1 < step.count) pool_->prefetch(parent.child(step.index + 1));
  }
  return go_down(child, step.level - 1, Edge::First);
}

Status TreeCursor::prev_leaf() {
  leaf_.release();
  while (!path_.empty() && path_.back().index == 0) path_.pop_back();
  if (path_.empty()) return {};
  Step& step = path_.back();
  --step.index;
  PageRef child;
  {
    const pool::ReadGuard page = TRY(fetch_node(*pool_, step.page, step.level));
    child = NodeView(page.data(), pool_->page_size()).child(step.index);
  }
  return go_down(child, step.level - 1, Edge::Last);
}

Status TreeCursor::seek_first() {
  leaf_.release();
  path_.clear();
  if (root_.page.is_null()) return {};
  CHECK(go_down(root_.page, std::nullopt, Edge::First));
  take_key();
  return {};
}

Status TreeCursor::seek_last() {
  leaf_.release();
  path_.clear();
  if (root_.page.is_null()) return {};
  CHECK(go_down(root_.page, std::nullopt, Edge::Last));
  take_key();
  return {};
}

Status TreeCursor::seek(Bytes key) {
  CHECK(go_down_to(key));
  if (is_valid() && index_ == node().count()) CHECK(next_leaf());
  if (is_valid()) take_key();
  return {};
}

Status TreeCursor::seek_before(Bytes key) {
  CHECK(go_down_to(key));
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
  if (++index_ < node().count()) {
    take_suffix();
    node().prefetch_cell(index_ + kCellsAhead);
    return {};
  }
  CHECK(next_leaf());
  if (is_valid()) take_key();
  return {};
}

Status TreeCursor::prev() {
  if (index_ > 0) {
    --index_;
    take_suffix();
    if (index_ >= kCellsAhead) node().prefetch_cell(index_ - kCellsAhead);
    return {};
  }
  CHECK(prev_leaf());
  if (is_valid()) take_key();
  return {};
}

}  // namespace vitrine::tree
