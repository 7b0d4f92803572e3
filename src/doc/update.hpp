// SPDX-License-Identifier: MIT OR Apache-2.0
// The update language (docs/DOCUMENTS.md): compiled once, then applied to many documents. The changes of an update do
// not touch each other's paths, so their order matters only to where new members stand: it is that of the paths, with
// positions as numbers. Thread safety: apply() may be called from many threads.
#pragma once

#include <memory>

#include "doc/filter.hpp"

namespace vitrine::doc {

struct UpdateMoment {
  std::uint64_t now_ms = 0;
  bool is_insert = false;        // the document is about to be inserted: $setOnInsert counts
  StepBudget* budget = nullptr;  // REQUIRES: given
};

class Update {
 public:
  // `bson` is a well-formed document; it is not needed afterwards. Errors: UpdateMalformed, UpdatePathConflict,
  // FilterMalformed (in $pull).
  static Result<Update> compile(Bytes bson);
  ~Update();
  Update(Update&&) noexcept;
  Update& operator=(Update&&) noexcept;

  // The document after the update; the same bytes when nothing changes. Errors: UpdateTypeMismatch, UpdateOverflow,
  // DocumentIdChanged, DocumentTooLarge, DocumentTooDeep, DocumentMalformed; BudgetExhausted.
  Result<ByteString> apply(Bytes document, const UpdateMoment& moment) const;

 private:
  struct Plan;
  friend struct UpdateCompiler;
  explicit Update(std::unique_ptr<const Plan> plan);
  std::unique_ptr<const Plan> plan_;
};

}  // namespace vitrine::doc
