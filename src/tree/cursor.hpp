// SPDX-License-Identifier: MIT OR Apache-2.0
// An ordered walk over one version of the tree. Keeps one pin, on the leaf; the way to it is kept as references, so
// many cursors fit a small cache.
//
// On a tree that its owner changes, suspend() before each change: the cursor drops its pin and finds its key again, or
// the next one, when it is used next.
//
// Threads: one at a time.
#pragma once

#include <optional>
#include <string>
#include <vector>

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
  void release() noexcept { leaf_.release(); }
  void set_root(const TreeRoot& root) noexcept { root_ = root; }

 private:
  struct Step {
    PageRef page;
    unsigned index;
    unsigned count;
    unsigned level;
  };
  NodeView node() const noexcept { return {leaf_.data(), pool_->page_size()}; }
  enum class Edge : std::uint8_t { First, Last };
  Status go_down(PageRef ref, std::optional<unsigned> level, Edge edge);
  Status go_down_to(Bytes key);
  Status next_leaf();
  Status prev_leaf();
  void take_key();
  void take_suffix();

  pool::Pool* pool_;
  TreeRoot root_;
  std::vector<Step> path_;  // inner nodes from the root
  pool::ReadGuard leaf_;
  unsigned index_ = 0;
  std::string key_;
};

}  // namespace vitrine::tree
