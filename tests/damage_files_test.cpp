// SPDX-License-Identifier: MIT OR Apache-2.0
// Files that are shorter, longer or of another kind than they should be. Each is refused by an error that says what it
// is, or read as if nothing was wrong because nothing that means anything is; and a refused file stays as it was, byte
// by byte. See damage.hpp for the rule.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/codec.hpp"
#include "base/prng.hpp"
#include "base/try.hpp"
#include "format/checksum.hpp"
#include "os/testing.hpp"
#include "tests/damage.hpp"

namespace vitrine::testing {
namespace {

constexpr std::uint64_t kSector = 512;

class WrongFile : public ::testing::Test {
 protected:
  void SetUp() override {
    Result<Reference> reference = make_reference(test_seed(), test_seed());
    ASSERT_TRUE(reference.has_value()) << reference.status().to_string();
    reference_ = std::move(*reference);
    image_ = reference_.image;
  }

  std::uint64_t right() const { return reference_.states.at(reference_.last_commit); }
  bool is_a_state(const Look& look) const {
    return std::any_of(reference_.states.begin(), reference_.states.end(),
                       [&](const auto& known) { return known.second == look.hash; });
  }
  std::uint64_t used() const { return meta_of(reference_.image).page_count * kDamagePageSize; }

  // Looks at image_ in both ways of opening.
  template <typename Judge>
  void look(const std::string& what, Judge&& judge) {
    for (const Access access : {Access::ReadOnly, Access::ReadWrite}) {
      const Status placed = place(*env_, image_);
      ASSERT_TRUE(placed.is_ok()) << placed.to_string();
      const Look found = look_at(*env_, access);
      judge(found, what + (access == Access::ReadOnly ? ", read-only: " : ", for writing: ") + found.to_string());
      if (HasFatalFailure()) return;
      if (!found.report) {
        ASSERT_TRUE(image_of(*env_) == image_) << "a refused file has changed: " << what;
      }
    }
  }

  void expect_refused(const std::string& what, ErrorCode code) {
    look(what, [&](const Look& found, const std::string& text) {
      ASSERT_TRUE(!found.report && found.error.code() == code) << text;
    });
  }

  void expect_right(const std::string& what) {
    look(what, [&](const Look& found, const std::string& text) {
      ASSERT_TRUE(found.is_clean() && found.hash == right()) << text;
    });
  }

