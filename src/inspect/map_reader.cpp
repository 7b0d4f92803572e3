// SPDX-License-Identifier: MIT OR Apache-2.0
#include "inspect/map_reader.hpp"

#include "base/codec.hpp"

namespace vitrine::inspect {

std::optional<bool> MapReader::is_allocated(PageNo page) {
  if (page < source_.first_page() || page >= meta_.page_count) return std::nullopt;
  const std::uint64_t span = shape_.span(0);
  const Leaf& found = leaf(page / span);
  if (!found.bits) return std::nullopt;
  const std::uint64_t bit = page % span;
  return ((*found.bits)[bit / 64] >> (bit % 64) & 1) != 0;
}

const MapReader::Leaf& MapReader::leaf(std::uint64_t index) {
  if (!leaf_ || leaf_->index != index) leaf_ = Leaf{index, load_leaf(index)};
  return *leaf_;
}

bool MapReader::read(const PageRef& ref) {
  const bool is_good = source_.read(ref, 1, image_).is_ok();
  met_[ref.page()] = is_good;
  return is_good;
}

std::optional<std::vector<std::uint64_t>> MapReader::load_leaf(std::uint64_t index) {
  const std::vector<std::uint64_t> empty(shape_.span(0) / 64);
  PageRef ref = meta_.map_root;
  if (ref.is_null()) return empty;
  if (!top_) {
    if (!read(ref)) return std::nullopt;
    const Result<std::uint8_t> top = space::map_level(shape_, image_.data());
    if (!top.has_value()) return std::nullopt;
    top_ = *top;
  }
  for (std::uint8_t level = *top_; level > 0; --level) {
    const std::uint64_t page = index * shape_.span(0);
    const std::vector<PageRef>* const refs = inner(ref, {level, page / shape_.span(level)});
    if (refs == nullptr) return std::nullopt;
    const auto below = static_cast<std::uint8_t>(level - 1);
    ref = (*refs)[page / shape_.span(below) % shape_.fanout()];
    if (ref.is_null()) return empty;
  }
  if (!read(ref)) return std::nullopt;
  Result<std::vector<std::uint64_t>> bits = space::decode_map_leaf(shape_, index, image_.data());
  if (!bits.has_value()) return std::nullopt;
  return *std::move(bits);
}

const std::vector<PageRef>* MapReader::inner(const PageRef& ref, space::MapNode node) {
  auto found = inner_.find(ref.page());
  if (found == inner_.end()) {
    std::optional<std::vector<PageRef>> refs;
    if (read(ref)) {
      Result<std::vector<PageRef>> decoded = space::decode_map_inner(shape_, node, image_.data());
      if (decoded.has_value()) refs = *std::move(decoded);
    }
    found = inner_.emplace(ref.page(), std::move(refs)).first;
  }
  return found->second ? &*found->second : nullptr;
}

}  // namespace vitrine::inspect
