// SPDX-License-Identifier: MIT OR Apache-2.0
#include "os/secret_memory.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <fstream>
#include <string>

namespace vitrine::os {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

// The flags that the kernel keeps for the mapping at `address`.
std::string flags_of_mapping(const void* address) {
  std::ifstream maps("/proc/self/smaps");
  char begin[32];
  std::snprintf(begin, sizeof begin, "%lx-", static_cast<unsigned long>(reinterpret_cast<std::uintptr_t>(address)));
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.find('-') < line.find(' ')) inside = line.rfind(begin, 0) == 0;
    if (inside && line.rfind("VmFlags:", 0) == 0) return line;
  }
  return {};
}

TEST(SecretMemory, holds_a_copy_that_is_left_out_of_core_dumps) {
  const SecretMemory memory = *SecretMemory::copy_of(bytes_of("a secret of some length"));
  ASSERT_EQ(memory.bytes().size(), 23u);
  EXPECT_EQ(std::memcmp(memory.bytes().data(), "a secret of some length", 23), 0);
  const std::string flags = flags_of_mapping(memory.bytes().data());
  if (flags.empty()) GTEST_SKIP() << "the kernel does not tell";
  EXPECT_NE(flags.find(" dd"), std::string::npos) << flags;
  EXPECT_NE(flags.find(" wf"), std::string::npos) << flags;
}

TEST(SecretMemory, is_empty_in_a_child_process) {
  const SecretMemory memory = *SecretMemory::copy_of(bytes_of("secret"));
  const pid_t child = ::fork();
  if (child == 0) ::_exit(memory.bytes()[0] == std::byte{0} ? 0 : 1);
  int status = 1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(SecretMemory, moves_without_a_copy) {
  SecretMemory first = *SecretMemory::copy_of(bytes_of("secret"));
  const std::byte* const address = first.bytes().data();
  const SecretMemory second = std::move(first);
  EXPECT_EQ(second.bytes().data(), address);
  EXPECT_TRUE(first.bytes().empty());
  EXPECT_TRUE(SecretMemory::copy_of({})->bytes().empty());
}

TEST(SecretArray, is_wiped_at_the_end_of_its_scope) {
  alignas(SecretArray<32>) std::byte place[sizeof(SecretArray<32>)];
  auto* array = ::new (place) SecretArray<32>;
  array->fill(std::byte{0xa5});
  array->~SecretArray<32>();
  const volatile std::byte* seen = place;
  for (std::size_t i = 0; i < 32; ++i) EXPECT_TRUE(seen[i] == std::byte{0}) << i;
}

}  // namespace
}  // namespace vitrine::os
