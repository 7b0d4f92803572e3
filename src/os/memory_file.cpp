// SPDX-License-Identifier: MIT OR Apache-2.0
#include "os/memory_file.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>

#include "base/try.hpp"
#include "os/file_error.hpp"

namespace vitrine::os {
namespace {

// Keeps the table of chunks below 2 GiB, whatever size a damaged file or a caller asks for.
constexpr std::uint64_t kLargestFile = std::uint64_t{1} << 44;

}  // namespace

std::uint64_t MemoryContent::size() const {
  const std::shared_lock lock(mutex_);
  return size_;
}

std::size_t MemoryContent::read(std::uint64_t offset, void* to, std::size_t size) const {
  const std::shared_lock lock(mutex_);
  if (offset >= size_) return 0;
  const auto total = static_cast<std::size_t>(std::min<std::uint64_t>(size, size_ - offset));
  for (std::size_t done = 0; done < total;) {
    const auto index = static_cast<std::size_t>((offset + done) / kChunkSize);
    const auto begin = static_cast<std::size_t>((offset + done) % kChunkSize);
    const std::size_t count = std::min(total - done, kChunkSize - begin);
    auto* target = static_cast<std::byte*>(to) + done;
    if (index < chunks_.size() && chunks_[index] != nullptr) {
      std::memcpy(target, chunks_[index].get() + begin, count);
    } else {
      std::memset(target, 0, count);
    }
    done += count;
  }
  return total;
}

bool MemoryContent::write(std::uint64_t offset, std::span<const IoSlice> slices) {
  const std::unique_lock lock(mutex_);
  for (const IoSlice& slice : slices) {
    if (slice.size == 0) continue;
    if (!ensure_chunks(offset, slice.size)) return false;
    write_slice(offset, slice);
    offset += slice.size;
    size_ = std::max(size_, offset);
  }
  return true;
}

void MemoryContent::write_slice(std::uint64_t offset, const IoSlice& slice) {
  for (std::size_t done = 0; done < slice.size;) {
    const auto index = static_cast<std::size_t>((offset + done) / kChunkSize);
    const auto begin = static_cast<std::size_t>((offset + done) % kChunkSize);
    const std::size_t count = std::min(slice.size - done, kChunkSize - begin);
    std::memcpy(chunks_[index].get() + begin, static_cast<const std::byte*>(slice.data) + done, count);
    done += count;
  }
}

bool MemoryContent::ensure_chunks(std::uint64_t offset, std::uint64_t size) {
  const auto first = static_cast<std::size_t>(offset / kChunkSize);
  const auto end = static_cast<std::size_t>((offset + size + kChunkSize - 1) / kChunkSize);
  try {
    if (chunks_.size() < end) chunks_.resize(end);
    for (std::size_t index = first; index < end; ++index) {
      if (chunks_[index] == nullptr) chunks_[index] = std::make_unique<std::byte[]>(kChunkSize);
    }
  } catch (const std::bad_alloc&) {
    return false;
  }
  return true;
}

void MemoryContent::resize(std::uint64_t size) {
  const std::unique_lock lock(mutex_);
  if (size < size_) {
    const auto kept = static_cast<std::size_t>((size + kChunkSize - 1) / kChunkSize);
    if (kept < chunks_.size()) chunks_.resize(kept);
    const auto tail = static_cast<std::size_t>(size % kChunkSize);
    if (tail != 0 && kept == chunks_.size() && chunks_.back() != nullptr) {
      std::memset(chunks_.back().get() + tail, 0, kChunkSize - tail);
    }
  }
  size_ = size;
}

bool MemoryContent::reserve(std::uint64_t offset, std::uint64_t size) {
  const std::unique_lock lock(mutex_);
  if (!ensure_chunks(offset, size)) return false;
  size_ = std::max(size_, offset + size);
  return true;
}

bool MemoryContent::try_lock(const void* owner, std::uint64_t offset, std::uint64_t size, LockMode mode) {
  const std::unique_lock lock(mutex_);
  return locks_.try_lock(owner, offset, size, mode);
}

void MemoryContent::unlock(const void* owner, std::uint64_t offset, std::uint64_t size) {
  const std::unique_lock lock(mutex_);
  locks_.unlock(owner, offset, size);
}

void MemoryContent::unlock_all(const void* owner) {
  const std::unique_lock lock(mutex_);
  locks_.unlock_all(owner);
}

bool MemoryContent::locked_by_other(const void* owner, std::uint64_t offset, std::uint64_t size) const {
  const std::shared_lock lock(mutex_);
  return locks_.locked_by_other(owner, offset, size);
}

MemoryFile::MemoryFile(std::shared_ptr<MemoryContent> content, std::string path, std::uint64_t device, bool is_writable)
    : content_(std::move(content)), path_(std::move(path)), device_(device), is_writable_(is_writable) {}

MemoryFile::~MemoryFile() { content_->unlock_all(this); }

Status MemoryFile::require_writable(std::string_view operation) const {
  if (is_writable_) return {};
  return file_error(ErrorCode::FileReadOnly, operation, path_, "the file was opened read-only");
}

Status MemoryFile::require_fit(std::uint64_t offset, std::uint64_t size, std::string_view operation) const {
  if (offset <= kLargestFile && size <= kLargestFile - offset) return {};
  return file_error(ErrorCode::DiskFull, operation, path_, "larger than a file in memory can be")
      .with("offset", offset);
}

Result<std::size_t> MemoryFile::read_at(std::uint64_t offset, void* to, std::size_t size) {
  return content_->read(offset, to, size);
}

Status MemoryFile::write_at(std::uint64_t offset, std::span<const IoSlice> slices) {
  CHECK(require_writable("write"));
  std::uint64_t total = 0;
  for (const IoSlice& slice : slices) total += slice.size;
  CHECK(require_fit(offset, total, "write"));
  if (content_->write(offset, slices)) return {};
  return Status::out_of_memory();
}

Status MemoryFile::resize(std::uint64_t size) {
  CHECK(require_writable("resize"));
  CHECK(require_fit(0, size, "resize"));
  content_->resize(size);
  return {};
}

Status MemoryFile::reserve(std::uint64_t offset, std::uint64_t size) {
  CHECK(require_writable("reserve"));
  CHECK(require_fit(offset, size, "reserve"));
  if (size == 0 || content_->reserve(offset, size)) return {};
  return Status::out_of_memory();
}

Result<bool> MemoryFile::try_lock(std::uint64_t offset, std::uint64_t size, LockMode mode) {
  if (mode == LockMode::Exclusive) CHECK(require_writable("lock"));
  return content_->try_lock(this, offset, size, mode);
}

Status MemoryFile::unlock(std::uint64_t offset, std::uint64_t size) {
  content_->unlock(this, offset, size);
  return {};
}

Result<bool> MemoryFile::locked_by_other(std::uint64_t offset, std::uint64_t size) {
  return content_->locked_by_other(this, offset, size);
}

}  // namespace vitrine::os
