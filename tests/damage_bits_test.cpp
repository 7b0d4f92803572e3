// SPDX-License-Identifier: MIT OR Apache-2.0
// Every bit of both files, flipped alone. See damage.hpp for the rule.
//
// Bits that mean nothing, and must therefore change nothing: pages that the map calls free, bytes behind the last page,
// in the log the owner block, the zeros behind a frame, segments that are not in use and what lies behind the last
// frame. That no other bit is taken for one of these is checked by counting: the pages with a bit that matters are as
// many as the pages allocated, and in each of them every bit matters.
//
// One exception is by design: a flip in the last frame of the log cannot be told from a write that a crash tore, so
// its commit is gone without an error. docs/DURABILITY.md says so.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/prng.hpp"
#include "tests/damage.hpp"

namespace vitrine::testing {
namespace {

constexpr std::uint64_t kExtentPages = 17;  // of the longest extent with the smallest cache

class FlippedBit : public ::testing::Test {
 protected:
  void SetUp() override {
    Result<Reference> reference = make_reference(test_seed(), test_seed());
    ASSERT_TRUE(reference.has_value()) << reference.status().to_string();
    reference_ = std::move(*reference);
    ASSERT_TRUE(place(*env_, reference_.image).is_ok());
    const Look whole = look_at(*env_, Access::ReadOnly);
    ASSERT_TRUE(whole.is_clean() && whole.hash == right()) << whole.to_string();
  }

  std::uint64_t right() const { return reference_.states.at(reference_.last_commit); }
  std::uint64_t one_commit_less() const { return reference_.states.at(reference_.last_commit - 1); }

  // Looks at the files with one bit flipped, and puts it back.
  Look look_with_flip(const std::string& path, std::uint64_t bit, Reading reading = Reading::Everything) {
    env_->flip_bit(path, bit / 8, bit % 8);
    Look look = look_at(*env_, Access::ReadOnly, reading);
    env_->flip_bit(path, bit / 8, bit % 8);
    ++looks_;
    return look;
  }

  bool is_right_or_error(const Look& look) const {
    return look.error.is_ok() ? !look.hash || look.hash == right() : names_damage(look.error);
  }

  static bool finds(const Look& look) { return look.report ? !look.report->is_clean() : names_damage(look.error); }

  // One bit in `one_in` of [begin, end), the first and the last always.
  template <typename Visit>
  void for_each_bit(std::uint64_t begin, std::uint64_t end, std::uint64_t one_in, Visit&& visit) {
    for (std::uint64_t bit = begin * 8; bit < end * 8; ++bit) {
      if (one_in > 1 && bit != begin * 8 && bit + 1 != end * 8 && !random_.one_in(one_in)) continue;
      visit(bit);
      if (HasFatalFailure()) return;
    }
  }

