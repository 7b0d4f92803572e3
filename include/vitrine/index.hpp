// SPDX-License-Identifier: MIT OR Apache-2.0
// Indexes of a collection of documents: plain data. See DocumentWriter::create_index and docs/DOCUMENTS.md.
//
//   IndexDefinition by_age{.name = "by_age", .key = Document::from_json(R"({"age": 1})").value()};
//   documents.create_index("users", by_age);
#pragma once

#include <cstdint>
#include <optional>

#include "vitrine/document.hpp"

namespace vitrine {

struct IndexDefinition {
  ByteString name;        // as names of collections
  Document key = {};      // {"age": 1, "address.city": -1}: at most 32 paths, each up or down
  bool unique = false;    // no two documents have the same values
  bool sparse = false;    // leaves out documents that have none of the paths
  Document partial = {};  // a filter: only documents that match it; empty: all
  std::optional<std::uint64_t> expire_after_s = {};  // after the date in the first path
};

struct IndexInfo {
  IndexDefinition definition;
  bool is_multikey = false;  // some document has several values for one path
  bool is_building = false;  // build_index() has not come to its end; no query uses it yet
};

}  // namespace vitrine
