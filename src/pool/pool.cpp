// SPDX-License-Identifier: MIT OR Apache-2.0
#include "pool/pool.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>
#include <new>
#include <optional>
#include <thread>
#include <type_traits>

#include "base/assert.hpp"
#include "base/codec.hpp"
#include "base/try.hpp"

namespace vitrine::pool {
namespace {

constexpr std::uint8_t kUsageLeaf = 1;
constexpr std::uint8_t kUsageInner = 3;
constexpr std::uint64_t kPinnedDeadlineNs = 10'000'000'000;
constexpr std::uint64_t kLeftoverDeadlineNs = 200'000'000;
static_assert(std::atomic<std::uint32_t>::is_always_lock_free && sizeof(std::atomic<std::uint32_t>) == 4,
              "an empty bucket is zeros");
static_assert(std::is_trivially_destructible_v<Frame>);

std::uint8_t first_usage(const std::byte* page) noexcept {
  const auto level = std::to_integer<std::uint8_t>(page[offsetof(format::PageHeader, level)]);
  return level == 0 ? kUsageLeaf : kUsageInner;
}

}  // namespace

Pool::Pool(PageStore& store, PageValidator validate, os::Env& env)
    : store_(store), validate_(validate), env_(env), page_size_(store.page_size()) {}

Result<std::unique_ptr<Pool>> Pool::create(PageStore& store, std::uint64_t bytes, PageValidator validate,
                                           os::Env& env) {
  std::unique_ptr<Pool> pool(new Pool(store, validate, env));
  const std::uint64_t page_size = store.page_size();
  const std::uint64_t frames_min = bytes < kBytesLean ? kFramesLean : kFramesMin;
  const std::uint64_t frames = std::clamp<std::uint64_t>(bytes / (page_size + sizeof(Frame)), frames_min, 1u << 24);
  pool->frame_count_ = static_cast<std::uint32_t>(frames);
  const std::uint32_t buckets = std::bit_ceil(pool->frame_count_);
  pool->bucket_mask_ = buckets - 1;
  pool->memory_ = TRY(
      os::Memory::allocate((frames + 1) * page_size, os::Memory::Pages::HugeLater));  // none of this has the index 0
  pool->frame_memory_ = TRY(os::Memory::allocate((frames + 1) * sizeof(Frame), os::Memory::Pages::Small));
  pool->bucket_memory_ = TRY(os::Memory::allocate(buckets * sizeof pool->buckets_[0], os::Memory::Pages::Small));
  pool->frames_ = reinterpret_cast<Frame*>(pool->frame_memory_.data());
  pool->buckets_ = reinterpret_cast<std::atomic<std::uint32_t>*>(pool->bucket_memory_.data());
  pool->free_.reserve(frames);
  // Large enough that the device sees long writes, small enough that it does not count against a small cache.
  pool->batch_max_ = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(frames / 16, 8, std::max<std::uint64_t>((1u << 20) / page_size, 8)));
  pool->staging_ = TRY(os::Memory::allocate(pool->batch_max_ * page_size));
  pool->batch_.reserve(pool->batch_max_);
  return pool;
}

// --- Look-up ---------------------------------------------------------------------------------------------------------

Frame* Pool::find_locked(PageNo page) noexcept {
  std::uint32_t index = buckets_[bucket_of(page)].load(std::memory_order_relaxed);
  while (index != Frame::kNone) {
    if (frames_[index].page.load(std::memory_order_relaxed) == page) return &frames_[index];
    index = frames_[index].next.load(std::memory_order_relaxed);
  }
  return nullptr;
}

void Pool::link(Frame* frame) noexcept {
  auto& bucket = buckets_[bucket_of(frame->page.load(std::memory_order_relaxed))];
  frame->next.store(bucket.load(std::memory_order_relaxed), std::memory_order_release);
  bucket.store(index_of(frame), std::memory_order_release);
}

void Pool::unlink(Frame* frame) noexcept {
  std::atomic<std::uint32_t>* at = &buckets_[bucket_of(frame->page.load(std::memory_order_relaxed))];
  while (at->load(std::memory_order_relaxed) != index_of(frame)) {
    const std::uint32_t index = at->load(std::memory_order_relaxed);
    VITRINE_ASSERT(index != Frame::kNone);
    at = &frames_[index].next;
  }
  at->store(frame->next.load(std::memory_order_relaxed), std::memory_order_release);
  frame->page.store(0, std::memory_order_relaxed);
}

