// SPDX-License-Identifier: MIT OR Apache-2.0
// Crash images: what may survive, that nothing possible is left out, and that equal states are recognised.
#include "os/sim_crash.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "os/testing.hpp"

namespace vitrine::os {
namespace {

using testing::read_text;
using testing::write_text;

using Contents = std::map<std::string, std::string>;

Contents contents_of(SimEnv& env) {
  Contents contents;
  for (const std::string& path : env.names()) {
    contents[path] = read_text(*env.open(path, OpenMode::ReadOnly).value(), 0, 1 << 15);
  }
  return contents;
}

class SimCrashTest : public ::testing::Test {
 protected:
  std::unique_ptr<File> create_durable(const std::string& path, const std::string& text) {
    std::unique_ptr<File> file = env_->open(path, OpenMode::CreateNew).value();
    EXPECT_TRUE(write_text(*file, 0, text).is_ok());
    EXPECT_TRUE(file->sync().is_ok());
    EXPECT_TRUE(env_->sync_directory_of(path).is_ok());
    return file;
  }
  std::set<Contents> images(const SimCrashOptions& options = {.with_garbage = false}) {
    std::set<Contents> found;
    SimCrash(*env_).for_each_image(options, [&](const SimImage& image) {
      found.insert(contents_of(*image.make_env()));
      return true;
    });
    return found;
  }

