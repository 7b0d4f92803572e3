// SPDX-License-Identifier: MIT OR Apache-2.0
// Whole pages and whole files that are intact, but belong elsewhere: to another moment, another place, another file.
// Checksums say nothing here. See damage.hpp for the rule.
#include <gtest/gtest.h>

#include <algorithm>
#include <span>

#include "base/prng.hpp"
#include "tests/damage_history.hpp"

namespace vitrine::testing {
namespace {

class Misplaced : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kSize = kDamagePageSize;

  void start(bool ends_closed) {
    options_ = {.seed = test_seed(), .env_seed = test_seed(), .rounds = scaled(6, 24, 60), .ends_closed = ends_closed};
    Result<DamageHistory> history = live_through(options_);
    ASSERT_TRUE(history.has_value()) << history.status().to_string();
    adopt(std::move(*history));
  }

  void adopt(DamageHistory history) {
    history_ = std::move(history);
    image_ = history_.last().image;
    ASSERT_TRUE(place(*env_, image_).is_ok());
    const Look whole = look_at(*env_, Access::ReadOnly);
    ASSERT_TRUE(whole.is_clean() && whole.hash == right()) << whole.to_string();
    matters_.clear();
    for (std::uint64_t page = 0; page < page_count(); ++page) matters_.push_back(does_matter(page));
  }

  std::uint64_t right() const { return history_.states.at(history_.last().commit); }
  std::uint64_t page_count() const { return meta_of(image_).page_count; }
  static std::string page_of(const Image& image, std::uint64_t page) {
    return page * kSize < image.data.size() ? image.data.substr(page * kSize, kSize) : std::string();
  }

  void put_page(std::uint64_t page, std::string_view bytes) { env_->write_durable(kDamagePath, page * kSize, bytes); }
  void put_back(std::uint64_t page) { put_page(page, page_of(image_, page)); }

  bool does_matter(std::uint64_t page) {
    env_->flip_bit(kDamagePath, page * kSize + 100, 0);
    const Look look = look_at(*env_, Access::ReadOnly);
    env_->flip_bit(kDamagePath, page * kSize + 100, 0);
    return !look.is_clean();
  }

  // What is in the file now is not what belongs there; `page` says where.
  void expect_found(std::uint64_t page, const std::string& what) {
    const Look look = look_at(*env_, Access::ReadOnly);
    ASSERT_TRUE(look.error.is_ok() ? look.hash == right() : names_damage(look.error))
        << what << ": " << look.to_string();
    if (matters_.at(page)) {
      ASSERT_FALSE(look.is_clean()) << what << " is not found";
    }
    ++cases_;
  }

  // Every content that the page had at some moment, but for the present one.
  std::vector<std::string> earlier_pages(std::uint64_t page) const {
    std::vector<std::string> found;
    const std::string now = page_of(image_, page);
    for (const Moment& moment : history_.moments) {
      std::string then = page_of(moment.image, page);
      if (!then.empty() && then != now && std::find(found.begin(), found.end(), then) == found.end()) {
        found.push_back(std::move(then));
      }
    }
    return found;
  }

  // A copy of the newest header that still holds what its slot held before, beside a log: what a crash between the
  // writes of the two copies leaves, and so no damage.
  bool is_trace_of_a_crash(std::uint64_t page, const std::string& then) const {
    const format::Meta newest = meta_of(image_);
    if (newest.is_clean() || page / 2 != format::meta_slot(newest.checkpoint)) return false;
    const auto block = std::as_bytes(std::span(then));
    const auto older = format::decode_meta(block, static_cast<unsigned>(page / 2), static_cast<unsigned>(page % 2));
    return older.has_value() && older->checkpoint + 2 == newest.checkpoint;
  }

  void expect_sound(const std::string& what) {
    const Look look = look_at(*env_, Access::ReadOnly);
    ASSERT_TRUE(look.is_clean() && look.hash == right()) << what << ": " << look.to_string();
    ++traces_;
  }

