// SPDX-License-Identifier: MIT OR Apache-2.0
// The B+tree: ordered bytes to bytes. Knows nodes and large values; must not know transactions or who reads.
//
// A tree is a root reference and a number of entries; every published version has its own. Readers look at any version;
// the writer changes the working one through a Workspace, top down: each page on the way is made private first, so a
// change never touches a page that somebody else can see.
//
// Splits are by bytes. After an erase a node below kFillMin of its capacity is merged with a neighbour, or takes cells
// from it where both together do not fit one page.
//
// Errors of every call: page errors, ReadFailed; changing ones also DiskFull, WriteFailed, SpaceExhausted, OutOfMemory,
// and then the working version is broken: only Workspace::rollback helps.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tree/extent.hpp"
#include "tree/node.hpp"
#include "tree/workspace.hpp"

namespace vitrine::tree {

struct TreeRoot {
  PageRef page;  // null: the tree is empty
  std::uint64_t entries = 0;
};

// An entry found, or none: its leaf stays pinned, so the views stay valid while this lives.
struct Found {
  pool::ReadGuard leaf;
  Bytes value;  // inline value, or the LargeValue descriptor
  bool large = false;
  bool has_value() const noexcept { return static_cast<bool>(leaf); }
};

// A reference as the value of an inner cell.
inline Bytes ref_bytes(const PageRef& ref) noexcept { return {reinterpret_cast<const char*>(&ref), sizeof ref}; }

// PageMalformed unless the page is a node, at `level` if that is known. A child must lie one level below its parent, or
// a damaged file could send a walk in circles.
Status check_node(const NodeView& node, PageNo page, std::optional<unsigned> level);
// The same as a question.
inline bool is_node_at(const NodeView& node, std::optional<unsigned> level) noexcept {
  return is_node(node.page()) && (!level || *level == node.level());
}
// A node of the tree, at `level` if that is known. PageMalformed when the page is something else.
Result<pool::ReadGuard> fetch_node(pool::Pool& pool, const PageRef& ref, std::optional<unsigned> level);

// The leaf that covers `key`, its parents looked at without pins; null when they are not in memory, or are damaged. The
// leaf itself was not looked at. REQUIRES: a visit.
PageRef peek_leaf(pool::Pool& pool, PageRef at, Bytes key) noexcept;

Result<Found> find(pool::Pool& pool, const TreeRoot& root, Bytes key);
// The same without a pin, when a look at memory is enough for it: not for a large value, and not for a damaged tree.
// REQUIRES: a visit that may see `root`; the view holds as long as it lasts.
struct Glimpse {
  bool is_known = false;
  std::optional<Bytes> value;
};
Glimpse glimpse(pool::Pool& pool, const TreeRoot& root, Bytes key) noexcept;
// find() for several keys at once: each step is made for all of them before the next one, so that they wait for
// memory together. REQUIRES: as many places in `found` as keys, at most kFindLanes.
inline constexpr std::size_t kFindLanes = 16;
Status find_many(pool::Pool& pool, const TreeRoot& root, std::span<const Bytes> keys, std::span<Found> found);

// Whole value of an entry, large or not.
Status read_value(pool::Pool& pool, Bytes value, bool large, std::string& to);

// Levels of the tree, 0 when empty.
Result<std::uint32_t> depth_of(pool::Pool& pool, const TreeRoot& root);

// An estimate of how full leaves are, 0 to 1: the mean of `samples` leaves, each at the end of a random walk from the
// root. The same tree gives the same answer. 0 for an empty tree.
Result<double> estimate_leaf_fill(pool::Pool& pool, const TreeRoot& root, unsigned samples);

// An entry to be put; `first` goes before `rest` (a kv header before a value, without joining them).
struct Put {
  Bytes key;
  Bytes first;
  Bytes rest;
};

// Which of some puts can change their leaves as they are. Keeps those leaves from being written out. See
// TreeWriter::plan_in_place().
class InPlacePuts {
 public:
  Version seen() const noexcept { return seen_; }
  // An empty plan has none.
  bool has(std::size_t put) const noexcept {
    return put < places_.size() && places_[put] != kNowhere && leaves_[places_[put]].takes_all;
  }
  std::size_t count() const noexcept { return count_; }

