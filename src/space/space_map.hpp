// SPDX-License-Identifier: MIT OR Apache-2.0
// Which pages of the file are allocated, held, or free. Knows numbers; must not know what a page means.
//
//   free ------allocate------> allocated ------hold------> held ------release------> free
//    |                             |  ^---------unhold-------'^
//    |                             '--free_now--> free        |
//    '--------------------------hold_free---------------------'
//
// Allocated: part of the working version of the tree. Held: no longer part of it, but a snapshot or the durable
// checkpoint may still read it. Both are kept in memory, one bit each; on disk stands exactly the allocated set of a
// checkpoint, in map pages (map_page.hpp). The checker demands: map == reachable pages.
//
// Only map pages whose range changed since the last freeze(), and the path above them, are written again. A file whose
// bits fit into one MapLeaf has that leaf as its whole map.
//
// Growth: by 1/8 of the file, at least 16 pages, at most 64 MiB; by exactly what is needed when that much does not fit
// on the disk. A search that would take too long takes pages off the end instead, and if there is no room either, it
// goes on to the end after all: no free page is refused.
//
// Threads: used by one thread at a time (the writer); the counters may be read by any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "format/page.hpp"
#include "space/free_finder.hpp"
#include "space/map_page.hpp"
#include "space/page_bitmap.hpp"
#include "vitrine/status.hpp"

namespace vitrine::space {

// One sealed-to-be map page: its ref and its body, ready to be written by the caller.
struct MapPage {
  PageRef ref;
  format::PageType type = format::PageType::MapLeaf;
  std::vector<std::byte> image;  // page_size bytes; header filled, trailer not
};

struct FrozenMap {
  // What freeze() did to one place of the map; kept for unfreeze(). A null ref: no page there.
  struct Change {
    PageRef before;
    PageRef after;
  };

  PageRef root;
  std::uint64_t page_count = 0;  // of the file at this moment; belongs into the checkpoint together with `root`
  std::vector<MapPage> pages;    // to be written before `root` may be named by a checkpoint
  std::vector<PageRef> retired;  // map pages this one replaces; held, to be released when the checkpoint is durable
  std::map<MapNode, Change> changes;
};

class SpaceMap {
 public:
  // Makes the file at least `page_count` pages long, with real disk space behind them. Called before page numbers at
  // the end of the file are handed out. Errors go back to allocate().
  using Grow = std::function<Status(std::uint64_t page_count)>;
  // Fills a buffer of one page with the verified content of a ref.
  using Read = std::function<Status(const PageRef& ref, std::byte* image)>;
  // Draws the identity of a new map page at a given page number.
  using Identify = std::function<PageRef(PageNo page)>;

  SpaceMap(std::uint32_t page_size, Grow grow);
  SpaceMap(const SpaceMap&) = delete;
  SpaceMap& operator=(const SpaceMap&) = delete;

  // An empty file of `page_count` pages, the header pages allocated.
  void reset(std::uint64_t page_count);

  // Reads a map from disk; a null root is the map of an empty file. Takes memory of page_count / 4 bits and more, so
  // `page_count` must have been compared with the size of the file. Errors: what `read` returns, PageMalformed; then
  // the map is of no use until the next reset() or load().
  Status load(const PageRef& root, std::uint64_t page_count, const Read& read);

  // `count` free pages in a row: one freed of late, or the lowest cheap to find. Errors: of Grow, SpaceExhausted.
  Result<PageNo> allocate(std::uint32_t count = 1);
  // The lowest `count` consecutive free pages that end at or before `limit`, or nothing. For compaction.
  std::optional<PageNo> allocate_below(PageNo limit, std::uint32_t count = 1);

  // Each requires, checked, that all pages are in the state named first.
  void free_now(PageNo page, std::uint32_t count = 1);  // allocated -> free: nobody can know it
  void hold(PageNo page, std::uint32_t count = 1);      // allocated -> held
  void unhold(PageNo page, std::uint32_t count = 1);    // held -> allocated (rollback)
  void release(PageNo page, std::uint32_t count = 1);   // held -> free

