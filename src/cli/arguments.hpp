// SPDX-License-Identifier: MIT OR Apache-2.0
// The command line as data, and its parser.
//
// A command is a row of command_table.cpp; help, shell completion and the parser read that row and nothing else. The
// parser is ours because arguments are bytes: an empty value in `--from= --to=z` stays empty, `[1,2]` stays one value,
// and no abbreviation of an option is ever guessed.
//
// Rules: options may stand anywhere; `--name value` and `--name=value` are the same; an option may be given once, but
// for those that may repeat;
// after `--` everything is positional; a word that starts with a dash and is not an option is an error, except `-`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/status.hpp"

namespace vitrine::cli {

class Console;
class Arguments;

struct PositionalSpec {
  enum class Presence : bool { Optional, Required };
  std::string_view name;  // "DB", "FILE" (both are paths), "KEY", ...
  Presence presence = Presence::Required;
};

struct OptionSpec {
  std::string_view name;         // "--limit"
  std::string_view placeholder;  // "N"; empty: a flag; "FILE": a path; "a|b|c": one of these
  std::string_view help;         // what it does, lower case, without a full stop
  bool may_repeat = false;

  bool is_flag() const noexcept { return placeholder.empty(); }
  std::vector<std::string_view> choices() const;  // empty when any value will do
};

struct CommandSpec {
  std::string_view name;
  std::string_view summary;      // one line, lower case
  std::string_view description;  // sentences for --help; lines of at most 78 columns
  std::vector<PositionalSpec> positionals;
  std::vector<OptionSpec> options;
  Status (*run)(const Arguments& arguments, Console& console) = nullptr;

  const OptionSpec* find_option(std::string_view option) const noexcept;
};

class Arguments {
 public:
  // Errors: ArgumentInvalid, with a sentence about what is wrong. `words` come after the name of the command.
  static Result<Arguments> parse(const CommandSpec& command, const std::vector<std::string>& words);

  const CommandSpec& command() const noexcept { return *command_; }
  // --help or -h was met; nothing after it was looked at.
  bool wants_help() const noexcept { return wants_help_; }

  // By name ("KEY"); nothing when it was not given.
  std::optional<std::string_view> positional(std::string_view name) const noexcept;
  std::string database() const { return std::string(positional("DB").value_or("")); }

  bool has(std::string_view option) const noexcept { return values_.count(option) != 0; }
  std::optional<std::string_view> value(std::string_view option) const noexcept;
  std::vector<std::string_view> values(std::string_view option) const;  // of one that may repeat, in order

  // Nothing when not given. Errors: ArgumentInvalid with the detail "option".
  Result<std::optional<std::uint64_t>> number(std::string_view option) const;
  Result<std::optional<std::uint64_t>> size(std::string_view option) const;
  Result<std::optional<std::uint64_t>> duration_ms(std::string_view option) const;

  // Errors: ArgumentInvalid when more than one of `options` was given.
  Status at_most_one_of(std::initializer_list<std::string_view> options) const;

 private:
  explicit Arguments(const CommandSpec& command) noexcept : command_(&command) {}
  Status take_option(std::string_view word, const std::string* next, bool& took_next);
  Status check_positionals() const;

  const CommandSpec* command_;
  bool wants_help_ = false;
  std::vector<std::string> positionals_;
  std::multimap<std::string, std::string, std::less<>> values_;  // by option name; flags hold ""
};

// A usage error: ArgumentInvalid with this sentence.
Status usage_error(std::string_view sentence);

// The candidate that `word` is most likely a misspelling of, or nothing.
std::optional<std::string_view> closest_name(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace vitrine::cli
