// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/schema_rule.hpp"

#include <re2/re2.h>

#include <algorithm>

#include "base/try.hpp"
#include "doc/arithmetic.hpp"
#include "doc/compare.hpp"
#include "doc/key_encoding.hpp"

namespace vitrine::doc {
namespace {

constexpr std::int64_t kPatternMemory = std::int64_t{1} << 20;
constexpr std::size_t kBytesACheck = 64;

struct SchemaType {
  Bytes name;
  Type type;
};

// Names of JSON Schema and of BSON. "integer" is asked apart: a number with a whole value.
constexpr SchemaType kSchemaTypes[] = {
    {"object", Type::Object}, {"array", Type::Array},         {"string", Type::String},  {"null", Type::Null},
    {"boolean", Type::Bool},  {"bool", Type::Bool},           {"number", Type::Double},  {"number", Type::Int32},
    {"number", Type::Int64},  {"number", Type::Decimal128},   {"double", Type::Double},  {"int", Type::Int32},
    {"long", Type::Int64},    {"decimal", Type::Decimal128},  {"binData", Type::Binary}, {"objectId", Type::ObjectId},
    {"date", Type::Date},     {"timestamp", Type::Timestamp}, {"regex", Type::Regex},    {"minKey", Type::MinKey},
    {"maxKey", Type::MaxKey},
};

Result<SchemaRule> make_type(const Element& keyword) {
  std::vector<Type> types;
  bool is_integer_good = false;
  const auto add = [&](const Value& name) {
    const Bytes text = name.type == Type::String ? name.as_string() : Bytes();
    const std::size_t before = types.size();
    for (const SchemaType& row : kSchemaTypes) {
      if (row.name == text) types.push_back(row.type);
    }
    if (text == "integer") is_integer_good = true;
    return types.size() > before || text == "integer";
  };
  bool is_good = true;
  if (keyword.value.type == Type::Array) {
    for (Elements walk(keyword.value.bytes); const auto element = walk.next();)
      is_good = is_good && add(element->value);
  } else {
    is_good = add(keyword.value);
  }
  if (!is_good) return bad_schema("an unknown type", keyword.name);
  return SchemaRule([types, is_integer_good](const Value& value, SchemaWalk& walk) {
    const bool is_whole = is_integer_good && value.is_number() && whole_number(value).has_value();
    return is_whole || std::find(types.begin(), types.end(), value.type) != types.end() ? Status{}
                                                                                        : violated(walk, "type");
  });
}

// enum and const: one of these values.
Result<SchemaRule> make_enum(const Element& keyword) {
  std::vector<ByteString> keys;
  if (keyword.name == "const") {
    keys.push_back(encoded_key(keyword.value));
  } else if (keyword.value.type == Type::Array) {
    for (Elements walk(keyword.value.bytes); const auto element = walk.next();) {
      keys.push_back(encoded_key(element->value));
    }
  } else {
    return bad_schema("takes an array", keyword.name);
  }
  std::sort(keys.begin(), keys.end());
  return SchemaRule([keys, name = ByteString(keyword.name)](const Value& value, SchemaWalk& walk) {
    walk.budget.take(value.bytes.size() / kBytesACheck);
    const bool is_one = std::binary_search(keys.begin(), keys.end(), encoded_key(value));
    return is_one ? Status{} : violated(walk, name);
  });
}

Result<SchemaRule> make_required(const Element& keyword) {
  std::vector<ByteString> names;
  if (keyword.value.type != Type::Array) return bad_schema("takes an array of names", keyword.name);
  for (Elements walk(keyword.value.bytes); const auto element = walk.next();) {
    if (element->value.type != Type::String) return bad_schema("takes an array of names", keyword.name);
    names.emplace_back(element->value.as_string());
  }
  return SchemaRule([names](const Value& value, SchemaWalk& walk) -> Status {
    if (value.type != Type::Object) return {};
    for (const ByteString& name : names) {
      walk.budget.take();
      if (!find_member(value.bytes, name)) return violated(walk, "required").with("missing", name);
    }
    return {};
  });
}

std::size_t count_characters(Bytes text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char byte) { return (static_cast<std::uint8_t>(byte) & 0xc0) != 0x80; }));
}

// minLength and its like: how large something of one type may be.
Result<SchemaRule> make_size(const Element& keyword) {
  const std::int64_t bound = whole_number(keyword.value).value_or(-1);
  if (bound < 0) return bad_schema("takes a whole number that is not negative", keyword.name);
  const Bytes unit = keyword.name.substr(3);
  const Type type = unit == "Length" ? Type::String : unit == "Items" ? Type::Array : Type::Object;
  const bool is_least = keyword.name.starts_with("min");
  return SchemaRule([=, name = ByteString(keyword.name)](const Value& value, SchemaWalk& walk) -> Status {
    if (value.type != type) return {};
    walk.budget.take(value.bytes.size() / kBytesACheck);
    const std::size_t size = type == Type::String ? count_characters(value.as_string()) : count_members(value.bytes);
    const bool holds = is_least ? size >= static_cast<std::size_t>(bound) : size <= static_cast<std::size_t>(bound);
    return holds ? Status{} : violated(walk, name);
  });
}