void Pool::count_hit() noexcept {
  auto& counter = hits_[base::thread_stripe()].value;
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);  // a lost count is no harm
}

Result<ReadGuard> Pool::fetch(const PageRef& ref) {
  if (ReadGuard guard = try_fetch(ref)) return guard;
  return load(ref);
}

Result<ReadGuard> Pool::load(const PageRef& ref) {
  if (ref.is_null()) return Status::error(ErrorCode::PageMalformed, "a reference names no page");
  std::unique_lock lock(mutex_);
  std::optional<std::uint64_t> leftover_deadline;
  for (;;) {
    Frame* frame = find_locked(ref.page());
    if (frame == nullptr) {
      frame = TRY(take_frame(lock));
      if (find_locked(ref.page()) == nullptr) {
        frame->set_identity(ref);
        link(frame);
        lock.unlock();
        Status status = read_into(frame, ref);
        lock.lock();
        if (status.is_ok()) {
          frame->usage.store(first_usage(frame->data), std::memory_order_relaxed);
          frame->unlock_to(1);
        } else {
          drop(frame);
        }
        changed_.notify_all();
        if (!status.is_ok()) return status;
        return ReadGuard(frame);
      }
      give_back(frame);  // another thread was faster
    } else if (frame->is_locked()) {
      changed_.wait_for(lock, std::chrono::milliseconds(1));
    } else if (frame->holds(ref)) {
      frame->pins.fetch_add(1, std::memory_order_acq_rel);
      return ReadGuard(frame);
    } else if (!drop_leftover(ref.page())) {
      const std::uint64_t now = env_.monotonic_ns();
      if (!leftover_deadline) leftover_deadline = now + kLeftoverDeadlineNs;
      if (frame->dirty.load(std::memory_order_relaxed) || now > *leftover_deadline) {
        return Status::error(ErrorCode::PageStale, "two parents name two generations of one page")
            .with("page", ref.page());
      }
      pause(lock);  // for a reader that looks at the leftover just now
    }
  }
}

// Frames are filled without the mutex. An exception must not leave a locked frame behind.
Status Pool::read_into(Frame* frame, const PageRef& ref) {
  misses_.fetch_add(1, std::memory_order_relaxed);
  try {
    CHECK(store_.read(ref, frame->data, page_size_));
    return validate_(frame->data, page_size_);
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory();
  }
}

// A read-only session that moved on to a newer checkpoint may still hold an older page of that number.
bool Pool::drop_leftover(PageNo page) {
  Frame* frame = find_locked(page);
  if (frame->dirty.load(std::memory_order_relaxed) || frame->writing.load(std::memory_order_relaxed) ||
      !frame->try_lock()) {
    return false;
  }
  drop(frame);
  return true;
}

// --- Changing pages --------------------------------------------------------------------------------------------------

Result<Frame*> Pool::place(const PageRef& ref) {
  std::unique_lock lock(mutex_);
  Frame* frame = TRY(take_frame(lock));
  if (find_locked(ref.page()) != nullptr && !drop_leftover(ref.page())) {
    give_back(frame);
    return Status::error(ErrorCode::PageMalformed, "a page is in use, but the map gave it out as free")
        .with("page", ref.page());
  }
  frame->set_identity(ref);
  link(frame);
  return frame;
}

WriteGuard Pool::show(Frame* frame, std::uint8_t level) noexcept {
  frame->dirty.store(true, std::memory_order_relaxed);
  frame->usage.store(level == 0 ? kUsageLeaf : kUsageInner, std::memory_order_relaxed);
  frame->unlock_to(1);
  return WriteGuard(frame);
}

Result<WriteGuard> Pool::create_page(const PageRef& ref, format::PageType type, std::uint8_t level) {
  Frame* frame = TRY(place(ref));
  std::memset(frame->data, 0, page_size_);
  base::store(frame->data, format::PageHeader{type, level, 0, 0, ref.page(), ref.generation, ref.session});
  return show(frame, level);
}

// The old content is asked for first and looked at last: most of what copying costs is waiting for it.
Result<WriteGuard> Pool::create_copy(const PageRef& ref, const ReadGuard& old, CopyBody copy) {
  for (std::size_t line = 0; line < 8; ++line) {
    __builtin_prefetch(old.data() + line * 64);
    __builtin_prefetch(old.data() + page_size_ - 64 - line * 64);
  }
  Frame* frame = TRY(place(ref));
  const auto before = base::load<format::PageHeader>(old.data());
  base::store(frame->data,
              format::PageHeader{before.type, before.level, 0, 0, ref.page(), ref.generation, ref.session});
  copy(frame->data, old.data(), page_size_);
  std::memset(frame->data + page_size_ - format::kPageTrailerSize, 0, format::kPageTrailerSize);
  return show(frame, before.level);
}