  Reference reference_;
  Image image_;
  std::unique_ptr<os::SimEnv> env_ = os::SimEnv::create({.seed = test_seed() + 1});  // draws other sessions
  base::Prng random_{test_seed()};
};

TEST_F(WrongFile, cut_at_any_sector_of_its_pages_is_refused) {
  for (std::uint64_t size = 0; size < used(); size += kSector) {
    image_.data = reference_.image.data.substr(0, size);
    look("cut at " + std::to_string(size), [&](const Look& found, const std::string& text) {
      ASSERT_TRUE(!found.report && names_damage(found.error)) << text;
      // While all of the header is there, it says how long the file was.
      const bool has_header = size >= format::kMetaAreaSize;
      ASSERT_TRUE(!has_header || found.error.code() == ErrorCode::FileTruncated) << text;
    });
    ASSERT_FALSE(HasFatalFailure());
  }
}

TEST_F(WrongFile, cut_behind_its_last_page_is_whole) {
  for (std::uint64_t size = used(); size < reference_.image.data.size(); size += scaled(200, 16, 1) * kSector) {
    image_.data = reference_.image.data.substr(0, size);
    expect_right("cut at " + std::to_string(size));
    ASSERT_FALSE(HasFatalFailure());
  }
}

TEST_F(WrongFile, with_more_behind_its_end_is_whole) {
  for (const std::uint64_t size : {1u, 511u, 512u, 4095u, 4096u, 10'000u, 1'000'000u}) {
    image_ = reference_.image;
    image_.data += std::string(size, '\0');
    expect_right("zeros in the file");
    image_.data = reference_.image.data + random_bytes(random_.next(), size);
    expect_right("garbage in the file");
    image_ = reference_.image;
    *image_.log += std::string(size, '\0');
    expect_right("zeros in the log");
    *image_.log = *reference_.image.log + random_bytes(random_.next(), size);
    expect_right("garbage in the log");
    ASSERT_FALSE(HasFatalFailure());
  }
}

// Which commits a slot of the log holds has nothing to do with its place, so a cut may take the first ones.
TEST_F(WrongFile, log_cut_at_any_sector_is_whole_or_found_or_an_earlier_state) {
  std::uint64_t refused = 0, read = 0;
  for (std::uint64_t size = 0; size <= reference_.image.log->size(); size += kSector) {
    image_.log = reference_.image.log->substr(0, size);
    look("cut at " + std::to_string(size), [&](const Look& found, const std::string& text) {
      if (!found.error.is_ok()) {
        ASSERT_TRUE(!found.report && names_damage(found.error)) << text;
        ++refused;
        return;
      }
      ASSERT_TRUE(found.is_clean() && is_a_state(found)) << text;
      ++read;
    });
    ASSERT_FALSE(HasFatalFailure());
  }
  EXPECT_GT(refused, 0u);
  EXPECT_GT(read, 0u);
}

// Nothing is left that could tell: this is what a crash leaves, too.
TEST_F(WrongFile, log_that_ends_early_is_an_earlier_state) {
  const std::vector<LogRange> ranges = live_ranges(reference_.image);
  for (std::size_t kept = 2; kept <= ranges.size(); ++kept) {  // without its first segment, it is found to be missing
    image_ = reference_.image;
    for (std::size_t i = kept; i < ranges.size(); ++i) {
      std::fill(image_.log->begin() + static_cast<std::ptrdiff_t>(ranges[i].begin),
                image_.log->begin() + static_cast<std::ptrdiff_t>(ranges[i].end), '\0');
    }
    look("the first " + std::to_string(kept) + " ranges", [&](const Look& found, const std::string& text) {
      ASSERT_TRUE(found.is_clean() && is_a_state(found)) << text;
      ASSERT_TRUE(kept < ranges.size() || found.hash == right()) << text;
      ASSERT_TRUE(kept > 2 || found.hash == reference_.states.at(meta_of(reference_.image).commit_seq)) << text;
    });
    ASSERT_FALSE(HasFatalFailure());
  }
}

TEST_F(WrongFile, log_of_another_database_is_named) {
  const Result<Reference> other = make_reference(test_seed(), test_seed() + 7);
  ASSERT_TRUE(other.has_value());
  image_.log = other->image.log;
  expect_refused("beside a crashed file", ErrorCode::LogForeign);
}

TEST_F(WrongFile, log_that_is_missing_or_no_log_is_named) {
  image_.log.reset();
  expect_refused("missing", ErrorCode::LogMissing);
  image_.log = "";
  expect_refused("empty", ErrorCode::NotDatabase);
  image_.log = random_bytes(test_seed(), 100'000);
  expect_refused("garbage", ErrorCode::NotDatabase);
  image_.log = reference_.image.data;
  expect_refused("a database", ErrorCode::NotDatabase);
}

TEST_F(WrongFile, that_is_no_database_is_named) {
  for (const std::uint64_t size : {0u, 1u, 7u, 8u, 511u, 4096u, 16'384u, 100'000u}) {
    image_ = {std::string(size, '\0'), std::nullopt};
    expect_refused("zeros", ErrorCode::NotDatabase);
    image_.data = random_bytes(test_seed() + size, size);
    expect_refused("garbage", ErrorCode::NotDatabase);
    ASSERT_FALSE(HasFatalFailure());
  }
  image_.data = *reference_.image.log;
  expect_refused("a log", ErrorCode::NotDatabase);
}

TEST_F(WrongFile, of_a_newer_format_is_named) {
  for (const std::uint32_t version : {2u, 77u}) {
    for (unsigned block = 0; block < format::kMetaBlockCount; ++block) {
      image_ = reference_.image;
      char* bytes = image_.data.data() + block * format::kMetaBlockSize;
      base::store(bytes + 8, version);
      base::store(bytes + 4080, format::checksum(bytes, 4080));
      expect_refused("block " + std::to_string(block), ErrorCode::VersionUnsupported);
      ASSERT_FALSE(HasFatalFailure());
    }
  }
}

TEST_F(WrongFile, log_of_a_newer_format_is_named) {
  char* bytes = image_.log->data();
  base::store(bytes + 8, std::uint32_t{2});
  base::store(bytes + 4080, format::checksum(bytes, 4080));
  expect_refused("log", ErrorCode::VersionUnsupported);
}

// --- Of another kind, on the machine ---------------------------------------------------------------------------------

class WrongKind : public ::testing::Test {
 protected:
  static ErrorCode open(const std::string& path, OpenMode mode, Access access = Access::ReadWrite) {
    Options options = small_options(os::system_env());
    options.access = access;
    return Database::open(path, mode, options).status().code();
  }

  // Every way to open answers FileNotRegular, but for those that create.
  void expect_not_regular(const std::string& path) {
    EXPECT_EQ(open(path, OpenMode::MustExist), ErrorCode::FileNotRegular);
    EXPECT_EQ(open(path, OpenMode::MustExist, Access::ReadOnly), ErrorCode::FileNotRegular);
    EXPECT_EQ(open(path, OpenMode::CreateIfMissing), ErrorCode::FileNotRegular);
    EXPECT_EQ(open(path, OpenMode::CreateNew), ErrorCode::FileExists);
  }

  os::testing::TemporaryDirectory directory_{os::testing::memory_directory()};
};

TEST_F(WrongKind, a_folder_is_refused) {
  std::filesystem::create_directory(directory_.path("d"));
  expect_not_regular(directory_.path("d"));
}

TEST_F(WrongKind, a_symbolic_link_is_refused_and_its_target_untouched) {
  { Database::open(directory_.path("real.vtr"), OpenMode::CreateNew).value(); }
  std::filesystem::create_symlink(directory_.path("real.vtr"), directory_.path("link.vtr"));
  const auto size = std::filesystem::file_size(directory_.path("real.vtr"));
  expect_not_regular(directory_.path("link.vtr"));
  EXPECT_EQ(std::filesystem::file_size(directory_.path("real.vtr")), size);
}

TEST_F(WrongKind, a_log_that_is_a_link_is_refused_and_its_target_untouched) {
  { Database::open(directory_.path("a.vtr"), OpenMode::CreateNew).value(); }
  std::ofstream(directory_.path("victim")) << "precious";
  std::filesystem::create_symlink(directory_.path("victim"), directory_.path("a.vtr-wal"));
  EXPECT_EQ(open(directory_.path("a.vtr"), OpenMode::MustExist), ErrorCode::FileNotRegular);
  std::string text;
  std::ifstream(directory_.path("victim")) >> text;
  EXPECT_EQ(text, "precious");
  EXPECT_TRUE(std::filesystem::is_symlink(directory_.path("a.vtr-wal")));
}

}  // namespace
}  // namespace vitrine::testing
