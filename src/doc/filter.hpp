// SPDX-License-Identifier: MIT OR Apache-2.0
// The filter language (docs/DOCUMENTS.md): compiled once, then asked about many documents. A filter has at most 20,000
// conditions and 100 regular expressions; what it costs to ask is counted in steps and taken from a budget.
// Thread safety: matches() may be called from many threads, each with its own budget.
#pragma once

#include <memory>

#include "doc/bson.hpp"

namespace vitrine::doc {

// Steps that a query may take, and maybe the moment when it must end. Once it is used up, every answer is worthless and
// the caller must end the query.
class StepBudget {
 public:
  explicit StepBudget(std::uint64_t steps, std::optional<std::uint64_t> deadline_ns = {}) noexcept
      : rest_(steps), deadline_ns_(deadline_ns) {}
  // False when it is used up.
  bool take(std::uint64_t steps = 1) noexcept {
    if (steps < chunk_) {
      chunk_ -= steps;
      return true;
    }
    return take_more(steps);
  }
  bool is_exhausted() const noexcept { return chunk_ == 0 && rest_ == 0; }
  bool is_late() const noexcept { return is_late_; }

 private:
  bool take_more(std::uint64_t steps) noexcept;

  std::uint64_t chunk_ = 0;  // of the steps that are left, those that need no look at the clock
  std::uint64_t rest_;
  std::optional<std::uint64_t> deadline_ns_;
  bool is_late_ = false;
};

// Does this object hold operators? A reference begins with `$` as well, and is a plain value.
bool is_operators(const Value& value) noexcept;

class Filter {
 public:
  // `bson` is a well-formed document; it is not needed afterwards. Errors: FilterMalformed.
  static Result<Filter> compile(Bytes bson);
  ~Filter();
  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;

  bool matches(Bytes document, StepBudget& budget) const;

 private:
  struct Node;
  friend struct FilterCompiler;
  explicit Filter(std::unique_ptr<const Node> root);
  std::unique_ptr<const Node> root_;
};

}  // namespace vitrine::doc