 private:
  friend class TreeWriter;
  static constexpr std::uint32_t kNowhere = ~std::uint32_t{0};
  struct Leaf {
    pool::WriteGuard page;
    std::size_t room;           // that no put of the plan takes
    bool takes_all = true;      // the puts of the plan that belong into it
    bool sizes_change = false;  // by some of them
  };
  Version seen_ = 0;
  std::vector<Leaf> leaves_;
  std::vector<std::uint32_t> places_;  // of each put: its leaf
  std::size_t count_ = 0;              // of the puts it has
};

class TreeWriter {
 public:
  explicit TreeWriter(Workspace& workspace) : workspace_(workspace) {}

  const TreeRoot& root() const noexcept { return root_; }
  void set_root(const TreeRoot& root) noexcept {
    root_ = root;
    forget_run();
  }

  // Inserts or replaces. REQUIRES: 1 <= key.size() <= tree_key_max. `first` is put before `rest` (a kv header before a
  // value, without joining them).
  Status put(Bytes key, Bytes first, Bytes rest);
  // The same for a value that was written as a large one.
  Status put_large(Bytes key, const LargeValue& value);
  // The same without copying pages, in two steps. First: which of `puts` need no copy, because the entry and the one it
  // replaces are small, nothing must be split, and the leaf is in memory, not yet in the file, and younger than version
  // `seen`. Changes nothing. One leaf has all of its puts in the plan, or none, so the plan stays good while the others
  // are put. Pins a page for each leaf.
  InPlacePuts plan_in_place(std::span<const Put> puts, Version seen);
  // The puts that the plan has, in their order. REQUIRES: the puts of the plan; nobody looks at versions above
  // plan.seen() meanwhile.
  void carry_out(const InPlacePuts& plan, std::span<const Put> puts) noexcept;
  // Keys come in order, each behind the last: then there are cheaper ways than looking for leaves first.
  bool is_in_run() const noexcept { return ascending_ >= kAscendingRun; }
  Result<bool> erase(Bytes key);
  // Erases [begin, end); an empty `end` means no bound. Returns the number of entries.
  Result<std::uint64_t> erase_range(Bytes begin, Bytes end);

  // Moves every page of the tree that is numbered `limit` or above below it, as far as there is room, for leaves whose
  // keys are >= `from`; stops after about `budget` pages. Returns where to go on, nothing at the end.
  struct MoveStep {
    std::optional<std::string> next;
    std::uint64_t moved = 0;
    std::uint64_t seen = 0;
  };
  Result<MoveStep> move_below(PageNo limit, Bytes from, std::uint64_t budget);
  // Rewrites every page of the tree that is of a version up to `until`, in the same way; stops also after it has seen
  // some times `budget` pages.
  Result<MoveStep> renew(Version until, Bytes from, std::uint64_t budget);
  // Rewrites neighbouring leaves that fit into fewer, from `from` on; at most about `budget` leaves, and looks at
  // no more than some times as many.
  Result<MoveStep> merge_thin(Bytes from, std::uint64_t budget);

 private:
  struct Step {
    pool::WriteGuard page;
    unsigned index = 0;  // of the child taken (inner), of the cell (leaf)
  };
  using Path = std::vector<Step>;

  Node node(const pool::WriteGuard& page) const noexcept { return {page.data(), workspace_.pool().page_size()}; }
  NodeView view(const pool::ReadGuard& page) const noexcept { return {page.data(), workspace_.pool().page_size()}; }

