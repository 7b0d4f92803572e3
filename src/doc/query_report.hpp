// SPDX-License-Identifier: MIT OR Apache-2.0
// What a query did, in words and numbers; and what direct calls of an index need.
#pragma once

#include "doc/query.hpp"

namespace vitrine::doc {

Result<Explanation> explain_query(const kv::StoreReader& txn, const Collection& collection, const Query& query);

// Errors: IndexNotFound.
Result<const Index*> open_index(const Collection& collection, Bytes name);
// The values of the members of `values`, as the beginning of a key of the index. Errors: ArgumentInvalid, when there
// are more of them than paths.
Result<ByteString> index_position(const Index& index, Bytes values);
// The same as the end of a range: no values mean the end of the index.
Result<ByteString> index_end_position(const Index& index, Bytes values);

}  // namespace vitrine::doc
