// SPDX-License-Identifier: MIT OR Apache-2.0
// What env.hpp promises, run against every implementation of it.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/prng.hpp"
#include "os/env.hpp"
#include "os/memory_env.hpp"
#include "os/sim_env.hpp"
#include "os/testing.hpp"

namespace vitrine::os {
namespace {

// An environment with a directory of its own to work in.
class Place {
 public:
  virtual ~Place() = default;
  virtual Env& env() = 0;
  virtual std::string path(const std::string& name) { return "/" + name; }
};

class MachinePlace final : public Place {
 public:
  Env& env() override { return system_env(); }
  std::string path(const std::string& name) override { return directory_.path(name); }

 private:
  testing::TemporaryDirectory directory_;
};

class OwnedPlace final : public Place {
 public:
  explicit OwnedPlace(std::unique_ptr<Env> env) : env_(std::move(env)) {}
  Env& env() override { return *env_; }

 private:
  std::unique_ptr<Env> env_;
};

struct Implementation {
  std::string name;
  std::function<std::unique_ptr<Place>()> make;
};

class EnvContract : public ::testing::TestWithParam<Implementation> {
 protected:
  void SetUp() override { place_ = GetParam().make(); }

  Env& env() { return place_->env(); }
  std::string path(const std::string& name) { return place_->path(name); }
  std::unique_ptr<File> create(const std::string& name) { return env().open(path(name), OpenMode::CreateNew).value(); }
  std::unique_ptr<File> open(const std::string& name, OpenMode mode = OpenMode::ReadWrite) {
    return env().open(path(name), mode).value();
  }

