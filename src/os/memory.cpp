// SPDX-License-Identifier: MIT OR Apache-2.0
#include "os/memory.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

#include "base/codec.hpp"

namespace vitrine::os {
namespace {

constexpr std::size_t kSmallPageSize = 4096;
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25  // Linux 6.1
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23  // Linux 5.14
#endif

}  // namespace

Result<Memory> Memory::allocate(std::size_t size, Pages pages) {
  if (size == 0) return Memory();
  if (size > SIZE_MAX / 2) return Status::out_of_memory();
  const std::size_t mapped_size = base::align_up(size, kSmallPageSize);
  // mmap aligns to small pages only: map one huge page more than needed and give back what lies outside.
  const bool is_small = pages == Pages::Small;
  const std::size_t alignment = is_small ? kSmallPageSize : kHugePageSize;
  const std::size_t wide_size = mapped_size + (is_small ? 0 : kHugePageSize);
  void* wide = ::mmap(nullptr, wide_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (wide == MAP_FAILED) return Status::out_of_memory().with("size", size);

  const auto begin = reinterpret_cast<std::uintptr_t>(wide);
  const std::size_t head = base::align_up(begin, alignment) - begin;
  const std::size_t tail = wide_size - head - mapped_size;
  auto* data = static_cast<std::byte*>(wide) + head;
  if (head > 0) ::munmap(wide, head);
  if (tail > 0) ::munmap(data + mapped_size, tail);

  // Both are wishes: kernels without them serve small pages, or write pages into a core dump.
  const std::size_t small = is_small ? mapped_size : pages == Pages::Huge ? 0 : std::min(mapped_size, kHugePageSize);
  if (small < mapped_size) ::madvise(data + small, mapped_size - small, MADV_HUGEPAGE);
  ::madvise(data, mapped_size, MADV_DONTDUMP);
  Memory memory;
  memory.data_ = data;
  memory.size_ = size;
  return memory;
}

// Both are wishes here, too. The second has the kernel do at once what it may do at some time after the first.
void Memory::make_huge() noexcept {
  const std::size_t size = std::min(base::align_up(size_, kSmallPageSize), kHugePageSize);
  ::madvise(data_, size, MADV_HUGEPAGE);
  if (size == kHugePageSize) ::madvise(data_, size, MADV_COLLAPSE);
}

void Memory::touch(std::size_t offset, std::size_t size) const noexcept {
  const std::size_t begin = offset - offset % kSmallPageSize;
  ::madvise(data_ + begin, base::align_up(offset + size, kSmallPageSize) - begin, MADV_POPULATE_WRITE);
}

Memory::~Memory() {
  if (data_ != nullptr) ::munmap(data_, size_);  // the kernel rounds up to whole pages
}

}  // namespace vitrine::os
