// SPDX-License-Identifier: MIT OR Apache-2.0
// Asks the free-space map of a checkpoint about single pages, reading only the map pages on the way. Nothing
// is believed that its parent does not vouch for. Thread safety: none.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "inspect/source_file.hpp"
#include "space/map_page.hpp"

namespace vitrine::inspect {

class MapReader {
 public:
  // REQUIRES: source.header_status() is ok. `source` and `meta` outlive the reader.
  MapReader(SourceFile& source, const format::Meta& meta) : source_(source), meta_(meta), shape_(source.page_size()) {}
  explicit MapReader(SourceFile& source) : MapReader(source, source.meta()) {}

  // Nothing: the part of the map that would know cannot be trusted, or the page lies beyond what the map covers.
  std::optional<bool> is_allocated(PageNo page);
  // The pages of the map itself that were met, with whether they verify.
  const std::map<PageNo, bool>& met() const noexcept { return met_; }

 private:
  struct Leaf {
    std::uint64_t index = 0;
    std::optional<std::vector<std::uint64_t>> bits;  // nothing: it cannot be trusted
  };
  const Leaf& leaf(std::uint64_t index);
  std::optional<std::vector<std::uint64_t>> load_leaf(std::uint64_t index);
  const std::vector<PageRef>* inner(const PageRef& ref, space::MapNode node);
  bool read(const PageRef& ref);

  SourceFile& source_;
  const format::Meta& meta_;
  const space::MapShape shape_;
  std::optional<std::uint8_t> top_;  // level of the root
  std::optional<Leaf> leaf_;
  std::map<PageNo, std::optional<std::vector<PageRef>>> inner_;
  std::map<PageNo, bool> met_;
  std::vector<std::byte> image_;
};

}  // namespace vitrine::inspect
