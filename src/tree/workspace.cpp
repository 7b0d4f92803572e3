// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tree/workspace.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "base/assert.hpp"
#include "base/codec.hpp"
#include "base/try.hpp"
#include "tree/node.hpp"

namespace vitrine::tree {
namespace {

// Room for one more, so that the push_back that follows cannot fail half-way.
template <typename T>
void make_room(std::vector<T>& list) {
  if (list.size() == list.capacity()) list.reserve(std::max<std::size_t>(16, 2 * list.size()));
}

}  // namespace

Workspace::Workspace(pool::Pool& pool, space::SpaceMap& space, std::uint64_t session, Version working,
                     std::size_t extent_max)
    : pool_(pool),
      space_(space),
      session_(session),
      working_(working),
      extent_max_(extent_max),
      scratch_(pool.page_size()) {}

PageRef Workspace::identity(PageNo page) noexcept {
  // 2^20 identities a version; when they are spent the version moves on, which only makes the next touch of each page
  // copy it once more.
  if (rewrite_ == Generation::kRewriteMax) {
    ++working_;
    rewrite_ = 0;
  }
  return {page, Generation::of(working_, rewrite_++), session_};
}

Result<PageNo> Workspace::allocate_page() {
  if (!recycled_.empty() && !ceiling_) {
    const PageNo page = recycled_.back();
    recycled_.pop_back();
    return page;
  }
  return allocate_new(1);
}

Result<PageNo> Workspace::allocate_new(std::uint32_t count) {
  make_room(born_);
  PageNo page = 0;
  if (ceiling_) {
    const std::optional<PageNo> below = space_.allocate_below(*ceiling_, count);
    if (!below) return Status::error(ErrorCode::SpaceExhausted, "no room below the limit");
    page = *below;
  } else {
    page = TRY(space_.allocate(count));
  }
  born_.push_back({page, count});
  return page;
}

template <typename Make>
Result<pool::WriteGuard> Workspace::create_at(PageNo page, PageRef& ref, Make make) {
  const PageRef fresh = identity(page);
  Result<pool::WriteGuard> guard = make(fresh);
  if (!guard.has_value()) {
    recycled_.push_back(page);
    return guard;
  }
  ref = fresh;
  return guard;
}

Result<pool::WriteGuard> Workspace::create(format::PageType type, std::uint8_t level, PageRef& ref) {
  make_room(recycled_);
  return create_at(TRY(allocate_page()), ref,
                   [&](const PageRef& fresh) { return pool_.create_page(fresh, type, level); });
}

// Copies the page that `old` holds to `page`, and retires it.
Result<pool::WriteGuard> Workspace::copy_to(PageNo page, pool::ReadGuard old, PageRef& ref) {
  const PageRef before = ref;
  pool::WriteGuard copy =
      TRY(create_at(page, ref, [&](const PageRef& fresh) { return pool_.create_copy(fresh, old, copy_node_body); }));
  old.release();
  retire(before);
  return copy;
}

Result<pool::WriteGuard> Workspace::make_mutable(PageRef& ref) {
  if (is_own(ref)) {
    if (pool::WriteGuard guard = pool_.try_dirty(ref)) return guard;
    // It was written out meanwhile, or is being written. Nobody but us can reach it: it keeps its place.
    pool::ReadGuard clean = TRY(pool_.fetch(ref));
    ref = identity(ref.page());
    return pool_.renew(std::move(clean), ref.generation);
  }
  make_room(recycled_);
  make_room(retired_);
  // The old page is read before a new number is taken, so that a damaged page costs nothing.
  pool::ReadGuard old = TRY(pool_.fetch(ref));
  return copy_to(TRY(allocate_page()), std::move(old), ref);
}

Result<pool::WriteGuard> Workspace::relocate_below(PageNo limit, PageRef& ref) {
  make_room(born_);
  make_room(recycled_);
  make_room(retired_);
  pool::ReadGuard old = TRY(pool_.fetch(ref));
  const std::optional<PageNo> page = space_.allocate_below(limit);
  if (!page) return pool::WriteGuard{};
  born_.push_back({*page, 1});
  return copy_to(*page, std::move(old), ref);
}

Result<PageRef> Workspace::allocate_run(std::uint32_t count) { return identity(TRY(allocate_new(count))); }

bool Workspace::is_allocated(PageNo page, std::uint32_t count) const noexcept {
  if (page + count > space_.page_count()) return false;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (!space_.is_allocated(page + i)) return false;
  }
  return true;
}

void Workspace::retire(const PageRef& ref, std::uint32_t count) noexcept {
  if (!is_allocated(ref.page(), count)) {
    failure_ = Status::error(ErrorCode::PageMalformed, "the tree uses a page that the map does not call allocated")
                   .with("page", ref.page());
    return;
  }
  try {
    if (count == 1 && is_own(ref)) {
      recycled_.push_back(ref.page());
      pool_.discard(ref.page());
      return;
    }
    retired_.push_back({ref.page(), count, ref.generation.version(), working_});
    space_.hold(ref.page(), count);
  } catch (const std::bad_alloc&) {
    failure_ = Status::out_of_memory();  // the page stays allocated and unreachable: this state must not be published
  }
}

// Recycled pages that nobody took are free again; `born_` must not name them any longer.
void Workspace::forget_recycled() noexcept {
  if (recycled_.empty()) return;
  std::sort(recycled_.begin(), recycled_.end());
  const auto gone = [&](const Run& run) {
    return run.count == 1 && std::binary_search(recycled_.begin(), recycled_.end(), run.page);
  };
  born_.erase(std::remove_if(born_.begin(), born_.end(), gone), born_.end());
  for (const PageNo page : recycled_) space_.free_now(page);
  recycled_.clear();
}

Result<Workspace::Mark> Workspace::mark() {
  if (working_ >= format::kVersionMax - 1)
    return Status::error(ErrorCode::SpaceExhausted, "version numbers are used up");
  forget_recycled();
  ++working_;
  rewrite_ = 0;
  return Mark{born_.size(), retired_.size()};
}

void Workspace::rollback_to(const Mark& mark) noexcept {
  recycled_.clear();  // all of them were born after the mark
  for (std::size_t i = mark.born; i < born_.size(); ++i) {
    if (born_[i].count == 1) pool_.discard(born_[i].page);  // longer runs never are in the pool
  }
  // In reverse, because a run may have been retired after it was born.
  for (std::size_t i = retired_.size(); i-- > mark.retired;) space_.unhold(retired_[i].page, retired_[i].count);
  for (std::size_t i = mark.born; i < born_.size(); ++i) space_.free_now(born_[i].page, born_[i].count);
  born_.resize(mark.born);
  retired_.resize(mark.retired);
  // Identities of this version may be in the file already: the next ones must differ.
  ++working_;
  rewrite_ = 0;
  failure_ = {};
}

std::vector<RetiredPages> Workspace::publish() {
  VITRINE_ASSERT(failure_.is_ok());
  forget_recycled();
  born_.clear();
  ++working_;
  rewrite_ = 0;
  return std::exchange(retired_, {});
}

}  // namespace vitrine::tree
