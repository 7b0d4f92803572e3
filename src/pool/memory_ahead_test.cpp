// SPDX-License-Identifier: MIT OR Apache-2.0
#include "pool/memory_ahead.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "os/testing.hpp"

namespace vitrine::pool {
namespace {

constexpr std::size_t kHuge = os::Memory::kHugePageSize;

void await_resident(const os::Memory& memory, std::size_t size) {
  while (os::testing::resident_size(memory.data()) < size) std::this_thread::yield();
}

TEST(MemoryAhead, touches_half_as_much_as_is_used_and_no_more) {
  const os::Memory memory = os::Memory::allocate(16 * kHuge).value();
  MemoryAhead ahead(memory);
  ahead.reach(4 * kHuge);
  await_resident(memory, 2 * kHuge);
  ahead.reach(8 * kHuge);
  await_resident(memory, (2 + 4) * kHuge);
  EXPECT_EQ(os::testing::resident_size(memory.data()), 6 * kHuge) << "what is used is somebody else's to touch";
}

TEST(MemoryAhead, ends_with_the_memory) {
  const os::Memory memory = os::Memory::allocate(3 * kHuge - 5).value();
  MemoryAhead ahead(memory);
  ahead.reach(2 * kHuge);
  await_resident(memory, kHuge - 5);
}

TEST(MemoryAhead, can_go_while_it_works) {
  const os::Memory memory = os::Memory::allocate(64 * kHuge).value();
  for (int i = 0; i < 20; ++i) {
    MemoryAhead ahead(memory);
    ahead.reach(40 * kHuge);
  }
}

}  // namespace
}  // namespace vitrine::pool
