// SPDX-License-Identifier: MIT OR Apache-2.0
// How to answer a query: which indexes to read, in which ranges, and what is left to do. Every plan gives the same
// answer. Between several indexes the numbers of their entries in the ranges decide, counted as far as it takes to see
// which is small: nothing is stored that could be out of date (docs/adr/0026).
#pragma once

#include "doc/catalog.hpp"
#include "doc/conditions.hpp"
#include "doc/index_scan.hpp"
#include "doc/sort_order.hpp"

namespace vitrine::doc {

struct Plan {
  struct Read {
    const Index* index = nullptr;  // null: the documents themselves, by id
    IndexScan scan;                // its ranges are of encoded ids then, and with is_equality it is one id
  };

  std::vector<Read> reads;   // more than one: documents of any of them
  bool gives_order = false;  // documents come in the order of the query
  bool may_repeat = false;   // a document can come more than once
  bool needs_filter = true;  // not all that come match
  std::uint64_t planning_keys = 0;

  bool is_by_id() const noexcept { return reads.size() == 1 && reads.front().index == nullptr; }
};

struct PlanRequest {
  Bytes filter;  // BSON that compiles
  const SortOrder* order = nullptr;
  Bytes hint;  // name of an index, "$scan" or nothing
};

// `collection` must outlive the plan. Errors: IndexNotFound, HintUnusable.
Result<Plan> choose_plan(const kv::StoreReader& txn, const Collection& collection, const PlanRequest& request);

// Do so many documents lie in the ranges that reading them all in their own order is cheaper? Looks at the first ones.
// To be asked when an index turns out to give many.
Result<bool> prefers_scan(const kv::StoreReader& txn, const Collection& collection, const Plan& plan);

// Reads everything; what every plan can be replaced by, where the order is not given by it.
Plan scan_plan();

}  // namespace vitrine::doc
