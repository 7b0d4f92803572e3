// SPDX-License-Identifier: MIT OR Apache-2.0
// The way of the map to the disk and back.
//
// A map page has to describe itself: its own page is allocated, the one it replaces no longer is, and both facts may
// lie in leaves that were clean. freeze() therefore goes in rounds: detach the pages of all stale places, find new
// pages for them, and again, until a round changes nothing. It ends because a place is detached and filled at most
// once.
#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "base/assert.hpp"
#include "base/try.hpp"
#include "format/meta.hpp"
#include "space/space_map.hpp"

namespace vitrine::space {

namespace {

Status malformed(PageNo page, std::string_view reason) {
  return Status::error(ErrorCode::PageMalformed).with("page", page).with("reason", reason);
}

}  // namespace

// --- Reading ---------------------------------------------------------------------------------------------------------

Status SpaceMap::load(const PageRef& root, std::uint64_t page_count, const Read& read) {
  if (root.is_null()) {
    reset(page_count);
    return {};
  }
  clear_to(page_count);
  if (root.page() >= page_count) return malformed(root.page(), "map page past the end of the file");
  std::vector<std::byte> image(shape_.page_size());
  CHECK(read(root, image.data()));
  const std::uint8_t level = TRY(map_level(shape_, image.data()));
  CHECK(load_node(root, {level, 0}, image.data(), read));
  allocated_count_ = allocated_.count();
  return check_loaded();
}

Status SpaceMap::load_node(const PageRef& ref, MapNode node, const std::byte* image, const Read& read) {
  make_node(node);
  ref_at(node) = ref;
  return node.level == 0 ? load_leaf(ref, node, image) : load_children(ref, node, image, read);
}

Status SpaceMap::load_leaf(const PageRef& ref, MapNode node, const std::byte* image) {
  const std::vector<std::uint64_t> bits = TRY(decode_map_leaf(shape_, node.index, image));
  const std::uint64_t begin = node.index * shape_.span(0);
  const std::uint64_t here = std::min(shape_.span(0), page_count() - begin);
  for (std::uint64_t at = 0; at < shape_.span(0); at += PageBitmap::kWordBits) {
    const std::uint64_t word = bits[at / PageBitmap::kWordBits];
    const bool is_whole = at + PageBitmap::kWordBits <= here;
    const std::uint64_t past = is_whole ? 0 : at >= here ? word : word >> (here - at);
    if (past != 0) return malformed(ref.page(), "allocated page past the end of the file");
    if (at < here) allocated_.words()[(begin + at) / PageBitmap::kWordBits] = word;
  }
  return {};
}

Status SpaceMap::load_children(const PageRef& ref, MapNode node, const std::byte* image, const Read& read) {
  const std::vector<PageRef> refs = TRY(decode_map_inner(shape_, node, image));
  const auto child_level = static_cast<std::uint8_t>(node.level - 1);
  std::vector<std::byte> child_image(shape_.page_size());
  for (std::uint64_t i = 0; i < refs.size(); ++i) {
    if (refs[i].is_null()) continue;
    const MapNode child{child_level, node.index * shape_.fanout() + i};
    const bool is_in_file = refs[i].page() < page_count() && child.index * shape_.span(child_level) < page_count();
    if (!is_in_file) return malformed(ref.page(), "map page past the end of the file");
    CHECK(read(refs[i], child_image.data()));
    CHECK(load_node(refs[i], child, child_image.data(), read));
  }
  return {};
}

// The map must know at least the header and itself to be in use.
Status SpaceMap::check_loaded() const {
  Status status;
  for (PageNo page = 0; page < format::first_page(shape_.page_size()); ++page) {
    if (!is_allocated(page)) status = malformed(page, "header page is free in the map");
  }
  each_map_page([&](const PageRef& ref) {
    const bool is_header = ref.page() < format::first_page(shape_.page_size());
    if (is_header || !is_allocated(ref.page())) status = malformed(ref.page(), "map page where none can be");
  });
  return status;
}

// --- Writing ---------------------------------------------------------------------------------------------------------

void SpaceMap::make_node(MapNode node) {
  if (levels_.size() <= node.level) levels_.resize(node.level + std::size_t{1});
  auto& level = levels_[node.level];
  if (level.size() <= node.index) level.resize(node.index + 1);
}

bool SpaceMap::is_leaf_empty(std::uint64_t index) const noexcept {
  return !allocated_.any(index * shape_.span(0), shape_.span(0));
}

bool SpaceMap::has_children(MapNode node) const noexcept {
  const auto& below = levels_[node.level - std::size_t{1}];
  const std::uint64_t begin = std::min<std::uint64_t>(node.index * shape_.fanout(), below.size());
  const std::uint64_t end = std::min<std::uint64_t>(begin + shape_.fanout(), below.size());
  const auto first = below.begin() + static_cast<std::ptrdiff_t>(begin);
  return std::any_of(first, below.begin() + static_cast<std::ptrdiff_t>(end),
                     [](const PageRef& ref) { return !ref.is_null(); });
}

// Does the page on disk at this place, if any, differ from what belongs there?
bool SpaceMap::is_stale(MapNode node, const FrozenMap& frozen) const noexcept {
  const bool has_page = !levels_[node.level][node.index].is_null();
  if (node.index >= shape_.nodes(node.level, page_count())) return has_page;  // the file is shorter now
  if (node.level == 0) return dirty_[node.index] && (has_page || !is_leaf_empty(node.index));
  const auto below = static_cast<std::uint8_t>(node.level - 1);
  const auto changed = frozen.changes.lower_bound({below, node.index * shape_.fanout()});
  const bool is_child_changed = changed != frozen.changes.end() && changed->first.level == below &&
                                changed->first.index < (node.index + 1) * shape_.fanout();
  return is_child_changed || (!has_page && has_children(node));
}

// Gives up the pages of all stale places. Says whether there were any.
bool SpaceMap::detach_stale(FrozenMap& frozen) {
  const std::uint8_t top = shape_.top(page_count());
  for (std::uint8_t level = 0; level <= top; ++level) make_node({level, shape_.nodes(level, page_count()) - 1});
  bool any = false;
  for (std::uint8_t level = 0; level < levels_.size(); ++level) {
    for (std::uint64_t index = 0; index < levels_[level].size(); ++index) {
      const MapNode node{level, index};
      if (frozen.changes.contains(node) || !is_stale(node, frozen)) continue;
      const PageRef before = ref_at(node);
      frozen.changes.emplace(node, FrozenMap::Change{before, {}});
      ref_at(node) = {};
      if (!before.is_null()) hold(before.page());
      any = true;
    }
  }
  return any;
}

// Allocates pages for the detached places that need one. Says whether there were any.
Result<bool> SpaceMap::place_detached(FrozenMap& frozen, const Identify& identify) {
  bool any = false;
  for (auto& [node, change] : frozen.changes) {
    if (!change.after.is_null() || node.index >= shape_.nodes(node.level, page_count())) continue;
    if (node.level == 0 ? is_leaf_empty(node.index) : !has_children(node)) continue;
    const PageNo page = TRY(allocate());
    change.after.where = page;  // known to undo() from here on
    change.after = identify(page);
    VITRINE_ASSERT(change.after.page() == page);
    ref_at(node) = change.after;
    any = true;
  }
  return any;
}

Result<FrozenMap> SpaceMap::freeze(const Identify& identify) {
  struct Guard {
    SpaceMap& map;
    FrozenMap frozen;
    bool is_done = false;
    ~Guard() {
      if (!is_done) map.undo(frozen);
    }
  } guard{*this, {}};
  FrozenMap& frozen = guard.frozen;
  for (bool is_stable = false; !is_stable;) {
    const bool any_detached = detach_stale(frozen);
    const bool any_placed = TRY(place_detached(frozen, identify));
    is_stable = !any_detached && !any_placed;
  }
  for (const auto& [node, change] : frozen.changes) {
    if (!change.after.is_null()) frozen.pages.push_back(image_of(node));
    if (!change.before.is_null()) frozen.retired.push_back(change.before);
  }
  frozen.root = ref_at({shape_.top(page_count()), 0});
  frozen.page_count = page_count();
  std::fill(dirty_.begin(), dirty_.end(), false);
  guard.is_done = true;
  return std::move(frozen);
}

// A page of the map is never older than those below it: with every old leaf, every old page above is written.
std::uint64_t SpaceMap::renew(format::Version until) {
  std::uint64_t count = 0;
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    for (std::size_t index = 0; index < levels_[level].size(); ++index) {
      const PageRef& ref = levels_[level][index];
      if (ref.is_null() || ref.generation.version() > until) continue;
      if (level == 0 && index < dirty_.size()) dirty_[index] = true;
      ++count;
    }
  }
  return count;
}

