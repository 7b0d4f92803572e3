// SPDX-License-Identifier: MIT OR Apache-2.0
// Dot paths, "a.b.0.c": names of members and positions in arrays. An array on the way stands for each of its elements
// that is an object, beside the one at the position. At the end of the path an array stands for itself and for each of
// its elements, as far as the visitor asks for them.
#pragma once

#include <string>
#include <vector>

#include "base/function_ref.hpp"
#include "doc/bson.hpp"

namespace vitrine::doc {

using Path = std::vector<std::string>;

// Nothing when the path is empty or a part of it is.
std::optional<Path> parse_path(Bytes text);
inline bool is_path(Bytes text) noexcept {
  return !text.empty() && text.front() != '.' && text.back() != '.' && text.find("..") == Bytes::npos;
}

// Gets every value that the path leads to; null for an object, or a value that is not in an array, from where it leads
// to none. Answers true to stop.
using PathVisitor = base::FunctionRef<bool(const Value* value)>;

// True when the visitor stopped it.
bool visit_path(Bytes document, const Path& path, PathVisitor visit);

}  // namespace vitrine::doc