  Status put_cell(Bytes key, Bytes value, bool large);
  bool put_behind(Bytes key, Bytes value, bool large);
  bool is_small(Bytes key, std::size_t value_size) const noexcept;
  Bytes joined(Bytes first, Bytes rest);
  pool::WriteGuard young_leaf(Bytes key, Version seen);
  static bool reaches_over(const NodeView& leaf, Bytes key) noexcept;
  bool takes(InPlacePuts::Leaf& leaf, const Put& put) const noexcept;
  Result<Path> descend(Bytes key);
  Status insert_at(Path& path, std::size_t level, unsigned index, Bytes key, Bytes value, bool large);
  Status split(Path& path, std::size_t level, unsigned index, Bytes key, Bytes value, bool large);
  // Separators and the keys below them come from different pages: in a damaged file they may contradict each other.
  // PageMalformed unless cells[middle - 1] is before cells[middle], or `separator` may stand before slot `index`.
  static Status check_order(const std::vector<Cell>& cells, std::size_t middle);
  static Status check_separator(const NodeView& parent, unsigned index, Bytes separator);
  Status grow_root(Bytes separator, const PageRef& right, unsigned level);
  Status free_value(const NodeView& leaf, unsigned index);
  void note_insert(PageNo leaf, unsigned index) noexcept;
  bool is_ascending(const Step& leaf, unsigned index) const noexcept;
  void remember_run(const Path& path);
  void forget_run() noexcept { run_ = {}; }

  Status fix_underflow(Path& path, std::size_t level);
  Status fix_level(Path& path, std::size_t level, bool& parent_changed);
  Status shrink_root();
  // Children `left` and `left + 1` of the inner node path[level] become one if that leaves room, or else share their
  // cells evenly.
  enum class Joined : std::uint8_t { No, Merged, Balanced };
  Result<Joined> join(Path& path, std::size_t level, unsigned left);

  struct Bounds {
    Bytes begin;
    Bytes end;  // empty: no upper bound
  };
  // Each takes the subtree at `ref`, changes `ref` to what is left of it, and returns the entries erased.
  Result<std::uint64_t> erase_in(PageRef& ref, const Bounds& bounds);
  Result<std::uint64_t> erase_in_leaf(PageRef& ref, const Bounds& bounds, pool::ReadGuard page);
  Result<std::uint64_t> free_subtree(const PageRef& ref);
  Status mend_seam(Bytes key);

  struct LeafRow {  // the leaves under one parent
    std::vector<std::size_t> used;
    std::optional<std::string> next;  // where the next parent begins
  };
  Result<LeafRow> leaf_row(Bytes key);
  Result<bool> repack(Bytes key, unsigned first, unsigned count);

  // Which pages a walk moves: those that reach to `limit` or beyond, to below it; or those up to a version, anywhere.
  struct MoveRule {
    std::optional<PageNo> limit;
    Version until = 0;
    std::uint64_t budget = 0;

    bool takes(const PageRef& ref, std::uint32_t pages = 1) const noexcept {
      return limit ? ref.page() + pages > *limit : ref.generation.version() <= until;
    }
    bool is_enough(const MoveStep& step) const noexcept;
  };
  Result<bool> move_node(PageRef& ref, const MoveRule& rule, Bytes from, MoveStep& step);
  Status move_values(PageRef& ref, const MoveRule& rule, MoveStep& step);
  Result<LargeValue> move_value(const LargeValue& value, std::optional<PageNo> limit);

  static constexpr unsigned kAscendingRun = 8;  // inserts in a row, each right behind the last, before splits lean left

  Workspace& workspace_;
  TreeRoot root_;
  std::string joined_;  // value under construction
  // Ascending insertion, seen across transactions: full left nodes instead of half ones.
  PageNo last_leaf_ = 0;
  unsigned last_index_ = 0;
  unsigned ascending_ = 0;
  // The leaf that keys in a row go to, until pages are split, joined, moved or rolled back.
  struct Run {
    PageRef leaf;                    // null: none
    std::optional<std::string> end;  // keys from here on belong to the next leaf; none: there is no next one
  };
  Run run_;
};

}  // namespace vitrine::tree
