// SPDX-License-Identifier: MIT OR Apache-2.0
// Files in RAM beyond the common contract: threads, sparse files, lifetimes, identities.
#include "os/memory_env.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "os/testing.hpp"

namespace vitrine::os {
namespace {

using testing::read_text;
using testing::write_text;

TEST(MemoryEnv, it_has_background_threads_and_a_type) {
  auto env = make_memory_env();
  EXPECT_TRUE(env->has_background_threads());
  EXPECT_EQ(env->filesystem_of("/a").value().type, "memory");
  EXPECT_FALSE(env->filesystem_of("/a").value().is_network);
}

TEST(MemoryEnv, files_of_two_environments_are_apart) {
  auto first = make_memory_env();
  auto second = make_memory_env();
  auto here = first->open("/a", OpenMode::CreateNew).value();
  auto there = second->open("/a", OpenMode::CreateNew).value();
  EXPECT_FALSE(here->identity().value() == there->identity().value());
}

TEST(MemoryEnv, a_handle_outlives_its_environment) {
  auto env = make_memory_env();
  auto file = env->open("/a", OpenMode::CreateNew).value();
  env.reset();
  ASSERT_TRUE(write_text(*file, 0, "text").is_ok());
  EXPECT_EQ(read_text(*file, 0, 4), "text");
}

TEST(MemoryEnv, a_large_sparse_file_takes_no_space) {
  auto env = make_memory_env();
  auto file = env->open("/a", OpenMode::CreateNew).value();
  ASSERT_TRUE(file->resize(std::uint64_t{1} << 43).is_ok());
  EXPECT_EQ(read_text(*file, (std::uint64_t{1} << 43) - 3, 10), std::string(3, '\0'));
  EXPECT_EQ(file->resize(std::uint64_t{1} << 45).code(), ErrorCode::DiskFull);
}

TEST(MemoryEnv, readers_and_writers_on_many_threads_see_whole_writes) {
  auto env = make_memory_env();
  auto file = env->open("/a", OpenMode::CreateNew).value();
  constexpr std::size_t kBlock = 70'000;  // spans chunks
  ASSERT_TRUE(write_text(*file, 0, std::string(kBlock, 'a')).is_ok());
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0};
  std::vector<std::thread> threads;
  for (const char letter : {'a', 'b'}) {
    threads.emplace_back([&, letter] {
      for (int i = 0; i < 200; ++i) EXPECT_TRUE(write_text(*file, 0, std::string(kBlock, letter)).is_ok());
      stop = true;
    });
  }
  threads.emplace_back([&] {
    auto reader = env->open("/a", OpenMode::ReadOnly).value();
    do {
      const std::string text = read_text(*reader, 0, kBlock);
      if (text != std::string(kBlock, text[0])) ++torn;
    } while (!stop);
  });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(torn, 0);
}

TEST(MemoryEnv, one_of_many_threads_gets_the_lock_and_one_creates_the_file) {
  auto env = make_memory_env();
  std::atomic<int> created{0};
  std::atomic<int> locked{0};
  std::vector<std::unique_ptr<File>> files(8);
  env->open("/lock", OpenMode::CreateNew).value();
  std::vector<std::thread> threads;
  for (auto& file : files) {
    threads.emplace_back([&] {
      if (env->open("/a", OpenMode::CreateNew).has_value()) ++created;
      file = env->open("/lock", OpenMode::ReadWrite).value();
      if (file->try_lock(0, 1, LockMode::Exclusive).value()) ++locked;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(created, 1);
  EXPECT_EQ(locked, 1);
}

}  // namespace
}  // namespace vitrine::os
