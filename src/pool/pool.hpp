// SPDX-License-Identifier: MIT OR Apache-2.0
// The buffer pool: which page images are in memory. Fixed memory, one frame a page. Knows identities, pins and dirt;
// must not know trees.
//
// Invariants
//   B1  A frame with a pin keeps its page and its content's address.
//   B2  A dirty page may be written at any time (it is unreachable from every durable checkpoint). The content written
//       under one generation never changes afterwards: a page that was written and is changed again takes a new
//       generation first (renew()).
//   B3  Two writes of one page number never run at once, and a page number is given up (discard()) only when no write
//       of it is under way.
//   B4  Only the writer changes content, only of pages it holds with a WriteGuard, only of versions
//       that nobody can look at.
//   B5  A frame gets another page only when it is locked, not linked, and every visit has ended that began before it
//       was unlinked. Until then it waits among the free ones, which are in the order of the eras they became free in.
//
// Page states:   (absent) --fetch--> Loading --read, verified--> clean --renew--> dirty --write out--> clean
//                (absent) --create--> dirty;   clean --evict--> (absent);   any --discard--> (absent)
//
// Threads: fetch() from any thread; create(), renew(), discard() from the writer only; write_back() from one thread at
// a time. The hit path takes no lock: it walks a hash chain of frames, pins, and checks the identity again. Inside a
// visit it does not even pin.
//
// Frames come to be when they are first needed, so that opening costs the same with any cache. What is not yet a frame,
// and an empty bucket, is memory as the system gives it: zeros.
//
// Replacement: CLOCK with counters up to 3 (inner pages start at 3, leaves at 1). When no clean frame is left, the
// thread that needs one writes a batch of dirty pages in page order.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "base/thread_stripe.hpp"
#include "format/page.hpp"
#include "os/memory.hpp"
#include "pool/memory_ahead.hpp"
#include "pool/page_store.hpp"
#include "pool/visits.hpp"
#include "vitrine/status.hpp"

namespace vitrine::pool {

using format::Generation;
using format::Version;

// Control block of one frame; one cache line.
struct alignas(64) Frame {
  static constexpr std::uint32_t kLocked = 1u << 31;  // in `pins`: nobody may look at the content
  static constexpr std::uint32_t kNone = 0;           // no frame has this index

  std::atomic<std::uint64_t> page{0};        // 0: free
  std::atomic<std::uint64_t> generation{0};  // changed only while locked, or by the writer with its guard
  std::atomic<std::uint64_t> session{0};
  std::atomic<std::uint32_t> pins{0};
  std::atomic<std::uint32_t> next{kNone};  // hash chain
  std::atomic<std::uint8_t> usage{0};
  std::atomic<bool> dirty{false};
  std::atomic<bool> writing{false};
  std::byte* data = nullptr;

