// SPDX-License-Identifier: MIT OR Apache-2.0
// Who points to the pages of one window of a file, and how much of what these pages name is there. Walks tree and map
// of the chosen checkpoint from their roots; keeps facts about the pages of the window alone, so memory is bounded.
//
// Nodes and lists of extents are read for every window, extents only for a page of the window that leads to them: for
// all windows together at most once for each level of the tree. Thread safety: none.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "inspect/source_file.hpp"
#include "space/map_page.hpp"
#include "tree/node.hpp"

namespace vitrine::inspect {

enum class OwnerKind : std::uint8_t { None, TreeRoot, MapRoot, Node, Leaf, ExtentList, Map };

struct Owner {
  PageNo page = 0;                         // that points; 0 is the header
  PageRef expected;                        // what it names: for the inside of an extent, its first page
  PageNo first_bad = 0;                    // of what the page itself names
  std::uint32_t slot = 0;                  // in the page that points
  std::uint32_t pages = 0;                 // of the content that is named
  std::uint32_t names = 0, names_bad = 0;  // contents that the page itself names
  std::uint32_t bad_below = 0;             // farther below
  OwnerKind kind = OwnerKind::None;
  bool is_shared = false;  // a second one points to it
};

class Owners {
 public:
  // REQUIRES: source.header_status() is ok. `source` outlives this.
  Owners(SourceFile& source, PageNo begin, PageNo end);

  Status collect();
  // REQUIRES: begin <= page < end, and collect() was called.
  const Owner& of(PageNo page) const noexcept { return owners_[page - begin_]; }
  // Contents that could not be read: what they name is not known.
  std::uint64_t gaps() const noexcept { return gaps_; }

 private:
  struct Link {
    PageNo from;
    std::uint32_t slot;
    OwnerKind kind;
  };
  // What was found of a content: whether it is there, and how many below it are not.
  struct Outcome {
    bool is_good = true;
    std::uint32_t bad_below = 0;
  };
  Owner* find(PageNo page) noexcept { return page >= begin_ && page < end_ ? &owners_[page - begin_] : nullptr; }
  void own(const PageRef& ref, std::uint32_t pages, Link link);
  void count(Owner* owner, PageNo named, const Outcome& outcome) const noexcept;
  Outcome gap() noexcept;

  Result<Outcome> tree(const PageRef& ref, std::optional<unsigned> level, Link link, bool is_checked);
  Status leaf(const tree::NodeView& node, const PageRef& ref, bool is_checked, Outcome& outcome);
  Result<Outcome> value(Bytes descriptor, Link link, bool is_checked);
  Result<Outcome> extent(const tree::ExtentEntry& entry, Link link, bool is_checked);
  Result<Outcome> map(const PageRef& ref, std::optional<space::MapNode> node, Link link);

  SourceFile& source_;
  const PageNo begin_, end_;
  std::vector<Owner> owners_;
  std::uint64_t gaps_ = 0;
  std::uint64_t nodes_ = 0;  // that the walk met
};

}  // namespace vitrine::inspect