  void put_every_earlier_page_back() {
    for (std::uint64_t page = 0; page < page_count(); ++page) {
      for (const std::string& then : earlier_pages(page)) {
        put_page(page, then);
        const std::string what = "an earlier content of page " + std::to_string(page);
        is_trace_of_a_crash(page, then) ? expect_sound(what) : expect_found(page, what);
        if (HasFatalFailure()) return;
      }
      put_back(page);
    }
    EXPECT_GT(cases_, page_count());
    EXPECT_EQ(traces_, meta_of(image_).is_clean() ? 0u : 2u);
    std::printf("%llu earlier pages\n", static_cast<unsigned long long>(cases_));
  }

  HistoryOptions options_;
  DamageHistory history_;
  Image image_;
  std::vector<bool> matters_;
  std::unique_ptr<os::SimEnv> env_ = os::SimEnv::create({.seed = test_seed() + 1});  // draws other sessions
  base::Prng random_{test_seed()};
  std::uint64_t cases_ = 0;
  std::uint64_t traces_ = 0;
};

TEST_F(Misplaced, an_earlier_content_of_any_page_is_found) {
  start(true);
  put_every_earlier_page_back();
}

TEST_F(Misplaced, an_earlier_content_of_any_page_is_found_beside_a_log) {
  start(false);
  put_every_earlier_page_back();
}

// Writes that were lost together: any set of pages as they were at one earlier moment.
TEST_F(Misplaced, earlier_contents_of_many_pages_are_found) {
  start(true);
  const std::uint64_t first = format::first_page(kSize);
  for (std::uint64_t round = 0; round < scaled(50, 3000, 30'000); ++round) {
    const Image& then = history_.moments[random_.below(history_.moments.size() - 1)].image;
    std::vector<std::uint64_t> changed;
    for (std::uint64_t page = first; page < page_count(); ++page) {
      const std::string old = page_of(then, page);
      if (old.empty() || old == page_of(image_, page) || !matters_[page] || random_.one_in(2)) continue;
      put_page(page, old);
      changed.push_back(page);
    }
    if (!changed.empty()) expect_found(changed[0], "round " + std::to_string(round));
    ASSERT_FALSE(HasFatalFailure());
    for (const std::uint64_t page : changed) put_back(page);
  }
}

TEST_F(Misplaced, any_two_pages_that_changed_places_are_found) {
  start(true);
  for (std::uint64_t a = 0; a < page_count(); ++a) {
    for (std::uint64_t b = a + 1; b < page_count(); ++b) {
      if (page_of(image_, a) == page_of(image_, b)) continue;
      put_page(a, page_of(image_, b));
      put_page(b, page_of(image_, a));
      expect_found(matters_[a] ? a : b, "pages " + std::to_string(a) + " and " + std::to_string(b));
      ASSERT_FALSE(HasFatalFailure());
      put_back(a);
      put_back(b);
    }
  }
  std::printf("%llu pairs\n", static_cast<unsigned long long>(cases_));
}

TEST_F(Misplaced, a_page_of_another_database_is_found) {
  start(true);
  HistoryOptions other = options_;
  other.env_seed += 100;
  const Result<DamageHistory> foreign = live_through(other);
  ASSERT_TRUE(foreign.has_value()) << foreign.status().to_string();
  for (std::uint64_t page = 0; page < page_count(); ++page) {
    const std::string bytes = page_of(foreign->last().image, page);
    if (bytes.empty() || bytes == page_of(image_, page)) continue;
    put_page(page, bytes);
    expect_found(page, "page " + std::to_string(page));
    ASSERT_FALSE(HasFatalFailure());
    put_back(page);
  }
  EXPECT_GT(cases_, 10u);
}

// A copy of the file has the same file id. Both live on alike, so that page numbers and generations are the same, too;
// only the sessions tell a page of the one from a page of the other.
TEST_F(Misplaced, a_page_of_a_copy_that_went_on_alone_is_found) {
  start(true);
  HistoryOptions later = options_;
  later.seed += 1;
  later.env_seed += 100;
  Result<DamageHistory> original = go_on(history_, later);
  later.env_seed += 100;
  const Result<DamageHistory> copy = go_on(history_, later);
  ASSERT_TRUE(original.has_value() && copy.has_value());
  adopt(std::move(*original));
  for (const Moment& moment : copy->moments) {
    for (std::uint64_t page = 0; page < page_count(); ++page) {
      const std::string bytes = page_of(moment.image, page);
      if (bytes.empty() || bytes == page_of(image_, page)) continue;
      put_page(page, bytes);
      expect_found(page, "page " + std::to_string(page));
      ASSERT_FALSE(HasFatalFailure());
      put_back(page);
    }
  }
  EXPECT_GT(cases_, 10u);
}

class MixedFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    Result<DamageHistory> history =
        live_through({.seed = test_seed(), .env_seed = test_seed(), .rounds = scaled(6, 20, 40)});
    ASSERT_TRUE(history.has_value()) << history.status().to_string();
    history_ = std::move(*history);
  }

