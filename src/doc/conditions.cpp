// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/conditions.hpp"

#include <algorithm>

#include "doc/compare.hpp"
#include "doc/filter.hpp"

namespace vitrine::doc {
namespace {

constexpr std::size_t kListMax = 100'000;  // of values of $in that are looked up one by one

struct Meaning {
  KeyRanges ranges = all_keys();
  bool is_exact = false;
  bool needs_value = false;
};

ByteString position(Kind kind, std::uint8_t offset = 0) {
  return ByteString(1, static_cast<char>(static_cast<std::uint8_t>(kind) + offset));
}

// All values that compare with those of this kind; not-a-number compares with none.
KeyRange range_of_kind(Kind kind) {
  const bool is_number = kind == Kind::Number;
  const std::uint8_t size = is_number ? 4 : kind == Kind::Bool ? 2 : 1;
  return {position(kind, is_number ? 1 : 0), position(kind, size), false};
}

Meaning equal_to(const Value& value) {
  Meaning meaning;
  meaning.needs_value = value.type != Type::Null;
  meaning.is_exact = meaning.needs_value && value.type != Type::Array;
  KeyRanges points = {point_of(value)};
  // An array has entries for its elements; it is itself one where it stands in another array.
  if (value.type == Type::Array) {
    const std::optional<Element> first = Elements(value.bytes).next();
    points.push_back(point_of(first ? first->value : kNull));
  }
  meaning.ranges = unite(std::move(points));
  return meaning;
}

Meaning compared_with(Bytes op, const Value& value) {
  Meaning meaning;
  const Kind kind = kind_of(value.type);
  meaning.needs_value = kind != Kind::Null;
  if (kind == Kind::Array || kind == Kind::MinKey || kind == Kind::MaxKey) return meaning;
  const bool or_equal = op == "$lte" || op == "$gte";
  const KeyRange point = point_of(value);
  const KeyRange same = range_of_kind(kind);
  meaning.is_exact = kind != Kind::Null;
  if (kind == Kind::Null || point.low < same.low) {  // null, not-a-number: only equal to themselves
    meaning.ranges = or_equal ? KeyRanges{point} : KeyRanges{};
  } else if (op == "$lt" || op == "$lte") {
    meaning.ranges = unite({{same.low, or_equal ? point.high : point.low, false}});
  } else {
    meaning.ranges = unite({{or_equal ? point.low : point.high, same.high, false}});
  }
  return meaning;
}

// The text that every match begins with: plain characters behind ^.
Bytes literal_beginning(Bytes pattern, Bytes options) {
  constexpr Bytes kOptional = "*?{";
  if (!options.empty() || !pattern.starts_with('^') || pattern.find('|') != Bytes::npos) return {};
  pattern.remove_prefix(1);
  const auto is_plain = [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ' ' || c == '_' ||
           c == '-' || c == ':' || c == '/' || c == '@';
  };
  std::size_t size = 0;
  while (size < pattern.size() && is_plain(static_cast<unsigned char>(pattern[size]))) ++size;
  if (size > 0 && size < pattern.size() && kOptional.find(pattern[size]) != Bytes::npos) --size;
  return pattern.substr(0, size);
}

Meaning matching(Bytes pattern, Bytes options) {
  Meaning meaning;
  meaning.needs_value = true;
  const ByteString low = position(Kind::String).append(literal_beginning(pattern, options));
  meaning.ranges = {{low, after_prefix(low), false}};
  return meaning;
}

Meaning one_of(const Value& list) {
  Meaning meaning;
  meaning.needs_value = meaning.is_exact = true;
  KeyRanges ranges;
  for (Elements walk(list.bytes); const auto element = walk.next();) {
    const Value& value = element->value;
    if (ranges.size() > kListMax) break;
    const Meaning equal = equal_to(value);
    ranges.insert(ranges.end(), equal.ranges.begin(), equal.ranges.end());
    if (value.type == Type::Regex) ranges.push_back(range_of_kind(Kind::String));
    meaning.is_exact &= equal.is_exact && value.type != Type::Regex;
    meaning.needs_value &= equal.needs_value;
  }
  meaning.ranges = ranges.size() <= kListMax ? unite(std::move(ranges)) : all_keys();
  meaning.is_exact &= !is_all(meaning.ranges);
  return meaning;
}

bool is_true(const Value& value) {
  return value.type == Type::Bool ? value.as_bool() : encoded_key(value) != position(Kind::Number, 2);
}

Meaning meaning_of(Bytes op, const Value& operand, Bytes siblings) {
  if (op == "$eq" && operand.type != Type::Regex) return equal_to(operand);
  if (op == "$eq") {
    // In the place of a value it is a question, behind $eq a value.
    return siblings.empty() ? matching(operand.regex_pattern(), operand.regex_options()) : equal_to(operand);
  }
  if (op == "$lt" || op == "$lte" || op == "$gt" || op == "$gte") return compared_with(op, operand);
  if (op == "$in") return one_of(operand);
  if (op == "$regex") {
    const bool has_options = find_member(siblings, "$options").has_value();
    const bool is_text = operand.type == Type::String && !has_options;
    return matching(is_text ? operand.as_string() : Bytes(), {});
  }
  Meaning meaning;
  meaning.needs_value =
      op == "$type" || op == "$size" || op == "$mod" || op == "$elemMatch" || (op == "$exists" && is_true(operand));
  return meaning;
}

class Collector {
 public:
  explicit Collector(Conditions& to) : to_(to) {}

