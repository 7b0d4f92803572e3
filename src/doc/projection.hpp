// SPDX-License-Identifier: MIT OR Apache-2.0
// What of a document is handed on: {"name": 1, "address.city": 1} or {"photo": 0}. "_id" comes along unless it is 0.
// {"tags": {"$slice": 3}}, -3 or [skip, count], and {"tags": {"$elemMatch": {...}}}, the first element that matches.
#pragma once

#include <memory>
#include <vector>

#include "doc/filter.hpp"

namespace vitrine::doc {

class Projection {
 public:
  // Everything.
  Projection();
  ~Projection();
  Projection(Projection&&) noexcept;
  Projection& operator=(Projection&&) noexcept;

  // Errors: FilterMalformed.
  static Result<Projection> compile(Bytes bson);
  bool is_all() const noexcept { return !root_; }
  ByteString apply(Bytes document) const;
  // The members at the top that it keeps whole, when it keeps nothing else.
  std::optional<std::vector<Bytes>> members() const;

 private:
  struct Node;
  friend struct ProjectionCompiler;
  std::unique_ptr<const Node> root_;
};

}  // namespace vitrine::doc
