// SPDX-License-Identifier: MIT OR Apache-2.0
// `completion`: completion scripts for three shells, made from the table of commands, so they cannot fall behind it.
#include <algorithm>

#include "cli/commands.hpp"

namespace vitrine::cli {
namespace {

constexpr std::string_view kShells = "bash zsh fish";

bool is_path(std::string_view placeholder) noexcept { return placeholder == "FILE" || placeholder == "DB"; }

std::string joined_choices(const OptionSpec& option) {
  std::string words;
  for (const std::string_view choice : option.choices()) words.append(words.empty() ? "" : " ").append(choice);
  return words;
}

std::string command_names() {
  std::string names;
  for (const CommandSpec& command : commands()) names.append(names.empty() ? "" : " ").append(command.name);
  return names;
}

// In single quotes; bash and zsh keep everything there but the quote itself.
std::string quoted(std::string_view text) {
  std::string safe = "'";
  for (const char character : text) {
    if (character == '\'') {
      safe.append("'\\''");
    } else {
      safe.push_back(character);
    }
  }
  return safe.append("'");
}

// ---- bash

// Options by what their value completes to; one case for each command.
std::string bash_case(const CommandSpec& command) {
  std::string names, values;
  for (const OptionSpec& option : command.options) {
    names.append(option.name).append(" ");
    if (!option.choices().empty()) {
      values.append("        ").append(option.name).append(") words=").append(quoted(joined_choices(option)));
      values.append("; kind=words ;;\n");
    } else if (!option.is_flag()) {
      values.append("        ").append(option.name).append(") kind=");
      values.append(is_path(option.placeholder) ? "files" : "nothing").append(" ;;\n");
    }
  }
  std::string text = "    " + std::string(command.name) + ")\n";
  text.append("      options=").append(quoted(names + "--help")).append("\n");
  if (command.positionals.front().name == "SHELL") text.append("      words=").append(quoted(kShells)).append("\n");
  if (!values.empty()) text.append("      case \"$previous\" in\n").append(values).append("      esac\n");
  return text.append("      ;;\n");
}

std::string bash_script() {
  std::string script =
      "# bash completion for vitrine; load it with: source <(vitrine completion bash)\n"
      "_vitrine() {\n"
      "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
      "  local options='' words='' kind=any\n"
      "  COMPREPLY=()\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    COMPREPLY=($(compgen -W ";
  script.append(quoted(command_names() + " --help --version")).append(" -- \"$current\"))\n    return\n  fi\n");
  script.append("  case \"${COMP_WORDS[1]}\" in\n");
  for (const CommandSpec& command : commands()) script.append(bash_case(command));
  script.append(
      "  esac\n"
      "  [ \"$kind\" = any ] && [ \"${current#-}\" != \"$current\" ] && words=$options kind=words\n"
      "  [ \"$kind\" = any ] && [ -n \"$words\" ] && kind=words\n"
      "  if [ \"$kind\" = words ]; then\n"
      "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "  elif [ \"$kind\" != nothing ]; then\n"
      "    local IFS=$'\\n'\n"
      "    compopt -o filenames 2>/dev/null\n"
      "    COMPREPLY=($(compgen -f -- \"$current\"))\n"
      "  fi\n"
      "}\n"
      "complete -F _vitrine vitrine\n");
  return script;
}

// ---- zsh

std::string zsh_action(std::string_view placeholder, const std::string& choices) {
  if (!choices.empty()) return "(" + choices + ")";
  return is_path(placeholder) ? "_files" : " ";
}

// zsh reads brackets in a specification itself.
std::string zsh_text(std::string_view text) {
  std::string safe;
  for (const char character : text) {
    if (character == '[' || character == ']') safe.push_back('\\');
    safe.push_back(character);
  }
  return safe;
}

std::string zsh_case(const CommandSpec& command) {
  std::string text = "    " + std::string(command.name) + ")\n      _arguments -S \\\n";
  for (const OptionSpec& option : command.options) {
    std::string specification(option.name);
    if (!option.is_flag()) specification.push_back('=');
    specification.append("[").append(zsh_text(option.help)).append("]");
    if (!option.is_flag()) {
      specification.append(":").append(zsh_text(option.placeholder)).append(":");
      specification.append(zsh_action(option.placeholder, joined_choices(option)));
    }
    text.append("        ").append(quoted(specification)).append(" \\\n");
  }
  std::size_t place = 1;
  for (const PositionalSpec& positional : command.positionals) {
    const std::string action = zsh_action(positional.name, positional.name == "SHELL" ? std::string(kShells) : "");
    text.append("        ").append(quoted(std::to_string(place++) + ":" + std::string(positional.name) + ":" + action));
    text.append(" \\\n");
  }
  return text.append("        '--help[print help]'\n      ;;\n");
}

std::string zsh_script() {
  std::string script =
      "#compdef vitrine\n"
      "# zsh completion for vitrine; put it into a folder of $fpath under the name _vitrine\n"
      "_vitrine() {\n"
      "  if (( CURRENT == 2 )); then\n"
      "    local -a names\n"
      "    names=(\n";
  for (const CommandSpec& command : commands()) {
    script.append("      ").append(quoted(std::string(command.name) + ":" + std::string(command.summary))).append("\n");
  }
  script.append(
      "    )\n"
      "    _describe command names\n"
      "    return\n"
      "  fi\n"
      "  shift words\n"
      "  (( CURRENT-- ))\n"
      "  case $words[1] in\n");
  for (const CommandSpec& command : commands()) script.append(zsh_case(command));
  return script.append(
      "  esac\n"
      "}\n"
      "if [ \"$funcstack[1]\" = _vitrine ]; then _vitrine \"$@\"; else compdef _vitrine vitrine; fi\n");
}

// ---- fish

// fish reads \\ and \' inside single quotes.
std::string fish_quoted(std::string_view text) {
  std::string safe = "'";
  for (const char character : text) {
    if (character == '\'' || character == '\\') safe.push_back('\\');
    safe.push_back(character);
  }
  return safe.append("'");
}

std::string fish_option(const CommandSpec& command, const OptionSpec& option) {
  std::string line = "complete -c vitrine -n '__fish_seen_subcommand_from " + std::string(command.name) + "' -l ";
  line.append(option.name.substr(2)).append(" -d ").append(fish_quoted(option.help));
  if (const std::string choices = joined_choices(option); !choices.empty()) {
    line.append(" -x -a ").append(fish_quoted(choices));
  } else if (!option.is_flag()) {
    line.append(is_path(option.placeholder) ? " -r -F" : " -x");
  }
  return line.append("\n");
}

std::string fish_script() {
  std::string script = "# fish completion for vitrine; load it with: vitrine completion fish | source\n";
  for (const CommandSpec& command : commands()) {
    script.append("complete -c vitrine -n __fish_use_subcommand -f -a ").append(command.name);
    script.append(" -d ").append(fish_quoted(command.summary)).append("\n");
    for (const OptionSpec& option : command.options) script.append(fish_option(command, option));
    if (command.positionals.front().name != "SHELL") continue;
    script.append("complete -c vitrine -n '__fish_seen_subcommand_from ").append(command.name);
    script.append("' -f -a ").append(fish_quoted(kShells)).append("\n");
  }
  return script;
}

}  // namespace

Status run_completion(const Arguments& arguments, Console& console) {
  const std::string_view shell = arguments.positional("SHELL").value_or("");
  if (shell == "bash") return console.write(bash_script());
  if (shell == "zsh") return console.write(zsh_script());
  if (shell == "fish") return console.write(fish_script());
  return usage_error("completion knows bash, zsh and fish");
}

}  // namespace vitrine::cli
