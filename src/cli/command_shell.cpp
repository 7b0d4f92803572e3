// SPDX-License-Identifier: MIT OR Apache-2.0
// `shell`: statements from --eval, from standard input, or typed at a terminal. The first two end at the first one that
// fails, with its exit code; what a transaction still open had done is rolled back.
#include <cstdlib>

#include "base/try.hpp"
#include "cli/commands.hpp"
#include "cli/database_access.hpp"
#include "cli/file_stream.hpp"
#include "cli/line_editor.hpp"
#include "cli/shell_session.hpp"
#include "cli/terminal.hpp"

namespace vitrine::cli {
namespace {

constexpr std::size_t kStatementSizeMax = std::size_t{256} << 20;

// Runs the statements of a text, whose first line has the number `first_line`.
Status run_text(ShellSession& session, std::string_view text, std::uint64_t first_line) {
  ShellParser parser(text, first_line);
  while (!session.is_over()) {
    const std::optional<ShellStatement> statement = TRY(parser.next());
    if (!statement) return {};
    const Status status = session.run(*statement);
    if (!status.is_ok()) return parser.placed(status, *statement);
    if (interrupt_requested()) return cancelled();
  }
  return {};
}

// Would more text make a whole of the last statement?
bool is_unfinished(std::string_view text) {
  for (ShellParser parser(text);;) {
    const auto statement = parser.next();
    if (!statement.has_value()) return !statement.status().detail("ends").empty();
    if (!*statement) return false;
  }
}

Status run_input(ShellSession& session, Console& console) {
  InputFile input = TRY(InputFile::open("-"));
  std::string text, line;
  std::uint64_t lines = 0, first_line = 1;
  while (!session.is_over()) {
    const bool is_more = TRY(input.read_line(line, kStatementSizeMax));
    if (!is_more && text.empty()) return {};
    if (is_more) {
      text.append(line).push_back('\n');
      ++lines;
      if (text.size() > kStatementSizeMax) return usage_error("a statement is too long");
      if (is_unfinished(text)) continue;
    }
    CHECK(run_text(session, text, first_line));
    CHECK(console.flush());
    text.clear();
    first_line = lines + 1;
  }
  return {};
}

std::string history_path() {
  if (const char* const path = std::getenv("VITRINE_HISTORY")) return path;
  const char* const home = std::getenv("HOME");
  return home == nullptr ? std::string() : std::string(home) + "/.vitrine_history";
}

std::string prompt_of(const ShellSession& session, bool continues) {
  if (continues) return "... ";
  const std::string& path = session.path();
  std::string name = path.substr(path.rfind('/') + 1);
  if (name.ends_with(".vtr")) name.resize(name.size() - 4);
  return printable(name) + (session.in_transaction() ? "*> " : "> ");
}

// Errors are told and forgotten; an interrupt ends the statement that is being typed or run.
Status run_terminal(ShellSession& session, Console& console) {
  LineEditor editor(history_path(), [&](std::string_view before) {
    return complete_shell_line(before, {[&] { return session.collection_names(); },
                                        [&](const std::string& name) { return session.field_names(name); }});
  });
  console.talk("Type help for the statements, exit or Ctrl-D to leave.");
  std::string text;
  while (!session.is_over()) {
    const std::optional<std::string> line = editor.read_line(prompt_of(session, !text.empty()));
    if (take_keyboard_interrupt()) {
      text.clear();
      console.talk("");
      continue;
    }
    if (interrupt_requested()) return cancelled();
    if (!line) return console.write("\n");
    text.append(*line).push_back('\n');
    if (is_unfinished(text)) continue;
    // What is typed has content in it, which must not be left behind in clear.
    if (session.is_encrypted()) editor.keep_no_history();
    if (text != "\n") editor.remember(text.substr(0, text.size() - 1));
    const Status status = run_text(session, text, 1);
    CHECK(console.flush());
    if (!status.is_ok()) console.report(status);
    (void)take_keyboard_interrupt();
    text.clear();
  }
  return {};
}

}  // namespace

Status run_shell(const Arguments& arguments, Console& console) {
  const bool is_typed = !arguments.has("--eval") && is_terminal(Stream::Input);
  const bool is_for_people = !console.json() && is_terminal(Stream::Output);
  const Access access = arguments.has("--read-only") ? Access::ReadOnly : Access::ReadWrite;
  Database db = TRY(open_database(arguments, access));
  ShellSession session(std::move(db), arguments, is_for_people ? ShellStyle::People : ShellStyle::Json, console);
  Status status;
  if (is_typed) {
    status = run_terminal(session, console);
  } else if (!arguments.has("--eval")) {
    status = run_input(session, console);
  }
  std::uint64_t number = 0;
  for (const std::string_view text : arguments.values("--eval")) {
    ++number;
    if (status.is_ok() && !session.is_over()) status = run_text(session, text, 1).with("eval", number);
  }
  const Status closed = session.close();
  return status.is_ok() ? closed : status;
}

}  // namespace vitrine::cli
