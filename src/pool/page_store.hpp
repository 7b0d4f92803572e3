// SPDX-License-Identifier: MIT OR Apache-2.0
// Where page images lie: the database file and, in sessions that must not write to it, a scratch file. Seals on the way
// out, verifies on the way in. Knows offsets; must not know what is cached.
//
// A read-only session replays the log into pages of its own. Those carry the session's number in their refs; they go to
// and come from the scratch file, every other page comes from the database file.
//
// Threads: read() and write() may be called from any thread; attach_scratch() before any of them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

#include "format/page.hpp"
#include "os/env.hpp"
#include "vitrine/status.hpp"

namespace vitrine::pool {

using format::PageNo;
using format::PageRef;

class PageStore {
 public:
  PageStore(os::File& file, const format::PageCodec& codec, std::uint32_t page_size)
      : file_(file), codec_(codec), page_size_(page_size) {}

  // From now on write() goes to `scratch`, and pages of `session` are read from it.
  void attach_scratch(std::unique_ptr<os::File> scratch, std::uint64_t session);

  // Reads and verifies `size` bytes (whole pages) that `ref` names. Errors: ReadFailed, PageChecksum, PageForged,
  // PageMisplaced, PageStale.
  Status read(const PageRef& ref, std::byte* to, std::size_t size);

  // Seals nothing: writes `size` bytes of sealed images to consecutive pages from `page` on. After a failure every
  // later write is refused with Poisoned; failure() tells the first.
  Status write(PageNo page, const std::byte* images, std::size_t size);

  // The same for bytes at `offset` that are no pages: the file header.
  Status write_at(std::uint64_t offset, const std::byte* bytes, std::size_t size);

  // Makes all writes durable. Fails for good like write().
  Status sync();

  // As if a write had failed with `cause`.
  void poison(const Status& cause) { (void)remember_failure(cause); }

  // Completes an image for writing. Fails for good like write().
  Status seal(std::byte* image, std::size_t size) {
    Status status = codec_.seal(image, size);
    return status.is_ok() ? status : remember_failure(std::move(status));
  }
  Status failure() const;
  bool has_failed() const noexcept { return failed_.load(std::memory_order_acquire); }
  const format::PageCodec& codec() const noexcept { return codec_; }
  std::uint32_t page_size() const noexcept { return page_size_; }
  std::uint64_t pages_read() const noexcept { return pages_read_.load(std::memory_order_relaxed); }
  std::uint64_t pages_written() const noexcept { return pages_written_.load(std::memory_order_relaxed); }

 private:
  Status refuse_if_failed() const;
  Status remember_failure(Status status);

  os::File& file_;
  const format::PageCodec& codec_;
  const std::uint32_t page_size_;
  std::unique_ptr<os::File> scratch_;
  std::uint64_t scratch_session_ = 0;
  std::atomic<std::uint64_t> pages_read_{0};
  std::atomic<std::uint64_t> pages_written_{0};
  std::atomic<bool> failed_{false};
  mutable std::mutex failure_mutex_;
  Status failure_;
};

}  // namespace vitrine::pool
