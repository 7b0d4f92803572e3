// SPDX-License-Identifier: MIT OR Apache-2.0
// Large values: bytes in runs of consecutive pages outside the tree. Knows extents and the descriptor in the leaf; must
// not know keys.
//
// LARGE VALUE DESCRIPTOR (40 bytes, in the leaf cell)      EXTENT (1 to n pages, header and trailer once)
// OFFSET SIZE FIELD                                        OFFSET SIZE FIELD
//      0    8 size of the value in bytes                        0   32 page header (type Extent or ExtentList)
//      8   24 PageRef of the extent, or of the list            32    8 payload bytes
//     32    4 pages of that extent                             40    - payload, then zeros
//     36    4 depth: 0 one extent, 1 a list of extents        n * page size - 40: trailer
//
// An ExtentList's payload is a row of 32-byte entries: PageRef (24), pages (4), payload bytes (4).
//
// Extents of one page go through the pool, longer ones past it: a large value must not push the tree out of memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tree/workspace.hpp"
#include "vitrine/bytes.hpp"

namespace vitrine::tree {

struct LargeValue {
  std::uint64_t size = 0;
  PageRef ref;
  std::uint32_t pages = 0;
  std::uint32_t depth = 0;
};
static_assert(sizeof(LargeValue) == 40 && offsetof(LargeValue, ref) == 8 && offsetof(LargeValue, pages) == 32);

struct ExtentEntry {
  PageRef ref;
  std::uint32_t pages = 0;
  std::uint32_t bytes = 0;
};
static_assert(sizeof(ExtentEntry) == 32);

inline constexpr std::size_t kExtentOverhead = format::kPageHeaderSize + 8 + format::kPageTrailerSize;

// Collects a value and writes its extents as they fill. Until finish() hands over the descriptor, destruction gives the
// pages back.
class LargeValueWriter {
 public:
  explicit LargeValueWriter(Workspace& workspace);
  ~LargeValueWriter();
  LargeValueWriter(const LargeValueWriter&) = delete;
  LargeValueWriter& operator=(const LargeValueWriter&) = delete;

  Status append(Bytes piece);
  std::uint64_t size() const noexcept { return size_; }
  // The whole value, as long as nothing of it was written yet.
  const std::string* small_value() const noexcept { return entries_.empty() ? &buffer_ : nullptr; }
  Result<LargeValue> finish();

 private:
  Status flush();
  Result<ExtentEntry> write(format::PageType type, Bytes payload);

  Workspace& workspace_;
  std::string buffer_;
  std::vector<ExtentEntry> entries_;
  std::uint64_t size_ = 0;
};

// Reads a value by parts. Verifies each extent as a whole; keeps the last one.
class LargeValueReader {
 public:
  static Result<LargeValueReader> open(pool::Pool& pool, Bytes descriptor);
  std::uint64_t size() const noexcept { return value_.size; }
  Result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t size);

 private:
  LargeValueReader(pool::Pool& pool, const LargeValue& value) : pool_(&pool), value_(value) {}
  Status load(std::size_t index);

  pool::Pool* pool_;
  LargeValue value_;
  std::vector<ExtentEntry> entries_;
  std::vector<std::uint64_t> begins_;  // offset of each extent in the value
  std::string current_;
  std::size_t current_index_ = ~std::size_t{0};
};

// The descriptor in a cell. Errors: PageMalformed.
Result<LargeValue> decode_large_value(Bytes cell);

// The extents of a value; for depth 1 reads the list. Errors: page errors, PageMalformed.
Result<std::vector<ExtentEntry>> extents_of(pool::Pool& pool, const LargeValue& value);

// The same from pages already read and verified (`image` starts at the page header).
Result<std::vector<ExtentEntry>> decode_extent_list(std::span<const std::byte> image, const LargeValue& value);
// Checks type and size of a verified image and returns its payload, a view into it.
Result<Bytes> extent_payload(std::span<const std::byte> image, const ExtentEntry& extent, format::PageType type);

// Payload of one extent, verified.
Result<std::string> read_extent(pool::Pool& pool, const ExtentEntry& extent, format::PageType type);

// Gives back every page of the value; of a value whose list is damaged, all but the extents that the list named.
Status retire_large_value(Workspace& workspace, const LargeValue& value);

}  // namespace vitrine::tree
