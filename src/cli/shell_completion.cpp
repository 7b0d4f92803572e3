// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/shell_completion.hpp"

#include <algorithm>
#include <array>

#include "cli/shell_grammar.hpp"

namespace vitrine::cli {
namespace {

constexpr std::array<std::string_view, 34> kOperators{
    "$all",   "$addToSet", "$and", "$currentDate", "$elemMatch", "$eq",   "$exists", "$gt",   "$gte",
    "$in",    "$inc",      "$lt",  "$lte",         "$max",       "$min",  "$mod",    "$mul",  "$ne",
    "$nin",   "$nor",      "$not", "$options",     "$or",        "$pop",  "$pull",   "$push", "$ref",
    "$regex", "$rename",   "$set", "$setOnInsert", "$size",      "$type", "$unset"};

bool is_word_part(char character) noexcept {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
         (character >= '0' && character <= '9') || character == '_' || character == '$' || character == '.' ||
         static_cast<unsigned char>(character) >= 0x80;
}

template <typename Names>
void add_beginning(std::vector<std::string>& to, const Names& names, std::string_view word, std::string_view after) {
  for (const auto& name : names) {
    if (std::string_view(name).starts_with(word)) to.push_back(std::string(name).append(after));
  }
}

// Is the cursor inside brackets of any kind? Quotes count only as far as they close.
bool is_inside_brackets(std::string_view line) noexcept {
  std::size_t depth = 0;
  char quote = '\0';
  for (const char character : line) {
    if (quote != '\0') {
      if (character == quote) quote = '\0';
    } else if (character == '"' || character == '\'') {
      quote = character;
    } else if (character == '(' || character == '{' || character == '[') {
      ++depth;
    } else if ((character == ')' || character == '}' || character == ']') && depth > 0) {
      --depth;
    }
  }
  return depth > 0;
}

// The collection of the last db.NAME.method( in the line.
std::string collection_of(std::string_view line) {
  const std::size_t start = line.rfind("db.");
  if (start == std::string_view::npos) return {};
  const std::string_view rest = line.substr(start + 3);
  const std::size_t bracket = std::min(rest.find('('), rest.size());
  const std::size_t dot = rest.substr(0, bracket).rfind('.');
  return dot == std::string_view::npos ? std::string() : std::string(rest.substr(0, dot));
}

void complete_path(std::string_view word, const ShellNames& names, ShellCompletion& completion) {
  const std::string_view path = word.substr(3);
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos) {
    completion.size = path.size();
    add_beginning(completion.candidates, names.collections(), path, ".");
    add_beginning(completion.candidates, shell_database_methods(), path, "(");
  } else {
    completion.size = path.size() - dot - 1;
    add_beginning(completion.candidates, shell_collection_methods(), path.substr(dot + 1), "(");
  }
}

}  // namespace

ShellCompletion complete_shell_line(std::string_view line, const ShellNames& names) {
  std::size_t start = line.size();
  while (start > 0 && is_word_part(line[start - 1])) --start;
  const std::string_view word = line.substr(start);
  ShellCompletion completion;
  completion.size = word.size();
  if (is_inside_brackets(line)) {
    if (word.starts_with('$')) {
      add_beginning(completion.candidates, kOperators, word, "");
    } else if (const std::string collection = collection_of(line); !collection.empty()) {
      add_beginning(completion.candidates, names.fields(collection), word, "");
    }
  } else if (word.starts_with("db.")) {
    complete_path(word, names, completion);
  } else if (word.starts_with('.') && start > 0 && line[start - 1] == ')') {
    completion.size = word.size() - 1;
    add_beginning(completion.candidates, shell_chain_names(), word.substr(1), "(");
  } else {
    add_beginning(completion.candidates, shell_words(), word, "");
  }
  std::sort(completion.candidates.begin(), completion.candidates.end());
  return completion;
}

std::string common_beginning(const std::vector<std::string>& candidates) {
  std::string common = candidates.empty() ? std::string() : candidates.front();
  for (const std::string& candidate : candidates) {
    const auto [end, other] = std::mismatch(common.begin(), common.end(), candidate.begin(), candidate.end());
    common.erase(end, common.end());
  }
  return common;
}

}  // namespace vitrine::cli