void SpaceMap::unfreeze(const FrozenMap& frozen) noexcept {
  for (const auto& [node, change] : frozen.changes) VITRINE_ASSERT(ref_at(node).same(change.after));
  undo(frozen);
}

// Puts back what detach_stale() and place_detached() did. The leaves are dirty again because their places are.
void SpaceMap::undo(const FrozenMap& frozen) noexcept {
  for (const auto& [node, change] : frozen.changes) {
    ref_at(node) = change.before;
    if (!change.before.is_null()) unhold(change.before.page());
    if (!change.after.is_null()) free_now(change.after.page());
    if (node.level == 0) dirty_[node.index] = true;
  }
}

MapPage SpaceMap::image_of(MapNode node) const {
  MapPage page{levels_[node.level][node.index], format::PageType::MapLeaf, {}};
  page.image.resize(shape_.page_size());
  if (node.level == 0) {
    const std::size_t words = shape_.span(0) / PageBitmap::kWordBits;
    const auto all = allocated_.words();
    const auto bits = all.subspan(node.index * words);
    encode_map_leaf(shape_, page.ref, node.index, bits.first(std::min(words, bits.size())), page.image.data());
    return page;
  }
  page.type = format::PageType::MapInner;
  const std::span<const PageRef> below = levels_[node.level - std::size_t{1}];
  const auto refs = below.subspan(node.index * shape_.fanout());
  encode_map_inner(shape_, page.ref, node, refs.first(std::min<std::size_t>(shape_.fanout(), refs.size())),
                   page.image.data());
  return page;
}

}  // namespace vitrine::space
