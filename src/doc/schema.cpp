// SPDX-License-Identifier: MIT OR Apache-2.0
// A schema is a list of rules, some of which hold schemas again.
#include "doc/schema.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "doc/schema_rule.hpp"

namespace vitrine::doc {
namespace {

constexpr std::size_t kNodesMax = 10'000;
constexpr std::uint64_t kStepsMax = std::uint64_t{1} << 26;

using NodePtr = std::shared_ptr<const SchemaNode>;

bool is_annotation(Bytes keyword) {
  static constexpr Bytes kNames[] = {"$schema", "$id",      "$comment", "id",       "title",     "description",
                                     "default", "examples", "format",   "readOnly", "writeOnly", "deprecated"};
  return std::find(std::begin(kNames), std::end(kNames), keyword) != std::end(kNames);
}

// Checks a part of the value, and says where it is if that fails.
Status check_part(const SchemaNode& node, const Element& part, SchemaWalk& walk) {
  const std::size_t length = walk.path.size();
  walk.path.append(walk.path.empty() ? "" : ".").append(part.name);
  const Status status = node.check(part.value, walk);
  walk.path.resize(length);
  return status;
}

struct Properties {
  std::vector<std::pair<ByteString, NodePtr>> named;
  std::vector<std::pair<std::shared_ptr<const std::function<bool(Bytes)>>, NodePtr>> patterns;
  NodePtr others;  // null: anything

  Status check(const Value& value, SchemaWalk& walk) const {
    if (value.type != Type::Object) return {};
    for (Elements members(value.bytes); const auto member = members.next();) {
      walk.budget.take(1 + patterns.size());
      bool is_known = false;
      const auto found =
          std::find_if(named.begin(), named.end(), [&](const auto& row) { return row.first == member->name; });
      if (found != named.end()) {
        is_known = true;
        CHECK(check_part(*found->second, *member, walk));
      }
      for (const auto& [matches, node] : patterns) {
        if (!(*matches)(member->name)) continue;
        is_known = true;
        CHECK(check_part(*node, *member, walk));
      }
      if (!is_known && others) CHECK(check_part(*others, *member, walk));
    }
    return {};
  }
};

struct Items {
  std::vector<NodePtr> first;
  NodePtr others;  // null: anything

  Status check(const Value& value, SchemaWalk& walk) const {
    if (value.type != Type::Array) return {};
    std::size_t position = 0;
    for (Elements elements(value.bytes); const auto element = elements.next(); ++position) {
      const NodePtr& node = position < first.size() ? first[position] : others;
      if (node) CHECK(check_part(*node, *element, walk));
    }
    return {};
  }
};

// How many of `nodes` a value keeps to; not more than `enough` are looked for.
std::size_t count_kept(const std::vector<NodePtr>& nodes, const Value& value, SchemaWalk& walk, std::size_t enough) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < nodes.size() && count < enough; ++i)
    count += nodes[i]->check(value, walk).is_ok() ? 1 : 0;
  return count;
}

struct Compiler {
  std::size_t nodes = 0;

  Result<NodePtr> compile(const Value& schema, Bytes keyword) {
    if (++nodes > kNodesMax) return bad_schema("has too many parts", keyword);
    auto node = std::make_shared<SchemaNode>();
    if (schema.type == Type::Bool) {
      if (!schema.as_bool()) {
        node->rules.emplace_back(
            [name = ByteString(keyword)](const Value&, SchemaWalk& walk) { return violated(walk, name); });
      }
      return NodePtr(std::move(node));
    }
    if (schema.type != Type::Object) return bad_schema("takes a schema", keyword);
    for (Elements walk(schema.bytes); const auto element = walk.next();) {
      CHECK(add(node->rules, *element, schema.bytes));
    }
    CHECK(add_properties(node->rules, schema.bytes));
    CHECK(add_items(node->rules, schema.bytes));
    CHECK(add_condition(node->rules, schema.bytes));
    return NodePtr(std::move(node));
  }

  Status add(std::vector<SchemaRule>& rules, const Element& keyword, Bytes schema) {
    static constexpr Bytes kTogether[] = {"properties",
                                          "patternProperties",
                                          "additionalProperties",
                                          "items",
                                          "prefixItems",
                                          "additionalItems",
                                          "if",
                                          "then",
                                          "else"};
    const bool is_together = std::find(std::begin(kTogether), std::end(kTogether), keyword.name) != std::end(kTogether);
    if (is_together || is_annotation(keyword.name)) return {};
    if (std::optional<SchemaRule> rule = TRY(make_plain_rule(keyword, schema))) {
      rules.push_back(*std::move(rule));
      return {};
    }
    if (keyword.name == "not" || keyword.name == "contains") return add_one(rules, keyword);
    if (keyword.name != "allOf" && keyword.name != "anyOf" && keyword.name != "oneOf") {
      return bad_schema("an unknown keyword", keyword.name);
    }
    const std::vector<NodePtr> parts = TRY(compile_list(keyword));
    const std::size_t most = keyword.name == "allOf" ? parts.size() : keyword.name == "oneOf" ? 2 : 1;
    const std::size_t wanted = keyword.name == "allOf" ? parts.size() : 1;
    rules.emplace_back([parts, most, wanted, name = ByteString(keyword.name)](const Value& value, SchemaWalk& walk) {
      return count_kept(parts, value, walk, most) == wanted ? Status{} : violated(walk, name);
    });
    return {};
  }

