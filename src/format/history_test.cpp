// SPDX-License-Identifier: MIT OR Apache-2.0
#include "format/history.hpp"

#include <gtest/gtest.h>

namespace vitrine::format {
namespace {

TEST(HistoryTest, knows_the_commits_of_each_session) {
  History history;
  history.begin(1, 0xa);
  history.begin(10, 0xb);
  EXPECT_EQ(history.token(9), (CommitToken{9, 0xa}));
  EXPECT_EQ(history.token(10), (CommitToken{10, 0xb}));
  EXPECT_EQ(history.compare({9, 0xa}, 12), Freshness::Anchored);
  EXPECT_EQ(history.compare({12, 0xb}, 12), Freshness::Anchored);
  EXPECT_EQ(history.compare({13, 0xb}, 12), Freshness::Behind);
  EXPECT_EQ(history.compare({9, 0xb}, 12), Freshness::Forked);
  EXPECT_EQ(history.compare({10, 0xa}, 12), Freshness::Forked);
  EXPECT_EQ(history.compare({0, 0}, 0), Freshness::Anchored);
  EXPECT_TRUE(history.is_in_order());
}

TEST(HistoryTest, a_session_without_commits_gives_its_place_to_the_next) {
  History history, expected;
  history.begin(1, 0xa);
  history.begin(5, 0xb);
  history.begin(5, 0xc);
  expected.begin(1, 0xa);
  expected.begin(5, 0xc);
  EXPECT_EQ(history, expected);
  history.begin(3, 0xd);  // commits 3 and 4 of 0xa were lost
  EXPECT_EQ(history.compare({4, 0xa}, 9), Freshness::Forked);
  EXPECT_EQ(history.compare({2, 0xa}, 9), Freshness::Anchored);
  EXPECT_TRUE(history.is_in_order());
}

TEST(HistoryTest, a_token_older_than_what_is_kept_proves_nothing) {
  History history;
  for (std::uint64_t i = 1; i <= History::kSessionsMax + 1; ++i) history.begin(i, i + 1000);
  EXPECT_EQ(history.compare({1, 1001}, 500), Freshness::Unanchored);
  EXPECT_EQ(history.compare({2, 1002}, 500), Freshness::Anchored);
  EXPECT_EQ(history.token(1).session, 0u);
  EXPECT_TRUE(history.is_in_order());
}

TEST(CommitTokenTest, is_read_back_and_nothing_else_is) {
  const CommitToken token{42, 0xc0ffee};
  EXPECT_EQ(token.to_string(), "42-0000000000c0ffee");
  EXPECT_EQ(CommitToken::parse(token.to_string()).value(), token);
  for (const char* text : {"", "42", "42-", "-0000000000c0ffee", "42-c0ffee", "42-0000000000c0ffeg",
                           "4x-0000000000c0ffee", "42-0000000000c0ffee ", "99999999999999999999-0000000000c0ffee"}) {
    EXPECT_EQ(CommitToken::parse(text).status().code(), ErrorCode::ArgumentInvalid) << text;
  }
}

}  // namespace
}  // namespace vitrine::format
