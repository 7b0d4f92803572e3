// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/index.hpp"

#include <limits>

#include "base/try.hpp"
#include "doc/catalog.hpp"

namespace vitrine::doc {
namespace {

Status malformed_index(std::string_view why) { return Status::error(ErrorCode::IndexMalformed, why); }

Result<std::vector<IndexPart>> parse_parts(Bytes key) {
  std::vector<IndexPart> parts;
  for (Elements walk(key); const auto element = walk.next();) {
    std::optional<Path> path = parse_path(element->name);
    const Value& value = element->value;
    const bool is_integer = value.type == Type::Int32 || value.type == Type::Int64;
    const std::int64_t sign = is_integer ? value.as_integer() : 0;
    if (!path || (sign != 1 && sign != -1)) return malformed_index("the key of an index is paths with 1 or -1");
    parts.push_back(
        {ByteString(element->name), *std::move(path), sign == 1 ? Direction::Ascending : Direction::Descending});
  }
  if (parts.empty() || parts.size() > kIndexPartsMax) return malformed_index("the key of an index has 1 to 32 paths");
  return parts;
}

Status set_partial(Index& index, Bytes filter) {
  if (count_members(filter) == 0) return {};
  index.filter = std::make_shared<const Filter>(TRY(Filter::compile(filter)));
  index.partial = ByteString(filter);
  return {};
}

ByteString key_document(const Index& index) {
  Builder key;
  for (const IndexPart& part : index.parts) key.add_int32(part.name, part.direction == Direction::Ascending ? 1 : -1);
  return key.finish();
}

bool flag(Bytes bson, Bytes name) {
  const std::optional<Value> value = find_member(bson, name);
  return value && value->type == Type::Bool && value->as_bool();
}

std::optional<std::uint64_t> number(Bytes bson, Bytes name) {
  const std::optional<Value> value = find_member(bson, name);
  if (!value || value->type != Type::Int64) return std::nullopt;
  return static_cast<std::uint64_t>(value->as_integer());
}

Bytes object(Bytes bson, Bytes name) {
  const std::optional<Value> value = find_member(bson, name);
  return value && value->type == Type::Object ? value->bytes : Bytes();
}

}  // namespace

Result<Index> index_from_definition(const IndexDefinition& definition) {
  Index index;
  if (!check_name(definition.name).is_ok()) return malformed_index("an index has a name like those of collections");
  constexpr auto kSecondsMax = static_cast<std::uint64_t>(std::numeric_limits<std::int32_t>::max());
  if (definition.expire_after_s.value_or(0) > kSecondsMax)
    return malformed_index("documents expire within 2^31 seconds");
  index.name = definition.name;
  index.parts = TRY(parse_parts(definition.key.bson()));
  index.unique = definition.unique;
  index.sparse = definition.sparse;
  index.expire_after_s = definition.expire_after_s;
  CHECK(set_partial(index, definition.partial.bson()));
  return index;
}

Result<IndexDefinition> definition_of(const Index& index) {
  IndexDefinition definition;
  definition.name = index.name;
  definition.key = TRY(Document::from_bson(key_document(index)));
  definition.unique = index.unique;
  definition.sparse = index.sparse;
  if (!index.partial.empty()) definition.partial = TRY(Document::from_bson(index.partial));
  definition.expire_after_s = index.expire_after_s;
  return definition;
}

ByteString encode_index(const Index& index) {
  Builder builder;
  builder.add_string("name", index.name).add_int64("id", index.id);
  builder.add("key", {Type::Object, key_document(index)});
  if (index.unique) builder.add_bool("unique", true);
  if (index.sparse) builder.add_bool("sparse", true);
  if (!index.partial.empty()) builder.add("partial", {Type::Object, index.partial});
  if (index.expire_after_s) builder.add_int64("expire_after_s", static_cast<std::int64_t>(*index.expire_after_s));
  if (index.multikey != 0) builder.add_int64("multikey", static_cast<std::int64_t>(index.multikey));
  if (index.is_building) builder.add_bool("building", true);
  return builder.finish();
}

Result<Index> decode_index(Bytes bson) {
  const Status damaged = Status::error(ErrorCode::DocumentMalformed, "a damaged index in the catalog of collections");
  Index index;
  const std::optional<Value> name = find_member(bson, "name");
  const std::uint64_t id = number(bson, "id").value_or(0);
  Result<std::vector<IndexPart>> parts = parse_parts(object(bson, "key"));
  if (!name || name->type != Type::String || id == 0 || id > std::numeric_limits<std::uint32_t>::max()) return damaged;
  if (!parts.has_value() || !set_partial(index, object(bson, "partial")).is_ok()) return damaged;
  index.id = static_cast<std::uint32_t>(id);
  index.name = name->as_string();
  index.parts = *std::move(parts);
  index.unique = flag(bson, "unique");
  index.sparse = flag(bson, "sparse");
  index.expire_after_s = number(bson, "expire_after_s");
  index.multikey = number(bson, "multikey").value_or(0);
  index.is_building = flag(bson, "building");
  return index;
}

}  // namespace vitrine::doc
