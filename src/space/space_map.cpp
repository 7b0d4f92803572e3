// SPDX-License-Identifier: MIT OR Apache-2.0
// The states of pages and the growth of the file. Reading and writing the map: space_map_disk.cpp.
#include "space/space_map.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "base/try.hpp"
#include "format/meta.hpp"

namespace vitrine::space {

namespace {

constexpr std::uint64_t kGrowPagesMin = 16;
constexpr std::uint64_t kGrowBytesMax = 64ull << 20;

// Only the writer changes a counter; others read it.
void add(std::atomic<std::uint64_t>& counter, std::uint64_t count) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) + count, std::memory_order_relaxed);
}
void subtract(std::atomic<std::uint64_t>& counter, std::uint64_t count) noexcept {
  counter.store(counter.load(std::memory_order_relaxed) - count, std::memory_order_relaxed);
}

}  // namespace

SpaceMap::SpaceMap(std::uint32_t page_size, Grow grow) : shape_(page_size), grow_(std::move(grow)) {
  VITRINE_ASSERT(format::is_page_size(page_size));
}

void SpaceMap::reset(std::uint64_t page_count) {
  const PageNo first = format::first_page(shape_.page_size());
  VITRINE_ASSERT(page_count >= first);
  clear_to(page_count);
  take(0, first);
}

// All pages free, nothing on disk.
void SpaceMap::clear_to(std::uint64_t page_count) {
  allocated_.clear_all();
  held_.clear_all();
  finder_.forget();
  levels_.clear();
  dirty_.clear();
  make_room(page_count);
  page_count_ = page_count;
  allocated_count_ = 0;
  held_count_ = 0;
}

// Memory for a file of `page_count` pages. Changes nothing that can be seen.
void SpaceMap::make_room(std::uint64_t page_count) {
  const std::uint64_t leaves = shape_.nodes(0, page_count);
  if (dirty_.size() < leaves) dirty_.resize(leaves);
  if (held_.size() < page_count) held_.resize(page_count);
  if (allocated_.size() < page_count) allocated_.resize(page_count);
}

Result<PageNo> SpaceMap::allocate(std::uint32_t count) {
  VITRINE_ASSERT(count > 0);
  auto page = count == 1 ? take_recent() : std::nullopt;
  if (!page) page = finder_.find(count, page_count());
  if (!page) {
    const PageNo tail = finder_.used_end(page_count());
    const Status grown = tail + count <= page_count() ? Status{} : grow_for(tail + count);
    page = grown.is_ok() ? tail : finder_.find(count, page_count(), FreeFinder::kNoLimit);
    if (!page) return grown;
  }
  take(*page, count);
  return *page;
}

void SpaceMap::remember(PageNo page, std::uint32_t count) noexcept {
  if (count == 1 && recent_count_ < recent_.size()) recent_[recent_count_++] = page;
}

std::optional<PageNo> SpaceMap::take_recent() noexcept {
  while (recent_count_ > 0) {
    const PageNo page = recent_[--recent_count_];
    if (page < page_count() && !allocated_.test(page) && !held_.test(page)) return page;
  }
  return std::nullopt;
}

std::optional<PageNo> SpaceMap::allocate_below(PageNo limit, std::uint32_t count) {
  const auto page = finder_.find(count, std::min(limit, page_count()), FreeFinder::kNoLimit);
  if (page) take(*page, count);
  return page;
}

Status SpaceMap::grow_for(std::uint64_t needed) {
  constexpr std::uint64_t kCountMax = format::kPageNoMax + 1;
  if (needed > kCountMax) return Status::error(ErrorCode::SpaceExhausted).with("pages", needed);
  const std::uint64_t step = std::clamp(page_count() / 8, kGrowPagesMin, kGrowBytesMax / shape_.page_size());
  const std::uint64_t wanted = std::min(std::max(needed, page_count() + step), kCountMax);
  Status status = grow_to(wanted);
  if (status.code() == ErrorCode::DiskFull && wanted > needed) status = grow_to(needed);
  return status;
}