WriteGuard Pool::try_dirty(const PageRef& ref) {
  Frame* frame = find_pinned(ref);
  if (frame == nullptr) return {};
  WriteGuard guard(frame);
  if (!frame->dirty.load(std::memory_order_acquire)) return {};
  return guard;
}

WriteGuard Pool::renew(ReadGuard guard, Generation generation) {
  Frame* frame = guard.frame();
  {
    std::unique_lock lock(mutex_);
    while (frame->writing.load(std::memory_order_relaxed)) changed_.wait(lock);
    frame->generation.store(generation.word, std::memory_order_relaxed);
    std::memcpy(frame->data + offsetof(format::PageHeader, generation), &generation, sizeof generation);
    frame->dirty.store(true, std::memory_order_release);
  }
  frame->pins.fetch_add(1, std::memory_order_acq_rel);  // `guard` drops its own
  return WriteGuard(frame);
}

// Starts to move what a look for pages[from + some] needs first into the processor's cache.
void Pool::ask_for(std::span<const PageNo> pages, std::size_t from) const noexcept {
  constexpr std::size_t kFar = 16, kNear = 8;
  if (from + kFar < pages.size()) __builtin_prefetch(&buckets_[bucket_of(pages[from + kFar])], 1);
  if (from + kNear >= pages.size()) return;
  const std::uint32_t index = buckets_[bucket_of(pages[from + kNear])].load(std::memory_order_relaxed);
  __builtin_prefetch(&frames_[index], 1);
}

void Pool::discard(std::span<const PageNo> pages) {
  if (pages.empty()) return;
  std::unique_lock lock(mutex_);
  for (std::size_t i = 0; i < pages.size();) {
    ask_for(pages, i);
    Frame* frame = find_locked(pages[i]);
    if (frame != nullptr && (frame->writing.load(std::memory_order_relaxed) || frame->is_locked())) {
      changed_.wait_for(lock, std::chrono::microseconds(50));
      continue;
    }
    if (frame != nullptr) {
      unlink(frame);
      set_free(frame);
    }
    ++i;
  }
}

// --- Frames ----------------------------------------------------------------------------------------------------------

void Pool::drop(Frame* frame) noexcept {
  unlink(frame);
  give_back(frame);
}

void Pool::give_back(Frame* frame) noexcept {
  frame->unlock_to(0);
  set_free(frame);
}

void Pool::set_free(Frame* frame) noexcept {
  frame->dirty.store(false, std::memory_order_relaxed);
  frame->usage.store(0, std::memory_order_relaxed);
  free_.push_back({index_of(frame), visits_.end_era()});  // within the reserved capacity
}

// The one that became free last: its memory may still be in the processor's cache.
Frame* Pool::take_free() noexcept {
  const std::uint64_t looked_at = visits_.oldest_era();
  const auto is_settled = [&](const FreeFrame& frame) { return frame.era < looked_at; };
  auto at = free_.end();
  if (at != free_.begin() && !is_settled(*std::prev(at))) at = std::partition_point(free_.begin(), at, is_settled);
  while (at != free_.begin()) {
    --at;
    Frame* frame = &frames_[at->index];
    if (!frame->try_lock()) continue;
    free_.erase(at);
    return frame;
  }
  return begin_frame();
}

Frame* Pool::begin_frame() noexcept {
  if (frames_begun_.load(std::memory_order_relaxed) == frame_count_) return nullptr;
  const std::uint32_t index = frames_begun_.load(std::memory_order_relaxed) + 1;
  Frame* frame = new (&frames_[index]) Frame;
  frame->data = memory_.data() + std::size_t{index} * page_size_;
  const std::size_t begin = std::size_t{index} * page_size_;
  if (begin == os::Memory::kHugePageSize) memory_.make_huge();
  if (begin % os::Memory::kHugePageSize == 0 && env_.has_background_threads()) ahead_.reach(begin);
  frame->pins.store(Frame::kLocked, std::memory_order_relaxed);
  frames_begun_.store(index, std::memory_order_release);
  return frame;
}

