// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tree/node.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "base/assert.hpp"
#include "base/try.hpp"

namespace vitrine::tree {
namespace {

constexpr unsigned kCountedSlots = 16;

constexpr std::size_t aligned_cell(std::size_t size, bool leaf) noexcept {
  return leaf ? size : (size + 7) & ~std::size_t{7};
}

char byte_at(const SplitKey& key, std::size_t i) noexcept {
  return i < key.prefix.size() ? key.prefix[i] : key.suffix[i - key.prefix.size()];
}

std::size_t common_prefix(const SplitKey& a, const SplitKey& b) noexcept {
  const std::size_t limit = std::min(a.size(), b.size());
  std::size_t n = 0;
  if (a.prefix.data() == b.prefix.data()) n = std::min({a.prefix.size(), b.prefix.size(), limit});
  while (n < limit && byte_at(a, n) == byte_at(b, n)) ++n;
  return n;
}

// memcpy with what may be an empty view, which may point nowhere.
std::byte* append(std::byte* to, Bytes from) noexcept {
  if (!from.empty()) std::memcpy(to, from.data(), from.size());
  return to + from.size();
}

// What all keys of cells [begin, end) share; in an inner node the first cell has no key.
std::size_t shared_prefix(const Cell* begin, const Cell* end, bool leaf) noexcept {
  if (!leaf) ++begin;
  return end - begin < 2 ? 0 : common_prefix(begin->key, (end - 1)->key);
}

}  // namespace

std::uint32_t head_of(Bytes suffix) noexcept {
  if (suffix.size() >= 4) return __builtin_bswap32(base::load<std::uint32_t>(suffix.data()));
  std::uint32_t head = 0;
  for (std::size_t i = 0; i < suffix.size(); ++i) {
    head |= static_cast<std::uint32_t>(static_cast<unsigned char>(suffix[i])) << (24 - 8 * i);
  }
  return head;
}

// --- Search ----------------------------------------------------------------------------------------------------------

NodeSearch NodeView::narrow(Bytes key) const noexcept {
  const NodeHeader node = header();
  const unsigned first = is_leaf() ? 0 : 1;
  const Bytes cut = bytes(node.prefix_offset, node.prefix_size);
  const std::size_t shared = std::min(cut.size(), key.size());
  if (const int order = key.substr(0, shared).compare(cut.substr(0, shared)); order != 0) {
    const unsigned end = order < 0 ? first : node.count;
    return {end, end, 0, {}, true};
  }
  if (key.size() < cut.size()) return {first, first, 0, {}, true};
  const Bytes rest = key.substr(cut.size());
  const std::uint32_t wanted = head_of(rest);
  unsigned low = first, high = std::max<unsigned>(first, node.count);
  if (high > 2 * kHintCount) {
    std::array<std::uint32_t, kHintCount> hints;
    std::memcpy(hints.data(), page_ + kNodeHints, sizeof hints);
    unsigned below = 0, equal_or_below = 0;
    for (unsigned i = 0; i < kHintCount; ++i) {  // four at a time, once compiled
      below += hints[i] < wanted;
      equal_or_below += hints[i] <= wanted;
    }
    const unsigned distance = high / (kHintCount + 1);
    low = std::max(low, below * distance);
    if (equal_or_below < kHintCount) high = (equal_or_below + 1) * distance;
  }
  __builtin_prefetch(page_ + kNodeSlots + low * kSlotSize);
  return {low, high, wanted, rest, false};
}

// Moves `low` to the first slot whose head is not below the wanted one.
void NodeView::locate(NodeSearch& search) const noexcept {
  if (search.is_settled) return;
  unsigned low = search.low, high = search.high;
  while (high - low > kCountedSlots) {
    const unsigned middle = (low + high) / 2;
    (head(middle) < search.wanted ? low : high) = head(middle) < search.wanted ? middle + 1 : middle;
  }
  // A branch for each step would be guessed wrong every other time; counting a few more slots has none.
  unsigned below = 0;
  for (unsigned i = low; i < high; ++i) below += head(i) < search.wanted;
  search.low = low + below;
  search.is_settled = search.low == search.high || head(search.low) != search.wanted;
  if (search.low == count()) return;
  const std::byte* cell = page_ + cell_offset(search.low);
  __builtin_prefetch(cell);
  __builtin_prefetch(cell + value_size(search.low));
}

Position NodeView::settle(const NodeSearch& search) const noexcept {
  unsigned low = search.low;
  if (search.is_settled) return {low, false};
  unsigned high = search.high, middle = low;  // most heads are of one key alone: try the first of them
  while (low < high) {
    const std::uint32_t found = head(middle);
    int order = found < search.wanted ? -1 : found > search.wanted;
    if (order == 0) order = suffix(middle).compare(search.rest);
    if (order == 0) return {middle, true};
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
    middle = (low + high) / 2;
  }
  return {low, false};
}

Position NodeView::lower_bound(Bytes key) const noexcept {
  NodeSearch search = narrow(key);
  locate(search);
  return settle(search);
}

int NodeView::compare(unsigned index, Bytes key) const noexcept {
  const Bytes cut = prefix();
  const int order = cut.compare(key.substr(0, cut.size()));
  return order != 0 ? order : suffix(index).compare(key.substr(cut.size()));
}

unsigned NodeView::child_for(Bytes key) const noexcept { return child_at(lower_bound(key)); }

std::size_t NodeView::cell_size(unsigned index) const noexcept {
  return aligned_cell(value_size(index) + suffix_size(index), is_leaf());
}

std::size_t NodeView::used() const noexcept {
  const NodeHeader node = header();
  const std::size_t heap = page_size_ - format::kPageTrailerSize - node.heap_begin;
  return node.count * kSlotSize + heap - node.dead;
}

// --- Change ----------------------------------------------------------------------------------------------------------

void copy_node_body(std::byte* to, const std::byte* from, std::uint32_t page_size) noexcept {
  const auto node = base::load<NodeHeader>(from + format::kPageHeaderSize);
  const std::size_t end = page_size - format::kPageTrailerSize;
  std::size_t slots_end = kNodeSlots + node.count * kSlotSize;
  std::size_t heap_begin = node.heap_begin;
  if (!is_node(from) || slots_end > heap_begin || heap_begin > end) slots_end = heap_begin = end;
  std::memcpy(to + format::kPageHeaderSize, from + format::kPageHeaderSize, slots_end - format::kPageHeaderSize);
  std::memset(to + slots_end, 0, heap_begin - slots_end);
  std::memcpy(to + heap_begin, from + heap_begin, end - heap_begin);
}

void Node::clear() noexcept {
  std::memset(mutable_page() + format::kPageHeaderSize, 0, kNodeSlots - format::kPageHeaderSize);
  set_header({0, 0, static_cast<std::uint32_t>(page_size_ - format::kPageTrailerSize), 0, 0});
}

std::size_t Node::contiguous() const noexcept {
  const NodeHeader node = header();
  return node.heap_begin - kNodeSlots - node.count * kSlotSize;
}

void Node::make_room(unsigned index) noexcept {
  std::byte* at = mutable_page() + kNodeSlots + index * kSlotSize;
  std::memmove(at + kSlotSize, at, (header().count - index) * kSlotSize);
}

// Takes heap space for a cell and fills slot `index` and the cell. REQUIRES: it fits below the heap.
void Node::write_cell(unsigned index, Bytes suffix_first, Bytes suffix_rest, Bytes value, bool large) noexcept {
  NodeHeader node = header();
  const std::size_t suffix_size = suffix_first.size() + suffix_rest.size();
  const std::size_t size = aligned_cell(value.size() + suffix_size, is_leaf());
  node.heap_begin -= static_cast<std::uint32_t>(size);
  set_header(node);
  std::byte* suffix = append(mutable_page() + node.heap_begin, value);
  std::byte* padding = append(append(suffix, suffix_first), suffix_rest);
  std::memset(padding, 0, size - value.size() - suffix_size);
  std::byte* slot = mutable_page() + kNodeSlots + index * kSlotSize;
  base::store(slot, head_of({reinterpret_cast<const char*>(suffix), suffix_size}));
  base::store(slot + 4, static_cast<std::uint16_t>(node.heap_begin));
  base::store(slot + 6, static_cast<std::uint16_t>(suffix_size | (large ? kLargeFlag : 0)));
  base::store(slot + 8, static_cast<std::uint16_t>(value.size()));
}

void Node::update_hints() noexcept {
  const unsigned slots = count();
  if (slots <= 2 * kHintCount) return;
  const unsigned distance = slots / (kHintCount + 1);
  for (unsigned i = 0; i < kHintCount; ++i) base::store(mutable_page() + kNodeHints + i * 4, head((i + 1) * distance));
}

bool Node::insert(unsigned index, Bytes key, Bytes value, bool large, std::byte* scratch) {
  const Bytes cut = prefix();
  std::size_t shared = 0;
  while (shared < cut.size() && shared < key.size() && cut[shared] == key[shared]) ++shared;
  const std::size_t cell = aligned_cell(value.size() + key.size() - shared, is_leaf());
  if (shared < cut.size()) {
    // A key outside the common prefix: every other suffix grows by what is no longer shared.
    const std::size_t growth = (cut.size() - shared + 7) * count();
    if (used() + growth + cell + kSlotSize > node_capacity(page_size_) || !rebuild_with(shared, scratch)) return false;
  }
  if (contiguous() < cell + kSlotSize) {
    if (used() + cell + kSlotSize > node_capacity(page_size_)) return false;
    if (!rebuild_with(prefix().size(), scratch)) return false;
  }
  make_room(index);
  write_cell(index, key.substr(shared), {}, value, large);
  NodeHeader node = header();
  ++node.count;
  set_header(node);
  update_hints();
  return true;
}

void Node::remove(unsigned index) noexcept {
  NodeHeader node = header();
  node.dead += static_cast<std::uint32_t>(cell_size(index));
  --node.count;
  std::byte* at = mutable_page() + kNodeSlots + index * kSlotSize;
  std::memmove(at, at + kSlotSize, (node.count - index) * kSlotSize);
  if (!is_leaf() && index == 0 && node.count > 0) {
    // The new first child takes over "everything below": its separator goes.
    const std::size_t before = cell_size(0);
    std::byte* slot = mutable_page() + kNodeSlots;
    base::store(slot, std::uint32_t{0});
    base::store(slot + 6, std::uint16_t{0});
    node.dead += static_cast<std::uint32_t>(before - cell_size(0));
  }
  set_header(node);
  update_hints();
}

bool Node::replace(unsigned index, Bytes value, bool large, std::byte* scratch) {
  const bool same_size = value.size() == value_size(index);
  if (same_size) {
    append(mutable_page() + cell_offset(index), value);
    const auto flags = static_cast<std::uint16_t>(suffix_size(index) | (large ? kLargeFlag : 0));
    base::store(mutable_page() + kNodeSlots + index * kSlotSize + 6, flags);
    return true;
  }
  if (used() - value_size(index) + value.size() > node_capacity(page_size_)) return false;
  const std::size_t cell = aligned_cell(value.size() + suffix_size(index), is_leaf());
  if (contiguous() < cell && used() + cell <= node_capacity(page_size_)) rebuild_with(prefix().size(), scratch);
  if (contiguous() >= cell) {
    NodeHeader node = header();
    node.dead += static_cast<std::uint32_t>(cell_size(index));
    set_header(node);
    write_cell(index, suffix(index), {}, value, large);
    return true;
  }
  // Only the space of the old cell makes room for the new one.
  std::string key;
  this->key(index).append_to(key);
  remove(index);
  const bool fits = insert(index, key, value, large, scratch);
  VITRINE_ASSERT(fits);
  return true;
}

// Rewrites all cells under a prefix of `prefix_size` bytes (at most the present one), without dead bytes.
bool Node::rebuild_with(std::size_t prefix_size, std::byte* scratch) noexcept {
  std::memcpy(scratch, page_, page_size_);
  const NodeView old(scratch, page_size_);
  const unsigned slots = old.count();
  const std::size_t first = is_leaf() ? 0 : 1;
  const Bytes cut = old.prefix();
  std::size_t need = aligned_cell(prefix_size, is_leaf());
  for (unsigned i = 0; i < slots; ++i) {
    const std::size_t longer = i < first ? 0 : cut.size() - prefix_size;
    need += kSlotSize + aligned_cell(old.value(i).size() + old.suffix(i).size() + longer, is_leaf());
  }
  if (need > node_capacity(page_size_)) return false;
  clear();
  NodeHeader node = header();
  if (prefix_size > 0) {
    node.heap_begin -= static_cast<std::uint32_t>(aligned_cell(prefix_size, is_leaf()));
    node.prefix_offset = node.heap_begin;
    node.prefix_size = static_cast<std::uint16_t>(prefix_size);
    std::memset(mutable_page() + node.heap_begin, 0, aligned_cell(prefix_size, is_leaf()));
    std::memcpy(mutable_page() + node.heap_begin, cut.data(), prefix_size);
  }
  node.count = static_cast<std::uint16_t>(slots);
  set_header(node);
  for (unsigned i = 0; i < slots; ++i) {
    const Bytes longer = i < first ? Bytes{} : cut.substr(prefix_size);
    write_cell(i, longer, old.suffix(i), old.value(i), old.is_large(i));
  }
  update_hints();
  return true;
}

std::size_t size_of_cells(const Cell* begin, const Cell* end, bool leaf) noexcept {
  const std::size_t cut = shared_prefix(begin, end, leaf);
  std::size_t size = aligned_cell(cut, leaf);
  for (const Cell* cell = begin; cell != end; ++cell) {
    const bool keyless = !leaf && cell == begin;
    size += kSlotSize + aligned_cell(cell->value.size() + (keyless ? 0 : cell->key.size() - cut), leaf);
  }
  return size;
}

CellSizes::CellSizes(const std::vector<Cell>& cells, bool leaf) : cells_(cells), leaf_(leaf), sums_(cells.size() + 1) {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    sums_[i + 1] = sums_[i] + kSlotSize + cells[i].value.size() + cells[i].key.size();
  }
}

