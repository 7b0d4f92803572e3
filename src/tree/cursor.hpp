// SPDX-License-Identifier: MIT OR Apache-2.0
// An ordered walk over one version of the tree. Keeps one pin, on the leaf, and near its end another on the leaf behind
// it; the way to it is kept as references, so many cursors fit a small cache. What of the way is in memory is looked at
// in a visit, without pins.
//
// Going forward it asks for entries, and for the next leaf, before it gets there: cells lie in their page in the order
// they came, so the processor cannot guess them.
//
// On a tree that its owner changes, suspend() before each change: the cursor drops its pin and finds its key again, or
// the next one, when it is used next.
//
// Threads: one at a time.
#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "base/codec.hpp"
#include "tree/tree.hpp"

namespace vitrine::tree {

class TreeCursor {
 public:
  TreeCursor(pool::Pool& pool, const TreeRoot& root) : pool_(&pool), root_(root) {}

  // Each moves the cursor or leaves it not valid.
  Status seek_first();
  Status seek_last();
  Status seek(Bytes key);         // first entry >= key
  Status seek_before(Bytes key);  // last entry < key
  Status next();
  Status prev();
  // next() without a Status, where that is within the leaf; false: nothing has changed. REQUIRES: is_valid().
  bool next_in_leaf() {
    const NodeView leaf = node();
    if (index_ + 1 >= leaf.count()) return false;
    ++index_;
    take_suffix(leaf);
    look_ahead(leaf);
    return true;
  }

  bool is_valid() const noexcept { return static_cast<bool>(leaf_); }
  // REQUIRES: is_valid(). Views into the pinned leaf, except key(), which the cursor owns.
  Bytes key() const noexcept { return key_; }
  Bytes value() const noexcept { return node().value(index_); }
  bool is_large() const noexcept { return node().is_large(index_); }
  // Entries of the leaf from here on whose keys are before `end`.
  unsigned count_before(Bytes end) const noexcept {
    const unsigned behind = node().lower_bound(end).index;
    return behind > index_ ? behind - index_ : 0;
  }

  // Drops the pin; position() is lost, key() stays.
  void release() noexcept {
    leaf_.release();
    ahead_.release();
  }
  void set_root(const TreeRoot& root) noexcept { root_ = root; }

 private:
  struct Step {
    PageRef page;
    unsigned index;
    unsigned count;
    unsigned level;
  };
  static constexpr unsigned kCellsAhead = 8;

  NodeView node() const noexcept { return {leaf_.data(), pool_->page_size()}; }
  enum class Edge : std::uint8_t { First, Last };
  template <typename Choose>
  Status go_down(PageRef ref, std::optional<unsigned> level, Choose&& choose);
  template <typename Choose>
  void peek_down(PageRef& ref, std::optional<unsigned>& level, Choose&& choose);
  Status go_to_edge(PageRef ref, std::optional<unsigned> level, Edge edge);
  Status go_down_to(Bytes key, Edge towards);
  Status start(Edge edge);
  void take_step(PageRef& ref, const NodeView& inner, unsigned index);
  Result<PageRef> child_of(const Step& step);
  PageRef take_child(const NodeView& parent, unsigned index) noexcept;
  Status next_leaf();
  Status prev_leaf();
  void take_key();
  void take_suffix(const NodeView& leaf);
  void look_ahead(const NodeView& leaf) noexcept;
  void look_beyond(unsigned index) noexcept;
  void look_around(Edge towards) noexcept;

  pool::Pool* pool_;
  TreeRoot root_;
  std::vector<Step> path_;  // inner nodes from the root
  pool::ReadGuard leaf_;
  pool::ReadGuard ahead_;  // the leaf `following_` names, once the walk comes near it
  PageRef following_;      // the leaf behind this one, if both have the same parent
  unsigned index_ = 0;
  std::string key_;
};

// Within a leaf the prefix stays. REQUIRES: key_ is of this leaf.
inline void TreeCursor::take_suffix(const NodeView& leaf) {
  const Bytes suffix = leaf.suffix(index_);
  const std::size_t prefix_size = leaf.prefix().size();
  const std::size_t size = prefix_size + suffix.size();
  if (key_.size() != size) key_.resize(size);  // the same size again, as a rule
  char* const to = key_.data() + prefix_size;
  if (suffix.size() < 8 || suffix.size() > 16) {
    std::memcpy(to, suffix.data(), suffix.size());
    return;
  }
  // Most are as short as this: two words that overlap cost less than a call.
  const std::size_t second = suffix.size() - 8;
  const auto first = base::load<std::uint64_t>(suffix.data());
  base::store(to + second, base::load<std::uint64_t>(suffix.data() + second));
  base::store(to, first);
}

inline void TreeCursor::look_ahead(const NodeView& leaf) noexcept {
  const unsigned left = leaf.count() - index_;
  if (left <= kCellsAhead) return look_beyond(kCellsAhead - left);
  leaf.prefetch_cell(index_ + kCellsAhead);
  if (left == 2 * kCellsAhead) pool_->prefetch(following_);
}

}  // namespace vitrine::tree
