// SPDX-License-Identifier: MIT OR Apache-2.0
// Options of a collection as the catalog keeps them: the member "options" of its entry.
#pragma once

#include "doc/bson.hpp"
#include "doc/path.hpp"
#include "vitrine/documents.hpp"

namespace vitrine::doc {

// As BSON; what is not set is not there. Errors: ArgumentInvalid.
Result<ByteString> encode_options(const CollectionOptions& options);
// Errors: DocumentMalformed (a damaged catalog entry).
Result<CollectionOptions> decode_options(Bytes bson);

}  // namespace vitrine::doc
