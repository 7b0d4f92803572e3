// SPDX-License-Identifier: MIT OR Apache-2.0
// One tree node in one page: sorted cells with a common prefix cut off. Pure functions over bytes; no I/O, no locks.
//
// NODE (after the 32-byte page header; offsets from the page start)
// OFFSET SIZE FIELD
//     32    2 count of slots
//     34    2 prefix size: bytes common to all keys of the node, kept once
//     36    4 heap begin: cells fill [heap begin, page size - 40), newest lowest
//     40    4 dead bytes inside the heap
//     44    4 prefix offset, inside the heap (0 when the prefix is empty)
//     48   64 hints: 16 heads sampled evenly over the slots; see search
//    112   10 slot 0, slot 1, ... in key order
//
// SLOT (10 bytes)                                      CELL (in the heap)
//      0    4 head: first 4 bytes of the suffix,          leaf:  value, key suffix
//             big-endian value, zero-padded               inner: PageRef (24 bytes, 8-aligned), key suffix, padded to 8
//      4    2 cell offset
//      6    2 suffix size; bit 15: value is a LargeValue
//      8    2 value size
//
// An inner node with n children has n slots; slot i holds the smallest key that may stand in child i, except slot 0,
// whose key is empty and means "everything below slot 1". Keys in slots are separators: as short as tells the children
// apart.
//
// Search compares heads first: a head equals the big-endian value of the bytes, so integer order is key order. The
// hints narrow the slots to about 1/17 with one short scan (after Graefe, "Modern B-Tree Techniques", 2011, and
// Mueller, Benson, Leis, "B-Trees Are Back", SIGMOD 2025).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/codec.hpp"
#include "format/page.hpp"
#include "vitrine/bytes.hpp"
#include "vitrine/status.hpp"

namespace vitrine::tree {

using format::PageRef;

inline bool is_node(const std::byte* page) noexcept {
  const auto type = static_cast<format::PageType>(*page);
  return type == format::PageType::Leaf || type == format::PageType::Inner;
}

inline constexpr std::size_t kNodeSlots = 112;
inline constexpr std::size_t kNodeHints = 48;
inline constexpr unsigned kHintCount = 16;
inline constexpr std::size_t kSlotSize = 10;
inline constexpr std::uint16_t kLargeFlag = 0x8000;
inline constexpr std::uint16_t kSuffixMask = 0x3fff;

struct NodeHeader {
  std::uint16_t count;
  std::uint16_t prefix_size;
  std::uint32_t heap_begin;
  std::uint32_t dead;
  std::uint32_t prefix_offset;
};
static_assert(sizeof(NodeHeader) == 16 && format::kPageHeaderSize + sizeof(NodeHeader) == kNodeHints &&
              kNodeHints + kHintCount * 4 == kNodeSlots);

// Bytes of a node for slots and heap.
inline constexpr std::size_t node_capacity(std::uint32_t page_size) noexcept {
  return page_size - kNodeSlots - format::kPageTrailerSize;
}
// The largest slot plus cell: three always fit, so every overflowing node can be split in two.
inline constexpr std::size_t cell_max(std::uint32_t page_size) noexcept { return node_capacity(page_size) / 3; }
// The largest key of the tree, keyspace prefix included.
inline constexpr std::size_t tree_key_max(std::uint32_t page_size) noexcept {
  return page_size / 4 + 8 < kSuffixMask ? page_size / 4 + 8 : kSuffixMask;
}
static_assert(kSlotSize + 24 + 7 + tree_key_max(format::kPageSizeMin) <= cell_max(format::kPageSizeMin));

// The key without its first `skip` bytes, as two parts: what the node cut off, and what it kept.
struct SplitKey {
  Bytes prefix;
  Bytes suffix;
  std::size_t size() const noexcept { return prefix.size() + suffix.size(); }
  void append_to(std::string& to) const { to.append(prefix).append(suffix); }
};

bool is_less(const SplitKey& left, const SplitKey& right) noexcept;

struct Position {
  unsigned index = 0;
  bool exact = false;
};

// A search of one node under way. In steps, each of which looks at memory that the one before it asked for, so that
// searches of several nodes can wait together.
struct NodeSearch {
  unsigned low = 0;
  unsigned high = 0;         // slots from here on are behind the key
  std::uint32_t wanted = 0;  // head of `rest`
  Bytes rest;                // the key without the prefix
  bool is_settled = false;   // `low` is the answer
};

class NodeView {
 public:
  NodeView(const std::byte* page, std::uint32_t page_size) noexcept : page_(page), page_size_(page_size) {}

  unsigned level() const noexcept { return std::to_integer<unsigned>(page_[offsetof(format::PageHeader, level)]); }
  bool is_leaf() const noexcept { return level() == 0; }
  unsigned count() const noexcept { return header().count; }
  Bytes prefix() const noexcept { return bytes(header().prefix_offset, header().prefix_size); }

  // Leaf: first slot with a key >= `key`. REQUIRES: is_leaf().
  Position lower_bound(Bytes key) const noexcept;
  // The order of the key of slot `index` and `key`: below 0, 0, above 0.
  int compare(unsigned index, Bytes key) const noexcept;
  // Inner: the child whose range covers `key`.
  unsigned child_for(Bytes key) const noexcept;
  // The same in three steps: narrow() reads prefix and hints, locate() slots, settle() a cell.
  NodeSearch narrow(Bytes key) const noexcept;
  void locate(NodeSearch& search) const noexcept;
  Position settle(const NodeSearch& search) const noexcept;
  unsigned child_at(const Position& at) const noexcept { return at.exact ? at.index : at.index - 1; }

