// SPDX-License-Identifier: MIT OR Apache-2.0
// A filter is a tree: conditions on paths, joined by and, or, nor. A condition holds when each of its tests does; a
// test holds when its predicate holds for one of the values that the path leads to.
#include "doc/filter.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "doc/path.hpp"
#include "doc/predicate.hpp"
#include "os/env.hpp"

namespace vitrine::doc {
namespace {

constexpr std::size_t kConditionsMax = 20'000;

// One predicate, or all of a group; negated as a whole.
struct Test {
  bool is_negated = false;
  PredicatePtr predicate;
  std::vector<Test> group;
};

using Tests = std::vector<Test>;

bool holds_at_end(const Predicate& predicate, const Value* value, StepBudget& budget) {
  if (predicate.holds(value, budget)) return true;
  if (value == nullptr || value->type != Type::Array || predicate.is_about_whole()) return false;
  for (Elements walk(value->bytes); const auto element = walk.next();) {
    if (!budget.take()) return false;
    if (predicate.holds(&element->value, budget)) return true;
  }
  return false;
}

// Asks about the values of a path in a document.
struct PathSubject {
  Bytes document;
  const Path* path;
  bool ask(const Predicate& predicate, StepBudget& budget) const {
    return visit_path(document, *path, [&](const Value* value) {
      return budget.take() ? holds_at_end(predicate, value, budget) : true;
    });
  }
};

// Asks about one value, for $elemMatch.
struct ValueSubject {
  const Value* value;
  bool ask(const Predicate& predicate, StepBudget& budget) const { return predicate.holds(value, budget); }
};

template <typename Subject>
bool all_hold(const Tests& tests, const Subject& subject, StepBudget& budget) {
  return std::all_of(tests.begin(), tests.end(), [&](const Test& test) {
    const bool holds = test.predicate ? subject.ask(*test.predicate, budget) : all_hold(test.group, subject, budget);
    return holds != test.is_negated;
  });
}

class ElemMatchValues final : public Predicate {
 public:
  explicit ElemMatchValues(Tests tests) : tests_(std::move(tests)) {}
  bool holds(const Value* value, StepBudget& budget) const override {
    if (value == nullptr || value->type != Type::Array) return false;
    for (Elements walk(value->bytes); const auto element = walk.next();) {
      if (!budget.take()) return false;
      if (all_hold(tests_, ValueSubject{&element->value}, budget)) return true;
    }
    return false;
  }
  bool is_about_whole() const noexcept override { return true; }

 private:
  Tests tests_;
};

class ElemMatchObjects final : public Predicate {
 public:
  explicit ElemMatchObjects(Filter filter) : filter_(std::move(filter)) {}
  bool holds(const Value* value, StepBudget& budget) const override {
    if (value == nullptr || value->type != Type::Array) return false;
    for (Elements walk(value->bytes); const auto element = walk.next();) {
      if (!budget.take()) return false;
      if (element->value.type == Type::Object && filter_.matches(element->value.bytes, budget)) return true;
    }
    return false;
  }
  bool is_about_whole() const noexcept override { return true; }

 private:
  Filter filter_;
};

class Nothing final : public Predicate {
 public:
  bool holds(const Value*, StepBudget&) const override { return false; }
};

}  // namespace

bool is_operators(const Value& value) noexcept {
  if (value.type != Type::Object) return false;
  const std::optional<Element> first = Elements(value.bytes).next();
  return first && first->name.starts_with('$') && !is_reference_name(first->name);
}

struct Filter::Node {
  enum class Join : std::uint8_t { And, Or, Nor, Condition };
  Join join = Join::And;
  std::vector<Node> children;
  Path path;  // of a condition
  Tests tests;