  // Recursion is bounded by the depth of documents.
  void add_filter(Bytes filter, const ByteString& prefix, bool is_derived) {
    for (Elements walk(filter); const auto element = walk.next();) {
      const Value& value = element->value;
      if (element->name == "$and") {
        for (Elements parts(value.bytes); const auto part = parts.next();) {
          add_filter(part->value.bytes, prefix, is_derived);
        }
      } else if (element->name == "$or" && !is_derived) {
        std::vector<Bytes> filters;
        for (Elements parts(value.bytes); const auto part = parts.next();) filters.push_back(part->value.bytes);
        to_.alternatives.push_back(std::move(filters));
        to_.is_whole = false;
      } else if (element->name.starts_with('$')) {
        to_.is_whole = false;
      } else {
        add_condition(prefix + ByteString(element->name), value, is_derived);
      }
    }
  }

 private:
  void add_condition(const ByteString& path, const Value& value, bool is_derived) {
    if (!is_operators(value)) return add(path, "$eq", value, {}, is_derived);
    for (Elements walk(value.bytes); const auto element = walk.next();) {
      if (element->name != "$options") add(path, element->name, element->value, value.bytes, is_derived);
    }
  }

  void add(const ByteString& path, Bytes op, const Value& operand, Bytes siblings, bool is_derived) {
    if (op == "$all") return add_all(path, operand, is_derived);
    Meaning meaning = meaning_of(op, operand, siblings);
    if (op == "$elemMatch") {
      const std::optional<Element> first = Elements(operand.bytes).next();
      const bool is_join = first && (first->name == "$and" || first->name == "$or" || first->name == "$nor");
      if (is_operators(operand) && !is_join) {
        meaning.ranges = element_ranges(operand.bytes);
      } else {
        add_filter(operand.bytes, path + ".", true);
      }
    }
    to_.all.push_back({path, ByteString(op), operand, std::move(meaning.ranges), meaning.is_exact && !is_derived,
                       meaning.needs_value, is_derived});
  }

  void add_all(const ByteString& path, const Value& list, bool is_derived) {
    if (count_members(list.bytes) == 0) to_.is_whole = false;
    for (Elements walk(list.bytes); const auto element = walk.next();) {
      if (is_operators(element->value)) {
        add_condition(path, element->value, is_derived);
      } else {
        add(path, "$eq", element->value, {}, is_derived);
      }
    }
  }

  // One element meets all of it.
  static KeyRanges element_ranges(Bytes operators) {
    KeyRanges ranges = all_keys();
    for (Elements walk(operators); const auto element = walk.next();) {
      ranges = intersect(ranges, meaning_of(element->name, element->value, operators).ranges);
    }
    return ranges;
  }

  Conditions& to_;
};

bool is_within(const KeyRanges& inner, const KeyRanges& outer) {
  return std::all_of(inner.begin(), inner.end(), [&](const KeyRange& range) {
    return std::any_of(outer.begin(), outer.end(),
                       [&](const KeyRange& around) { return around.low <= range.low && range.high <= around.high; });
  });
}

bool implies_condition(const Conditions& given, const Condition& wanted) {
  return std::any_of(given.all.begin(), given.all.end(), [&](const Condition& condition) {
    if (condition.path != wanted.path) return false;
    const bool is_same = condition.op == wanted.op && condition.operand.type == wanted.operand.type &&
                         condition.operand.bytes == wanted.operand.bytes && !condition.is_derived &&
                         wanted.op != "$regex" && wanted.operand.type != Type::Regex;
    if (is_same) return true;
    if (wanted.op == "$exists") return wanted.needs_value && condition.needs_value;
    return wanted.is_exact && is_within(condition.ranges, wanted.ranges);
  });
}

}  // namespace

Conditions Conditions::of(Bytes filter) {
  Conditions conditions;
  Collector(conditions).add_filter(filter, {}, false);
  return conditions;
}

std::optional<Element> plain_equality(Bytes filter) noexcept {
  Elements walk(filter);
  const std::optional<Element> only = walk.next();
  if (!only || walk.next()) return std::nullopt;
  const Type type = only->value.type;
  if (only->value.is_container() || type == Type::Null || type == Type::Regex) return std::nullopt;
  return only->name.starts_with('$') || !is_path(only->name) ? std::nullopt : only;
}

bool implies(const Conditions& given, Bytes wanted) {
  const Conditions conditions = Conditions::of(wanted);
  if (!conditions.is_whole) return false;
  return std::all_of(conditions.all.begin(), conditions.all.end(), [&](const Condition& condition) {
    return condition.is_derived || implies_condition(given, condition);
  });
}

}  // namespace vitrine::doc
