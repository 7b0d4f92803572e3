// SPDX-License-Identifier: MIT OR Apache-2.0
#include "os/memory.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "os/testing.hpp"

namespace vitrine::os {
namespace {

using testing::mapping_of;

TEST(Memory, is_zeroed_aligned_and_writable_to_its_end) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{4096}, std::size_t{5'000'000}}) {
    Memory memory = Memory::allocate(size).value();
    ASSERT_NE(memory.data(), nullptr);
    EXPECT_EQ(memory.size(), size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.data()) % (2 << 20), 0u);
    EXPECT_TRUE(std::all_of(memory.data(), memory.data() + size, [](std::byte byte) { return byte == std::byte{0}; }));
    std::fill_n(memory.data(), size, std::byte{1});
  }
}

TEST(Memory, keeps_its_content_when_its_beginning_becomes_huge) {
  for (const std::size_t size : {std::size_t{100}, std::size_t{5'000'000}}) {
    Memory memory = Memory::allocate(size, Memory::Pages::HugeLater).value();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(memory.data()) % Memory::kHugePageSize, 0u);
    std::fill_n(memory.data(), size, std::byte{7});
    memory.make_huge();
    EXPECT_TRUE(std::all_of(memory.data(), memory.data() + size, [](std::byte byte) { return byte == std::byte{7}; }));
  }
}

TEST(Memory, is_there_when_it_has_been_touched_and_keeps_its_content) {
  Memory memory = Memory::allocate(5'000'000).value();
  std::fill_n(memory.data(), 100, std::byte{7});
  memory.touch(50, 4'900'000);
  EXPECT_GE(testing::resident_size(memory.data()), 4'900'000u);
  EXPECT_EQ(memory.data()[99], std::byte{7});
  EXPECT_EQ(memory.data()[100], std::byte{0});
}

TEST(Memory, is_left_out_of_core_dumps) {
  Memory memory = Memory::allocate(1 << 20).value();
  const std::string mapping = mapping_of(memory.data());
  if (mapping.find("VmFlags:") == std::string::npos) GTEST_SKIP() << "no /proc/self/smaps";
  EXPECT_NE(mapping.find(" dd"), std::string::npos) << mapping;
}

TEST(Memory, moves_without_copying_and_gives_back) {
  Memory first = Memory::allocate(1 << 20).value();
  const std::byte* data = first.data();
  Memory second(std::move(first));
  EXPECT_EQ(second.data(), data);
  EXPECT_EQ(first.data(), nullptr);  // NOLINT: the state after a move is defined
  Memory third = Memory::allocate(1 << 20).value();
  third = std::move(second);
  EXPECT_EQ(third.data(), data);
  { const Memory last(std::move(third)); }
}

TEST(Memory, more_than_the_address_space_is_out_of_memory) {
  EXPECT_EQ(Memory::allocate(SIZE_MAX - 10).status().code(), ErrorCode::OutOfMemory);
  EXPECT_EQ(Memory::allocate(std::size_t{1} << 60).status().code(), ErrorCode::OutOfMemory);
  EXPECT_EQ(Memory::allocate(0).value().data(), nullptr);
}

}  // namespace
}  // namespace vitrine::os
