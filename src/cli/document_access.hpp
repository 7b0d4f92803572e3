// SPDX-License-Identifier: MIT OR Apache-2.0
// From arguments to collections and documents, and documents to standard output: what the commands on documents share.
#pragma once

#include <string>

#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "vitrine/database.hpp"
#include "vitrine/documents.hpp"

namespace vitrine::cli {

std::string collection_argument(const Arguments& arguments);

// An argument or option in relaxed JSON; an empty document when it was not given. Errors: ArgumentInvalid with the
// detail "argument" or "option", and those of the reader.
Result<Document> document_argument(const Arguments& arguments, std::string_view positional);
Result<Document> document_option(const Arguments& arguments, std::string_view option);

// The value of an id as JSON on one line: UUIDs as {"$uuid":"..."}, which a person can read.
std::string id_json(const DocumentId& id);
// A UUID as its text, other ids as JSON.
std::string id_text(const DocumentId& id);

// Begins a write transaction, runs `body(DocumentWriter&)` and commits.
template <typename Body>
Status write_documents(Database& db, Body&& body) {
  return db.write([&](WriteTransaction& txn) -> Status {
    DocumentWriter documents(txn);
    return body(documents);
  });
}

std::string change_json(const DocumentChange& change);
std::string index_json(const IndexInfo& info);
std::string quoted_json(std::string_view text);

// Removes the documents that match, but at most `limit`; how many there were.
Result<std::uint64_t> remove_matching(DocumentWriter& documents, Bytes collection, const Document& filter,
                                      std::uint64_t limit);

}  // namespace vitrine::cli
