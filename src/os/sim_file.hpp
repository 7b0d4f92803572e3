// SPDX-License-Identifier: MIT OR Apache-2.0
// A handle on a simulated file. Every call is an operation of the machine; locks are the handle's own.
#pragma once

#include <memory>
#include <string>

#include "os/sim_env.hpp"

namespace vitrine::os {

class SimFile final : public File {
 public:
  SimFile(std::shared_ptr<SimMachine> machine, std::shared_ptr<SimInode> inode, std::string path, bool is_writable);
  ~SimFile() override;

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

 private:
  // Begins an operation that changes the file: the fault plan first, then what the handle itself forbids.
  Result<std::optional<SimFault>> begin_change(SimOperation kind, std::uint64_t offset, std::uint64_t size);
  Status failed(ErrorCode code, SimOperation kind, std::uint64_t offset, std::string_view message) const;
  void announce_write(std::uint64_t offset, std::uint64_t size);

  const std::shared_ptr<SimMachine> machine_;
  const std::shared_ptr<SimInode> inode_;
  const std::string path_;
  const bool is_writable_;
};

}  // namespace vitrine::os
