// SPDX-License-Identifier: MIT OR Apache-2.0
// One open file of the machine: a descriptor and the path it was opened by (for error texts only).
//
// Invariants: the descriptor is a regular file, blocking, and closed on exec. It is never shared with another object,
// so its locks are this handle's. A child made by fork shares the open file description and with it the locks; the
// engine compares process ids and refuses to work there.
// Thread safety: as File; the object has no mutable state besides the descriptor.
#pragma once

#include <string>
#include <utility>

#include "os/env.hpp"

namespace vitrine::os {

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;

  int number() const noexcept { return number_; }
  bool is_open() const noexcept { return number_ >= 0; }

 private:
  int number_;
};

enum class Access : std::uint8_t { ReadOnly, ReadWrite };

class PosixFile final : public File {
 public:
  PosixFile(Descriptor descriptor, std::string path, Access access)
      : descriptor_(std::move(descriptor)), path_(std::move(path)), access_(access) {}

  Result<std::size_t> read_at(std::uint64_t offset, void* to, std::size_t size) override;
  Status write_at(std::uint64_t offset, std::span<const IoSlice> slices) override;
  Status sync() override;
  Result<std::uint64_t> size() override;
  Status resize(std::uint64_t size) override;
  Status reserve(std::uint64_t offset, std::uint64_t size) override;
  Result<bool> try_lock(std::uint64_t offset, std::uint64_t size, LockMode mode) override;
  Status unlock(std::uint64_t offset, std::uint64_t size) override;
  Result<bool> locked_by_other(std::uint64_t offset, std::uint64_t size) override;
  Result<FileIdentity> identity() override;

  // What reserve() does where the file system has no fallocate: writes zeros into the holes of the range and beyond
  // the end of the file, and touches no byte that was written before.
  Status reserve_by_writing(std::uint64_t offset, std::uint64_t size);

 private:
  Status failed(int error, ErrorCode otherwise, std::string_view operation) const;
  Status failed_at(std::uint64_t offset, int error, ErrorCode otherwise, std::string_view operation) const;
  Status require_writable(std::string_view operation) const;

  Descriptor descriptor_;
  std::string path_;
  Access access_;
};

}  // namespace vitrine::os