Status SpaceMap::grow_to(std::uint64_t page_count) {
  make_room(page_count);  // first, since it may throw and the file cannot be shortened again here
  CHECK(grow_(page_count));
  page_count_ = page_count;
  return {};
}

void SpaceMap::take(PageNo page, std::uint64_t count) noexcept {
  VITRINE_ASSERT(!held_.any(page, count));
  allocated_.set(page, count);
  add(allocated_count_, count);
  mark_dirty(page, count);
}

void SpaceMap::mark_dirty(PageNo page, std::uint64_t count) noexcept {
  const std::uint64_t last = (page + count - 1) / shape_.span(0);
  for (std::uint64_t leaf = page / shape_.span(0); leaf <= last; ++leaf) dirty_[leaf] = true;
}

void SpaceMap::free_now(PageNo page, std::uint32_t count) {
  VITRINE_ASSERT(page >= format::first_page(shape_.page_size()));
  allocated_.clear(page, count);
  subtract(allocated_count_, count);
  mark_dirty(page, count);
  finder_.freed(page, count, page_count());
  remember(page, count);
}

void SpaceMap::hold(PageNo page, std::uint32_t count) {
  VITRINE_ASSERT(page >= format::first_page(shape_.page_size()));
  allocated_.clear(page, count);
  held_.set(page, count);
  subtract(allocated_count_, count);
  add(held_count_, count);
  mark_dirty(page, count);
}

void SpaceMap::unhold(PageNo page, std::uint32_t count) {
  held_.clear(page, count);
  allocated_.set(page, count);
  subtract(held_count_, count);
  add(allocated_count_, count);
  mark_dirty(page, count);
}

void SpaceMap::release(PageNo page, std::uint32_t count) {
  held_.clear(page, count);
  subtract(held_count_, count);
  finder_.freed(page, count, page_count());
  remember(page, count);
}

std::vector<SpaceMap::Run> SpaceMap::hold_free() {
  std::vector<Run> runs;
  for (PageNo page = 0; page < page_count(); ++page) {
    if (is_allocated(page) || is_held(page)) continue;
    if (runs.empty() || runs.back().page + runs.back().count != page) runs.push_back({page, 0});
    ++runs.back().count;
  }
  for (const Run& run : runs) {
    held_.set(run.page, run.count);
    add(held_count_, run.count);
  }
  finder_.forget();
  return runs;
}

std::uint64_t SpaceMap::trim_end() noexcept {
  page_count_ = finder_.used_end(page_count());
  return page_count();
}

SpaceMap::FreeShape SpaceMap::free_shape() const noexcept {
  FreeShape shape;
  std::uint64_t run = 0;
  const auto end_run = [&] {
    shape.runs += run > 0 ? 1 : 0;
    shape.pages += run;
    shape.largest_run = std::max(shape.largest_run, std::exchange(run, 0));
  };
  constexpr std::uint64_t kBits = PageBitmap::kWordBits;
  for (PageNo page = 0; page < page_count();) {
    const std::uint64_t used = allocated_.words()[page / kBits] | held_.words()[page / kBits];
    const bool is_whole = page + kBits <= page_count();
    if (is_whole && used == 0) {
      run += kBits;
    } else if (is_whole && used == ~std::uint64_t{0}) {
      end_run();
    } else {
      for (PageNo bit = page; bit < std::min<PageNo>(page + kBits, page_count()); ++bit) {
        if ((used >> (bit % kBits) & 1) == 0) {
          ++run;
        } else {
          end_run();
        }
      }
    }
    page += kBits;
  }
  end_run();
  return shape;
}

std::uint64_t SpaceMap::free_count() const noexcept {
  const std::uint64_t used = allocated_count() + held_count();
  const std::uint64_t all = page_count();
  return all > used ? all - used : 0;
}

void SpaceMap::each_map_page(const std::function<void(const PageRef&)>& visit) const {
  for (auto level = levels_.rbegin(); level != levels_.rend(); ++level) {
    for (const PageRef& ref : *level) {
      if (!ref.is_null()) visit(ref);
    }
  }
}

}  // namespace vitrine::space