  std::unique_ptr<SimEnv> env_ = SimEnv::create({});
};

std::string sectors(const std::string& letters) {
  std::string text;
  for (const char letter : letters) text += std::string(512, letter);
  return text;
}

TEST_F(SimCrashTest, synced_content_survives_in_the_only_image) {
  create_durable("/a", "text");
  EXPECT_EQ(images(), (std::set<Contents>{{{"/a", "text"}}}));
}

TEST_F(SimCrashTest, a_file_whose_directory_was_not_synced_may_be_gone) {
  auto file = env_->open("/a", OpenMode::CreateNew).value();
  ASSERT_TRUE(write_text(*file, 0, "text").is_ok());
  ASSERT_TRUE(file->sync().is_ok());
  EXPECT_EQ(images(), (std::set<Contents>{{}, {{"/a", "text"}}}));
}

TEST_F(SimCrashTest, every_subset_of_sectors_survives_somewhere) {
  auto file = create_durable("/a", sectors("abc"));
  ASSERT_TRUE(write_text(*file, 0, sectors("ABC")).is_ok());
  std::set<Contents> expected;
  for (const char* letters : {"abc", "Abc", "aBc", "abC", "ABc", "AbC", "aBC", "ABC"}) {
    expected.insert({{"/a", sectors(letters)}});
  }
  EXPECT_EQ(images(), expected);
}

TEST_F(SimCrashTest, writes_to_one_sector_keep_their_order) {
  auto file = create_durable("/a", "0");
  ASSERT_TRUE(write_text(*file, 0, "1").is_ok());
  ASSERT_TRUE(write_text(*file, 0, "2").is_ok());
  EXPECT_EQ(images(), (std::set<Contents>{{{"/a", "0"}}, {{"/a", "1"}}, {{"/a", "2"}}}));
}

TEST_F(SimCrashTest, an_unaligned_write_tears_at_sector_boundaries) {
  auto file = create_durable("/a", std::string(1024, '.'));
  ASSERT_TRUE(write_text(*file, 510, "abcd").is_ok());
  const auto with = [](const std::string& middle) {
    return Contents{{"/a", std::string(510, '.') + middle + std::string(510, '.')}};
  };
  EXPECT_EQ(images(), (std::set<Contents>{with("...."), with("ab.."), with("..cd"), with("abcd")}));
}

TEST_F(SimCrashTest, sectors_of_4096_bytes_do_not_tear_inside) {
  env_ = SimEnv::create({.sector_size = 4096});
  auto file = create_durable("/a", std::string(8192, '.'));
  ASSERT_TRUE(write_text(*file, 0, std::string(8192, 'x')).is_ok());
  EXPECT_EQ(images().size(), 4u);
}

TEST_F(SimCrashTest, growth_and_data_survive_apart) {
  auto file = create_durable("/a", "");
  ASSERT_TRUE(write_text(*file, 0, "new").is_ok());
  const std::set<Contents> expected{{{"/a", ""}}, {{"/a", std::string(3, '\0')}}, {{"/a", "new"}}};
  EXPECT_EQ(images(), expected);
  const std::set<Contents> with_garbage = images({.with_garbage = true});
  EXPECT_EQ(with_garbage.size(), 4u) << "one more: the file grew and shows what the disk held before";
  for (const Contents& image : with_garbage) EXPECT_LE(image.at("/a").size(), 3u);
}

TEST_F(SimCrashTest, garbage_never_shows_inside_the_durable_end) {
  auto file = create_durable("/a", std::string(512, 'd'));
  ASSERT_TRUE(write_text(*file, 0, std::string(1024, 'n')).is_ok());
  for (const Contents& image : images({.with_garbage = true})) {
    const std::string first = image.at("/a").substr(0, 512);
    EXPECT_TRUE(first == std::string(512, 'd') || first == std::string(512, 'n'));
  }
}

TEST_F(SimCrashTest, a_cut_may_be_lost) {
  auto file = create_durable("/a", "long text");
  ASSERT_TRUE(file->resize(4).is_ok());
  EXPECT_EQ(images(), (std::set<Contents>{{{"/a", "long text"}}, {{"/a", "long"}}}));
}

TEST_F(SimCrashTest, a_rename_is_whole_or_absent_and_independent_of_the_content) {
  create_durable("/a", "old");
  auto file = create_durable("/b", "");
  ASSERT_TRUE(write_text(*file, 0, "new").is_ok());
  ASSERT_TRUE(env_->rename("/b", "/a").is_ok());
  const std::set<Contents> found = images();
  EXPECT_EQ(found.count({{"/a", ""}}), 1u) << "the new name before the new content";
  EXPECT_EQ(found.count({{"/a", "new"}}), 1u);
  EXPECT_EQ(found.count({{"/a", "old"}, {"/b", "new"}}), 1u);
  EXPECT_EQ(found.size(), 6u) << "two states of the names times three of the content";
}

TEST_F(SimCrashTest, removed_and_temporary_files_add_no_units) {
  auto file = create_durable("/a", "x");
  ASSERT_TRUE(env_->remove("/a").is_ok());
  ASSERT_TRUE(env_->sync_directory_of("/a").is_ok());
  ASSERT_TRUE(write_text(*file, 0, "y").is_ok());
  auto temporary = env_->open_temporary("/a").value();
  ASSERT_TRUE(write_text(*temporary, 0, "z").is_ok());
  EXPECT_EQ(SimCrash(*env_).unit_count(), 0u);
}

TEST_F(SimCrashTest, dropped_data_of_a_failed_sync_survives_nowhere) {
  auto file = create_durable("/a", "old");
  ASSERT_TRUE(write_text(*file, 0, "new").is_ok());
  env_->inject({.operation = env_->operations() + 1});
  ASSERT_FALSE(file->sync().is_ok());
  ASSERT_TRUE(file->sync().is_ok());
  EXPECT_EQ(images(), (std::set<Contents>{{{"/a", "old"}}}));
}

TEST_F(SimCrashTest, long_lists_hold_none_all_prefixes_and_single_losses) {
  const std::string before = sectors(std::string(40, 'o'));
  auto file = create_durable("/a", before);
  const std::string after = sectors(std::string(40, 'n'));
  ASSERT_TRUE(write_text(*file, 0, after).is_ok());
  std::set<std::string> found;
  for (const Contents& image : images({.random_images = 20, .with_garbage = false})) found.insert(image.at("/a"));
  EXPECT_EQ(found.count(before), 1u);
  EXPECT_EQ(found.count(after), 1u);
  for (std::size_t i = 0; i < 40; ++i) {
    std::string one_new = before;
    one_new.replace(i * 512, 512, std::string(512, 'n'));
    std::string one_old = after;
    one_old.replace(i * 512, 512, std::string(512, 'o'));
    EXPECT_EQ(found.count(after.substr(0, i * 512) + before.substr(i * 512)), 1u) << "prefix " << i;
    EXPECT_EQ(found.count(one_new), 1u) << i;
    EXPECT_EQ(found.count(one_old), 1u) << i;
  }
  EXPECT_GE(found.size(), 2 + 3 * 40 - 4 + 15u) << "and random subsets";
}

TEST_F(SimCrashTest, thinned_lists_stay_within_their_limit) {
  auto file = create_durable("/a", sectors(std::string(300, 'o')));
  ASSERT_TRUE(write_text(*file, 0, sectors(std::string(300, 'n'))).is_ok());
  std::uint64_t count = 0;
  SimCrash(*env_).for_each_image({.list_limit = 10, .random_images = 5}, [&](const SimImage&) {
    ++count;
    return true;
  });
  EXPECT_EQ(count, 2 + 3 * 10 + 5u);
}

TEST_F(SimCrashTest, torn_sectors_show_a_cut_at_a_byte) {
  auto file = create_durable("/a", std::string(512, 'o'));
  ASSERT_TRUE(write_text(*file, 0, std::string(512, 'n')).is_ok());
  bool found = false;
  for (const Contents& image : images({.random_images = 20, .with_garbage = false, .tear_sectors = true})) {
    const std::string& text = image.at("/a");
    const std::size_t cut = text.find('o');
    EXPECT_EQ(cut == std::string::npos ? cut : text.find('n', cut), std::string::npos) << "new before old only";
    found = found || (cut != 0 && cut != std::string::npos);
  }
  EXPECT_TRUE(found);
}

TEST_F(SimCrashTest, a_visit_that_returns_false_is_the_last) {
  auto file = create_durable("/a", sectors("abc"));
  ASSERT_TRUE(write_text(*file, 0, sectors("ABC")).is_ok());
  int count = 0;
  SimCrash(*env_).for_each_image({}, [&](const SimImage&) { return ++count < 3; });
  EXPECT_EQ(count, 3);
}

TEST_F(SimCrashTest, an_image_starts_a_machine_without_locks_whose_content_is_durable) {
  auto file = create_durable("/a", "text");
  ASSERT_TRUE(file->try_lock(0, 1, LockMode::Exclusive).value());
  auto image = SimCrash(*env_).image_with_none().make_env();
  auto reopened = image->open("/a", OpenMode::ReadWrite).value();
  EXPECT_TRUE(reopened->try_lock(0, 1, LockMode::Exclusive).value());
  ASSERT_TRUE(write_text(*reopened, 0, "T").is_ok());
  EXPECT_EQ(image->read_durable("/a", 0, 10), "text");
  EXPECT_EQ(read_text(*file, 0, 10), "text") << "images share pages, never writes";
  EXPECT_GT(image->monotonic_ns(), env_->monotonic_ns());
  std::array<std::byte, 16> first{};
  std::array<std::byte, 16> second{};
  ASSERT_TRUE(env_->random_bytes(first).is_ok());
  ASSERT_TRUE(image->random_bytes(second).is_ok());
  EXPECT_NE(first, second);
}

TEST_F(SimCrashTest, an_image_says_what_was_lost) {
  auto file = create_durable("/a", "");
  ASSERT_TRUE(write_text(*file, 0, "text").is_ok());
  ASSERT_TRUE(env_->rename("/a", "/b").is_ok());
  const SimCrash crash(*env_);
  EXPECT_EQ(crash.image_with_all().describe(), "lost 0 of 3 units");
  EXPECT_EQ(crash.image_with_none().describe(), "lost 3 of 3 units; growth of /b to 4; /b [0, 4); rename to /b");
}

// The images of random operations against a second, naive account of what may survive.
class NaiveDisk {
 public:
  void write(std::uint64_t offset, const std::string& text) {
    if (offset + text.size() > end_) {
      end_ = offset + text.size();
      units_.push_back({Unit::Grow, end_, {}});
    }
    for (std::size_t done = 0; done < text.size();) {
      const std::size_t count = std::min<std::size_t>(text.size() - done, 512 - (offset + done) % 512);
      units_.push_back({Unit::Write, offset + done, text.substr(done, count)});
      done += count;
    }
  }
  void resize(std::uint64_t size) {
    if (size == end_) return;
    end_ = size;
    units_.push_back({Unit::Resize, size, {}});
  }
  void sync() {
    durable_ = after((std::uint64_t{1} << units_.size()) - 1);
    units_.clear();
  }
  std::size_t unit_count() const { return units_.size(); }
  std::string after(std::uint64_t mask) const {
    std::string space = durable_ + std::string(kSpace - durable_.size(), '\0');
    std::uint64_t size = durable_.size();
    for (std::size_t i = 0; i < units_.size(); ++i) {
      const Unit& unit = units_[i];
      if ((mask >> i & 1) == 0) continue;
      if (unit.kind == Unit::Write) space.replace(unit.offset, unit.text.size(), unit.text);
      if (unit.kind == Unit::Grow) size = std::max(size, unit.offset);
      if (unit.kind == Unit::Resize) {
        size = unit.offset;
        space.replace(size, kSpace - size, std::string(kSpace - size, '\0'));
      }
    }
    return space.substr(0, size);
  }

