// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/path.hpp"

namespace vitrine::doc {
namespace {

bool visit_from(const Value& value, const Path& path, std::size_t at, bool is_element, PathVisitor visit);

bool visit_array(const Value& array, const Path& path, std::size_t at, PathVisitor visit) {
  if (const std::optional<Value> element = find_member(array.bytes, path[at])) {
    if (visit_from(*element, path, at + 1, true, visit)) return true;
  }
  for (Elements walk(array.bytes); const auto element = walk.next();) {
    const bool is_object = element->value.type == Type::Object;
    if (is_object && visit_from(element->value, path, at, true, visit)) return true;
  }
  return false;
}

// `is_element`: the value stands in an array, where values that are no objects are passed over.
bool visit_from(const Value& value, const Path& path, std::size_t at, bool is_element, PathVisitor visit) {
  if (at == path.size()) return visit(&value);
  if (value.type == Type::Array) return visit_array(value, path, at, visit);
  if (value.type != Type::Object) return !is_element && visit(nullptr);
  const std::optional<Value> member = find_member(value.bytes, path[at]);
  return member ? visit_from(*member, path, at + 1, false, visit) : visit(nullptr);
}

}  // namespace

std::optional<Path> parse_path(Bytes text) {
  if (!is_path(text)) return std::nullopt;
  Path path;
  for (std::size_t dot = 0; dot != Bytes::npos; text.remove_prefix(dot == Bytes::npos ? text.size() : dot + 1)) {
    dot = text.find('.');
    path.emplace_back(text.substr(0, dot));
  }
  return path;
}

bool visit_path(Bytes document, const Path& path, PathVisitor visit) {
  return visit_from({Type::Object, document}, path, 0, false, visit);
}

}  // namespace vitrine::doc
