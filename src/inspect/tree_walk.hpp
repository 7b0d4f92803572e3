// SPDX-License-Identifier: MIT OR Apache-2.0
// Walks the tree of the chosen checkpoint in key order without the engine. A page that does not verify is a gap; the
// walk goes on behind it. Thread safety: none.
#pragma once

#include <functional>
#include <optional>
#include <set>
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

  // All entries with a key >= `from`.
  Status run(Bytes from = {});

 private:
  Status go(const PageRef& ref, std::optional<unsigned> level, Bytes low, Bytes high);
  Status visit(const tree::NodeView& node, Bytes low, Bytes high);

  SourceFile& source_;
  const TreeVisitor& visitor_;
  std::string from_;
  std::set<PageNo> path_;  // pages from the root to here: a forged loop ends
  bool done_ = false;
};

// A node as `ref` names it, valid, at `level` when that is given. `image` holds it. Errors: as SourceFile::read,
// PageMalformed.
Result<tree::NodeView> read_node(SourceFile& source, const PageRef& ref, std::optional<unsigned> level,
                                 std::vector<std::byte>& image);

}  // namespace vitrine::inspect
