// SPDX-License-Identifier: MIT OR Apache-2.0
// The pages a write transaction makes, changes and gives up. Knows copy-on-write, identities and what a rollback must
// undo; must not know keys.
//
// Invariants
//   T1  A page is changed in place only if it was born in the working version of this session; every other page is
//       copied to a new page first. So every published version stays as it is, for all who can look at it: a leaf that
//       nobody can see is changed by TreeWriter::carry_out as well.
//   T2  Every content that reaches the file has an identity of its own: a page that was written and is changed again
//       gets the next rewrite number of the working version.
//   T3  rollback_to(mark) leaves exactly the allocated and held sets of the time of the mark.
//
// Threads: one at a time (the holder of the commit latch).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "pool/pool.hpp"
#include "space/space_map.hpp"

namespace vitrine::tree {

using format::Generation;
using format::PageNo;
using format::PageRef;
using format::Version;

// Pages [page, page + count) are part of versions [birth, freed) and of no other.
struct RetiredPages {
  PageNo page = 0;
  std::uint32_t count = 0;
  Version birth = 0;
  Version freed = 0;
};

class Workspace {
 public:
  Workspace(pool::Pool& pool, space::SpaceMap& space, std::uint64_t session, Version working, std::size_t extent_max);

  // A new private page. `ref` gets its identity.
  Result<pool::WriteGuard> create(format::PageType type, std::uint8_t level, PageRef& ref);
  // The page, private: as it is, under a new generation, or as a copy. `ref` gets its identity.
  Result<pool::WriteGuard> make_mutable(PageRef& ref);
  // The page is no longer part of the working version. Without memory to note that, or when the map does not know the
  // page as allocated (a damaged file), failure() is set.
  void retire(const PageRef& ref, std::uint32_t count = 1) noexcept;
  // Not ok: only rollback is possible.
  const Status& failure() const noexcept { return failure_; }
  // As make_mutable, but always to the lowest free page below `limit`, or not at all (empty guard). For compaction.
  Result<pool::WriteGuard> relocate_below(PageNo limit, PageRef& ref);

  // While it lives, new pages come from below `limit` or not at all (SpaceExhausted). For compaction.
  class Ceiling {
   public:
    Ceiling(Workspace& workspace, PageNo limit) noexcept : workspace_(workspace) { workspace_.ceiling_ = limit; }
    ~Ceiling() { workspace_.ceiling_.reset(); }
    Ceiling(const Ceiling&) = delete;
    Ceiling& operator=(const Ceiling&) = delete;

   private:
    Workspace& workspace_;
  };

  // Consecutive new pages and their identity. For extents, which do not go through the pool.
  Result<PageRef> allocate_run(std::uint32_t count);
  PageRef identity(PageNo page) noexcept;

  struct Mark {
    std::size_t born = 0;
    std::size_t retired = 0;
  };
  // Everything up to here can be restored by rollback_to. Starts a new working version. VersionSpent is an internal
  // limit of 2^44 versions (SpaceExhausted).
  Result<Mark> mark();
  void rollback_to(const Mark& mark) noexcept;
  void rollback() noexcept { rollback_to({}); }

  // Gives pages that were born and retired in the working version back to the space map, which counts them as allocated
  // until then. REQUIRED before the map is frozen together with the working version.
  void forget_recycled() noexcept;
  // The transaction's pages become version working(); what it retired is handed over, and the next version starts.
  std::vector<RetiredPages> publish();

  // Born in the working version: nobody else can see it.
  bool is_own(const PageRef& ref) const noexcept {
    return ref.generation.version() == working_ && ref.session == session_;
  }
  bool has_changes() const noexcept { return !born_.empty() || !retired_.empty(); }
  Version working() const noexcept { return working_; }
  std::uint64_t session() const noexcept { return session_; }
  std::uint64_t pages_born() const noexcept { return born_.size(); }
  pool::Pool& pool() noexcept { return pool_; }
  space::SpaceMap& space() noexcept { return space_; }
  std::size_t extent_max() const noexcept { return extent_max_; }
  std::byte* scratch() noexcept { return scratch_.data(); }  // one page, for the node functions

 private:
  struct Run {
    PageNo page;
    std::uint32_t count;
  };
  bool is_allocated(PageNo page, std::uint32_t count) const noexcept;
  template <typename Make>
  Result<pool::WriteGuard> create_at(PageNo page, PageRef& ref, Make make);
  Result<pool::WriteGuard> copy_to(PageNo page, pool::ReadGuard old, PageRef& ref);
  Result<PageNo> allocate_page();
  Result<PageNo> allocate_new(std::uint32_t count);

  pool::Pool& pool_;
  space::SpaceMap& space_;
  const std::uint64_t session_;
  Version working_;
  std::uint32_t rewrite_ = 0;
  const std::size_t extent_max_;
  std::vector<Run> born_;  // since the transaction began; may name pages that were recycled
  std::vector<RetiredPages> retired_;
  std::vector<PageNo> recycled_;  // born and retired in the working version: free for the next create()
  std::vector<std::byte> scratch_;
  Status failure_;
  std::optional<PageNo> ceiling_;
};

}  // namespace vitrine::tree
