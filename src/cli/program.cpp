// SPDX-License-Identifier: MIT OR Apache-2.0
// The order of a run: find the command, parse, run, flush, report, and turn the status into the exit code.
#include "cli/program.hpp"

#include <algorithm>
#include <exception>

#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/help.hpp"

namespace vitrine::cli {
namespace {

Status unknown_command(std::string_view name) {
  std::vector<std::string_view> names;
  for (const CommandSpec& command : commands()) names.push_back(command.name);
  std::string sentence = std::string("there is no command ").append(name);
  if (const auto meant = closest_name(name, names)) sentence.append("; did you mean ").append(*meant).append("?");
  return usage_error(sentence);
}

Status dispatch(const std::vector<std::string>& words, Console& console) {
  if (words.empty()) return usage_error("a command is missing; vitrine --help lists them");
  const std::string& name = words.front();
  if (name == "--help" || name == "-h" || name == "help") return console.write(program_help());
  if (name == "--version") return console.write(version_line());
  const CommandSpec* const command = find_command(name);
  if (command == nullptr) return unknown_command(name);
  const Arguments arguments = TRY(Arguments::parse(*command, {words.begin() + 1, words.end()}));
  if (arguments.wants_help()) return console.write(command_help(*command));
  return command->run(arguments, console);
}

// Exceptions end here: the library throws none, but memory can run out anywhere.
Status dispatch_safely(const std::vector<std::string>& words, Console& console) {
  try {
    return dispatch(words, console);
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory();
  } catch (const std::exception& error) {
    return Status::error(ErrorCode::InternalBug, error.what());
  }
}

}  // namespace

int run_program(const std::vector<std::string>& words) noexcept {
  Console console;
  // Found before parsing, so that a mistake in the arguments is told in the asked-for form as well.
  const auto end = std::find(words.begin(), words.end(), "--");
  if (std::find(words.begin(), end, "--json") != end) console.use_json();
  Status status = dispatch_safely(words, console);
  Status flushed = console.flush();
  if (status.is_ok()) status = std::move(flushed);
  if (!status.is_ok()) console.report(status);
  return exit_code(status.kind());
}

}  // namespace vitrine::cli