std::size_t CellSizes::of(std::size_t begin, std::size_t end) const noexcept {
  const Cell* const all = cells_.data();
  if (!leaf_) return size_of_cells(all + begin, all + end, false);
  const std::size_t cut = shared_prefix(all + begin, all + end, true);
  return sums_[end] - sums_[begin] - (end - begin) * cut + cut;
}

std::size_t CellSizes::middle() const noexcept {
  const std::size_t count = cells_.size();
  const std::size_t cut = shared_prefix(cells_.data(), cells_.data() + count, leaf_);
  std::size_t low = 1, high = count - 1;
  while (low < high) {
    const std::size_t index = (low + high) / 2;
    const bool is_below = 2 * (sums_[index] - index * cut) < sums_[count] - count * cut;
    (is_below ? low : high) = is_below ? index + 1 : index;
  }
  return low;
}

void Node::assign(const Cell* begin, const Cell* end) noexcept {
  clear();
  const std::size_t cut = shared_prefix(begin, end, is_leaf());
  NodeHeader node = header();
  if (cut > 0) {
    const Cell& sample = *(end - 1);
    const std::size_t place = aligned_cell(cut, is_leaf());
    node.heap_begin -= static_cast<std::uint32_t>(place);
    node.prefix_offset = node.heap_begin;
    node.prefix_size = static_cast<std::uint16_t>(cut);
    std::byte* to = mutable_page() + node.heap_begin;
    std::memset(to, 0, place);
    for (std::size_t i = 0; i < cut; ++i) to[i] = static_cast<std::byte>(byte_at(sample.key, i));
  }
  node.count = static_cast<std::uint16_t>(end - begin);
  set_header(node);
  for (const Cell* cell = begin; cell != end; ++cell) {
    const auto index = static_cast<unsigned>(cell - begin);
    if (index == 0 && !is_leaf()) {
      write_cell(index, {}, {}, cell->value, cell->large);
      continue;
    }
    const SplitKey& key = cell->key;
    const std::size_t from_prefix = std::min(cut, key.prefix.size());
    write_cell(index, key.prefix.substr(from_prefix), key.suffix.substr(cut - from_prefix), cell->value, cell->large);
  }
  update_hints();
}

bool is_less(const SplitKey& left, const SplitKey& right) noexcept {
  const std::size_t shared = common_prefix(left, right);
  if (shared == right.size()) return false;
  return shared == left.size() ||
         static_cast<unsigned char>(byte_at(left, shared)) < static_cast<unsigned char>(byte_at(right, shared));
}

std::string shortest_separator(const SplitKey& left, const SplitKey& right) {
  const std::size_t shared = common_prefix(left, right);
  VITRINE_ASSERT(shared < right.size());
  std::string separator;
  separator.reserve(shared + 1);
  right.append_to(separator);
  separator.resize(shared + 1);
  return separator;
}

}  // namespace vitrine::tree