  // The data file of moment `i` with the log of moment `j`.
  void look_at_mix(std::size_t i, std::size_t j, Access access) {
    const Moment& data = history_.moments[i];
    const Moment& log = history_.moments[j];
    ASSERT_TRUE(place(*env_, {data.image.data, log.image.log}).is_ok());
    const Look look = look_at(*env_, access);
    const std::string what = "data of moment " + std::to_string(i) + " (commit " + std::to_string(data.commit) +
                             ", checkpoint at " + std::to_string(data.checkpoint_commit) + "), log of moment " +
                             std::to_string(j) + " (commit " + std::to_string(log.commit) + "): " + look.to_string();
    if (!look.error.is_ok()) {
      ASSERT_TRUE(i != j && names_damage(look.error)) << what;
      ++refused_;
      return;
    }
    ASSERT_TRUE(look.is_clean()) << what;
    const auto state = std::find_if(history_.states.begin(), history_.states.end(),
                                    [&](const auto& known) { return known.second == look.hash; });
    ASSERT_TRUE(state != history_.states.end()) << "no state of this database: " << what;
    const std::uint64_t newest = std::max(data.commit, log.image.log ? log.commit : 0);
    ASSERT_TRUE(state->first >= data.checkpoint_commit && state->first <= newest) << state->first << ": " << what;
    if (i == j) {
      ASSERT_EQ(state->first, data.commit) << what;
    }
    ++(state->first >= data.commit ? whole_ : rolled_back_);
    ASSERT_TRUE(!log.image.log || log.commit <= state->first) << "the log's commits are dropped in silence: " << what;
  }

  DamageHistory history_;
  std::unique_ptr<os::SimEnv> env_ = os::SimEnv::create({.seed = test_seed() + 1});  // draws other sessions
  std::uint64_t whole_ = 0, rolled_back_ = 0, refused_ = 0;
};

TEST_F(MixedFiles, of_any_two_moments_are_a_state_of_the_database_or_refused) {
  for (std::size_t i = 0; i < history_.moments.size(); ++i) {
    for (std::size_t j = 0; j < history_.moments.size(); ++j) {
      look_at_mix(i, j, Access::ReadOnly);
      ASSERT_FALSE(HasFatalFailure());
      look_at_mix(i, j, Access::ReadWrite);
      ASSERT_FALSE(HasFatalFailure());
    }
  }
  EXPECT_GT(refused_, 0u);
  std::printf("%llu whole, %llu rolled back, %llu refused\n", static_cast<unsigned long long>(whole_),
              static_cast<unsigned long long>(rolled_back_), static_cast<unsigned long long>(refused_));
}

}  // namespace
}  // namespace vitrine::testing