  SplitKey key(unsigned index) const noexcept { return {prefix_of(index), suffix(index)}; }
  Bytes suffix(unsigned index) const noexcept {
    return bytes(cell_offset(index) + value_size(index), suffix_size(index));
  }
  Bytes value(unsigned index) const noexcept { return bytes(cell_offset(index), value_size(index)); }
  bool is_large(unsigned index) const noexcept { return (slot<std::uint16_t>(index, 6) & kLargeFlag) != 0; }
  PageRef child(unsigned index) const noexcept { return base::load<PageRef>(page_ + cell_offset(index)); }

  // A wish; any index. Inlined by force: g++ takes a function that does nothing but this for one without an effect, and
  // drops the call.
  [[gnu::always_inline]] void prefetch_cell(unsigned index) const noexcept {
    if (index >= count()) return;
    __builtin_prefetch(page_ + cell_offset(index));
    __builtin_prefetch(page_ + cell_offset(index) + value_size(index));
  }

  // Bytes of slots, live cells and prefix; compares with node_capacity().
  std::size_t used() const noexcept;
  const std::byte* page() const noexcept { return page_; }
  std::uint32_t page_size() const noexcept { return page_size_; }

  // For the checker and the page validator: PageMalformed when any rule of the layout is broken.
  Status validate() const;

 protected:
  NodeHeader header() const noexcept { return base::load<NodeHeader>(page_ + format::kPageHeaderSize); }
  template <typename T>
  T slot(unsigned index, std::size_t field) const noexcept {
    return base::load<T>(page_ + kNodeSlots + index * kSlotSize + field);
  }
  std::uint32_t head(unsigned index) const noexcept { return slot<std::uint32_t>(index, 0); }
  std::size_t cell_offset(unsigned index) const noexcept { return slot<std::uint16_t>(index, 4); }
  std::size_t suffix_size(unsigned index) const noexcept { return slot<std::uint16_t>(index, 6) & kSuffixMask; }
  std::size_t value_size(unsigned index) const noexcept { return slot<std::uint16_t>(index, 8); }
  std::size_t cell_size(unsigned index) const noexcept;
  Bytes prefix_of(unsigned index) const noexcept { return index == 0 && !is_leaf() ? Bytes{} : prefix(); }
  Bytes bytes(std::size_t offset, std::size_t size) const noexcept {
    return {reinterpret_cast<const char*>(page_) + offset, size};
  }
  const std::byte* page_;
  std::uint32_t page_size_;

 private:
  class TakenBytes;
  Status validate_slot(unsigned index, TakenBytes& taken) const;
  Status validate_hints() const;
};

// Head of a suffix.
std::uint32_t head_of(Bytes suffix) noexcept;
// The validator for pages of every type, given to the pool.
Status validate_page(const std::byte* page, std::uint32_t page_size);

// Copies everything between header and trailer but what slots and heap leave free between them; there go zeros. The
// page may be of any type and hold anything.
void copy_node_body(std::byte* to, const std::byte* from, std::uint32_t page_size) noexcept;

// A cell to be placed: what insert() and the rebuilding of nodes work with.
struct Cell {
  SplitKey key;
  Bytes value;
  bool large = false;
};

class Node : public NodeView {
 public:
  Node(std::byte* page, std::uint32_t page_size) noexcept : NodeView(page, page_size) {}

  // An empty node; the page header must be there.
  void clear() noexcept;

  // Puts a cell before slot `index`, which must be its place in the order. False when it does not fit; then nothing has
  // changed. `scratch` is one page of memory.
  bool insert(unsigned index, Bytes key, Bytes value, bool large, std::byte* scratch);
  void remove(unsigned index) noexcept;
  // New value under the same key. False when it does not fit; then nothing has changed.
  bool replace(unsigned index, Bytes value, bool large, std::byte* scratch);
  void set_child(unsigned index, const PageRef& ref) noexcept { base::store(mutable_page() + cell_offset(index), ref); }

  // Makes this node hold exactly cells [begin, end), which must not point into it, under the longest prefix they share.
  // REQUIRES: size_of_cells says that they fit.
  void assign(const Cell* begin, const Cell* end) noexcept;

 private:
  std::byte* mutable_page() noexcept { return const_cast<std::byte*>(page_); }
  void set_header(const NodeHeader& header) noexcept { base::store(mutable_page() + format::kPageHeaderSize, header); }
  void write_cell(unsigned index, Bytes suffix_first, Bytes suffix_rest, Bytes value, bool large) noexcept;
  void make_room(unsigned index) noexcept;
  void update_hints() noexcept;
  bool rebuild_with(std::size_t prefix_size, std::byte* scratch) noexcept;
  std::size_t contiguous() const noexcept;
};

// Bytes that cells [begin, end) take in a node of that kind, slots and prefix included.
std::size_t size_of_cells(const Cell* begin, const Cell* end, bool leaf) noexcept;

// size_of_cells() for many parts of the same cells; for leaves in constant time.
class CellSizes {
 public:
  CellSizes(const std::vector<Cell>& cells, bool leaf);

  std::size_t of(std::size_t begin, std::size_t end) const noexcept;
  // A cut inside the cells that leaves about the same bytes on both sides. REQUIRES: two cells or more.
  std::size_t middle() const noexcept;

 private:
  const std::vector<Cell>& cells_;
  const bool leaf_;
  std::vector<std::size_t> sums_;  // [n]: bytes of the first n cells with their whole keys
};

// Shortest key k with left < k <= right. REQUIRES: left < right.
std::string shortest_separator(const SplitKey& left, const SplitKey& right);

}  // namespace vitrine::tree
