// SPDX-License-Identifier: MIT OR Apache-2.0
// The content of one file in RAM, in chunks that are made when first written; a chunk that was never written reads as
// zeros and takes no space. Several handles share one object.
//
// Invariants: bytes beyond size_ inside a chunk are zero, so growing shows zeros; chunks_ never reaches beyond the last
// chunk that was written or reserved.
// Thread safety: every method may run at any time. Readers run side by side.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <shared_mutex>
#include <span>
#include <vector>

#include "os/env.hpp"
#include "os/range_locks.hpp"

namespace vitrine::os {

class MemoryContent {
 public:
  explicit MemoryContent(std::uint64_t inode) : inode_(inode) {}

  std::uint64_t inode() const { return inode_; }
  std::uint64_t size() const;
  std::size_t read(std::uint64_t offset, void* to, std::size_t size) const;
  // False, with some slices possibly written, when memory ran out.
  bool write(std::uint64_t offset, std::span<const IoSlice> slices);
  void resize(std::uint64_t size);
  // False when memory ran out; the size is then unchanged.
  bool reserve(std::uint64_t offset, std::uint64_t size);

  bool try_lock(const void* owner, std::uint64_t offset, std::uint64_t size, LockMode mode);
  void unlock(const void* owner, std::uint64_t offset, std::uint64_t size);
  void unlock_all(const void* owner);
  bool locked_by_other(const void* owner, std::uint64_t offset, std::uint64_t size) const;

 private:
  static constexpr std::size_t kChunkSize = 64 * 1024;
  using Chunk = std::unique_ptr<std::byte[]>;

  bool ensure_chunks(std::uint64_t offset, std::uint64_t size);
  void write_slice(std::uint64_t offset, const IoSlice& slice);

  const std::uint64_t inode_;
  mutable std::shared_mutex mutex_;
  std::vector<Chunk> chunks_;  // null: zeros
  std::uint64_t size_ = 0;
  RangeLocks locks_;
};

// A handle.
class MemoryFile final : public File {
 public:
  MemoryFile(std::shared_ptr<MemoryContent> content, std::string path, std::uint64_t device, bool is_writable);
  ~MemoryFile() override;

  Result<std::size_t> read_at(std::uint64_t offset, void* to, std::size_t size) override;
  Status write_at(std::uint64_t offset, std::span<const IoSlice> slices) override;
  Status sync() override { return {}; }
  Result<std::uint64_t> size() override { return content_->size(); }
  Status resize(std::uint64_t size) override;
  Status reserve(std::uint64_t offset, std::uint64_t size) override;
  Result<bool> try_lock(std::uint64_t offset, std::uint64_t size, LockMode mode) override;
  Status unlock(std::uint64_t offset, std::uint64_t size) override;
  Result<bool> locked_by_other(std::uint64_t offset, std::uint64_t size) override;
  Result<FileIdentity> identity() override { return FileIdentity{device_, content_->inode()}; }

 private:
  Status require_writable(std::string_view operation) const;
  Status require_fit(std::uint64_t offset, std::uint64_t size, std::string_view operation) const;

  const std::shared_ptr<MemoryContent> content_;
  const std::string path_;
  const std::uint64_t device_;
  const bool is_writable_;
};

}  // namespace vitrine::os
