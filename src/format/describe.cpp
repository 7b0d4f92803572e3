// SPDX-License-Identifier: MIT OR Apache-2.0
#include "format/describe.hpp"

#include <array>
#include <cstring>

#include "base/assert.hpp"

namespace vitrine::format {
namespace {

using Form = FieldSpec::Form;

constexpr std::array kHeaderFields{
    FieldSpec{offsetof(PageHeader, type), 1, "type", "what the page holds: 1 leaf to 6 inner page of the map"},
    FieldSpec{offsetof(PageHeader, level), 1, "level", "height in its tree, 0 for a leaf"},
    FieldSpec{offsetof(PageHeader, flags), 2, "flags", "0 in format 1"},
    FieldSpec{offsetof(PageHeader, key_epoch), 4, "key_epoch", "which key sealed it, 0 when not encrypted"},
    FieldSpec{offsetof(PageHeader, page), 8, "page", "its own number: where it was written to"},
    FieldSpec{offsetof(PageHeader, generation), 8, "generation", "version of the tree << 20 | rewrite inside it"},
    FieldSpec{offsetof(PageHeader, session), 8, "session", "random, of the opening that wrote it", Form::Bytes},
};

constexpr std::array kTrailerFields{
    FieldSpec{offsetof(PageTrailer, tag_low), 16, "tag", "checksum of everything before it", Form::Bytes},
    FieldSpec{offsetof(PageTrailer, salt), 16, "salt", "0 when not encrypted", Form::Bytes},
    FieldSpec{offsetof(PageTrailer, counter), 8, "counter", "0 when not encrypted"},
};

std::uint64_t number_at(const std::byte* from, std::size_t size) noexcept {
  VITRINE_ASSERT(size <= sizeof(std::uint64_t));
  std::uint64_t value = 0;
  std::memcpy(&value, from, size);
  return value;
}

}  // namespace

std::string hex_of(const void* data, std::size_t size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(size * 2);
  for (std::size_t i = 0; i < size; ++i) {
    const auto byte = static_cast<const unsigned char*>(data)[i];
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 15]);
  }
  return hex;
}

std::string hex_of(std::uint64_t value) {
  std::array<unsigned char, sizeof value> big_endian{};
  for (std::size_t i = 0; i < sizeof value; ++i) big_endian[i] = static_cast<unsigned char>(value >> (56 - 8 * i));
  return hex_of(big_endian.data(), big_endian.size());
}

std::string hex_of(const FileId& id) { return hex_of(id.high) + hex_of(id.low); }

void describe_fields(FieldNotes& to, std::span<const FieldSpec> specs, const std::byte* block, std::uint64_t base) {
  for (const FieldSpec& spec : specs) {
    const std::byte* const at = block + spec.offset;
    std::string value = spec.form == Form::Number ? std::to_string(number_at(at, spec.size)) : hex_of(at, spec.size);
    to.push_back({base + spec.offset, spec.size, std::string(spec.name), std::move(value), spec.meaning});
  }
}

std::string_view page_type_name(PageType type) noexcept {
  switch (type) {
    case PageType::Leaf:
      return "leaf";
    case PageType::Inner:
      return "inner";
    case PageType::Extent:
      return "extent";
    case PageType::ExtentList:
      return "extent_list";
    case PageType::MapLeaf:
      return "map_leaf";
    case PageType::MapInner:
      return "map_inner";
  }
  return "unknown";
}

FieldNotes describe_page(const std::byte* image, std::size_t size) {
  VITRINE_ASSERT(size >= kPageHeaderSize + kPageTrailerSize);
  FieldNotes notes;
  describe_fields(notes, kHeaderFields, image);
  describe_fields(notes, kTrailerFields, image + size - kPageTrailerSize, size - kPageTrailerSize);
  return notes;
}

}  // namespace vitrine::format
