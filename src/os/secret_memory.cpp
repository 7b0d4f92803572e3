// SPDX-License-Identifier: MIT OR Apache-2.0
#include "os/secret_memory.hpp"

#include <string.h>
#include <sys/mman.h>

#include "base/codec.hpp"

namespace vitrine::os {
namespace {

constexpr std::size_t kMemoryPage = 4096;

}  // namespace

void wipe(void* memory, std::size_t size) noexcept {
  if (size > 0) ::explicit_bzero(memory, size);
}

Result<SecretMemory> SecretMemory::copy_of(std::span<const std::byte> bytes) {
  if (bytes.empty()) return SecretMemory();
  const std::size_t mapped_size = base::align_up(bytes.size(), kMemoryPage);
  void* data = ::mmap(nullptr, mapped_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) return Status::out_of_memory().with("size", bytes.size());
  // Before anything is in it. Each is the best the system will do: see the head of the header.
  ::madvise(data, mapped_size, MADV_DONTDUMP);
  ::madvise(data, mapped_size, MADV_WIPEONFORK);
  (void)::mlock(data, mapped_size);
  std::memcpy(data, bytes.data(), bytes.size());
  SecretMemory memory;
  memory.data_ = static_cast<std::byte*>(data);
  memory.size_ = bytes.size();
  return memory;
}

SecretMemory::~SecretMemory() {
  if (data_ == nullptr) return;
  wipe(data_, size_);
  ::munmap(data_, base::align_up(size_, kMemoryPage));  // unlocks
}

}  // namespace vitrine::os
