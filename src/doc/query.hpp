// SPDX-License-Identifier: MIT OR Apache-2.0
// Finding documents of a collection: filter, order, skip and limit, within a budget of steps and memory. Without an
// order, documents come in the order of their ids and are handed on as they are found; with one, those that may still
// be in the answer are held in memory.
#pragma once

#include "doc/filter.hpp"
#include "doc/path.hpp"
#include "doc/key_encoding.hpp"
#include "doc/store_documents.hpp"

namespace vitrine::doc {

// An order of documents: paths, each up or down. Of the values in an array the least counts going up, the greatest
// going down; a missing value sorts as null.
class SortOrder {
 public:
  // {"a": 1, "b.c": -1}. Errors: FilterMalformed.
  static Result<SortOrder> compile(Bytes bson);
  bool is_given() const noexcept { return !parts_.empty(); }
  ByteString key_of(Bytes document) const;

 private:
  struct Part {
    Path path;
    Direction direction = Direction::Ascending;
  };
  std::vector<Part> parts_;
};

struct Query {
  Filter filter;
  SortOrder order;
  std::uint64_t skip = 0;
  std::uint64_t limit = 0;
  std::uint64_t steps_max = 0;
  std::uint64_t bytes_max = 0;  // of documents held for sorting
};

using RecordFunction = std::function<bool(Bytes bson, std::uint64_t version)>;

// Returns how many documents were visited. Errors: BudgetExhausted.
Result<std::uint64_t> run_query(const kv::StoreReader& txn, const Collection& collection, const Query& query,
                                const RecordFunction& visit);

}  // namespace vitrine::doc