 private:
  static constexpr std::size_t kSpace = 16384;
  struct Unit {
    enum Kind { Write, Grow, Resize } kind;
    std::uint64_t offset;
    std::string text;
  };
  std::string durable_;
  std::uint64_t end_ = 0;
  std::vector<Unit> units_;
};

TEST_F(SimCrashTest, images_of_random_operations_are_exactly_the_possible_ones) {
  const std::uint64_t seed = testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  base::Prng random(seed);
  for (int round = 0; round < 60; ++round) {
    env_ = SimEnv::create({});
    auto file = create_durable("/a", "");
    NaiveDisk naive;
    while (random.below(12) != 0) {
      if (naive.unit_count() > 7) {
        ASSERT_TRUE(file->sync().is_ok());
        naive.sync();
      }
      if (random.one_in(4)) {
        const std::uint64_t size = random.below(6000);
        ASSERT_TRUE(file->resize(size).is_ok());
        naive.resize(size);
      } else {
        const std::uint64_t offset = random.below(6000);
        const std::string text(random.between(1, 900), static_cast<char>(random.between('a', 'z')));
        ASSERT_TRUE(write_text(*file, offset, text).is_ok());
        naive.write(offset, text);
      }
    }
    std::set<std::string> expected;
    for (std::uint64_t mask = 0; mask < (std::uint64_t{1} << naive.unit_count()); ++mask) {
      expected.insert(naive.after(mask));
    }
    std::set<std::string> found;
    std::map<std::uint64_t, std::string> by_hash;
    SimCrash(*env_).for_each_image({.exhaustive_units = 20, .with_garbage = false}, [&](const SimImage& image) {
      const std::string text = contents_of(*image.make_env()).at("/a");
      const auto [known, is_new] = by_hash.emplace(image.hash(), text);
      EXPECT_EQ(known->second, text) << "equal hashes, equal content";
      found.insert(text);
      return true;
    });
    ASSERT_EQ(found, expected);
    EXPECT_EQ(by_hash.size(), found.size()) << "equal content, equal hashes";
  }
}

}  // namespace
}  // namespace vitrine::os
