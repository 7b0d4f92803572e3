// SPDX-License-Identifier: MIT OR Apache-2.0
// Which pages of the file are allocated, held, or free. Knows numbers; must not know what a page means.
//
//   free ------allocate------> allocated ------hold------> held ------release------> free
//                                  |  ^---------unhold-------'
//                                  '--free_now--> free
//
// Allocated: part of the working version of the tree. Held: no longer part of it, but a snapshot or the durable
// checkpoint may still read it. Both are kept in memory, one bit each; on disk stands exactly the allocated set of a
// checkpoint, in map pages (format/page.hpp MapLeaf, MapInner). The checker demands: map == reachable pages.
//
// Map on disk: a root MapInner page with refs of MapInner pages, with refs of MapLeaf pages; each MapLeaf holds the bits
// of `bits_per_leaf` consecutive pages. A null ref stands for a range without an allocated page. Only leaves that changed
// since the last freeze() are written again.
//
// Threads: used by one thread at a time (the writer); the counters may be read by any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <vector>

#include "format/page.hpp"
#include "space/page_bitmap.hpp"
#include "vitrine/status.hpp"

namespace vitrine::space {

using format::PageNo;
using format::PageRef;

// One sealed-to-be map page: its ref and its body, ready to be written by the caller.
struct MapPage {
  PageRef ref;
  format::PageType type = format::PageType::MapLeaf;
  std::vector<std::byte> image;  // page_size bytes; header filled, trailer not
};

struct FrozenMap {
  PageRef root;
  std::vector<MapPage> pages;    // to be written before `root` may be named by a checkpoint
  std::vector<PageRef> retired;  // map pages this one replaces
};

class SpaceMap {
 public:
  // Makes the file at least `page_count` pages long, with real disk space behind them. Called before page numbers at
  // the end of the file are handed out. Errors go back to allocate().
  using Grow = std::function<Status(std::uint64_t page_count)>;

  SpaceMap(std::uint32_t page_size, Grow grow);

  // An empty file of `page_count` pages, the header pages allocated.
  void reset(std::uint64_t page_count);

  // Reads a map from disk. `read` fills a buffer of one page with the verified content of a ref. Errors: what `read`
  // returns, PageMalformed.
  Status load(const PageRef& root, std::uint64_t page_count,
              const std::function<Status(const PageRef&, std::byte*)>& read);

  // `count` consecutive free pages, the lowest that are cheap to find. Errors: what Grow returns, SpaceExhausted.
  Result<PageNo> allocate(std::uint32_t count = 1);
  // The lowest free single page below `limit`, or nothing. For compaction.
  std::optional<PageNo> allocate_below(PageNo limit);

  void free_now(PageNo page, std::uint32_t count = 1);  // allocated -> free: nobody can know it
  void hold(PageNo page, std::uint32_t count = 1);      // allocated -> held
  void unhold(PageNo page, std::uint32_t count = 1);    // held -> allocated (rollback)
  void release(PageNo page, std::uint32_t count = 1);   // held -> free

  // Puts the allocated set of this moment, its own new pages included, into page images. `next` draws the identity of a
  // new map page at a given page number. Allocates pages, so it may fail like allocate(), and then nothing has changed.
  Result<FrozenMap> freeze(const std::function<PageRef(PageNo)>& next);
  // After the frozen map's pages could not be written: the next freeze writes everything that this one covered, too.
  void unfreeze(const FrozenMap& frozen);

  // Cuts free pages off the end; returns the new page count. The caller shortens the file once that is durable.
  std::uint64_t trim_end();

  bool is_allocated(PageNo page) const noexcept;
  bool is_held(PageNo page) const noexcept;
  std::uint64_t page_count() const noexcept;       // of the file, header pages included
  std::uint64_t allocated_count() const noexcept;  // header pages included
  std::uint64_t held_count() const noexcept;
  std::uint64_t free_count() const noexcept;

  // Every ref of the current on-disk map, root first. For the checker. 
  void each_map_page(const std::function<void(const PageRef&)>& visit) const;

 private:
  // (implementation members to be added by the layer)
};

// Pages one MapLeaf covers.
inline constexpr std::uint64_t bits_per_leaf(std::uint32_t page_size) noexcept { return (page_size - 128ull) * 8; }
// Refs one MapInner holds.
inline constexpr std::uint64_t refs_per_inner(std::uint32_t page_size) noexcept { return (page_size - 128ull) / 24; }

}  // namespace vitrine::space
