// SPDX-License-Identifier: MIT OR Apache-2.0
// Random updates beside a plain evaluator, which takes one change after the other and writes the whole document anew
// for each: no tree, nothing kept open, nothing shared with the code under test but reading, building and comparing.
#include <algorithm>
#include <sstream>

#include "doc/arithmetic.hpp"
#include "doc/compare.hpp"
#include "doc/testing.hpp"
#include "doc/update.hpp"

namespace vitrine::doc {
namespace {

using testing::Generator;
using testing::OwnedValue;

using Maybe = std::optional<OwnedValue>;
// From the value that is there to the one that shall be there.
using Edit = std::function<Result<Maybe>(const std::optional<Value>& there)>;

Status refused(ErrorCode code) { return Status::error(code); }

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> parts;
  std::istringstream stream(path);
  for (std::string part; std::getline(stream, part, '.');) parts.push_back(part);
  return parts;
}

bool is_position(const std::string& part) { return part.find_first_not_of("0123456789") == std::string::npos; }

// Would this edit put something where there is nothing?
bool makes(const Edit& edit) {
  const Result<Maybe> made = edit(std::nullopt);
  return !made.has_value() || made->has_value();
}

Result<Maybe> edited(const std::optional<Value>& there, const std::vector<std::string>& parts, std::size_t at,
                     const Edit& edit) {
  if (at == parts.size()) return edit(there);
  if (there && !there->is_container()) {
    return makes(edit) ? Result<Maybe>(refused(ErrorCode::UpdateTypeMismatch)) : Result<Maybe>(Maybe(*there));
  }
  if (!there && !makes(edit)) return Maybe();
  const bool is_array = there && there->type == Type::Array;
  if (is_array && !is_position(parts[at])) {
    return makes(edit) ? Result<Maybe>(refused(ErrorCode::UpdateTypeMismatch)) : Result<Maybe>(Maybe(*there));
  }
  Builder builder;
  std::size_t count = 0;
  bool is_found = false;
  const auto add = [&](Bytes name, const Result<Maybe>& value) {
    if (value.has_value() && *value) builder.add(name, (*value)->value());
    if (value.has_value() && !*value && is_array) builder.add_null(name);
    return value.status();
  };
  if (there) {
    for (Elements walk(there->bytes); const auto element = walk.next(); ++count) {
      const bool is_it = element->name == parts[at];
      is_found = is_found || is_it;
      const Status status = add(
          element->name, is_it ? edited(element->value, parts, at + 1, edit) : Result<Maybe>(Maybe(element->value)));
      if (!status.is_ok()) return status;
    }
  }
  if (!is_found) {
    if (!makes(edit)) return Maybe(*there);
    for (; is_array && count < std::stoul(parts[at]); ++count) builder.add_null(std::to_string(count));
    const Status status = add(parts[at], edited(std::nullopt, parts, at + 1, edit));
    if (!status.is_ok()) return status;
  }
  const ByteString bytes = builder.finish();
  return Maybe(Value{is_array ? Type::Array : Type::Object, bytes});
}

std::vector<Value> elements(const Value& array) {
  std::vector<Value> values;
  for (Elements walk(array.bytes); const auto element = walk.next();) values.push_back(element->value);
  return values;
}

Maybe array_of(const std::vector<Value>& values) {
  Builder builder;
  for (std::size_t i = 0; i < values.size(); ++i) builder.add(std::to_string(i), values[i]);
  const ByteString bytes = builder.finish();
  return Maybe(Value{Type::Array, bytes});
}

bool holds(const std::vector<Value>& values, const Value& wanted) {
  return std::any_of(values.begin(), values.end(), [&](const Value& v) { return compare_values(v, wanted) == 0; });
}

// For operators that want an array. `change` answers what it becomes.
Result<Maybe> with_array(const std::optional<Value>& there, bool is_made,
                         const std::function<std::vector<Value>(std::vector<Value>)>& change) {
  if (!there && !is_made) return Maybe();
  if (there && there->type != Type::Array) return refused(ErrorCode::UpdateTypeMismatch);
  return array_of(change(there ? elements(*there) : std::vector<Value>()));
}

struct Step {
  std::string name, path;
  OwnedValue operand;
};

Result<Maybe> computed(const Step& step, const std::optional<Value>& there, const Value& operand) {
  const bool is_sum = step.name == "$inc";
  if (there && !there->is_number()) return refused(ErrorCode::UpdateTypeMismatch);
  if (!there && is_sum) return Maybe(operand);
  const Number zero = zero_like(operand);
  if (!there) return Maybe(Value{zero.type, zero.bytes});
  const auto is_integer = [](const Value& v) { return v.type == Type::Int32 || v.type == Type::Int64; };
  if (!is_integer(*there) || !is_integer(operand)) {  // arithmetic_test.cpp looks at these
    const Result<Number> number = compute(is_sum ? Arithmetic::Add : Arithmetic::Multiply, *there, operand);
    return Maybe(Value{number->type, number->bytes});
  }
  __extension__ using Wide = __int128;
  const Wide x = there->as_integer(), y = operand.as_integer(), wide = is_sum ? x + y : x * y;
  if (wide != static_cast<std::int64_t>(wide)) return refused(ErrorCode::UpdateOverflow);
  Builder builder;
  const bool is_narrow = there->type == Type::Int32 && operand.type == Type::Int32;
  is_narrow ? builder.add_integer("v", static_cast<std::int64_t>(wide))
            : builder.add_int64("v", static_cast<std::int64_t>(wide));
  const ByteString bytes = builder.finish();
  return Maybe(*find_member(bytes, "v"));
}

Result<Maybe> edit_of(const Step& step, const std::optional<Value>& there) {
  const Value operand = step.operand.value();
  if (step.name == "$set") return Maybe(operand);
  if (step.name == "$unset") return Maybe();
  if (step.name == "$inc" || step.name == "$mul") return computed(step, there, operand);
  if (step.name == "$min") return Maybe(there && compare_values(*there, operand) <= 0 ? *there : operand);
  if (step.name == "$max") return Maybe(there && compare_values(*there, operand) >= 0 ? *there : operand);
  if (step.name == "$push") {
    return with_array(there, true, [&](std::vector<Value> values) {
      values.push_back(operand);
      return values;
    });
  }
  if (step.name == "$addToSet") {
    return with_array(there, true, [&](std::vector<Value> values) {
      if (!holds(values, operand)) values.push_back(operand);
      return values;
    });
  }
  if (step.name == "$pull") {
    return with_array(there, false, [&](const std::vector<Value>& values) {
      std::vector<Value> kept;
      for (const Value& value : values) {
        if (compare_values(value, operand) != 0) kept.push_back(value);
      }
      return kept;
    });
  }
  return with_array(there, false, [&](std::vector<Value> values) {  // $pop
    if (!values.empty()) values.erase(operand.as_integer() == 1 ? values.end() - 1 : values.begin());
    return values;
  });
}

bool path_before(const std::string& a, const std::string& b) {
  const auto x = split(a), y = split(b);
  for (std::size_t i = 0; i < std::min(x.size(), y.size()); ++i) {
    if (x[i] == y[i]) continue;
    if (is_position(x[i]) != is_position(y[i])) return is_position(x[i]);
    return is_position(x[i]) ? std::stoul(x[i]) < std::stoul(y[i]) : x[i] < y[i];
  }
  return x.size() < y.size();
}

Result<ByteString> plainly(Bytes document, std::vector<Step> steps) {
  for (const Step& a : steps) {
    for (const Step& b : steps) {
      if (&a != &b && (b.path + ".").starts_with(a.path + ".")) return refused(ErrorCode::UpdatePathConflict);
    }
  }
  std::sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return path_before(a.path, b.path); });
  ByteString bytes(document);
  for (const Step& step : steps) {
    const Result<Maybe> next = edited(Value{Type::Object, bytes}, split(step.path), 0,
                                      [&](const std::optional<Value>& there) { return edit_of(step, there); });
    if (!next.has_value()) return next.status();
    bytes = (*next)->value().bytes;
  }
  return bytes;
}