  bool holds(const format::PageRef& ref) const noexcept {
    return page.load(std::memory_order_relaxed) == ref.page() &&
           generation.load(std::memory_order_relaxed) == ref.generation.word &&
           session.load(std::memory_order_relaxed) == ref.session;
  }
  void set_identity(const format::PageRef& ref) noexcept {
    generation.store(ref.generation.word, std::memory_order_relaxed);
    session.store(ref.session, std::memory_order_relaxed);
    page.store(ref.page(), std::memory_order_relaxed);
  }
  bool try_lock() noexcept {
    std::uint32_t none = 0;
    return pins.compare_exchange_strong(none, kLocked);
  }
  void unlock_to(std::uint32_t own_pins) noexcept { pins.fetch_sub(kLocked - own_pins, std::memory_order_release); }
  bool is_locked() const noexcept { return (pins.load(std::memory_order_acquire) & kLocked) != 0; }
};
static_assert(sizeof(Frame) == 64);

// Holds one pin. Movable. The content stays valid and unchanged while it lives.
class ReadGuard {
 public:
  ReadGuard() = default;
  explicit ReadGuard(Frame* frame) noexcept : frame_(frame) {}
  ~ReadGuard() { release(); }
  ReadGuard(ReadGuard&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  ReadGuard& operator=(ReadGuard&& other) noexcept {
    std::swap(frame_, other.frame_);
    return *this;
  }
  void release() noexcept {
    if (frame_ != nullptr) std::exchange(frame_, nullptr)->pins.fetch_sub(1, std::memory_order_release);
  }
  explicit operator bool() const noexcept { return frame_ != nullptr; }
  const std::byte* data() const noexcept { return frame_->data; }
  Frame* frame() const noexcept { return frame_; }

 private:
  Frame* frame_ = nullptr;
};

// A ReadGuard of the writer on a dirty page of its working version: it may change the content.
class WriteGuard : public ReadGuard {
 public:
  WriteGuard() = default;
  explicit WriteGuard(Frame* frame) noexcept : ReadGuard(frame) {}
  std::byte* data() const noexcept { return frame()->data; }
};

// Checks the content of a page that verified, once, as it comes in; afterwards it is used without bounds checks.
using PageValidator = Status (*)(const std::byte* page, std::uint32_t page_size);

struct PoolCounters {
  std::uint64_t hits = 0, misses = 0, evictions = 0;
  std::uint64_t frames = 0, used = 0, dirty = 0;
};

class Pool {
 public:
  // Fails with OutOfMemory. `bytes` bounds the frames, but some are made whatever it says: kFramesMin, or kFramesLean
  // when it is below kBytesLean. Each operation under way pins up to a dozen frames; kFramesLean is enough for two or
  // three threads, and those who find all frames pinned wait, and fail with Timeout at last. `env` is the clock.
  static Result<std::unique_ptr<Pool>> create(PageStore& store, std::uint64_t bytes, PageValidator validate,
                                              os::Env& env = os::system_env());
  static constexpr std::uint64_t kFramesMin = 256;
  static constexpr std::uint64_t kFramesLean = 32;
  static constexpr std::uint64_t kBytesLean = 1u << 20;

  // The page `ref` names. Errors: those of PageStore::read, of the validator, Timeout (every frame pinned for 10 s),
  // and write errors when a dirty page had to go first.
  Result<ReadGuard> fetch(const PageRef& ref);
  // The same if the page is in memory, else an empty guard. The hot path of a descent: no lock, no Result.
  ReadGuard try_fetch(const PageRef& ref) noexcept;
  // The content of the page, if it is in memory, without a pin: good as long as a visit that the caller has lasts.
  const std::byte* peek(const PageRef& ref) noexcept;
  Visits& visits() noexcept { return visits_; }
  // Starts to move what fetch() and a search look at first into the processor's cache. A wish; waits for nothing.
  void prefetch(const PageRef& ref) const noexcept;
  // The same for the first `bytes` of the content alone.
  void prefetch_content(const PageRef& ref, std::uint32_t bytes) const noexcept;

  // [writer] A new dirty page with the header filled and zeros behind it. REQUIRES: its page number is not in use.
  Result<WriteGuard> create_page(const PageRef& ref, format::PageType type, std::uint8_t level);
  // [writer] The same with type, level and content of `old`; `copy` sees to what stands between header and trailer.
  using CopyBody = void (*)(std::byte* to, const std::byte* from, std::uint32_t page_size);
  Result<WriteGuard> create_copy(const PageRef& ref, const ReadGuard& old, CopyBody copy);
  // [writer] The page, if it is here, dirty, and so changeable as it is; else an empty guard.
  WriteGuard try_dirty(const PageRef& ref);
  // [writer] Makes the clean page of `guard` dirty under a new generation. Waits for a write of it that is under way.
  WriteGuard renew(ReadGuard guard, Generation generation);
  // [writer] Forgets the pages, dirty or not. Waits for a write of one that is under way, not for those who hold a pin:
  // they keep what they look at, and nobody else finds it.
  void discard(std::span<const PageNo> pages);
  void discard(PageNo page) { discard({&page, 1}); }

