// SPDX-License-Identifier: MIT OR Apache-2.0
#include "inspect/tree_stream.hpp"

#include "base/try.hpp"
#include "inspect/tree_walk.hpp"

namespace vitrine::inspect {
namespace {

constexpr unsigned kRootLevel = 256;  // above every level that a page can have

}  // namespace

// Finds out what stands at the current place.
void TreeStream::settle() {
  if (!root_.is_null()) {
    at_ = At::Subtree;
    ref_ = root_;
    level_ = kRootLevel;
    low_.clear();
    high_.clear();
    return;
  }
  while (!frames_.empty() && frames_.back().index >= view().count()) {
    frames_.pop_back();
    if (!frames_.empty()) ++frames_.back().index;
  }
  if (frames_.empty()) {
    at_ = At::End;
    return;
  }
  const Frame& frame = frames_.back();
  const tree::NodeView node = view();
  low_.clear();
  if (node.is_leaf()) {
    at_ = At::Entry;
    node.key(frame.index).append_to(low_);
    return;
  }
  at_ = At::Subtree;
  ref_ = node.child(frame.index);
  level_ = node.level() - 1;
  high_ = frame.high;
  if (frame.index + 1 < node.count()) {
    high_.clear();
    node.key(frame.index + 1).append_to(high_);
  }
  if (frame.index == 0) {
    low_ = frame.low;
  } else {
    node.key(frame.index).append_to(low_);
  }
}

void TreeStream::skip() {
  if (!root_.is_null()) {
    root_ = {};
  } else {
    ++frames_.back().index;
  }
  settle();
}

Status TreeStream::open() {
  std::vector<std::byte> image;
  const bool is_root = !root_.is_null();
  const Result<tree::NodeView> node = moment_.node(ref_, is_root ? std::nullopt : std::optional(level_), image);
  const Status status = node.has_value() ? check_range(*node, ref_.page(), low_, high_) : node.status();
  if (status.is_ok()) {
    ++nodes_read_;
    root_ = {};
    frames_.push_back({std::move(image), node->page_size(), 0, low_, high_});
    settle();
    return {};
  }
  if (status.kind() != ErrorKind::IntegrityFailure) return status;
  last_gap_ = status;
  // A gap right behind the last one is one with it.
  if (gaps_++ == 0 || gap_is_open_ || gap_end_ != low_) gap_begin_ = low_;
  skip();
  gap_is_open_ = at_ == At::End;
  gap_end_ = low_;
  return {};
}

}  // namespace vitrine::inspect
