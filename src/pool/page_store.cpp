// SPDX-License-Identifier: MIT OR Apache-2.0
#include "pool/page_store.hpp"

#include "base/try.hpp"
#include "vitrine/errors.hpp"

namespace vitrine::pool {

void PageStore::attach_scratch(std::unique_ptr<os::File> scratch, std::uint64_t session) {
  scratch_ = std::move(scratch);
  scratch_session_ = session;
}

Status PageStore::read(const PageRef& ref, std::byte* to, std::size_t size) {
  const bool from_scratch = scratch_ && ref.session == scratch_session_;
  os::File& file = from_scratch ? *scratch_ : file_;
  const std::size_t got = TRY(file.read_at(ref.page() * page_size_, to, size));
  if (got != size) {
    return Status::error(ErrorCode::PageChecksum, "the file ends before the end of the page").with("page", ref.page());
  }
  pages_read_.fetch_add(size / page_size_, std::memory_order_relaxed);
  return codec_.open(to, size, ref);
}

Status PageStore::write(PageNo page, const std::byte* images, std::size_t size) {
  CHECK(write_at(page * page_size_, images, size));
  pages_written_.fetch_add(size / page_size_, std::memory_order_relaxed);
  return {};
}

Status PageStore::write_at(std::uint64_t offset, const std::byte* bytes, std::size_t size) {
  CHECK(refuse_if_failed());
  const os::IoSlice slice{bytes, size};
  os::File& file = scratch_ ? *scratch_ : file_;
  if (Status status = file.write_at(offset, {&slice, 1}); !status.is_ok()) return remember_failure(status);
  return {};
}

Status PageStore::sync() {
  CHECK(refuse_if_failed());
  if (scratch_) return {};
  if (Status status = file_.sync(); !status.is_ok()) return remember_failure(status);
  return {};
}

Status PageStore::failure() const {
  if (!failed_.load(std::memory_order_acquire)) return {};
  std::lock_guard lock(failure_mutex_);
  return failure_;
}

Status PageStore::refuse_if_failed() const {
  const Status first = failure();
  if (first.is_ok()) return {};
  return because(Status::error(ErrorCode::Poisoned), first);
}

Status PageStore::remember_failure(Status status) {
  std::lock_guard lock(failure_mutex_);
  if (failure_.is_ok()) failure_ = status;
  failed_.store(true, std::memory_order_release);
  return status;
}

}  // namespace vitrine::pool
