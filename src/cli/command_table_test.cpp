// SPDX-License-Identifier: MIT OR Apache-2.0
// The table of commands must hold together, because nothing checks it while the program runs.
#include <gtest/gtest.h>

#include <set>

#include "cli/commands.hpp"
#include "cli/help.hpp"

namespace vitrine::cli {
namespace {

TEST(CommandTable, every_command_has_a_function_and_a_first_argument) {
  for (const CommandSpec& command : commands()) {
    EXPECT_NE(command.run, nullptr) << command.name;
    ASSERT_FALSE(command.positionals.empty()) << command.name;
    // `errors` is about the program and not about a file.
    const bool is_required = command.positionals.front().presence == PositionalSpec::Presence::Required;
    EXPECT_EQ(is_required, command.name != "errors") << command.name;
    EXPECT_FALSE(command.summary.empty()) << command.name;
    EXPECT_EQ(find_command(command.name), &command);
    EXPECT_NE(command.find_option("--json"), nullptr) << command.name;
  }
}

TEST(CommandTable, optional_arguments_come_last) {
  for (const CommandSpec& command : commands()) {
    bool was_optional = false;
    for (const PositionalSpec& positional : command.positionals) {
      const bool is_optional = positional.presence == PositionalSpec::Presence::Optional;
      EXPECT_TRUE(is_optional || !was_optional) << command.name;
      was_optional = is_optional;
    }
  }
}

TEST(CommandTable, no_name_appears_twice) {
  std::set<std::string_view> names;
  for (const CommandSpec& command : commands()) {
    EXPECT_TRUE(names.insert(command.name).second) << command.name;
    std::set<std::string_view> options;
    for (const OptionSpec& option : command.options) {
      EXPECT_TRUE(options.insert(option.name).second) << command.name << ' ' << option.name;
      EXPECT_EQ(option.name.substr(0, 2), "--");
      EXPECT_FALSE(option.help.empty()) << option.name;
    }
  }
}

TEST(CommandTable, help_lists_all_and_fits_a_terminal) {
  for (const CommandSpec& command : commands()) {
    EXPECT_NE(program_help().find("  " + std::string(command.name) + " "), std::string::npos);
    const std::string help = command_help(command);
    for (const OptionSpec& option : command.options) {
      EXPECT_NE(help.find("  " + std::string(option.name)), std::string::npos) << command.name << ' ' << option.name;
    }
    for (std::size_t at = 0; at < help.size();) {
      const std::size_t end = help.find('\n', at);
      EXPECT_LE(end - at, 100u) << help.substr(at, end - at);
      at = end + 1;
    }
  }
}

}  // namespace
}  // namespace vitrine::cli
