// SPDX-License-Identifier: MIT OR Apache-2.0
// The fields of a block as data: where each lies, what it is called, what it holds, what it means. For people who look
// at bytes; the offsets come from the same types that the decoders use.
//
// Pure functions over bytes. They describe what stands there, damaged or not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "format/page.hpp"

namespace vitrine::format {

struct FieldNote {
  std::uint64_t offset = 0;  // in the block
  std::uint64_t size = 0;
  std::string name;
  std::string value;  // a number in decimal, anything else in hexadecimal
  std::string_view meaning;
};
using FieldNotes = std::vector<FieldNote>;

// A row of a table of fields.
struct FieldSpec {
  enum class Form : std::uint8_t { Number, Bytes };
  std::size_t offset;
  std::size_t size;
  std::string_view name;
  std::string_view meaning;
  Form form = Form::Number;  // numbers have 1, 2, 4 or 8 bytes
};

// Adds what stands at `block` for each row; offsets of notes are moved by `base`.
void describe_fields(FieldNotes& to, std::span<const FieldSpec> specs, const std::byte* block, std::uint64_t base = 0);

std::string hex_of(const void* data, std::size_t size);
std::string hex_of(std::uint64_t value);  // 16 digits, highest first
std::string hex_of(const FileId& id);     // as DatabaseInfo::file_id shows it

std::string_view page_type_name(PageType type) noexcept;  // "leaf"; "unknown"

// REQUIRES: block.size() >= kMetaBlockSize. In meta.cpp, beside the layout.
FieldNotes describe_meta(std::span<const std::byte> block);
// Header and trailer of an image of `size` bytes. REQUIRES: room for both.
FieldNotes describe_page(const std::byte* image, std::size_t size);

}  // namespace vitrine::format