 private:
  std::unique_ptr<Place> place_;
};

using testing::read_text;
using testing::write_text;

TEST_P(EnvContract, what_was_written_is_read_back) {
  auto file = create("a");
  ASSERT_TRUE(write_text(*file, 0, "hello world").is_ok());
  EXPECT_EQ(read_text(*file, 0, 11), "hello world");
  EXPECT_EQ(read_text(*file, 6, 100), "world") << "a read stops at the end of the file";
  EXPECT_EQ(read_text(*file, 11, 5), "");
  EXPECT_EQ(read_text(*file, 1000, 5), "");
  EXPECT_EQ(file->size().value(), 11u);
}

TEST_P(EnvContract, slices_are_written_one_after_the_other) {
  auto file = create("a");
  std::vector<std::string> parts;
  std::vector<IoSlice> slices;
  std::string whole;
  for (int i = 0; i < 300; ++i) parts.push_back(std::string(static_cast<std::size_t>(i % 7), static_cast<char>(i)));
  for (const std::string& part : parts) {
    slices.push_back({part.data(), part.size()});
    whole += part;
  }
  ASSERT_TRUE(file->write_at(5, slices).is_ok());
  EXPECT_EQ(file->size().value(), 5 + whole.size());
  EXPECT_EQ(read_text(*file, 0, whole.size() + 5), std::string(5, '\0') + whole);
}

TEST_P(EnvContract, nothing_written_changes_nothing) {
  auto file = create("a");
  EXPECT_TRUE(file->write_at(100, {}).is_ok());
  const IoSlice empty{nullptr, 0};
  EXPECT_TRUE(file->write_at(100, {&empty, 1}).is_ok());
  EXPECT_EQ(file->size().value(), 0u);
}

TEST_P(EnvContract, a_gap_reads_as_zeros) {
  auto file = create("a");
  ASSERT_TRUE(write_text(*file, 200'000, "end").is_ok());
  EXPECT_EQ(read_text(*file, 0, 200'003), std::string(200'000, '\0') + "end");
}

TEST_P(EnvContract, cut_bytes_do_not_come_back) {
  auto file = create("a");
  ASSERT_TRUE(write_text(*file, 0, std::string(150'000, 'x')).is_ok());
  ASSERT_TRUE(file->resize(70'001).is_ok());
  EXPECT_EQ(file->size().value(), 70'001u);
  ASSERT_TRUE(file->resize(150'000).is_ok());
  EXPECT_EQ(read_text(*file, 0, 150'000), std::string(70'001, 'x') + std::string(79'999, '\0'));
  ASSERT_TRUE(file->resize(0).is_ok());
  EXPECT_EQ(read_text(*file, 0, 10), "");
}

TEST_P(EnvContract, reserve_grows_with_zeros_and_keeps_content) {
  auto file = create("a");
  ASSERT_TRUE(write_text(*file, 4096, "kept").is_ok());
  ASSERT_TRUE(file->reserve(0, 100'000).is_ok());
  EXPECT_EQ(file->size().value(), 100'000u);
  EXPECT_EQ(read_text(*file, 0, 100'000), std::string(4096, '\0') + "kept" + std::string(100'000 - 4100, '\0'));
  ASSERT_TRUE(file->reserve(10, 20).is_ok());
  EXPECT_EQ(file->size().value(), 100'000u) << "reserve never shrinks";
  EXPECT_TRUE(file->reserve(500'000, 0).is_ok());
  EXPECT_EQ(file->size().value(), 100'000u);
}

TEST_P(EnvContract, sync_succeeds_on_every_kind_of_handle) {
  auto file = create("a");
  ASSERT_TRUE(write_text(*file, 0, "x").is_ok());
  EXPECT_TRUE(file->sync().is_ok());
  EXPECT_TRUE(open("a", OpenMode::ReadOnly)->sync().is_ok());
}

TEST_P(EnvContract, handles_of_one_file_see_each_others_writes) {
  auto first = create("a");
  auto second = open("a");
  ASSERT_TRUE(write_text(*first, 0, "one").is_ok());
  EXPECT_EQ(read_text(*second, 0, 3), "one");
  EXPECT_EQ(first->identity().value(), second->identity().value());
  auto other = create("b");
  EXPECT_FALSE(first->identity().value() == other->identity().value());
}

TEST_P(EnvContract, a_read_only_handle_refuses_every_change) {
  ASSERT_TRUE(write_text(*create("a"), 0, "text").is_ok());
  auto file = open("a", OpenMode::ReadOnly);
  EXPECT_EQ(write_text(*file, 0, "x").code(), ErrorCode::FileReadOnly);
  EXPECT_EQ(file->resize(0).code(), ErrorCode::FileReadOnly);
  EXPECT_EQ(file->reserve(0, 10).code(), ErrorCode::FileReadOnly);
  EXPECT_EQ(file->try_lock(0, 1, LockMode::Exclusive).status().code(), ErrorCode::FileReadOnly);
  EXPECT_TRUE(file->try_lock(0, 1, LockMode::Shared).value());
  EXPECT_EQ(read_text(*file, 0, 4), "text");
}

TEST_P(EnvContract, open_tells_missing_from_existing) {
  EXPECT_EQ(env().open(path("a"), OpenMode::ReadOnly).status().code(), ErrorCode::FileNotFound);
  const Status missing = env().open(path("a"), OpenMode::ReadWrite).status();
  EXPECT_EQ(missing.code(), ErrorCode::FileNotFound);
  EXPECT_EQ(missing.detail("path"), path("a"));
  EXPECT_EQ(missing.detail("operation"), "open");
  create("a");
  EXPECT_EQ(env().open(path("a"), OpenMode::CreateNew).status().code(), ErrorCode::FileExists);
  EXPECT_TRUE(env().exists(path("a")).value());
  EXPECT_FALSE(env().exists(path("b")).value());
  EXPECT_EQ(env().open("", OpenMode::ReadOnly).status().code(), ErrorCode::ArgumentInvalid);
}

TEST_P(EnvContract, a_removed_file_lives_on_in_its_handles) {
  auto file = create("a");
  ASSERT_TRUE(write_text(*file, 0, "still here").is_ok());
  ASSERT_TRUE(env().remove(path("a")).is_ok());
  EXPECT_FALSE(env().exists(path("a")).value());
  EXPECT_EQ(read_text(*file, 0, 10), "still here");
  EXPECT_EQ(env().remove(path("a")).code(), ErrorCode::FileNotFound);
  auto again = create("a");
  EXPECT_EQ(again->size().value(), 0u);
  EXPECT_FALSE(again->identity().value() == file->identity().value());
}

TEST_P(EnvContract, rename_replaces_and_rename_new_does_not) {
  ASSERT_TRUE(write_text(*create("a"), 0, "from a").is_ok());
  ASSERT_TRUE(write_text(*create("b"), 0, "from b").is_ok());
  EXPECT_EQ(env().rename_new(path("a"), path("b")).code(), ErrorCode::FileExists);
  EXPECT_EQ(read_text(*open("b"), 0, 10), "from b");
  ASSERT_TRUE(env().rename(path("a"), path("b")).is_ok());
  EXPECT_FALSE(env().exists(path("a")).value());
  EXPECT_EQ(read_text(*open("b"), 0, 10), "from a");
  ASSERT_TRUE(env().rename_new(path("b"), path("c")).is_ok());
  EXPECT_FALSE(env().exists(path("b")).value());
  EXPECT_EQ(read_text(*open("c"), 0, 10), "from a");
  EXPECT_EQ(env().rename(path("x"), path("c")).code(), ErrorCode::FileNotFound);
  EXPECT_EQ(env().rename_new(path("x"), path("y")).code(), ErrorCode::FileNotFound);
  EXPECT_TRUE(env().rename(path("c"), path("c")).is_ok());
  EXPECT_EQ(read_text(*open("c"), 0, 10), "from a");
  EXPECT_TRUE(env().sync_directory_of(path("c")).is_ok());
}

TEST_P(EnvContract, exclusive_locks_of_two_handles_conflict) {
  auto first = create("a");
  auto second = open("a");
  EXPECT_TRUE(first->try_lock(100, 10, LockMode::Exclusive).value());
  EXPECT_TRUE(first->try_lock(100, 10, LockMode::Exclusive).value()) << "one's own lock is not in the way";
  EXPECT_FALSE(second->try_lock(109, 1, LockMode::Exclusive).value());
  EXPECT_FALSE(second->try_lock(109, 1, LockMode::Shared).value());
  EXPECT_TRUE(second->try_lock(110, 1, LockMode::Exclusive).value());
  EXPECT_TRUE(second->locked_by_other(0, 101).value());
  EXPECT_FALSE(second->locked_by_other(0, 100).value());
  EXPECT_TRUE(first->locked_by_other(100, 11).value());
  EXPECT_FALSE(first->locked_by_other(100, 10).value());
}

TEST_P(EnvContract, shared_locks_live_together_and_change_mode) {
  auto first = create("a");
  auto second = open("a");
  EXPECT_TRUE(first->try_lock(0, 1, LockMode::Shared).value());
  EXPECT_TRUE(second->try_lock(0, 1, LockMode::Shared).value());
  EXPECT_FALSE(first->try_lock(0, 1, LockMode::Exclusive).value());
  EXPECT_TRUE(first->locked_by_other(0, 1).value());
  ASSERT_TRUE(second->unlock(0, 1).is_ok());
  EXPECT_TRUE(first->try_lock(0, 1, LockMode::Exclusive).value());
  EXPECT_FALSE(second->try_lock(0, 1, LockMode::Shared).value());
  EXPECT_TRUE(first->try_lock(0, 1, LockMode::Shared).value());
  EXPECT_TRUE(second->try_lock(0, 1, LockMode::Shared).value());
}

TEST_P(EnvContract, unlocking_the_middle_keeps_both_ends) {
  auto first = create("a");
  auto second = open("a");
  ASSERT_TRUE(first->try_lock(0, 30, LockMode::Exclusive).value());
  ASSERT_TRUE(first->unlock(10, 10).is_ok());
  EXPECT_FALSE(second->try_lock(9, 1, LockMode::Shared).value());
  EXPECT_TRUE(second->try_lock(10, 10, LockMode::Exclusive).value());
  EXPECT_FALSE(second->try_lock(20, 1, LockMode::Shared).value());
}

TEST_P(EnvContract, locks_vanish_with_their_handle) {
  auto first = create("a");
  auto second = open("a");
  ASSERT_TRUE(first->try_lock(0, 10, LockMode::Exclusive).value());
  first.reset();
  EXPECT_TRUE(second->try_lock(0, 10, LockMode::Exclusive).value());
}

TEST_P(EnvContract, closing_another_handle_keeps_the_locks) {
  auto first = create("a");
  auto second = open("a");
  ASSERT_TRUE(first->try_lock(0, 10, LockMode::Exclusive).value());
  open("a").reset();
  EXPECT_FALSE(second->try_lock(0, 10, LockMode::Exclusive).value());
}

TEST_P(EnvContract, temporary_files_have_no_name_and_are_apart) {
  auto first = env().open_temporary(path("a")).value();
  auto second = env().open_temporary(path("a")).value();
  EXPECT_FALSE(env().exists(path("a")).value());
  ASSERT_TRUE(write_text(*first, 0, "one").is_ok());
  ASSERT_TRUE(write_text(*second, 0, "two").is_ok());
  EXPECT_EQ(read_text(*first, 0, 3), "one");
  EXPECT_EQ(read_text(*second, 0, 3), "two");
}

TEST_P(EnvContract, sizes_beyond_every_limit_are_refused) {
  auto file = create("a");
  constexpr std::uint64_t kHuge = ~std::uint64_t{0} - 10;
  EXPECT_EQ(write_text(*file, kHuge, "text").code(), ErrorCode::DiskFull);
  EXPECT_EQ(file->resize(kHuge).code(), ErrorCode::DiskFull);
  EXPECT_EQ(file->reserve(kHuge, 100).code(), ErrorCode::DiskFull);
  EXPECT_EQ(file->size().value(), 0u);
}

TEST_P(EnvContract, clocks_and_randomness_answer) {
  const std::uint64_t before = env().monotonic_ns();
  EXPECT_GE(env().monotonic_ns(), before);
  EXPECT_GT(env().wall_ms(), 1'500'000'000'000u) << "after 2017";
  std::byte first[32] = {};
  std::byte second[32] = {};
  ASSERT_TRUE(env().random_bytes(first).is_ok());
  ASSERT_TRUE(env().random_bytes(second).is_ok());
  EXPECT_NE(std::memcmp(first, second, sizeof first), 0);
  EXPECT_NE(env().process_id(), 0u);
  EXPECT_FALSE(env().filesystem_of(path("a")).value().type.empty());
}

TEST_P(EnvContract, random_operations_agree_with_a_string) {
  const std::uint64_t seed = testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  base::Prng random(seed);
  auto file = create("a");
  std::string model;
  for (int step = 0; step < 400; ++step) {
    const std::uint64_t offset = random.below(200'000);
    const std::size_t size = random.below(random.one_in(4) ? 100'000 : 600);
    switch (random.below(6)) {
      case 0: {
        ASSERT_TRUE(file->resize(offset).is_ok());
        model.resize(offset);
        break;
      }
      case 1: {
        ASSERT_TRUE(file->reserve(offset, size).is_ok());
        if (size > 0) model.resize(std::max<std::size_t>(model.size(), offset + size));
        break;
      }
      case 2: {
        ASSERT_EQ(read_text(*file, offset, size), offset < model.size() ? model.substr(offset, size) : "");
        break;
      }
      case 3:
        ASSERT_TRUE(file->sync().is_ok());
        break;
      default: {
        const std::string text(size, static_cast<char>(random.below(256)));
        ASSERT_TRUE(write_text(*file, offset, text).is_ok());
        if (size > 0) model.resize(std::max<std::size_t>(model.size(), offset + size));
        model.replace(offset <= model.size() ? offset : model.size(), size, text);
        break;
      }
    }
    ASSERT_EQ(file->size().value(), model.size());
  }
  EXPECT_EQ(read_text(*file, 0, model.size() + 1), model);
}

INSTANTIATE_TEST_SUITE_P(
    All, EnvContract,
    ::testing::Values(Implementation{"machine", [] { return std::make_unique<MachinePlace>(); }},
                      Implementation{"memory", [] { return std::make_unique<OwnedPlace>(make_memory_env()); }},
                      Implementation{"simulated", [] { return std::make_unique<OwnedPlace>(SimEnv::create({})); }}),
    [](const auto& chosen) { return chosen.param.name; });

}  // namespace
}  // namespace vitrine::os
