// SPDX-License-Identifier: MIT OR Apache-2.0
// Help for people; the same rows feed command_completion.cpp.
#include "cli/help.hpp"

#include <algorithm>

#include "cli/commands.hpp"

#ifndef VITRINE_VERSION_TEXT
#define VITRINE_VERSION_TEXT "(a build without a version)"
#endif

namespace vitrine::cli {
namespace {

constexpr std::size_t kOptionWidthMax = 30;

std::string option_form(const OptionSpec& option) {
  std::string form(option.name);
  if (!option.is_flag()) form.append(" ").append(option.placeholder);
  return form;
}

// A name that is wider than its column has the text below it.
void append_row(std::string& to, std::string_view name, std::string_view text, std::size_t width) {
  to.append("  ").append(name);
  if (name.size() > width) to.append("\n  ").append(width, ' ');
  to.append(width - std::min(name.size(), width) + 2, ' ').append(text).append("\n");
}

std::string usage_of(const CommandSpec& command) {
  std::string usage = std::string("vitrine ").append(command.name);
  for (const PositionalSpec& positional : command.positionals) {
    const bool is_optional = positional.presence == PositionalSpec::Presence::Optional;
    usage.append(is_optional ? " [" : " ").append(positional.name).append(is_optional ? "]" : "");
  }
  return usage.append(" [OPTIONS]");
}

}  // namespace

std::string version_line() { return "vitrine " VITRINE_VERSION_TEXT "\n"; }

std::string program_help() {
  std::string help =
      "vitrine: a single-file store of ordered entries and documents\n\n"
      "usage: vitrine COMMAND DB [ARGS] [--json]\n"
      "       vitrine COMMAND --help\n"
      "       vitrine --version\n\ncommands:\n";
  std::size_t width = 0;
  for (const CommandSpec& command : commands()) width = std::max(width, command.name.size());
  for (const CommandSpec& command : commands()) append_row(help, command.name, command.summary, width);
  help.append(
      "\nexit codes:\n"
      "  0 done                 4 not found             8 busy, locked or cancelled\n"
      "  1 internal error       5 permission denied     9 external failure (I/O, disk full)\n"
      "  2 invalid input        6 conflict (exists)    10 damage found\n"
      "  3 check incomplete     7 unsupported\n\n"
      "A read command never creates a file. Data goes to stdout, everything else to stderr.\n"
      "`man vitrine` says more.\n");
  return help;
}

std::string command_help(const CommandSpec& command) {
  std::string help = usage_of(command);
  help.append("\n\n").append(command.name).append(": ").append(command.summary).append("\n");
  if (!command.description.empty()) help.append("\n").append(command.description).append("\n");
  help.append("\noptions:\n");
  std::vector<OptionSpec> options = command.options;
  options.push_back({"--help", "", "print this"});
  std::size_t width = 0;
  for (const OptionSpec& option : options) width = std::max(width, option_form(option).size());
  width = std::min(width, kOptionWidthMax);
  for (const OptionSpec& option : options) append_row(help, option_form(option), option.help, width);
  return help;
}

}  // namespace vitrine::cli