  Status add_one(std::vector<SchemaRule>& rules, const Element& keyword) {
    const NodePtr node = TRY(compile(keyword.value, keyword.name));
    if (keyword.name == "not") {
      rules.emplace_back([node](const Value& value, SchemaWalk& walk) {
        return node->check(value, walk).is_ok() ? violated(walk, "not") : Status{};
      });
      return {};
    }
    rules.emplace_back([node](const Value& value, SchemaWalk& walk) -> Status {
      if (value.type != Type::Array) return {};
      for (Elements elements(value.bytes); const auto element = elements.next();) {
        if (node->check(element->value, walk).is_ok()) return {};
      }
      return violated(walk, "contains");
    });
    return {};
  }

  Result<std::vector<NodePtr>> compile_list(const Element& keyword) {
    std::vector<NodePtr> parts;
    if (keyword.value.type != Type::Array) return bad_schema("takes an array of schemas", keyword.name);
    for (Elements walk(keyword.value.bytes); const auto element = walk.next();) {
      parts.push_back(TRY(compile(element->value, keyword.name)));
    }
    if (parts.empty()) return bad_schema("takes an array of schemas", keyword.name);
    return parts;
  }

  Status add_properties(std::vector<SchemaRule>& rules, Bytes schema) {
    Properties properties;
    for (const Bytes name : {"properties", "patternProperties"}) {
      const std::optional<Value> list = find_member(schema, name);
      if (!list) continue;
      if (list->type != Type::Object) return bad_schema("takes an object of schemas", name);
      for (Elements walk(list->bytes); const auto element = walk.next();) {
        NodePtr node = TRY(compile(element->value, name));
        if (name == "properties") {
          properties.named.emplace_back(element->name, std::move(node));
          continue;
        }
        auto matcher = make_matcher(element->name);
        if (!matcher) return bad_schema("has a name that is no regular expression", name);
        properties.patterns.emplace_back(std::move(matcher), std::move(node));
      }
    }
    if (const std::optional<Value> others = find_member(schema, "additionalProperties")) {
      properties.others = TRY(compile(*others, "additionalProperties"));
    }
    rules.emplace_back([properties](const Value& value, SchemaWalk& walk) { return properties.check(value, walk); });
    return {};
  }

  // In drafts before 2020-12, `items` is also the list and `additionalItems` what follows it.
  Status add_items(std::vector<SchemaRule>& rules, Bytes schema) {
    Items items;
    const std::optional<Value> list = find_member(schema, "items"), prefix = find_member(schema, "prefixItems"),
                               others = find_member(schema, "additionalItems");
    const bool is_old = list && list->type == Type::Array;
    if (prefix) items.first = TRY(compile_list({"prefixItems", *prefix}));
    if (is_old) items.first = TRY(compile_list({"items", *list}));
    if (list && !is_old) items.others = TRY(compile(*list, "items"));
    if (is_old && others) items.others = TRY(compile(*others, "additionalItems"));
    rules.emplace_back([items](const Value& value, SchemaWalk& walk) { return items.check(value, walk); });
    return {};
  }

  Status add_condition(std::vector<SchemaRule>& rules, Bytes schema) {
    const std::optional<Value> condition = find_member(schema, "if");
    if (!condition) return {};
    const NodePtr test = TRY(compile(*condition, "if"));
    NodePtr then_node, else_node;
    if (const auto part = find_member(schema, "then")) then_node = TRY(compile(*part, "then"));
    if (const auto part = find_member(schema, "else")) else_node = TRY(compile(*part, "else"));
    rules.emplace_back([=](const Value& value, SchemaWalk& walk) {
      const NodePtr& next = test->check(value, walk).is_ok() ? then_node : else_node;
      return next ? next->check(value, walk) : Status{};
    });
    return {};
  }
};

}  // namespace

Status SchemaNode::check(const Value& value, SchemaWalk& walk) const {
  for (const SchemaRule& rule : rules) {
    if (!walk.budget.take()) return Status::error(ErrorCode::BudgetExhausted, "the schema needs too many steps");
    CHECK(rule(value, walk));
  }
  return {};
}

Result<Schema> Schema::compile(Bytes bson) {
  return Schema(TRY(Compiler().compile({Type::Object, bson}, "validator")));
}

Status Schema::check(Bytes document) const {
  SchemaWalk walk{StepBudget(kStepsMax), {}};
  const Status status = root_->check({Type::Object, document}, walk);
  // Inside `not` and its like the end of the budget looks like a violation.
  if (walk.budget.is_exhausted()) return Status::error(ErrorCode::BudgetExhausted, "the schema needs too many steps");
  return status;
}

}  // namespace vitrine::doc
