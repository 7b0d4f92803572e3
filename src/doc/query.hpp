// SPDX-License-Identifier: MIT OR Apache-2.0
// Finding documents of a collection: filter, order, skip and limit, within a budget of steps, memory and time. Without
// an order, documents come in the order of their ids, unless the caller takes any order. The answer does not depend on
// the plan (plan.hpp).
#pragma once

#include "doc/plan.hpp"
#include "doc/projection.hpp"
#include "doc/store_documents.hpp"

namespace vitrine::doc {

// A place in an answer: behind the document with this sort key and encoded id.
struct QueryPosition {
  ByteString sort_key, id;
};

struct Query {
  Bytes filter_bson;
  std::optional<Filter> filter;  // nothing: it is a plain equality, or empty, and mostly needs no look at documents
  SortOrder order = {};
  std::uint64_t skip = 0;
  std::uint64_t limit = ~std::uint64_t{0};
  std::uint64_t steps_max = std::uint64_t{1} << 32;
  std::uint64_t bytes_max = std::uint64_t{64} << 20;  // of documents and ids held for sorting
  std::optional<std::uint64_t> time_max_ns = {};
  std::optional<QueryPosition> after = {};
  bool any_order = false;
  bool only_counts = false;  // the visitor does not look at documents
  Bytes hint = {};
  // Versions are not looked at, and this is all that is: then an index may do without the documents.
  const Projection* covered_by = nullptr;

  // Errors: FilterMalformed. The filter must outlive the query.
  static Result<Query> compile(Bytes filter_bson);
};

// What a query did.
struct QueryRun {
  Plan plan;
  bool sorts = false;
  bool is_covered = false;
  std::uint64_t keys_examined = 0;
  std::uint64_t documents_examined = 0;
};

// `bson` is not checked, and valid during the call; answers false to stop.
using RecordFunction = base::FunctionRef<bool(Bytes bson, std::uint64_t version)>;

// Returns how many documents were visited. Errors: BudgetExhausted, IndexNotFound, HintUnusable, DocumentMalformed.
Result<std::uint64_t> run_query(const kv::StoreReader& txn, const Collection& collection, const Query& query,
                                RecordFunction visit, QueryRun* run = nullptr);

// The documents of an index whose keys lie in a range, in the order of the index, each once.
Result<std::uint64_t> run_range(const kv::StoreReader& txn, const Collection& collection, const Index& index,
                                KeyRange range, RecordFunction visit);

}  // namespace vitrine::doc