  bool matches(Bytes document, StepBudget& budget) const {
    if (!budget.take()) return false;
    const auto ask = [&](const Node& child) { return child.matches(document, budget); };
    switch (join) {
      case Join::And:
        return std::all_of(children.begin(), children.end(), ask);
      case Join::Or:
        return std::any_of(children.begin(), children.end(), ask);
      case Join::Nor:
        return std::none_of(children.begin(), children.end(), ask);
      case Join::Condition:
        break;
    }
    return all_hold(tests, PathSubject{document, &path}, budget);
  }
};

// Counts what it makes, so that no filter grows without bound.
struct FilterCompiler {
  using Node = Filter::Node;

  std::size_t conditions = 0;
  std::size_t regexes = 0;

  Status count() {
    return ++conditions > kConditionsMax ? bad_filter("a filter has at most 20,000 conditions") : Status{};
  }

  Result<Node> compile_document(Bytes filter) {
    Node node;
    for (Elements walk(filter); const auto element = walk.next();) {
      CHECK(count());
      node.children.push_back(element->name.starts_with('$') ? TRY(compile_join(*element))
                                                             : TRY(compile_condition(*element)));
    }
    return node;
  }

  Result<Node> compile_join(const Element& element) {
    Node node;
    if (element.name == "$or") {
      node.join = Node::Join::Or;
    } else if (element.name == "$nor") {
      node.join = Node::Join::Nor;
    } else if (element.name != "$and") {
      return bad_filter("unknown operator").with("operator", element.name);
    }
    const bool is_list = element.value.type == Type::Array && count_members(element.value.bytes) > 0;
    if (!is_list) return bad_filter("$and, $or and $nor take an array that is not empty");
    for (Elements walk(element.value.bytes); const auto part = walk.next();) {
      if (part->value.type != Type::Object) return bad_filter("$and, $or and $nor take an array of filters");
      node.children.push_back(TRY(compile_document(part->value.bytes)));
    }
    return node;
  }

  Result<Node> compile_condition(const Element& element) {
    std::optional<Path> path = parse_path(element.name);
    if (!path) return bad_filter("a path is names with dots between them");
    Node node;
    node.join = Node::Join::Condition;
    node.path = *std::move(path);
    node.tests = TRY(compile_value(element.value));
    return node;
  }

  // What stands behind a path: operators, or a value to be equal to.
  Result<Tests> compile_value(const Value& value) {
    if (is_operators(value)) return compile_operators(value.bytes);
    Tests tests;
    tests.push_back(TRY(compile_equal(value)));
    return tests;
  }

  Result<Test> compile_equal(const Value& value) {
    if (value.type != Type::Regex) return Test{false, make_comparison(Comparison::Equal, value), {}};
    return Test{false, TRY(make_regex(value.regex_pattern(), value.regex_options(), regexes)), {}};
  }

  Result<Tests> compile_operators(Bytes operators) {
    Tests tests;
    for (Elements walk(operators); const auto element = walk.next();) {
      CHECK(count());
      if (element->name == "$options") {
        if (!find_member(operators, "$regex")) return bad_filter("$options stands beside $regex");
        continue;
      }
      tests.push_back(TRY(compile_operator(element->name, element->value, operators)));
    }
    return tests;
  }

  Result<Test> compile_operator(Bytes name, const Value& value, Bytes operators) {
    static constexpr std::pair<Bytes, Comparison> kComparisons[] = {{"$eq", Comparison::Equal},
                                                                    {"$lt", Comparison::Less},
                                                                    {"$lte", Comparison::LessOrEqual},
                                                                    {"$gt", Comparison::Greater},
                                                                    {"$gte", Comparison::GreaterOrEqual}};
    for (const auto& [symbol, comparison] : kComparisons) {
      if (name == symbol) return Test{false, make_comparison(comparison, value), {}};
    }
    if (name == "$ne") return Test{true, make_comparison(Comparison::Equal, value), {}};
    if (name == "$in" || name == "$nin") return Test{name == "$nin", TRY(make_in(value, regexes)), {}};
    if (name == "$type") return Test{false, TRY(make_type(value)), {}};
    if (name == "$size") return Test{false, TRY(make_size(value)), {}};
    if (name == "$mod") return Test{false, TRY(make_mod(value)), {}};
    if (name == "$regex") return compile_regex(value, operators);
    if (name == "$not") return compile_not(value);
    if (name == "$all") return compile_all(value);
    if (name == "$elemMatch") return Test{false, TRY(compile_elem_match(value)), {}};
    if (name != "$exists") return bad_filter("unknown operator").with("operator", name);
    Test test;
    test.predicate = TRY(make_exists(value, test.is_negated));
    return test;
  }

