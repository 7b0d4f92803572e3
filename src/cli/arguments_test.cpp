// SPDX-License-Identifier: MIT OR Apache-2.0
// The parser, on a command made for the purpose.
#include "cli/arguments.hpp"

#include <gtest/gtest.h>

namespace vitrine::cli {
namespace {

const CommandSpec kCommand{"sample",
                           "a command for the tests",
                           "",
                           {{"DB"}, {"KEY", PositionalSpec::Presence::Optional}},
                           {{"--limit", "N", ""},
                            {"--from", "KEY", ""},
                            {"--to", "KEY", ""},
                            {"--mode", "fast|safe", ""},
                            {"--json", "", ""},
                            {"--size", "SIZE", ""},
                            {"--wait", "TIME", ""}},
                           nullptr};

Result<Arguments> parse(const std::vector<std::string>& words) { return Arguments::parse(kCommand, words); }

std::string refusal(const std::vector<std::string>& words) {
  const Result<Arguments> arguments = parse(words);
  EXPECT_FALSE(arguments.has_value());
  EXPECT_EQ(arguments.status().code(), ErrorCode::ArgumentInvalid);
  return std::string(arguments.status().message());
}

TEST(Arguments, options_may_stand_anywhere) {
  const Arguments arguments = parse({"--limit", "5", "file.vtr", "--json", "key", "--from=a"}).value();
  EXPECT_EQ(arguments.database(), "file.vtr");
  EXPECT_EQ(arguments.positional("KEY"), "key");
  EXPECT_EQ(arguments.number("--limit").value(), 5u);
  EXPECT_EQ(arguments.value("--from"), "a");
  EXPECT_TRUE(arguments.has("--json"));
  EXPECT_FALSE(arguments.has("--to"));
  EXPECT_EQ(arguments.number("--size").value(), std::nullopt);
}

TEST(Arguments, an_empty_value_stays_empty) {
  const Arguments arguments = parse({"db", "", "--from=", "--to=z"}).value();
  EXPECT_EQ(arguments.positional("KEY"), "");
  EXPECT_EQ(arguments.value("--from"), "");
  EXPECT_EQ(arguments.value("--to"), "z");
}

TEST(Arguments, values_are_bytes_and_never_split) {
  const Arguments arguments = parse({"db", "[1,2]", "--from", "a=b=c", "--to", "-x"}).value();
  EXPECT_EQ(arguments.positional("KEY"), "[1,2]");
  EXPECT_EQ(arguments.value("--from"), "a=b=c");
  EXPECT_EQ(arguments.value("--to"), "-x");
}

TEST(Arguments, after_two_dashes_everything_is_positional) {
  const Arguments arguments = parse({"--json", "--", "db", "--limit"}).value();
  EXPECT_EQ(arguments.positional("KEY"), "--limit");
  EXPECT_FALSE(arguments.has("--limit"));
  EXPECT_EQ(parse({"db", "-"}).value().positional("KEY"), "-");
}

TEST(Arguments, a_missing_value_does_not_swallow_the_next_option) {
  EXPECT_NE(refusal({"db", "--from", "--to", "z"}).find("--from needs a value"), std::string::npos);
  EXPECT_NE(refusal({"db", "--limit"}).find("--limit needs a value"), std::string::npos);
}

TEST(Arguments, unknown_options_are_refused_with_a_suggestion) {
  EXPECT_NE(refusal({"db", "--limti", "3"}).find("did you mean --limit?"), std::string::npos);
  EXPECT_NE(refusal({"db", "--ot", "3"}).find("did you mean --to?"), std::string::npos);
  EXPECT_NE(refusal({"db", "-k"}).find("put -- before"), std::string::npos);
  EXPECT_EQ(refusal({"db", "--zzzzzzzz"}).find("did you mean"), std::string::npos);
  refusal({"db", "--lim", "3"});  // no abbreviations
}

TEST(Arguments, mistakes_are_refused) {
  EXPECT_EQ(refusal({"db", "--limit", "1", "--limit=2"}), "--limit is given twice");
  EXPECT_EQ(refusal({"db", "--json=yes"}), "--json takes no value");
  EXPECT_EQ(refusal({"db", "--mode", "slow"}), "--mode is one of fast|safe");
  EXPECT_EQ(refusal({}), "sample needs DB");
  EXPECT_EQ(refusal({"db", "key", "more"}), "sample has too many arguments");
}

TEST(Arguments, a_bad_number_names_its_option) {
  const Arguments arguments = parse({"db", "--limit=x", "--size=4Q", "--wait=1y"}).value();
  EXPECT_EQ(arguments.number("--limit").status().detail("option"), "--limit");
  EXPECT_EQ(arguments.size("--size").status().detail("option"), "--size");
  EXPECT_EQ(arguments.duration_ms("--wait").status().detail("option"), "--wait");
}

TEST(Arguments, help_wins_over_what_is_missing_but_not_over_a_key) {
  EXPECT_TRUE(parse({"--help"}).value().wants_help());
  EXPECT_TRUE(parse({"db", "-h"}).value().wants_help());
  EXPECT_FALSE(parse({"db", "--", "-h"}).value().wants_help());
  EXPECT_FALSE(parse({"db", "--from", "-h"}).value().wants_help());
}

TEST(Arguments, options_that_exclude_each_other_are_refused) {
  const Arguments arguments = parse({"db", "--from=a", "--to=b"}).value();
  EXPECT_FALSE(arguments.at_most_one_of({"--from", "--to"}).is_ok());
  EXPECT_TRUE(arguments.at_most_one_of({"--from", "--limit"}).is_ok());
}

TEST(Arguments, choices_come_from_the_placeholder) {
  EXPECT_EQ(kCommand.find_option("--mode")->choices(), (std::vector<std::string_view>{"fast", "safe"}));
  EXPECT_TRUE(kCommand.find_option("--limit")->choices().empty());
}

}  // namespace
}  // namespace vitrine::cli