  // Gives up the memory of these pages, if they are not dirty nor in use. Whoever wants one reads it from the file.
  void evict(std::span<const PageNo> pages) noexcept;

  // Writes all dirty pages whose version is at most `version` and for which `wanted(page, generation)` holds, in page
  // order. They must be immutable, that is, belong to published versions.
  Status write_back(Version version, const std::function<bool(PageNo, Generation)>& wanted);

  PoolCounters counters() const;
  PageStore& store() noexcept { return store_; }
  std::uint32_t page_size() const noexcept { return page_size_; }
  std::uint32_t frame_count() const noexcept { return frame_count_; }

 private:
  Pool(PageStore& store, PageValidator validate, os::Env& env);

  // Page numbers are dense, so their low bits spread them evenly, and pages that were made together share cache lines
  // of the table. A mixing hash would touch one line for each page.
  std::uint32_t bucket_of(PageNo page) const noexcept { return static_cast<std::uint32_t>(page) & bucket_mask_; }
  const std::byte* data_of(std::uint32_t index) const noexcept {
    return memory_.data() + std::size_t{index} * page_size_;
  }
  Frame* find_linked(PageNo page) noexcept;         // lock-free; null when not surely there, another page perhaps
  Frame* find_pinned(const PageRef& ref) noexcept;  // the same, pinned, and surely this page
  Frame* find_locked(PageNo page) noexcept;         // under mutex_
  void link(Frame* frame) noexcept;                 // under mutex_
  void unlink(Frame* frame) noexcept;               // under mutex_
  Result<ReadGuard> load(const PageRef& ref);
  Result<Frame*> place(const PageRef& ref);  // a locked frame for a new page, linked
  static WriteGuard show(Frame* frame, std::uint8_t level) noexcept;
  void ask_for(std::span<const PageNo> pages, std::size_t from) const noexcept;
  Status read_into(Frame* frame, const PageRef& ref);
  Result<Frame*> take_frame(std::unique_lock<std::mutex>& lock);  // locked, not linked
  Frame* take_free() noexcept;                                    // under mutex_; null: none, or none without pins
  Frame* begin_frame() noexcept;                                  // under mutex_; locked; null: all are there
  bool evict_clean() noexcept;                                    // under mutex_; false: write dirty ones first
  bool evict_frame(Frame* frame) noexcept;                        // under mutex_; false: it is dirty or in use
  bool evict_some(std::unique_lock<std::mutex>& lock);            // the same, and waits until nobody looks at them
  void drop(Frame* frame) noexcept;                               // under mutex_; unlink a locked frame, free it
  void give_back(Frame* frame) noexcept;                          // under mutex_; a locked, unlinked frame
  void set_free(Frame* frame) noexcept;                           // under mutex_; an unlinked frame
  bool drop_leftover(PageNo page);                                // under mutex_
  Result<bool> steal(std::unique_lock<std::mutex>& lock);
  void pause(std::unique_lock<std::mutex>& lock);
  bool collect_cold(std::uint8_t usage_max);  // under staging_mutex_ and mutex_, into batch_
  Status write_batch(std::unique_lock<std::mutex>& lock, std::uint32_t pins_to_drop);  // writes and empties batch_
  Status write_runs() noexcept;  // copies, seals and writes batch_
  Status write_runs_or_throw();
  static constexpr std::uint8_t kUsageHit = 2;
  void note_hit(Frame& frame) noexcept;
  void count_hit() noexcept;
  std::uint32_t index_of(const Frame* frame) const noexcept { return static_cast<std::uint32_t>(frame - frames_); }

  PageStore& store_;
  const PageValidator validate_;
  os::Env& env_;
  const std::uint32_t page_size_;
  std::uint32_t frame_count_ = 0;
  std::uint32_t bucket_mask_ = 0;
  os::Memory memory_;
  os::Memory frame_memory_, bucket_memory_;
  Frame* frames_ = nullptr;                        // by index, from 1 to frames_begun_
  std::atomic<std::uint32_t>* buckets_ = nullptr;  // indexes of frames