  // Every free page of the file becomes held: somebody of whom the map knows nothing may still read it. Returns them,
  // as runs that are neither empty nor adjacent.
  struct Run {
    PageNo page = 0;
    std::uint64_t count = 0;
  };
  std::vector<Run> hold_free();

  // Puts the allocated set of this moment, its own new pages included, into page images. Pages of the old map that are
  // not part of the new one are held on return. Allocates pages, so it may fail like allocate(); then nothing has
  // changed, except that the file may have grown.
  Result<FrozenMap> freeze(const Identify& identify);
  // The next freeze() writes every page of the map anew that is of a version up to `until`. Returns how many are.
  std::uint64_t renew(format::Version until);
  // After the frozen map's pages could not be written, and before another freeze(): the map on disk is again the one
  // before. The new pages become free, the retired ones allocated; the next freeze() writes all that this one covered.
  void unfreeze(const FrozenMap& frozen) noexcept;

  // Cuts free pages off the end; returns the new page count. The caller shortens the file once that is durable.
  std::uint64_t trim_end() noexcept;

  bool is_allocated(PageNo page) const noexcept { return allocated_.test(page); }
  bool is_held(PageNo page) const noexcept { return held_.test(page); }
  // Of the file, header pages included.
  std::uint64_t page_count() const noexcept { return page_count_.load(std::memory_order_relaxed); }
  // Header pages included.
  std::uint64_t allocated_count() const noexcept { return allocated_count_.load(std::memory_order_relaxed); }
  std::uint64_t held_count() const noexcept { return held_count_.load(std::memory_order_relaxed); }
  // Never below zero, but of several moments when another thread asks.
  std::uint64_t free_count() const noexcept;

  // How the free pages lie. Looks at every bit: for moments when nobody allocates, and not for each call.
  struct FreeShape {
    std::uint64_t pages = 0, runs = 0, largest_run = 0;
  };
  FreeShape free_shape() const noexcept;

  // Every ref of the current on-disk map, root first. For the checker.
  void each_map_page(const std::function<void(const PageRef&)>& visit) const;

 private:
  using Counter = std::atomic<std::uint64_t>;

  void clear_to(std::uint64_t page_count);
  Status grow_for(std::uint64_t needed);
  Status grow_to(std::uint64_t page_count);
  void make_room(std::uint64_t page_count);
  void take(PageNo page, std::uint64_t count) noexcept;
  void remember(PageNo page, std::uint32_t count) noexcept;
  std::optional<PageNo> take_recent() noexcept;
  void mark_dirty(PageNo page, std::uint64_t count) noexcept;

  Status load_node(const PageRef& ref, MapNode node, const std::byte* image, const Read& read);
  Status load_leaf(const PageRef& ref, MapNode node, const std::byte* image);
  Status load_children(const PageRef& ref, MapNode node, const std::byte* image, const Read& read);
  Status check_loaded() const;

  PageRef& ref_at(MapNode node) noexcept { return levels_[node.level][node.index]; }
  void make_node(MapNode node);
  bool is_leaf_empty(std::uint64_t index) const noexcept;
  bool has_children(MapNode node) const noexcept;
  bool is_stale(MapNode node, const FrozenMap& frozen) const noexcept;
  bool detach_stale(FrozenMap& frozen);
  Result<bool> place_detached(FrozenMap& frozen, const Identify& identify);
  void undo(const FrozenMap& frozen) noexcept;
  MapPage image_of(MapNode node) const;

  const MapShape shape_;
  const Grow grow_;
  PageBitmap allocated_;  // both at least page_count_ bits long
  PageBitmap held_;
  FreeFinder finder_{allocated_, held_};
  // Pages that became free last, newest at the end; may name pages that were taken since. Where each commit frees some
  // pages and takes as many, a search from the lowest free page would look at the whole map again and again.
  std::array<PageNo, 256> recent_{};
  std::size_t recent_count_ = 0;
  std::vector<std::vector<PageRef>> levels_;  // the map on disk: [level][index]; never shrinks, null where no page is
  std::vector<bool> dirty_;                   // leaves that differ from the map on disk
  Counter page_count_ = 0;
  Counter allocated_count_ = 0;
  Counter held_count_ = 0;
};

}  // namespace vitrine::space
