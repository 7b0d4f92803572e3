// SPDX-License-Identifier: MIT OR Apache-2.0
// Parsing by the rules in arguments.hpp: one pass over the words, no look at their meaning.
#include "cli/arguments.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "cli/values.hpp"

namespace vitrine::cli {
namespace {

// How many letters must be changed, added, dropped or swapped with their neighbour.
std::size_t edit_distance(std::string_view left, std::string_view right) {
  const std::size_t width = right.size() + 1;
  std::vector<std::size_t> table((left.size() + 1) * width);
  for (std::size_t i = 0; i <= left.size(); ++i) {
    for (std::size_t j = 0; j < width; ++j) {
      std::size_t& cell = table[i * width + j];
      if (i == 0 || j == 0) {
        cell = i + j;
        continue;
      }
      const std::size_t* const above = &cell - width;
      cell = std::min({above[0] + 1, (&cell)[-1] + 1, above[-1] + (left[i - 1] == right[j - 1] ? 0 : 1)});
      const bool is_swap = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      if (is_swap) cell = std::min(cell, above[-2 - static_cast<std::ptrdiff_t>(width)] + 1);
    }
  }
  return table.back();
}

Status unknown_option(const CommandSpec& command, std::string_view name) {
  std::vector<std::string_view> names{"--help"};
  for (const OptionSpec& option : command.options) names.push_back(option.name);
  std::string sentence = std::string(command.name).append(" has no option ").append(name);
  if (const auto meant = closest_name(name, names)) sentence.append("; did you mean ").append(*meant).append("?");
  if (name.substr(0, 2) != "--") sentence.append(" (put -- before a key or value that starts with a dash)");
  return usage_error(sentence);
}

template <typename Value, typename Parse>
Result<std::optional<std::uint64_t>> parsed(const Arguments& arguments, std::string_view option, Parse parse,
                                            std::uint64_t (*to_number)(Value)) {
  const std::optional<std::string_view> text = arguments.value(option);
  if (!text) return std::optional<std::uint64_t>{};
  Result<Value> value = parse(*text);
  if (!value.has_value()) return value.status().with("option", option);
  return std::optional<std::uint64_t>{to_number(*value)};
}

}  // namespace

Status usage_error(std::string_view sentence) { return Status::error(ErrorCode::ArgumentInvalid, sentence); }

std::optional<std::string_view> closest_name(std::string_view word, const std::vector<std::string_view>& candidates) {
  std::optional<std::string_view> best;
  // A third of the letters may be wrong; more is a guess. No name is longer than 40.
  if (word.size() > 40) return best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::vector<std::string_view> OptionSpec::choices() const {
  std::vector<std::string_view> found;
  if (placeholder.find('|') == std::string_view::npos) return found;
  for (std::string_view rest = placeholder; !rest.empty();) {
    const std::size_t end = std::min(rest.find('|'), rest.size());
    found.push_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return found;
}

const OptionSpec* CommandSpec::find_option(std::string_view option) const noexcept {
  for (const OptionSpec& candidate : options) {
    if (candidate.name == option) return &candidate;
  }
  return nullptr;
}

Result<Arguments> Arguments::parse(const CommandSpec& command, const std::vector<std::string>& words) {
  Arguments arguments(command);
  bool only_positionals = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (only_positionals || word.size() < 2 || word.front() != '-') {
      arguments.positionals_.push_back(word);
    } else if (word == "--") {
      only_positionals = true;
    } else if (word == "--help" || word == "-h") {
      arguments.wants_help_ = true;
      return arguments;
    } else {
      bool took_next = false;
      CHECK(arguments.take_option(word, i + 1 < words.size() ? &words[i + 1] : nullptr, took_next));
      if (took_next) ++i;
    }
  }
  CHECK(arguments.check_positionals());
  return arguments;
}

Status Arguments::take_option(std::string_view word, const std::string* next, bool& took_next) {
  const std::size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const OptionSpec* const option = command_->find_option(name);
  if (option == nullptr) return unknown_option(*command_, name);
  if (has(name) && !option->may_repeat) return usage_error(std::string(name).append(" is given twice"));

  std::string value;
  if (option->is_flag()) {
    if (equals != std::string_view::npos) return usage_error(std::string(name).append(" takes no value"));
  } else if (equals != std::string_view::npos) {
    value = word.substr(equals + 1);
  } else if (next == nullptr || command_->find_option(*next) != nullptr) {
    // The next word is an option of this command, so a value was most likely forgotten.
    std::string sentence = std::string(name).append(" needs a value: ").append(name).append("=");
    return usage_error(sentence.append(option->placeholder));
  } else {
    value = *next;
    took_next = true;
  }
  const std::vector<std::string_view> choices = option->choices();
  if (!choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end()) {
    return usage_error(std::string(name).append(" is one of ").append(option->placeholder)).with("value", value);
  }
  values_.emplace(name, std::move(value));
  return {};
}

Status Arguments::check_positionals() const {
  const auto& specs = command_->positionals;
  if (positionals_.size() > specs.size()) {
    // Not named in the message: what is too much may well be a value that was not quoted.
    return usage_error(std::string(command_->name).append(" has too many arguments"))
        .with("given", positionals_.size())
        .with("allowed", specs.size());
  }
  for (std::size_t i = positionals_.size(); i < specs.size(); ++i) {
    if (specs[i].presence == PositionalSpec::Presence::Optional) continue;
    return usage_error(std::string(command_->name).append(" needs ").append(specs[i].name));
  }
  return {};
}

std::optional<std::string_view> Arguments::positional(std::string_view name) const noexcept {
  const auto& specs = command_->positionals;
  for (std::size_t i = 0; i < positionals_.size(); ++i) {
    if (specs[i].name == name) return positionals_[i];
  }
  return std::nullopt;
}

std::optional<std::string_view> Arguments::value(std::string_view option) const noexcept {
  const auto found = values_.find(option);
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string_view> Arguments::values(std::string_view option) const {
  std::vector<std::string_view> found;
  for (auto [at, end] = values_.equal_range(option); at != end; ++at) found.push_back(at->second);
  return found;
}

Result<std::optional<std::uint64_t>> Arguments::number(std::string_view option) const {
  return parsed<std::uint64_t>(*this, option, parse_number, [](std::uint64_t value) { return value; });
}

Result<std::optional<std::uint64_t>> Arguments::size(std::string_view option) const {
  return parsed<std::uint64_t>(*this, option, parse_size, [](std::uint64_t value) { return value; });
}

Result<std::optional<std::uint64_t>> Arguments::duration_ms(std::string_view option) const {
  return parsed<std::chrono::milliseconds>(*this, option, parse_duration, [](std::chrono::milliseconds value) {
    return static_cast<std::uint64_t>(value.count());
  });
}

Status Arguments::at_most_one_of(std::initializer_list<std::string_view> options) const {
  std::string_view first;
  for (const std::string_view option : options) {
    if (!has(option)) continue;
    if (!first.empty()) {
      return usage_error(std::string(first).append(" and ").append(option).append(" exclude each other"));
    }
    first = option;
  }
  return {};
}

}  // namespace vitrine::cli