  Result<Test> compile_regex(const Value& value, Bytes operators) {
    const Value options = find_member(operators, "$options").value_or(kNull);
    if (options.type != Type::Null && options.type != Type::String) return bad_filter("$options takes text");
    if (value.type == Type::Regex) {
      const Bytes letters = options.type == Type::String ? options.as_string() : value.regex_options();
      return Test{false, TRY(make_regex(value.regex_pattern(), letters, regexes)), {}};
    }
    if (value.type != Type::String) return bad_filter("$regex takes text or a regular expression");
    const Bytes letters = options.type == Type::String ? options.as_string() : Bytes();
    return Test{false, TRY(make_regex(value.as_string(), letters, regexes)), {}};
  }

  Result<Test> compile_not(const Value& value) {
    if (!is_operators(value) && value.type != Type::Regex) {
      return bad_filter("$not takes operators or a regular expression");
    }
    return Test{true, nullptr, TRY(compile_value(value))};
  }

  Result<Test> compile_all(const Value& value) {
    if (value.type != Type::Array) return bad_filter("$all takes an array");
    Test test;
    for (Elements walk(value.bytes); const auto element = walk.next();) {
      CHECK(count());
      const bool is_match = is_operators(element->value);
      const std::optional<Value> inner = is_match ? find_member(element->value.bytes, "$elemMatch") : std::nullopt;
      if (is_match && (!inner || count_members(element->value.bytes) != 1)) {
        return bad_filter("$all takes values or $elemMatch");
      }
      test.group.push_back(inner ? Test{false, TRY(compile_elem_match(*inner)), {}}
                                 : TRY(compile_equal(element->value)));
    }
    if (test.group.empty()) test.predicate = std::make_unique<Nothing>();
    return test;
  }

  Result<PredicatePtr> compile_elem_match(const Value& value) {
    if (value.type != Type::Object) return bad_filter("$elemMatch takes an object");
    const std::optional<Element> first = Elements(value.bytes).next();
    const bool is_join = first && (first->name == "$and" || first->name == "$or" || first->name == "$nor");
    if (is_operators(value) && !is_join) {
      return PredicatePtr(std::make_unique<ElemMatchValues>(TRY(compile_operators(value.bytes))));
    }
    Filter filter(std::make_unique<const Node>(TRY(compile_document(value.bytes))));
    return PredicatePtr(std::make_unique<ElemMatchObjects>(std::move(filter)));
  }
};

bool StepBudget::take_more(std::uint64_t steps) noexcept {
  constexpr std::uint64_t kChunk = 4096;
  is_late_ = is_late_ || (deadline_ns_ && os::system_env().monotonic_ns() >= *deadline_ns_);
  const std::uint64_t left = is_late_ ? 0 : chunk_ + rest_;
  const std::uint64_t now_left = steps <= left ? left - steps : 0;
  chunk_ = std::min(kChunk, now_left);
  rest_ = now_left - chunk_;
  return now_left > 0;
}

Filter::Filter(std::unique_ptr<const Node> root) : root_(std::move(root)) {}
Filter::~Filter() = default;
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;

Result<Filter> Filter::compile(Bytes bson) {
  FilterCompiler compiler;
  return Filter(std::make_unique<const Node>(TRY(compiler.compile_document(bson))));
}

bool Filter::matches(Bytes document, StepBudget& budget) const { return root_->matches(document, budget); }

}  // namespace vitrine::doc
