// SPDX-License-Identifier: MIT OR Apache-2.0
// Where a query is to go on, as text: base64 of
//
//   01 HASH SIZE KEY ID       HASH: XXH3-64 of filter and order; SIZE: a varint, that of KEY
//
// It names the last document handed on by its sort key and encoded id, so it holds whatever comes and goes, whichever
// plan is taken, and stays good for as long as the collection.
#pragma once

#include "doc/query.hpp"

namespace vitrine::doc {

ByteString make_token(const QueryPosition& position, Bytes filter, Bytes sort);
// Errors: TokenInvalid, also for a token of another query.
Result<QueryPosition> read_token(Bytes token, Bytes filter, Bytes sort);

}  // namespace vitrine::doc
