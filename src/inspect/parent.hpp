// SPDX-License-Identifier: MIT OR Apache-2.0
// Who points to a page of the tree or of the map, found from the root with what the page says of itself: one page for
// each level. Values are not found that way; see owners.hpp.
#pragma once

#include <optional>

#include "inspect/source_file.hpp"

namespace vitrine::inspect {

struct Parent {
  PageNo page = 0;  // 0: the header
  std::uint32_t slot = 0;
};

// Nothing: the page is free, or of a value, or the way to it is damaged. REQUIRES: look.is_intact(), and
// source.header_status() is ok. Errors: those that are no damage.
Result<std::optional<Parent>> find_parent(SourceFile& source, const PageLook& look);

}  // namespace vitrine::inspect