Result<Frame*> Pool::take_frame(std::unique_lock<std::mutex>& lock) {
  std::uint64_t deadline = env_.monotonic_ns() + kPinnedDeadlineNs;
  for (;;) {
    if (Frame* frame = take_free(); frame != nullptr) return frame;
    if (evict_some(lock)) continue;
    const Result<bool> stolen = steal(lock);
    if (!stolen.has_value()) {
      // Reads go on after a failed write as long as there is a clean page to give up.
      if (evict_some(lock)) continue;
      return stolen.status();
    }
    const bool has_written = *stolen;
    if (Frame* frame = take_free(); frame != nullptr) return frame;
    // A slow device is not a cache in use: only time in which nothing could be written counts.
    if (has_written) {
      deadline = env_.monotonic_ns() + kPinnedDeadlineNs;
    } else if (env_.monotonic_ns() > deadline) {
      return Status::error(ErrorCode::Timeout, "every page of the cache is in use").with("frames", frame_count_);
    }
  }
}

// Only when every frame has begun, as in collect_cold().
bool Pool::evict_clean() noexcept {
  std::uint32_t cold_dirty = 0;
  for (std::uint32_t step = 0; step < 4 * frame_count_; ++step) {
    Frame& frame = frames_[clock_hand_];
    clock_hand_ = clock_hand_ == frame_count_ ? 1 : clock_hand_ + 1;
    if (frame.pins.load(std::memory_order_relaxed) != 0 || frame.page.load(std::memory_order_relaxed) == 0) continue;
    if (const auto usage = frame.usage.load(std::memory_order_relaxed); usage > 0) {
      frame.usage.store(static_cast<std::uint8_t>(usage - 1), std::memory_order_relaxed);
      continue;
    }
    if (frame.writing.load(std::memory_order_relaxed)) continue;
    if (frame.dirty.load(std::memory_order_relaxed)) {
      if (++cold_dirty >= batch_max_ && !store_.has_failed()) return false;
      continue;
    }
    if (!evict_frame(&frame)) continue;
    evictions_.fetch_add(1, std::memory_order_relaxed);
    return true;
  }
  return false;
}

bool Pool::evict_frame(Frame* frame) noexcept {
  if (!frame->try_lock()) return false;
  // Dirty: the writer renewed it just before.
  if (frame->dirty.load(std::memory_order_relaxed) || frame->writing.load(std::memory_order_relaxed)) {
    frame->unlock_to(0);
    return false;
  }
  drop(frame);
  return true;
}

void Pool::evict(std::span<const PageNo> pages) noexcept {
  if (pages.empty()) return;
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < pages.size(); ++i) {
    ask_for(pages, i);
    if (Frame* frame = find_locked(pages[i])) evict_frame(frame);
  }
}

// While somebody is visiting, enough of them that the wait for the visitors is shared.
bool Pool::evict_some(std::unique_lock<std::mutex>& lock) {
  if (!evict_clean()) return false;
  if (visits_.oldest_era() == Visits::kNone) return true;
  for (std::uint32_t more = std::min(frame_count_ / 64, 64u); more > 1 && evict_clean(); --more) {
  }
  lock.unlock();
  visits_.wait_for_all();
  lock.lock();
  return true;
}

// --- Writing out -----------------------------------------------------------------------------------------------------

// Until something changed, at most for a moment. Simulated time passes only while somebody sleeps.
void Pool::pause(std::unique_lock<std::mutex>& lock) {
  if (env_.has_background_threads()) {
    changed_.wait_for(lock, std::chrono::milliseconds(1));
    return;
  }
  lock.unlock();
  env_.sleep_ms(1);
  lock.lock();
}

// Writes a batch of cold dirty pages, so that clean ones come to be; false when there was none. `lock` is held on
// return, not meanwhile.
Result<bool> Pool::steal(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  std::unique_lock staging_lock(staging_mutex_);
  lock.lock();
  if (!collect_cold(0) && !collect_cold(kUsageInner)) {
    staging_lock.unlock();
    pause(lock);  // all pinned for the moment
    return false;
  }
  CHECK(write_batch(lock, 0));
  return true;
}

bool Pool::collect_cold(std::uint8_t usage_max) {
  for (std::uint32_t step = 0; step < frame_count_ && batch_.size() < batch_max_; ++step) {
    const std::uint32_t index = clock_hand_ + step;
    Frame& frame = frames_[index <= frame_count_ ? index : index - frame_count_];
    if (!frame.dirty.load(std::memory_order_relaxed) || frame.usage.load(std::memory_order_relaxed) > usage_max)
      continue;
    if (!frame.try_lock()) continue;
    frame.writing.store(true, std::memory_order_relaxed);
    batch_.push_back(&frame);
  }
  return !batch_.empty();
}