  Reference reference_;
  std::unique_ptr<os::SimEnv> env_ = os::SimEnv::create({.seed = test_seed() + 1});  // draws other sessions
  base::Prng random_{test_seed()};
  std::uint64_t looks_ = 0;
};

TEST_F(FlippedBit, of_the_header_is_found_and_changes_nothing) {
  for_each_bit(0, format::kMetaAreaSize, scaled(64, 1, 1), [&](std::uint64_t bit) {
    const Look look = look_with_flip(kDamagePath, bit);
    ASSERT_TRUE(look.error.is_ok() && look.hash == right() && finds(look)) << "bit " << bit << ": " << look.to_string();
  });
  std::printf("%llu bits of the header\n", static_cast<unsigned long long>(looks_));
}

// The check reads past the cache, so one handle serves for all bits. What a fresh handle reads is looked at below.
TEST_F(FlippedBit, of_a_page_is_found_in_all_of_a_page_or_nowhere) {
  Options options = small_options(*env_);
  options.access = Access::ReadOnly;
  const Database db = Database::open(kDamagePath, OpenMode::MustExist, options).value();
  const std::uint64_t first = format::first_page(kDamagePageSize), end = meta_of(reference_.image).page_count;
  std::uint64_t pages_that_matter = 0, bits = 0;
  for (std::uint64_t page = first; page < end; ++page) {
    std::uint64_t found = 0, tried = 0;
    const auto try_bit = [&](std::uint64_t bit) {
      env_->flip_bit(kDamagePath, bit / 8, bit % 8);
      const VerifyReport report = db.verify(VerifyLevel::Full).value();
      env_->flip_bit(kDamagePath, bit / 8, bit % 8);
      ++tried;
      if (report.is_clean()) return;
      ++found;
      const Finding& finding = report.findings.at(0);  // an extent goes by its first page
      ASSERT_TRUE(report.has_damage() && finding.page <= page && page < finding.page + kExtentPages) << "bit " << bit;
    };
    const std::uint64_t begin = page * kDamagePageSize;
    try_bit(begin * 8);
    const bool is_free = found == 0;
    for_each_bit(begin, begin + kDamagePageSize, scaled(512, is_free ? 64 : 1, 1), try_bit);
    ASSERT_TRUE(found == 0 || found == tried) << "page " << page << ": " << found << " of " << tried;
    pages_that_matter += is_free ? 0 : 1;
    bits += tried;
  }
  EXPECT_EQ(first + pages_that_matter, reference_.pages_allocated);
  EXPECT_LT(pages_that_matter, end - first) << "there should be free pages";
  std::printf("%llu bits of %llu pages\n", static_cast<unsigned long long>(bits),
              static_cast<unsigned long long>(end - first));
}

TEST_F(FlippedBit, of_a_page_never_gives_a_wrong_answer) {
  const std::uint64_t end = meta_of(reference_.image).page_count * kDamagePageSize;
  for_each_bit(format::kMetaAreaSize, end, scaled(2048, 48, 4), [&](std::uint64_t bit) {
    const Look look = look_with_flip(kDamagePath, bit);
    ASSERT_TRUE(is_right_or_error(look)) << "bit " << bit << ": " << look.to_string();
    if (look.error.is_ok()) return;
    ASSERT_TRUE(finds(look)) << "bit " << bit << ": " << look.to_string();
    if (!random_.one_in(8)) return;
    env_->flip_bit(kDamagePath, bit / 8, bit % 8);
    const Status status = check_entries_one_by_one(*env_, reference_.model);
    env_->flip_bit(kDamagePath, bit / 8, bit % 8);
    ASSERT_TRUE(status.is_ok()) << "bit " << bit << ": " << status.to_string();
  });
  std::printf("%llu bits\n", static_cast<unsigned long long>(looks_));
}

TEST_F(FlippedBit, behind_the_last_page_means_nothing) {
  const std::uint64_t begin = meta_of(reference_.image).page_count * kDamagePageSize;
  for_each_bit(begin, reference_.image.data.size(), scaled(100'000, 2000, 100), [&](std::uint64_t bit) {
    const Look look = look_with_flip(kDamagePath, bit);
    ASSERT_TRUE(look.is_clean() && look.hash == right()) << "bit " << bit << ": " << look.to_string();
  });
}

TEST_F(FlippedBit, of_the_log_is_found_or_takes_the_last_commit) {
  const std::vector<LogRange> ranges = live_ranges(reference_.image);
  ASSERT_GT(ranges.size(), 10u);
  std::uint64_t found = 0, gone = 0;
  for (const LogRange& range : ranges) {
    for_each_bit(range.begin, range.end, scaled(64, 1, 1), [&](std::uint64_t bit) {
      const Look look = look_with_flip(kDamageLogPath, bit);
      if (range.is_last_frame) {
        ASSERT_TRUE(look.is_clean() && look.hash == one_commit_less()) << "bit " << bit << ": " << look.to_string();
        ++gone;
      } else {
        ASSERT_TRUE(!look.error.is_ok() && names_damage(look.error)) << "bit " << bit << ": " << look.to_string();
        ++found;
      }
    });
  }
  EXPECT_GT(found, 0u);
  EXPECT_GT(gone, 0u);
  std::printf("%llu bits found, %llu of the last commit\n", static_cast<unsigned long long>(found),
              static_cast<unsigned long long>(gone));
}

TEST_F(FlippedBit, of_the_log_outside_frames_and_headers_means_nothing) {
  std::uint64_t at = 0;
  std::vector<LogRange> ranges = live_ranges(reference_.image);
  std::sort(ranges.begin(), ranges.end(), [](const LogRange& a, const LogRange& b) { return a.begin < b.begin; });
  ranges.push_back({reference_.image.log->size(), reference_.image.log->size(), false});
  for (const LogRange& range : ranges) {
    for_each_bit(at, range.begin, scaled(4096, 48, 4), [&](std::uint64_t bit) {
      const Look look = look_with_flip(kDamageLogPath, bit);
      ASSERT_TRUE(look.is_clean() && look.hash == right()) << "bit " << bit << ": " << look.to_string();
    });
    at = range.end;
  }
  std::printf("%llu bits\n", static_cast<unsigned long long>(looks_));
}

// A writer heals what it can and goes on; what it leaves must be right and stay right.
TEST_F(FlippedBit, before_a_writer_opens_never_gives_a_wrong_answer) {
  const std::uint64_t used = meta_of(reference_.image).page_count * kDamagePageSize;
  std::uint64_t opened = 0, refused = 0;
  for (std::uint64_t round = 0; round < scaled(100, 3000, 60'000); ++round) {
    const Status placed = place(*env_, reference_.image);
    ASSERT_TRUE(placed.is_ok()) << placed.to_string();
    const bool in_log = random_.one_in(2);
    const std::uint64_t size = in_log ? reference_.image.log->size() : random_.one_in(4) ? format::kMetaAreaSize : used;
    const std::uint64_t bit = random_.below(size * 8);
    env_->flip_bit(in_log ? kDamageLogPath : kDamagePath, bit / 8, bit % 8);
    const auto is_right = [&](const Look& look) {
      if (!look.error.is_ok()) return names_damage(look.error);
      return look.hash == right() || (in_log && look.hash == one_commit_less());
    };
    const Look first = look_at(*env_, Access::ReadWrite);
    ASSERT_TRUE(is_right(first)) << (in_log ? "log" : "data") << " bit " << bit << ": " << first.to_string();
    ++(first.report ? opened : refused);
    const Look second = look_at(*env_, Access::ReadOnly);
    ASSERT_TRUE(is_right(second)) << (in_log ? "log" : "data") << " bit " << bit << ": " << second.to_string();
    if (first.error.is_ok() && first.report->is_clean()) {
      ASSERT_TRUE(second.is_clean() && second.hash == first.hash) << "bit " << bit << ": " << second.to_string();
    }
  }
  EXPECT_GT(opened, 0u);
  EXPECT_GT(refused, 0u);
}

}  // namespace
}  // namespace vitrine::testing
