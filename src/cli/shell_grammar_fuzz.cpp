// SPDX-License-Identifier: MIT OR Apache-2.0
// Feeds arbitrary text to the parser of the shell and to completion. Checked: no crash, an end, positions inside the
// text, and arguments that are JSON which the parser takes again as it is.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "cli/shell_completion.hpp"
#include "cli/shell_grammar.hpp"
#include "vitrine/relaxed_json.hpp"

namespace vitrine::cli {
namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const std::vector<ShellArgument>& arguments, std::size_t size) {
  for (const ShellArgument& argument : arguments) {
    require(argument.position < size);
    const auto again = take_relaxed_json(argument.json);
    require(again.has_value() && again->json == argument.json);
  }
}

void parse(std::string_view text) {
  ShellParser parser(text);
  for (std::size_t count = 0;; ++count) {
    require(count <= text.size());
    const auto statement = parser.next();
    if (!statement.has_value() || !*statement) return;
    require((*statement)->position < text.size());
    check((*statement)->arguments, text.size());
    for (const ShellCall& call : (*statement)->chain) check(call.arguments, text.size());
  }
}

}  // namespace
}  // namespace vitrine::cli

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vitrine::cli;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  parse(text);
  const auto completion =
      complete_shell_line(text, {[] { return std::vector<std::string>{"users"}; },
                                 [](const std::string&) { return std::vector<std::string>{"a.b"}; }});
  if (completion.size > size) std::abort();
  return 0;
}
