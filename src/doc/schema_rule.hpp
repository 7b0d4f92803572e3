// SPDX-License-Identifier: MIT OR Apache-2.0
// What one keyword of a JSON Schema asks of a value. Part of schema.cpp.
#pragma once

#include <functional>
#include <string>

#include "doc/schema.hpp"

namespace vitrine::doc {

// The state of one check: where it is, and what it may still cost.
struct SchemaWalk {
  StepBudget budget;
  std::string path;
};

// Ok, or DocumentMalformed. A rule for one type holds for values of all others.
using SchemaRule = std::function<Status(const Value& value, SchemaWalk& walk)>;

struct SchemaNode {
  std::vector<SchemaRule> rules;
  Status check(const Value& value, SchemaWalk& walk) const;
};

Status bad_schema(std::string_view why, Bytes keyword);
Status violated(const SchemaWalk& walk, std::string_view keyword);

// The rule of a keyword that holds no schemas; nothing when it is not one of those. `schema` is where it stands.
// Errors: ArgumentInvalid.
Result<std::optional<SchemaRule>> make_plain_rule(const Element& keyword, Bytes schema);
// Null when `text` is not a regular expression.
std::shared_ptr<const std::function<bool(Bytes)>> make_matcher(Bytes text);

}  // namespace vitrine::doc
