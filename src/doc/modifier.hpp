// SPDX-License-Identifier: MIT OR Apache-2.0
// What an update does at one path, such as {"$inc": 5}. Part of update.cpp.
#pragma once

#include <memory>

#include "doc/arithmetic.hpp"
#include "doc/draft.hpp"
#include "doc/update.hpp"

namespace vitrine::doc {

class Modifier {
 public:
  virtual ~Modifier() = default;
  virtual Status apply(Draft& draft, const Path& path, const UpdateMoment& moment) const = 0;
};

// Null: the operator is refused.
using ModifierPtr = std::unique_ptr<const Modifier>;

// Operands are views that must outlive the modifier. Errors of all: UpdateMalformed.
ModifierPtr make_set(const Value& operand);
ModifierPtr make_set_on_insert(const Value& operand);
ModifierPtr make_unset();
Result<ModifierPtr> make_compute(Arithmetic operation, const Value& operand);
ModifierPtr make_extreme(bool is_max, const Value& operand);
ModifierPtr make_rename(Path from);
Result<ModifierPtr> make_current_date(const Value& operand);

Result<ModifierPtr> make_push(const Value& operand);
Result<ModifierPtr> make_add_to_set(const Value& operand);
Result<ModifierPtr> make_pull(const Value& operand);  // also FilterMalformed
Result<ModifierPtr> make_pop(const Value& operand);

Status bad_update(std::string_view why);

}  // namespace vitrine::doc
