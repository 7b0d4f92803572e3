// SPDX-License-Identifier: MIT OR Apache-2.0
// Checks a node once, as it comes in from the file, so strictly that everything else can do without checks: whatever
// passes can be searched, changed and split without leaving the page and without an assertion.
#include <algorithm>
#include <array>
#include <cstring>

#include "base/try.hpp"
#include "tree/node.hpp"

namespace vitrine::tree {
namespace {

Status broken(const char* what) { return Status::error(ErrorCode::PageMalformed, what); }

}  // namespace

// One bit for each byte of the page: what some cell has already.
class NodeView::TakenBytes {
 public:
  explicit TakenBytes(std::uint32_t page_size) noexcept { std::fill_n(words_.begin(), page_size / 64, 0); }

  // False when a byte of [begin, begin + size) is taken. REQUIRES: inside the page.
  bool take(std::size_t begin, std::size_t size) noexcept {
    const std::size_t end = begin + size;
    while (begin < end) {
      const std::size_t bit = begin % 64;
      const std::size_t count = std::min(end - begin, 64 - bit);
      const std::uint64_t mask = (~std::uint64_t{0} >> (64 - count)) << bit;
      std::uint64_t& word = words_[begin / 64];
      if ((word & mask) != 0) return false;
      word |= mask;
      begin += count;
    }
    return true;
  }

 private:
  std::array<std::uint64_t, format::kPageSizeMax / 64> words_;  // only those of the page are set
};

Status NodeView::validate_slot(unsigned index, TakenBytes& taken) const {
  const std::size_t heap_end = page_size_ - format::kPageTrailerSize;
  const std::size_t begin = cell_offset(index);
  const std::size_t key_size = prefix_of(index).size() + suffix_size(index);
  if (begin < header().heap_begin || begin + cell_size(index) > heap_end) return broken("a cell lies outside the heap");
  if (!taken.take(begin, cell_size(index))) return broken("two cells share a byte");
  if (key_size > tree_key_max(page_size_) || kSlotSize + key_size + value_size(index) > cell_max(page_size_)) {
    return broken("an entry is larger than any may be");
  }
  if ((slot<std::uint16_t>(index, 6) & ~(kLargeFlag | kSuffixMask)) != 0) return broken("a slot has an unknown flag");
  if (head(index) != head_of(suffix(index))) return broken("a key head differs from its key");
  if (is_leaf()) {
    if (is_large(index) && value_size(index) != 40) return broken("a large value has a descriptor of another size");
  } else {
    const bool is_reference = !is_large(index) && value_size(index) == sizeof(PageRef) && begin % 8 == 0;
    if (!is_reference || child(index).is_null()) return broken("not a child reference");
    if (index == 0 && suffix_size(0) != 0) return broken("the first separator is not empty");
  }
  const unsigned first = is_leaf() ? 0 : 1;
  if (index > first) {
    const auto order = head(index - 1) <=> head(index);
    if (order > 0 || (order == 0 && suffix(index - 1) >= suffix(index))) return broken("keys are not in order");
  }
  return {};
}

Status NodeView::validate() const {
  const NodeHeader node = header();
  const std::size_t heap_end = page_size_ - format::kPageTrailerSize;
  if (kNodeSlots + node.count * kSlotSize > node.heap_begin || node.heap_begin > heap_end) {
    return broken("slots and heap overlap");
  }
  if (node.count == 0) return broken("an empty node");
  TakenBytes taken(page_size_);
  const std::size_t prefix_space = is_leaf() ? node.prefix_size : (node.prefix_size + std::size_t{7}) / 8 * 8;
  if (node.prefix_size == 0) {
    if (node.prefix_offset != 0) return broken("an empty prefix has a place");
  } else if (node.prefix_offset < node.heap_begin || node.prefix_offset + prefix_space > heap_end) {
    return broken("the prefix lies outside the heap");
  }
  taken.take(node.prefix_offset, prefix_space);
  std::size_t live = prefix_space;
  for (unsigned i = 0; i < node.count; ++i) {
    if (Status status = validate_slot(i, taken); !status.is_ok()) return status.with("slot", i);
    live += cell_size(i);
  }
  if (live + node.dead != heap_end - node.heap_begin) return broken("the heap does not add up");
  return validate_hints();
}

Status NodeView::validate_hints() const {
  if (count() <= 2 * kHintCount) return {};
  const unsigned distance = count() / (kHintCount + 1);
  for (unsigned i = 0; i < kHintCount; ++i) {
    if (base::load<std::uint32_t>(page_ + kNodeHints + i * 4) != head((i + 1) * distance)) {
      return broken("a search hint is wrong");
    }
  }
  return {};
}

Status validate_page(const std::byte* page, std::uint32_t page_size) {
  const auto header = base::load<format::PageHeader>(page);
  const NodeView node(page, page_size);
  const auto in_page = [&](const Status& status) { return status.with("page", header.page); };
  switch (header.type) {
    case format::PageType::Leaf:
      return in_page(header.level == 0 ? node.validate() : broken("a leaf above level 0"));
    case format::PageType::Inner:
      return in_page(header.level > 0 ? node.validate() : broken("an inner node at level 0"));
    case format::PageType::Extent:
    case format::PageType::ExtentList:
    case format::PageType::MapLeaf:
    case format::PageType::MapInner:
      return {};  // their readers check them
  }
  return in_page(broken("an unknown page type"));
}

}  // namespace vitrine::tree