Status Pool::write_back(Version version, const std::function<bool(PageNo, Generation)>& wanted) {
  std::vector<std::pair<PageNo, std::uint32_t>> todo;
  const auto is_due = [&](const Frame& frame) {
    return frame.dirty.load(std::memory_order_relaxed) && !frame.is_locked() &&
           Generation{frame.generation.load(std::memory_order_relaxed)}.version() <= version;
  };
  {
    std::unique_lock staging_lock(staging_mutex_);
    std::lock_guard lock(mutex_);
    for (std::uint32_t i = 1; i <= frames_begun_.load(std::memory_order_relaxed); ++i) {
      const Frame& frame = frames_[i];
      if (!is_due(frame)) continue;
      const PageNo page = frame.page.load(std::memory_order_relaxed);
      if (wanted(page, {frame.generation.load(std::memory_order_relaxed)})) todo.emplace_back(page, i);
    }
  }
  std::sort(todo.begin(), todo.end());
  for (std::size_t at = 0; at < todo.size();) {
    std::unique_lock staging_lock(staging_mutex_);
    std::unique_lock lock(mutex_);
    for (; at < todo.size() && batch_.size() < batch_max_; ++at) {
      Frame& frame = frames_[todo[at].second];
      if (frame.page.load(std::memory_order_relaxed) != todo[at].first || !is_due(frame)) continue;
      frame.pins.fetch_add(1, std::memory_order_acq_rel);
      frame.writing.store(true, std::memory_order_relaxed);
      batch_.push_back(&frame);
    }
    if (!batch_.empty()) CHECK(write_batch(lock, 1));
  }
  return {};
}

// `pins_to_drop`: 1 when the frames are pinned (published pages: readers may look meanwhile), 0 when they are locked
// (the writer's own pages: nobody may, until the copy is made).
Status Pool::write_batch(std::unique_lock<std::mutex>& lock, std::uint32_t pins_to_drop) {
  for (Frame* frame : batch_) frame->dirty.store(false, std::memory_order_relaxed);
  lock.unlock();
  std::sort(batch_.begin(), batch_.end(), [](const Frame* a, const Frame* b) {
    return a->page.load(std::memory_order_relaxed) < b->page.load(std::memory_order_relaxed);
  });
  std::byte* image = staging_.data();
  for (Frame* frame : batch_) {
    std::memcpy(image, frame->data, page_size_);
    image += page_size_;
    if (pins_to_drop == 0) frame->unlock_to(0);
  }
  Status status = write_runs();
  lock.lock();
  for (Frame* frame : batch_) {
    if (!status.is_ok()) frame->dirty.store(true, std::memory_order_relaxed);
    frame->writing.store(false, std::memory_order_relaxed);
    frame->pins.fetch_sub(pins_to_drop, std::memory_order_release);
  }
  batch_.clear();
  changed_.notify_all();
  return status;
}

Status Pool::write_runs_or_throw() {
  for (std::size_t begin = 0, end; begin < batch_.size(); begin = end) {
    const PageNo first = batch_[begin]->page.load(std::memory_order_relaxed);
    end = begin;
    do {
      CHECK(store_.seal(staging_.data() + end * page_size_, page_size_));
      ++end;
    } while (end < batch_.size() && batch_[end]->page.load(std::memory_order_relaxed) == first + (end - begin));
    CHECK(store_.write(first, staging_.data() + begin * page_size_, (end - begin) * page_size_));
  }
  return {};
}

// An exception must not leave frames behind that are being written for ever. What reached the file is not known then,
// so it counts as a failed write.
Status Pool::write_runs() noexcept {
  try {
    return write_runs_or_throw();
  } catch (const std::bad_alloc&) {
    store_.poison(Status::out_of_memory());
    return Status::out_of_memory();
  }
}

PoolCounters Pool::counters() const {
  PoolCounters counters;
  for (const Counter& counter : hits_) counters.hits += counter.value.load(std::memory_order_relaxed);
  counters.misses = misses_.load(std::memory_order_relaxed);
  counters.evictions = evictions_.load(std::memory_order_relaxed);
  counters.frames = frame_count_;
  for (std::uint32_t i = 1; i <= frames_begun_.load(std::memory_order_acquire); ++i) {
    counters.used += frames_[i].page.load(std::memory_order_relaxed) != 0;
    counters.dirty += frames_[i].dirty.load(std::memory_order_relaxed);
  }
  return counters;
}

}  // namespace vitrine::pool
