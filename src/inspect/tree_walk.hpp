// SPDX-License-Identifier: MIT OR Apache-2.0
// Walks the tree of the chosen checkpoint in key order without the engine. A page that does not verify is a gap; the
// walk goes on behind it.
//
// Pages may be forged: they verify, and still lead in circles, or to one page by many ways. So a level is always one
// lower than the one above it (at most 256 deep), and a node with keys outside of the range that its parent says is a
// gap. Ranges of two references never overlap and no node is empty, so only one of them can be right: a walk goes below
// a node once, its keys always rise, and it reads at most 256 nodes for each reference there is. Thread safety: none.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "inspect/source_file.hpp"
#include "tree/node.hpp"

namespace vitrine::inspect {

// What could not be read. Keys [from, to) are missing; an empty `to` is no bound.
struct Gap {
  PageNo page = 0;
  Status why;
  std::string from;
  std::string to;
};

struct TreeVisitor {
  // Every entry. `cell` is the value, or the descriptor of a large one. False ends the walk.
  std::function<bool(Bytes key, Bytes cell, bool is_large)> entry;
  std::function<void(const Gap& gap)> gap;
  // Every node that verifies, before what it holds. May be empty.
  std::function<void(const PageRef& ref, const tree::NodeView& node)> node;
};

class TreeWalk {
 public:
  // REQUIRES: source.header_status() is ok. All outlive the walk.
  TreeWalk(SourceFile& source, const TreeVisitor& visitor) : source_(source), visitor_(visitor) {}

  Status run();

 private:
  Status go(const PageRef& ref, std::optional<unsigned> level, Bytes low, Bytes high);
  Status visit(const tree::NodeView& node, Bytes low, Bytes high);

  SourceFile& source_;
  const TreeVisitor& visitor_;
  bool done_ = false;
};

// Ok when all keys of the node lie in [low, high), an empty `high` being no bound; PageMalformed when not.
Status check_range(const tree::NodeView& node, PageNo page, Bytes low, Bytes high);

// A node as `ref` names it, valid, at `level` when that is given. `image` holds it. Errors: as SourceFile::read,
// PageMalformed.
Result<tree::NodeView> read_node(SourceFile& source, const PageRef& ref, std::optional<unsigned> level,
                                 std::vector<std::byte>& image);

}  // namespace vitrine::inspect
