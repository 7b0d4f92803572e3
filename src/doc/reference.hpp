// SPDX-License-Identifier: MIT OR Apache-2.0
// References between documents: {"$ref": collection, "$id": id}. A reference that has "$db", too, means a document of
// another database, which is never found here.
#pragma once

#include "doc/filter.hpp"
#include "doc/store_documents.hpp"

namespace vitrine::doc {

struct Reference {
  Bytes collection;
  Value id;
  bool is_elsewhere = false;  // has "$db"
};

// Nothing when `value` is not an object that begins with "$ref" and has "$id".
std::optional<Reference> reference_of(const Value& value);

// The document that it means, if there is one.
Result<std::optional<Record>> resolve(const kv::StoreReader& txn, const Reference& reference);

struct ResolveLimits {
  unsigned depth = 0;
  std::uint64_t documents_max = 0;
  std::uint64_t bytes_max = 0;
};

struct ResolvedDocument {
  ByteString bson;
  std::vector<UnresolvedReference> unresolved;
};

// `root` with its references replaced by what they mean, again and again. `collection` and the id of `root` are where
// it came from, so that a way back to it is seen.
Result<ResolvedDocument> resolve_deep(const kv::StoreReader& txn, Bytes collection, Bytes root,
                                      const ResolveLimits& limits);

// `visit` gets the paths of the references to a document, for each document that has some.
using ReferrerVisitor = std::function<bool(Bytes bson, std::uint64_t version, std::vector<std::string> paths)>;

// Looks through all documents of `in`. Errors: BudgetExhausted.
Result<std::uint64_t> find_referrers(const kv::StoreReader& txn, const Collection& in, const Reference& target,
                                     StepBudget& budget, const ReferrerVisitor& visit);

}  // namespace vitrine::doc
