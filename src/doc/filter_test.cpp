// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/filter.hpp"

#include "doc/compare.hpp"
#include "doc/filter_testing.hpp"

namespace vitrine::doc {
namespace {

using testing::fails;
using testing::FilterGenerator;
using testing::Generator;
using testing::json;
using testing::ok;
using testing::OwnedValue;

constexpr std::uint64_t kPlenty = std::uint64_t{1} << 40;

bool matches(const std::string& filter, const std::string& document) {
  StepBudget budget(kPlenty);
  return Filter::compile(json(filter).bson()).value().matches(json(document).bson(), budget);
}

TEST(Filter, compares_by_value_and_only_within_a_kind) {
  EXPECT_TRUE(matches(R"({"a": 30})", R"({"a": 30.0})"));
  EXPECT_TRUE(matches(R"({"a": {"$gt": 29, "$lte": 30.0}})", R"({"a": {"$numberDecimal": "30"}})"));
  EXPECT_FALSE(matches(R"({"a": {"$gt": 29}})", R"({"a": "x"})"));
  EXPECT_FALSE(matches(R"({"a": {"$lt": 29}})", R"({"a": null})"));
  EXPECT_FALSE(matches(R"({"a": {"$lt": 29}})", R"({"a": {"$numberDouble": "NaN"}})"));
  EXPECT_TRUE(matches(R"({"a": {"$numberDouble": "NaN"}})", R"({"a": {"$numberDouble": "NaN"}})"));
  EXPECT_TRUE(matches(R"({"a": {"$gt": {"$minKey": 1}}})", R"({"a": "x"})"));
  EXPECT_FALSE(matches(R"({"a": "abc"})", R"({"a": "abcd"})"));
  EXPECT_TRUE(matches(R"({"a": {"$ne": 1}})", R"({"b": 1})"));
  EXPECT_TRUE(matches(R"({"a": {"b": 1, "c": 2}})", R"({"a": {"b": 1, "c": 2.0}})"));
  EXPECT_FALSE(matches(R"({"a": {"b": 1, "c": 2}})", R"({"a": {"c": 2, "b": 1}})"));
  EXPECT_TRUE(matches(R"({"a": {"$ref": "users", "$id": 1}})", R"({"a": {"$ref": "users", "$id": 1}})"));
}

TEST(Filter, null_also_means_missing) {
  EXPECT_TRUE(matches(R"({"a": null})", R"({"b": 1})"));
  EXPECT_TRUE(matches(R"({"a": null})", R"({"a": null})"));
  EXPECT_FALSE(matches(R"({"a": null})", R"({"a": 0})"));
  EXPECT_TRUE(matches(R"({"a.b": null})", R"({"a": 5})"));
  EXPECT_TRUE(matches(R"({"a.b": null})", R"({"a": [{"b": 1}, {"c": 1}]})"));
  EXPECT_FALSE(matches(R"({"a.b": null})", R"({"a": [1, 2]})"));
  EXPECT_TRUE(matches(R"({"a": {"$in": [1, null]}})", R"({})"));
  EXPECT_TRUE(matches(R"({"a": {"$exists": false}})", R"({})"));
  EXPECT_TRUE(matches(R"({"a": {"$exists": true}})", R"({"a": null})"));
}

TEST(Filter, walks_dot_paths_through_objects_and_arrays) {
  const std::string document = R"({"a": {"b": [{"c": 1}, {"c": [2, 3]}, 4]}, "m": [[1, 2], [3]]})";
  EXPECT_TRUE(matches(R"({"a.b.c": 1})", document));
  EXPECT_TRUE(matches(R"({"a.b.c": 3})", document));
  EXPECT_TRUE(matches(R"({"a.b.c": [2, 3]})", document));
  EXPECT_TRUE(matches(R"({"a.b.1.c": 2})", document));
  EXPECT_TRUE(matches(R"({"a.b": 4})", document));
  EXPECT_TRUE(matches(R"({"a.b.2": 4})", document));
  EXPECT_FALSE(matches(R"({"a.b.0.c": 2})", document));
  EXPECT_TRUE(matches(R"({"m": [3]})", document));
  EXPECT_TRUE(matches(R"({"m.0": 2})", document));
  EXPECT_FALSE(matches(R"({"m": 3})", document));
}

TEST(Filter, asks_about_arrays) {
  EXPECT_TRUE(matches(R"({"a": {"$size": 2}})", R"({"a": [1, 2]})"));
  EXPECT_FALSE(matches(R"({"a": {"$size": 1}})", R"({"a": [[1], 2]})"));
  EXPECT_TRUE(matches(R"({"a": {"$all": [1, 2]}})", R"({"a": [2, 3, 1]})"));
  EXPECT_FALSE(matches(R"({"a": {"$all": [1, 4]}})", R"({"a": [2, 3, 1]})"));
  EXPECT_FALSE(matches(R"({"a": {"$all": []}})", R"({"a": []})"));
  // Different elements may meet the two bounds, but not with $elemMatch.
  EXPECT_TRUE(matches(R"({"a": {"$gt": 5, "$lt": 2}})", R"({"a": [1, 6]})"));
  EXPECT_FALSE(matches(R"({"a": {"$elemMatch": {"$gt": 5, "$lt": 2}}})", R"({"a": [1, 6]})"));
  EXPECT_TRUE(matches(R"({"a": {"$elemMatch": {"b": 1, "c": 2}}})", R"({"a": [{"b": 1}, {"b": 1, "c": 2}]})"));
  EXPECT_FALSE(matches(R"({"a": {"$elemMatch": {"b": 1, "c": 2}}})", R"({"a": [{"b": 1}, {"c": 2}]})"));
  EXPECT_TRUE(matches(R"({"a": {"$all": [{"$elemMatch": {"b": 1}}, {"$elemMatch": {"c": 2}}]}})",
                      R"({"a": [{"b": 1}, {"c": 2}]})"));
  EXPECT_TRUE(matches(R"({"a": {"$elemMatch": {"$or": [{"b": 1}, {"b": 2}]}}})", R"({"a": [{"b": 2}]})"));
  EXPECT_FALSE(matches(R"({"a": {"$ne": 1}})", R"({"a": [1, 2]})"));
}

TEST(Filter, asks_about_types_remainders_and_text) {
  EXPECT_TRUE(matches(R"({"a": {"$type": "number"}})", R"({"a": 1.5})"));
  EXPECT_TRUE(matches(R"({"a": {"$type": ["string", 16]}})", R"({"a": 1})"));
  EXPECT_TRUE(matches(R"({"a": {"$type": "array"}})", R"({"a": []})"));
  EXPECT_FALSE(matches(R"({"a": {"$type": "null"}})", R"({})"));
  EXPECT_TRUE(matches(R"({"a": {"$mod": [4, 3]}})", R"({"a": 7.9})"));
  EXPECT_TRUE(matches(R"({"a": {"$mod": [4, -3]}})", R"({"a": -7})"));
  EXPECT_TRUE(matches(R"({"a": {"$mod": [-1, 0]}})", R"({"a": -9223372036854775808})"));
  EXPECT_TRUE(matches(R"({"a": {"$mod": [10, 5]}})", R"({"a": {"$numberDecimal": "1.5E+1"}})"));
  EXPECT_TRUE(matches(R"({"a": {"$regex": "^b.*D$", "$options": "i"}})", R"({"a": "BcccD"})"));
  EXPECT_TRUE(matches(R"({"a": {"$regularExpression": {"pattern": "ell", "options": ""}}})", R"({"a": "hello"})"));
  EXPECT_TRUE(
      matches(R"({"a": {"$in": [{"$regularExpression": {"pattern": "^h", "options": ""}}]}})", R"({"a": "hi"})"));
  EXPECT_TRUE(matches(R"({"a": {"$not": {"$regex": "x"}}})", R"({"a": "hi"})"));
  EXPECT_FALSE(matches(R"({"a": {"$regex": "1"}})", R"({"a": 1})"));
}

TEST(Filter, joins_conditions) {
  EXPECT_TRUE(matches("{}", R"({"a": 1})"));
  EXPECT_TRUE(matches(R"({"$or": [{"a": 1}, {"b": 1}], "c": 1})", R"({"b": 1, "c": 1})"));
  EXPECT_FALSE(matches(R"({"$or": [{"a": 1}, {"b": 1}], "c": 1})", R"({"b": 1})"));
  EXPECT_TRUE(matches(R"({"$nor": [{"a": 1}, {"b": 1}]})", R"({"c": 1})"));
  EXPECT_TRUE(matches(R"({"$and": [{"a": {"$gt": 1}}, {"a": {"$lt": 3}}]})", R"({"a": 2})"));
  EXPECT_TRUE(matches(R"({"a": {"$not": {"$gt": 1, "$lt": 3}}})", R"({"a": 5})"));
}

TEST(Filter, refuses_what_it_does_not_understand) {
  for (const char* text : {R"({"$x": 1})",
                           R"({"a": {"$x": 1}})",
                           R"({"a": {"$gt": 1, "b": 2}})",
                           R"({"$or": []})",
                           R"({"$or": {}})",
                           R"({"$and": [1]})",
                           R"({"a": {"$in": 1}})",
                           R"({"a": {"$size": -1}})",
                           R"({"a": {"$size": 1.5}})",
                           R"({"a": {"$mod": [0, 1]}})",
                           R"({"a": {"$mod": [1]}})",
                           R"({"a": {"$mod": [1, 2, 3]}})",
                           R"({"a": {"$type": "x"}})",
                           R"({"a": {"$type": []}})",
                           R"({"a": {"$exists": "x"}})",
                           R"({"a": {"$not": 1}})",
                           R"({"a": {"$regex": "("}})",
                           R"({"a": {"$regex": "a", "$options": "x"}})",
                           R"({"a": {"$options": "i"}})",
                           R"({"a": {"$regex": "(a)\\1"}})",
                           R"({"a": {"$elemMatch": 1}})",
                           R"({"a": {"$all": 1}})",
                           R"({"a": {"$all": [{"$gt": 1}]}})",
                           R"({"a..b": 1})",
                           R"({"": 1})",
                           R"({".a": 1})"}) {
    EXPECT_TRUE(fails(Filter::compile(json(text).bson()), ErrorCode::FilterMalformed)) << text;
  }
}

std::string repeated(const std::string& item, std::size_t count) {
  std::string list = item;
  for (std::size_t i = 1; i < count; ++i) list.append(",").append(item);
  return list;
}

TEST(Filter, hostile_filters_stay_inside_their_budget) {
  // Time linear in the text, whatever the pattern.
  EXPECT_FALSE(matches(R"({"a": {"$regex": "(a+)+$"}})", "{\"a\":\"" + std::string(100'000, 'a') + "b\"}"));
  EXPECT_TRUE(matches("{\"$or\":[" + repeated(R"({"b":1})", 9'000) + R"(,{"a":1}]})", R"({"a": 1})"));
  EXPECT_TRUE(fails(Filter::compile(json("{\"$or\":[" + repeated(R"({"b":1})", 20'001) + "]}").bson()),
                    ErrorCode::FilterMalformed));
  EXPECT_TRUE(fails(Filter::compile(json("{\"$or\":[" + repeated(R"({"b":{"$regex":"x"}})", 101) + "]}").bson()),
                    ErrorCode::FilterMalformed));
  EXPECT_TRUE(matches("{\"a\":{\"$in\":[" + repeated("7", 1'000'000) + ",1]}}", R"({"a": 1})"));
  StepBudget few(100);
  const Filter filter = Filter::compile(json("{\"$or\":[" + repeated(R"({"b":1})", 200) + "]}").bson()).value();
  (void)filter.matches(json("{}").bson(), few);
  EXPECT_TRUE(few.is_exhausted());
}

// --- A naive evaluator -----------------------------------------------------------------------------------------------
// Lists all values of a path first, and reads the filter anew for every document.

using Found = std::vector<std::optional<Value>>;

void list_values(const Value& value, Bytes path, bool is_element, Found& found) {
  if (path.empty()) {
    found.push_back(value);
    return;
  }
  const Bytes head = path.substr(0, path.find('.')), tail = path.substr(std::min(path.size(), head.size() + 1));
  const std::optional<Value> member = value.is_container() ? find_member(value.bytes, head) : std::nullopt;
  if (member) list_values(*member, tail, value.type == Type::Array, found);
  if (value.type == Type::Array) {
    for (Elements walk(value.bytes); const auto element = walk.next();) {
      if (element->value.type == Type::Object) list_values(element->value, path, true, found);
    }
  } else if (!member && !(is_element && value.type != Type::Object)) {
    found.push_back(std::nullopt);
  }
}

bool is_nan(const Value& value) { return value.is_number() && exact_decimal(value).kind == NumberClass::NotANumber; }

bool naive_compare(Bytes op, const Value& value, const Value& operand) {
  if (kind_of(value.type) != kind_of(operand.type)) return false;
  const int order = compare_values(value, operand);
  if (is_nan(value) != is_nan(operand)) return false;
  if (op == "$lt") return order < 0;
  if (op == "$lte") return order <= 0;
  if (op == "$gt") return order > 0;
  return op == "$gte" ? order >= 0 : order == 0;
}

bool naive_operator(Bytes op, const Found& found, const Value& operand) {
  if (op == "$ne") return !naive_operator("$eq", found, operand);
  if (op == "$nin") return !naive_operator("$in", found, operand);
  if (op == "$exists") {
    return operand.as_bool() == std::any_of(found.begin(), found.end(), [](const auto& value) { return bool(value); });
  }
  if (op == "$in") {
    for (Elements walk(operand.bytes); const auto element = walk.next();) {
      if (naive_operator("$eq", found, element->value)) return true;
    }
    return false;
  }
  for (const std::optional<Value>& value : found) {
    if (op == "$size") {
      const auto size = static_cast<std::size_t>(operand.as_integer());
      if (value && value->type == Type::Array && count_members(value->bytes) == size) return true;
      continue;
    }
    if (naive_compare(op, value.value_or(kNull), operand)) return true;
    if (!value || value->type != Type::Array) continue;
    for (Elements walk(value->bytes); const auto element = walk.next();) {
      if (naive_compare(op, element->value, operand)) return true;
    }
  }
  return false;
}

bool naive_matches(Bytes filter, Bytes document) {
  for (Elements walk(filter); const auto element = walk.next();) {
    bool holds = true;
    if (element->name.starts_with('$')) {
      std::size_t count = 0, size = 0;
      for (Elements parts(element->value.bytes); const auto part = parts.next(); ++size) {
        count += naive_matches(part->value.bytes, document) ? 1 : 0;
      }
      holds = element->name == "$and" ? count == size : (count > 0) == (element->name == "$or");
    } else {
      Found found;
      list_values({Type::Object, document}, element->name, false, found);
      for (Elements operators(element->value.bytes); const auto op = operators.next();) {
        if (op->name != "$not") {
          holds = holds && naive_operator(op->name, found, op->value);
          continue;
        }
        bool inner = true;
        for (Elements negated(op->value.bytes); const auto test = negated.next();) {
          inner = inner && naive_operator(test->name, found, test->value);
        }
        holds = holds && !inner;
      }
    }
    if (!holds) return false;
  }
  return true;
}

TEST(Filter, agrees_with_a_naive_evaluator_on_random_documents) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  FilterGenerator generator(seed);
  int matched = 0, all = 0;
  for (int round = testing::rounds(40'000); round-- > 0;) {
    Builder builder;
    generator.add_conditions(builder, 2);
    const ByteString bytes = builder.finish();
    const Result<Filter> filter = Filter::compile(bytes);
    ASSERT_TRUE(ok(filter)) << Document::from_bson(bytes).value().to_json();
    for (int i = 0; i < 5; ++i, ++all) {
      const Document document = generator.document(3);
      StepBudget budget(kPlenty);
      const bool expected = naive_matches(bytes, document.bson());
      ASSERT_EQ(filter->matches(document.bson(), budget), expected)
          << Document::from_bson(bytes).value().to_json() << " on " << document.to_json();
      matched += expected ? 1 : 0;
    }
  }
  EXPECT_GT(matched, all / 10);
  EXPECT_LT(matched, all - all / 10);
}

}  // namespace
}  // namespace vitrine::doc
