// SPDX-License-Identifier: MIT OR Apache-2.0
// Answering from an index alone: when all members that a query looks at or hands on are paths of the index, its entries
// tell them, except those that say that they do not.
#pragma once

#include "doc/index_entry.hpp"
#include "doc/plan.hpp"
#include "doc/projection.hpp"

namespace vitrine::doc {

// Can entries of the index stand for the documents? Needs a projection that keeps only members that the index has, and
// a filter and an order that name no others.
bool covers(const Index& index, Bytes filter, const SortOrder& order, const Projection& projection);

// The members of the index and "_id" as a document, "_id" first. Nothing when the entry cannot tell.
std::optional<ByteString> document_of(const Index& index, const IndexEntryView& entry);

}  // namespace vitrine::doc