std::string random_path(Generator& generator) {
  std::string path = generator.pick({"a", "b", "c"});
  for (std::uint64_t depth = generator.random().below(3); depth-- > 0;) {
    path.append(".").append(generator.pick({"a", "b", "0", "1", "3"}));
  }
  return path;
}

Step random_step(Generator& generator) {
  const std::string name =
      generator.pick({"$set", "$unset", "$inc", "$mul", "$min", "$max", "$push", "$addToSet", "$pull", "$pop"});
  OwnedValue operand = generator.value(1);
  if (name == "$inc" || name == "$mul") {
    Builder builder;
    generator.add_number(builder, "v");
    operand = OwnedValue(*find_member(ByteString(builder.finish()), "v"));
  } else if (name == "$pop") {
    operand = OwnedValue::of_json(generator.pick({"1", "-1"}));
  }
  return {name, random_path(generator), operand};
}

// An object means something else to $pull, and a regular expression, too.
bool is_usable(const Step& step) {
  const Type type = step.operand.value().type;
  return step.name != "$pull" || (type != Type::Object && type != Type::Regex);
}

TEST(UpdateOracle, random_updates_are_those_of_a_plain_evaluator) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  Generator generator(seed);
  int done = 0;
  for (int round = testing::rounds(200'000); round-- > 0;) {
    std::vector<Step> steps;
    for (std::uint64_t i = 1 + generator.random().below(3); i-- > 0;) {
      Step step = random_step(generator);
      const auto same = [&](const Step& other) { return other.name == step.name && other.path == step.path; };
      if (is_usable(step) && std::none_of(steps.begin(), steps.end(), same)) steps.push_back(std::move(step));
    }
    if (steps.empty()) continue;
    // The changes of one operator stand together.
    std::stable_sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.name < b.name; });
    Builder builder;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (i == 0 || steps[i].name != steps[i - 1].name) builder.open_member(steps[i].name, Type::Object);
      builder.add(steps[i].path, steps[i].operand.value());
      if (i + 1 == steps.size() || steps[i + 1].name != steps[i].name) builder.close_member();
    }
    const Document document = generator.document(3);
    const Result<Update> update = Update::compile(builder.finish());
    StepBudget budget(1'000'000);
    const Result<ByteString> got =
        update.has_value() ? update->apply(document.bson(), {.now_ms = 0, .is_insert = false, .budget = &budget})
                           : Result<ByteString>(update.status());
    const Result<ByteString> wanted = plainly(document.bson(), steps);
    ASSERT_EQ(got.status().code(), wanted.status().code()) << document.to_json() << "\n" << steps[0].name;
    if (!wanted.has_value()) continue;
    ++done;
    ASSERT_EQ(Document::from_bson(*got).value().to_json(JsonForm::Canonical),
              Document::from_bson(*wanted).value().to_json(JsonForm::Canonical))
        << document.to_json();
  }
  EXPECT_GT(done, testing::rounds(50'000));
}

}  // namespace
}  // namespace vitrine::doc
