// SPDX-License-Identifier: MIT OR Apache-2.0
// The questions that a filter asks about one value, such as {"$gt": 5}. Part of filter.cpp.
#pragma once

#include <memory>
#include <vector>

#include "doc/filter.hpp"

namespace vitrine::doc {

class Predicate {
 public:
  virtual ~Predicate() = default;
  // `value` is null where the path leads to nothing.
  virtual bool holds(const Value* value, StepBudget& budget) const = 0;
  // Asked about an array as a whole and not about its elements.
  virtual bool is_about_whole() const noexcept { return false; }
};

using PredicatePtr = std::unique_ptr<const Predicate>;

enum class Comparison : std::uint8_t { Equal, Less, LessOrEqual, Greater, GreaterOrEqual };

PredicatePtr make_comparison(Comparison comparison, const Value& operand);
// Errors of all: FilterMalformed.
Result<PredicatePtr> make_in(const Value& operand, std::size_t& regex_count);
Result<PredicatePtr> make_exists(const Value& operand, bool& is_negated);
Result<PredicatePtr> make_type(const Value& operand);
Result<PredicatePtr> make_size(const Value& operand);
Result<PredicatePtr> make_mod(const Value& operand);
Result<PredicatePtr> make_regex(Bytes pattern, Bytes options, std::size_t& regex_count);

Status bad_filter(std::string_view why);

}  // namespace vitrine::doc
