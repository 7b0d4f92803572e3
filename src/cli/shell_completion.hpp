// SPDX-License-Identifier: MIT OR Apache-2.0
// What the word before the cursor of a shell may become: words, collections, methods, fields, operators. Knows no
// terminal; names come from the caller when they are needed.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::cli {

struct ShellNames {
  std::function<std::vector<std::string>()> collections;
  std::function<std::vector<std::string>(const std::string& collection)> fields;
};

struct ShellCompletion {
  std::size_t size = 0;                 // bytes before the cursor that the candidates replace
  std::vector<std::string> candidates;  // sorted, each begins with these bytes
};

// `line`: everything before the cursor.
ShellCompletion complete_shell_line(std::string_view line, const ShellNames& names);

// What all candidates begin with.
std::string common_beginning(const std::vector<std::string>& candidates);

}  // namespace vitrine::cli
