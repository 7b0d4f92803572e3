// SPDX-License-Identifier: MIT OR Apache-2.0
// Arbitrary bytes as a page, as if its checksum had held. Checked: validate_page() does not crash; what it accepts can
// be searched, walked, changed and split, and stays valid.
//
// Input: 1 byte that says what to repair first, so that inputs get past the first checks (1 heads, 2 hints, 4 dead
// bytes, 8 a small node instead of a raw page); then the page, or for a small node a row of {key size, value size / 4,
// key}.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tree/node.hpp"

namespace vitrine::tree {
namespace {

constexpr std::uint32_t kPageSize = 4096;

void require(bool holds) {
  if (!holds) std::abort();
}

// Opens up what is protected, to repair raw pages.
class RawNode : public NodeView {
 public:
  explicit RawNode(std::vector<std::byte>& page) : NodeView(page.data(), kPageSize), bytes_(page) {}

  void repair(unsigned what) {
    const std::size_t heap_end = kPageSize - format::kPageTrailerSize;
    const NodeHeader node = header();
    if (kNodeSlots + node.count * kSlotSize > node.heap_begin || node.heap_begin > heap_end) return;
    std::size_t live = is_leaf() ? node.prefix_size : (node.prefix_size + 7u) / 8 * 8;
    for (unsigned i = 0; i < node.count; ++i) {
      if (cell_offset(i) + cell_size(i) > heap_end) return;
      if ((what & 1) != 0) base::store(bytes_.data() + kNodeSlots + i * kSlotSize, head_of(suffix(i)));
      live += cell_size(i);
    }
    if ((what & 4) != 0) base::store(bytes_.data() + 40, static_cast<std::uint32_t>(heap_end - node.heap_begin - live));
    if ((what & 2) == 0 || node.count <= 2 * kHintCount) return;
    const unsigned distance = node.count / (kHintCount + 1);
    for (unsigned i = 0; i < kHintCount; ++i) base::store(bytes_.data() + kNodeHints + i * 4, head((i + 1) * distance));
  }

 private:
  std::vector<std::byte>& bytes_;
};

std::string key_of(const NodeView& node, unsigned index) {
  std::string key;
  node.key(index).append_to(key);
  return key;
}

void look_up_all(const NodeView& node) {
  std::string before;
  for (unsigned i = 0; i < node.count(); ++i) {
    const std::string key = key_of(node, i);
    require(i == 0 || before < key);
    if (node.is_leaf()) {
      const Position at = node.lower_bound(key);
      require(at.exact && at.index == i);
      require(node.lower_bound(key + '\0').index == i + 1);
    } else {
      require(node.child_for(key) == i && node.child_for(key + '\0') == i);
    }
    before = key;
  }
}

void require_valid(const NodeView& node) {
  require(node.count() == 0 || node.validate().is_ok());
  look_up_all(node);
}

// As the tree splits: somewhere two halves fit, whatever the new cell is.
void split(const NodeView& node, unsigned index, Bytes key, Bytes value) {
  std::vector<Cell> cells;
  for (unsigned i = 0; i < node.count(); ++i) cells.push_back({node.key(i), node.value(i), node.is_large(i)});
  cells.insert(cells.begin() + index, Cell{{{}, key}, value, false});
  const Cell* begin = cells.data();
  const Cell* end = begin + cells.size();
  const Cell* middle = begin + 1;
  const auto fits = [&](const Cell* from, const Cell* to) {
    return size_of_cells(from, to, node.is_leaf()) <= node_capacity(kPageSize);
  };
  while (middle < end && !(fits(begin, middle) && fits(middle, end))) ++middle;
  require(middle < end);
  for (const auto& [from, to] : {std::pair(begin, middle), std::pair(middle, end)}) {
    std::vector<std::byte> half(node.page(), node.page() + kPageSize);
    Node(half.data(), kPageSize).assign(from, to);
    require_valid(NodeView(half.data(), kPageSize));
  }
}

void change(std::vector<std::byte> page, unsigned dice) {
  std::vector<std::byte> scratch(kPageSize);
  Node node(page.data(), kPageSize);
  const unsigned at = dice % node.count();
  std::string key = key_of(node, at);
  if (key.size() < tree_key_max(kPageSize)) {
    key.push_back('\0');
    const PageRef child{1, {1}, 1};
    const std::string value = node.is_leaf() ? std::string(dice % 300, 'v')
                                             : std::string(reinterpret_cast<const char*>(&child), sizeof child);
    const bool is_new = at + 1 == node.count() || key_of(node, at + 1) != key;
    if (is_new && !node.insert(at + 1, key, value, false, scratch.data())) split(node, at + 1, key, value);
    require_valid(node);
  }
  if (node.is_leaf()) (void)node.replace(at, std::string(dice % 100, 'r'), false, scratch.data());
  require_valid(node);
  while (node.count() > 0) {
    node.remove(dice % node.count());
    if (node.count() % 8 == 0) require_valid(node);
  }
}

void build(std::vector<std::byte>& page, const std::uint8_t* data, std::size_t size) {
  std::vector<std::byte> scratch(kPageSize);
  Node node(page.data(), kPageSize);
  node.clear();
  while (size >= 2) {
    const std::size_t key_size = std::min<std::size_t>(data[0], size - 2);
    const Bytes key(reinterpret_cast<const char*>(data + 2), key_size);
    const Position at = node.lower_bound(key);
    const std::string value(data[1] * 4u, 'v');
    if (!at.exact && !node.insert(at.index, key, value, false, scratch.data())) return;
    data += 2 + key_size;
    size -= 2 + key_size;
  }
}

void run(const std::uint8_t* data, std::size_t size) {
  const unsigned what = data[0];
  std::vector<std::byte> page(kPageSize);
  if ((what & 8) != 0) {
    page[0] = std::byte{1};
    build(page, data + 1, size - 1);
  } else {
    std::memcpy(page.data(), data + 1, std::min<std::size_t>(size - 1, kPageSize));
    RawNode(page).repair(what);
  }
  if (!validate_page(page.data(), kPageSize).is_ok()) {
    require((what & 8) == 0 || NodeView(page.data(), kPageSize).count() == 0);
    return;
  }
  if (std::to_integer<unsigned>(page[0]) > 2) return;  // not a node
  look_up_all(NodeView(page.data(), kPageSize));
  change(page, static_cast<unsigned>(size * 31 + data[size / 2]));
}

}  // namespace
}  // namespace vitrine::tree

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0) vitrine::tree::run(data, size);
  return 0;
}
