// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/sort_order.hpp"

#include "doc/compare.hpp"
#include "doc/predicate.hpp"

namespace vitrine::doc {
namespace {

constexpr std::size_t kSortPartsMax = 32;

}  // namespace

Result<SortOrder> SortOrder::compile(Bytes bson) {
  SortOrder order;
  for (Elements walk(bson); const auto element = walk.next();) {
    std::optional<Path> path = parse_path(element->name);
    const Value& value = element->value;
    const bool is_integer = value.type == Type::Int32 || value.type == Type::Int64;
    const std::int64_t sign = is_integer ? value.as_integer() : 0;
    if (!path || (sign != 1 && sign != -1)) return bad_filter("a sort order is paths with 1 or -1");
    order.parts_.push_back(
        {ByteString(element->name), *std::move(path), sign == 1 ? Direction::Ascending : Direction::Descending});
  }
  if (order.parts_.size() > kSortPartsMax) return bad_filter("a sort order has at most 32 paths");
  return order;
}

ByteString SortOrder::key_of(Bytes document) const {
  ByteString key;
  for (const Part& part : parts_) {
    std::optional<Value> best;
    const auto consider = [&](const Value& value) {
      const int order = best ? compare_values(value, *best) : -1;
      const bool is_better = !best || (part.direction == Direction::Ascending ? order < 0 : order > 0);
      if (is_better) best = value;
    };
    visit_path(document, part.path, [&](const Value* value) {
      if (value == nullptr || value->type != Type::Array) {
        consider(value != nullptr ? *value : kNull);
        return false;
      }
      for (Elements walk(value->bytes); const auto element = walk.next();) consider(element->value);
      return false;
    });
    append_key(key, best.value_or(kNull), part.direction);
  }
  return key;
}

}  // namespace vitrine::doc
