// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/covering.hpp"

#include <algorithm>

#include "doc/key_decoding.hpp"
#include "doc/store_documents.hpp"

namespace vitrine::doc {
namespace {

bool has_member(const Index& index, Bytes name) {
  return name == kIdName || std::any_of(index.parts.begin(), index.parts.end(), [&](const IndexPart& part) {
           return part.path.size() == 1 && part.name == name;
         });
}

}  // namespace

bool covers(const Index& index, Bytes filter, const SortOrder& order, const Projection& projection) {
  const std::optional<std::vector<Bytes>> members = projection.members();
  if (!members || index.multikey != 0) return false;
  const Conditions conditions = Conditions::of(filter);
  const auto& parts = order.parts();
  return conditions.is_whole &&
         std::all_of(members->begin(), members->end(), [&](Bytes name) { return has_member(index, name); }) &&
         std::all_of(conditions.all.begin(), conditions.all.end(),
                     [&](const Condition& condition) { return has_member(index, condition.path); }) &&
         std::all_of(parts.begin(), parts.end(),
                     [&](const SortOrder::Part& part) { return has_member(index, part.name); });
}

std::optional<ByteString> document_of(const Index& index, const IndexEntryView& entry) {
  if (!entry.is_exact) return std::nullopt;
  Builder builder;
  Bytes id = entry.id, key = entry.key;
  if (!decode_key(id, Direction::Ascending, builder, kIdName) || !id.empty()) return std::nullopt;
  for (const IndexPart& part : index.parts) {
    Builder passed_over;
    const bool is_member = part.path.size() == 1 && part.name != kIdName;
    if (!decode_key(key, part.direction, is_member ? builder : passed_over, part.name)) return std::nullopt;
  }
  return key.empty() ? std::optional(builder.finish()) : std::nullopt;
}

}  // namespace vitrine::doc