// minimum, maximum and the exclusive ones; in draft 4 the latter are booleans beside the former.
Result<SchemaRule> make_bound(const Element& keyword, Bytes schema) {
  const bool is_least = keyword.name == "minimum" || keyword.name == "exclusiveMinimum";
  bool is_exclusive = keyword.name.starts_with("exclusive");
  if (is_exclusive && keyword.value.type == Type::Bool)
    return SchemaRule([](const Value&, SchemaWalk&) { return Status{}; });
  if (!keyword.value.is_number()) return bad_schema("takes a number", keyword.name);
  if (!is_exclusive) {
    const std::optional<Value> flag = find_member(schema, is_least ? "exclusiveMinimum" : "exclusiveMaximum");
    is_exclusive = flag && flag->type == Type::Bool && flag->as_bool();
  }
  return SchemaRule([is_least, is_exclusive, type = keyword.value.type, bytes = ByteString(keyword.value.bytes),
                     name = ByteString(keyword.name)](const Value& value, SchemaWalk& walk) -> Status {
    if (!value.is_number()) return {};
    const int order = compare_values(value, {type, bytes}) * (is_least ? 1 : -1);
    return order > 0 || (order == 0 && !is_exclusive) ? Status{} : violated(walk, name);
  });
}

Result<SchemaRule> make_multiple(const Element& keyword) {
  const Number zero = zero_like(keyword.value);
  const bool is_good = keyword.value.is_number() && compare_values(keyword.value, {zero.type, zero.bytes}) > 0;
  if (!is_good) return bad_schema("takes a number above zero", keyword.name);
  return SchemaRule(
      [type = keyword.value.type, bytes = ByteString(keyword.value.bytes)](const Value& value, SchemaWalk& walk) {
        const bool holds = !value.is_number() || is_multiple(value, {type, bytes});
        return holds ? Status{} : violated(walk, "multipleOf");
      });
}

Result<SchemaRule> make_pattern(const Element& keyword) {
  const auto matcher = keyword.value.type == Type::String ? make_matcher(keyword.value.as_string()) : nullptr;
  if (!matcher) return bad_schema("takes a regular expression", keyword.name);
  return SchemaRule([matcher](const Value& value, SchemaWalk& walk) -> Status {
    if (value.type != Type::String) return {};
    walk.budget.take(value.bytes.size() / kBytesACheck);
    return (*matcher)(value.as_string()) ? Status{} : violated(walk, "pattern");
  });
}

Result<SchemaRule> make_unique(const Element& keyword) {
  if (keyword.value.type != Type::Bool) return bad_schema("takes true or false", keyword.name);
  const bool is_asked = keyword.value.as_bool();
  return SchemaRule([is_asked](const Value& value, SchemaWalk& walk) -> Status {
    if (!is_asked || value.type != Type::Array) return {};
    std::vector<ByteString> keys;
    for (Elements elements(value.bytes); const auto element = elements.next();) {
      keys.push_back(encoded_key(element->value));
    }
    walk.budget.take(keys.size() + value.bytes.size() / kBytesACheck);
    std::sort(keys.begin(), keys.end());
    const bool repeats = std::adjacent_find(keys.begin(), keys.end()) != keys.end();
    return repeats ? violated(walk, "uniqueItems") : Status{};
  });
}

}  // namespace

Status bad_schema(std::string_view why, Bytes keyword) {
  return Status::error(ErrorCode::ArgumentInvalid, why).with("keyword", keyword);
}

Status violated(const SchemaWalk& walk, std::string_view keyword) {
  return Status::error(ErrorCode::DocumentMalformed, "the document breaks a rule of the validator")
      .with("path", walk.path)
      .with("keyword", keyword);
}

std::shared_ptr<const std::function<bool(Bytes)>> make_matcher(Bytes text) {
  re2::RE2::Options settings;
  settings.set_log_errors(false);
  settings.set_max_mem(kPatternMemory);
  const auto regex = std::make_shared<const re2::RE2>(re2::StringPiece(text.data(), text.size()), settings);
  if (!regex->ok()) return nullptr;
  return std::make_shared<const std::function<bool(Bytes)>>([regex](Bytes subject) {
    return re2::RE2::PartialMatch(re2::StringPiece(subject.data(), subject.size()), *regex);
  });
}

Result<std::optional<SchemaRule>> make_plain_rule(const Element& keyword, Bytes schema) {
  using Maker = Result<SchemaRule> (*)(const Element&);
  static constexpr std::pair<Bytes, Maker> kMakers[] = {
      {"type", make_type},          {"bsonType", make_type},       {"enum", make_enum},
      {"const", make_enum},         {"required", make_required},   {"minLength", make_size},
      {"maxLength", make_size},     {"minItems", make_size},       {"maxItems", make_size},
      {"minProperties", make_size}, {"maxProperties", make_size},  {"pattern", make_pattern},
      {"uniqueItems", make_unique}, {"multipleOf", make_multiple},
  };
  for (const auto& [name, make] : kMakers) {
    if (keyword.name == name) return std::optional<SchemaRule>(TRY(make(keyword)));
  }
  for (const Bytes name : {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}) {
    if (keyword.name == name) return std::optional<SchemaRule>(TRY(make_bound(keyword, schema)));
  }
  return std::optional<SchemaRule>();
}

}  // namespace vitrine::doc
