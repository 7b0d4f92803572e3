// SPDX-License-Identifier: MIT OR Apache-2.0
// The entries of a moment in key order, one after the other, with whole subtrees that can be passed over unread. Keeps
// one node of each level. A node that cannot be read is a gap; the stream goes on behind it.
//
// A node with keys outside of its range is such a node; tree_walk.hpp says what that is good for. Thread safety: none.
#pragma once

#include <string>
#include <vector>

#include "inspect/moment.hpp"

namespace vitrine::inspect {

class TreeStream {
 public:
  enum class At : std::uint8_t { End, Subtree, Entry };

  explicit TreeStream(Moment& moment) : moment_(moment), root_(moment.root()) { settle(); }

  At at() const noexcept { return at_; }
  // REQUIRES: not at the end. The key of an entry; no key of a subtree is smaller.
  const std::string& low() const noexcept { return low_; }

  // REQUIRES: at a subtree. A root has the highest level there is until it is opened.
  const PageRef& ref() const noexcept { return ref_; }
  unsigned level() const noexcept { return level_; }
  // No key of it reaches this; empty: no bound.
  const std::string& high() const noexcept { return high_; }
  // To the first part of the subtree, or behind it when its node cannot be read. Errors: those that are no damage.
  Status open();

  // REQUIRES: at an entry. Valid until the stream moves.
  Bytes cell() const noexcept { return view().value(frames_.back().index); }
  bool is_large() const noexcept { return view().is_large(frames_.back().index); }

  // To what follows. REQUIRES: not at the end.
  void skip();

  std::uint64_t gaps() const noexcept { return gaps_; }
  const Status& last_gap() const noexcept { return last_gap_; }
  std::uint64_t nodes_read() const noexcept { return nodes_read_; }
  // Whether `key`, which is smaller than low(), may stand in the part that could not be read last.
  bool is_unknown(Bytes key) const noexcept {
    return gaps_ > 0 && key >= gap_begin_ && (gap_is_open_ || key < gap_end_);
  }

 private:
  struct Frame {
    std::vector<std::byte> image;
    std::uint32_t page_size;
    unsigned index;
    std::string low, high;
  };
  tree::NodeView view() const noexcept { return {frames_.back().image.data(), frames_.back().page_size}; }
  void settle();

  Moment& moment_;
  PageRef root_;  // null once it was taken
  std::vector<Frame> frames_;
  At at_ = At::End;
  std::string low_, high_;  // of the subtree
  PageRef ref_;
  unsigned level_ = 0;
  std::uint64_t gaps_ = 0, nodes_read_ = 0;
  Status last_gap_;
  std::string gap_begin_, gap_end_;
  bool gap_is_open_ = false;  // up to the last key
};

}  // namespace vitrine::inspect
