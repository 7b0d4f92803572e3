// SPDX-License-Identifier: MIT OR Apache-2.0
// What the catalog knows of one index of a collection, as BSON in the catalog entry of the collection:
//
//   {"name": ..., "id": ..., "key": {"a": 1, "b.c": -1}, "unique": true, "sparse": true, "partial": {...},
//    "expire_after_s": ..., "multikey": bit mask of the paths, "building": true}
//
// What is false or nothing is left out. The id is unique in the database and is never used again.
#pragma once

#include <memory>
#include <vector>

#include "doc/filter.hpp"
#include "doc/key_encoding.hpp"
#include "doc/path.hpp"
#include "vitrine/index.hpp"

namespace vitrine::doc {

inline constexpr std::size_t kIndexesMax = 64;
inline constexpr std::size_t kIndexPartsMax = 32;

struct IndexPart {
  ByteString name;  // the path as it was written
  Path path;
  Direction direction = Direction::Ascending;
};

struct Index {
  std::uint32_t id = 0;
  ByteString name;
  std::vector<IndexPart> parts;
  bool unique = false;
  bool sparse = false;
  ByteString partial;                    // BSON; empty: all documents
  std::shared_ptr<const Filter> filter;  // of `partial`; null: all documents
  std::optional<std::uint64_t> expire_after_s;
  std::uint64_t multikey = 0;  // bit i: some document has several values for path i
  bool is_building = false;

  bool is_multikey(std::size_t part) const noexcept { return (multikey >> part & 1) != 0; }
};

// Everything but the id. Errors: IndexMalformed, FilterMalformed.
Result<Index> index_from_definition(const IndexDefinition& definition);
Result<IndexDefinition> definition_of(const Index& index);

ByteString encode_index(const Index& index);
// Errors: DocumentMalformed.
Result<Index> decode_index(Bytes bson);

}  // namespace vitrine::doc