  std::mutex mutex_;                 // guards the members below, chain changes, and frame states
  std::condition_variable changed_;  // a load or a write ended
  struct FreeFrame {
    std::uint32_t index;  // may still be pinned: by one who looked for another page, or before a discard()
    std::uint64_t era;
  };
  std::vector<FreeFrame> free_;
  MemoryAhead ahead_{memory_};                  // under mutex_
  std::atomic<std::uint32_t> frames_begun_{0};  // changed under mutex_; the memory of the others was never touched
  std::uint32_t clock_hand_ = 1;

  std::mutex staging_mutex_;  // one batch is written at a time (B3)
  os::Memory staging_;
  std::uint32_t batch_max_ = 0;
  std::vector<Frame*> batch_;  // guarded by staging_mutex_; capacity batch_max_

  Visits visits_;

  struct alignas(64) Counter {
    std::atomic<std::uint64_t> value{0};
  };
  std::array<Counter, base::kStripes> hits_;
  std::atomic<std::uint64_t> misses_{0};
  std::atomic<std::uint64_t> evictions_{0};
};

inline void Pool::prefetch(const PageRef& ref) const noexcept {
  const std::uint32_t index = buckets_[bucket_of(ref.page())].load(std::memory_order_relaxed);
  if (index == Frame::kNone) return;
  __builtin_prefetch(&frames_[index], 1);
  __builtin_prefetch(data_of(index));
  __builtin_prefetch(data_of(index) + 64);
}

// Inlined by force, as NodeView::prefetch_cell().
[[gnu::always_inline]] inline void Pool::prefetch_content(const PageRef& ref, std::uint32_t bytes) const noexcept {
  const std::uint32_t index = buckets_[bucket_of(ref.page())].load(std::memory_order_relaxed);
  if (index == Frame::kNone) return;
  for (std::uint32_t at = 0; at < bytes; at += 64) __builtin_prefetch(data_of(index) + at);
}

inline Frame* Pool::find_linked(PageNo page) noexcept {
  std::uint32_t index = buckets_[bucket_of(page)].load(std::memory_order_acquire);
  // A chain may change under us and even lead into another one: a wrong turn ends in a miss, and load() looks again.
  for (int hops = 0; index != Frame::kNone && hops < 16; ++hops) {
    Frame& frame = frames_[index];
    // The frame and the page lie in different lines: wait for both at once, not for one after the other.
    __builtin_prefetch(data_of(index));
    __builtin_prefetch(data_of(index) + 64);
    if (frame.page.load(std::memory_order_relaxed) == page) return &frame;
    index = frame.next.load(std::memory_order_acquire);
  }
  return nullptr;
}

inline Frame* Pool::find_pinned(const PageRef& ref) noexcept {
  Frame* const frame = find_linked(ref.page());
  if (frame == nullptr) return nullptr;
  const std::uint32_t before = frame->pins.fetch_add(1, std::memory_order_acq_rel);
  if ((before & Frame::kLocked) == 0 && frame->holds(ref)) return frame;
  frame->pins.fetch_sub(1, std::memory_order_release);
  return nullptr;
}

inline void Pool::note_hit(Frame& frame) noexcept {
  if (frame.usage.load(std::memory_order_relaxed) < kUsageHit) {
    frame.usage.store(kUsageHit, std::memory_order_relaxed);
  }
  count_hit();
}

inline ReadGuard Pool::try_fetch(const PageRef& ref) noexcept {
  Frame* const frame = find_pinned(ref);
  if (frame == nullptr) return {};
  note_hit(*frame);
  return ReadGuard(frame);
}

// B5: whoever locks the frame after this look waits for our visit; before it, we see the lock.
inline const std::byte* Pool::peek(const PageRef& ref) noexcept {
  Frame* const frame = find_linked(ref.page());
  if (frame == nullptr || (frame->pins.load() & Frame::kLocked) != 0 || !frame->holds(ref)) return nullptr;
  note_hit(*frame);
  return frame->data;
}

}  // namespace vitrine::pool
