// SPDX-License-Identifier: MIT OR Apache-2.0
// Compares what the indexes hold with what the documents say. Memory does not grow with the collection: each entry that
// a document should have is looked up; when an index has others besides, each of its entries is held against its
// document.
#pragma once

#include "doc/catalog.hpp"
#include "vitrine/report.hpp"

namespace vitrine::doc {

// Of all collections. Of an index that is being built, only entries that should not be there are findings.
Status verify_index(const kv::StoreReader& txn, const Collection& collection, const Index& index,
                    std::vector<Finding>& findings);
Status verify_indexes(const kv::StoreReader& txn, std::vector<Finding>& findings);

}  // namespace vitrine::doc
