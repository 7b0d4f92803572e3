// SPDX-License-Identifier: MIT OR Apache-2.0
// JSON Schema for the documents of a collection (docs/DOCUMENTS.md), on BSON as it is: numbers by value, and the types
// of BSON beside those of JSON. Keywords that are not understood are refused, so that no rule is silently without
// effect.
// Thread safety: check() may be called from many threads.
#pragma once

#include <memory>

#include "doc/filter.hpp"

namespace vitrine::doc {

struct SchemaNode;

class Schema {
 public:
  // `bson` is a well-formed document; it is not needed afterwards. Errors: ArgumentInvalid.
  static Result<Schema> compile(Bytes bson);

  // Errors: DocumentMalformed with "path" and "keyword"; BudgetExhausted.
  Status check(Bytes document) const;

 private:
  explicit Schema(std::shared_ptr<const SchemaNode> root) : root_(std::move(root)) {}
  std::shared_ptr<const SchemaNode> root_;
};

}  // namespace vitrine::doc
