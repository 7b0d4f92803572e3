// SPDX-License-Identifier: MIT OR Apache-2.0
// One page image: header, body, trailer. Knows how to stamp and check one page; must not know other pages.
//
// A page is identified by where it lies and by its generation: {page number, version + rewrite, session}. No two
// different contents are ever written under one identity, so a parent that names the identity of its child detects a
// lost, misdirected or replayed write of that child (ADR 0003).
//
// PAGE HEADER (clear, 32 bytes)                        PAGE TRAILER (clear, 40 bytes, at page size - 40)
// OFFSET SIZE FIELD                                    OFFSET SIZE FIELD
//      0    1 type (PageType)                               0   16 tag: XXH3-128 of bytes [0, page size - 40),
//      1    1 level: 0 leaf, n inner                                 seeded with the file id; low half, high half;
//      2    2 flags, 0 in format 1                                   encrypted: of the seal
//      4    4 key epoch, 0 when not encrypted              16   16 salt, 0 when not encrypted
//      8    8 page number                                  32    8 counter, 0 when not encrypted
//     16    8 generation: version << 20 | rewrite
//     24    8 session
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

#include "vitrine/status.hpp"

namespace vitrine::format {

// 128 random bits that name one database file for life; copies share it, `backup` draws a new one on request only.
struct FileId {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  bool operator==(const FileId&) const = default;
};

// Number of a page: its byte offset divided by the page size. 40 bits. 0 names no page (it holds the file header).
using PageNo = std::uint64_t;
inline constexpr PageNo kPageNoMax = (PageNo{1} << 40) - 1;

// Count of published states of the tree, 44 bits, never reused within a file.
using Version = std::uint64_t;
inline constexpr Version kVersionMax = (Version{1} << 44) - 1;

// A version and the how-manieth rewrite inside it.
struct Generation {
  std::uint64_t word = 0;
  static constexpr std::uint32_t kRewriteMax = (1u << 20) - 1;
  static constexpr Generation of(Version version, std::uint32_t rewrite) noexcept { return {version << 20 | rewrite}; }
  constexpr Version version() const noexcept { return word >> 20; }
  constexpr std::uint32_t rewrite() const noexcept { return static_cast<std::uint32_t>(word & kRewriteMax); }
  bool operator==(const Generation&) const = default;
};

// Names one page content: what a parent keeps of a child. 24 bytes, stored in nodes, maps, extents lists and meta.
// OFFSET SIZE FIELD
//      0    8 page number (low 40 bits); upper 24 bits: 0 on disk, in memory a hint where the page lies
//      8    8 generation
//     16    8 session: random, drawn at each open for writing
struct PageRef {
  std::uint64_t where = 0;
  Generation generation;
  std::uint64_t session = 0;

  PageNo page() const noexcept { return where & kPageNoMax; }
  bool is_null() const noexcept { return page() == 0; }
  // Same content? Ignores the hint.
  bool same(const PageRef& other) const noexcept {
    return page() == other.page() && generation == other.generation && session == other.session;
  }
};
static_assert(sizeof(PageRef) == 24);

enum class PageType : std::uint8_t {  // part of the file format
  Leaf = 1,
  Inner = 2,
  Extent = 3,      // bytes of one large value; may span several pages, header and trailer once
  ExtentList = 4,  // PageRefs of a value's extents; may span several pages
  MapLeaf = 5,     // free-space bitmap
  MapInner = 6,    // PageRefs of map pages
};

struct PageHeader {
  PageType type;
  std::uint8_t level;
  std::uint16_t flags;
  std::uint32_t key_epoch;
  std::uint64_t page;
  Generation generation;
  std::uint64_t session;
};
static_assert(sizeof(PageHeader) == 32 && offsetof(PageHeader, page) == 8 && offsetof(PageHeader, generation) == 16 &&
              offsetof(PageHeader, session) == 24);

struct PageTrailer {
  std::uint64_t tag_low;
  std::uint64_t tag_high;
  std::uint64_t salt[2];
  std::uint64_t counter;
};
static_assert(sizeof(PageTrailer) == 40 && offsetof(PageTrailer, salt) == 16 && offsetof(PageTrailer, counter) == 32);

inline constexpr std::size_t kPageHeaderSize = sizeof(PageHeader);
inline constexpr std::size_t kPageTrailerSize = sizeof(PageTrailer);
inline constexpr std::uint32_t kPageSizeMin = 4096;
inline constexpr std::uint32_t kPageSizeMax = 65536;
inline constexpr std::uint32_t kPageSizeDefault = 8192;
inline constexpr bool is_page_size(std::uint64_t size) noexcept {
  return size >= kPageSizeMin && size <= kPageSizeMax && (size & (size - 1)) == 0;
}

// Seals pages on their way to the file and opens them on their way back. Safe to share between threads. This one makes
// and checks checksums; SealedPageCodec (sealed_page.hpp) encrypts.
class PageCodec {
 public:
  explicit PageCodec(FileId file) noexcept : file_(file) {}
  virtual ~PageCodec() = default;

  // Completes `image` (`size` bytes: one page, or all pages of an extent) for writing: fills the trailer, and
  // encrypts if it does. Errors: none here; KeyExhausted, CryptoFailed where it encrypts.
  virtual Status seal(std::byte* image, std::size_t size) const;

  // Checks that `image` is the content `expected` names, and decrypts it if it is encrypted. Errors: PageChecksum
  // (damaged; encrypted: PageForged), PageMisplaced (another page number), PageStale (another generation or session),
  // each with the detail "page", the last two also with what was found and expected.
  virtual Status open(std::byte* image, std::size_t size, const PageRef& expected) const;

  // Checks only that `image` is undamaged, whatever it is. For salvage and for looking at pages without a parent.
  bool is_intact(const std::byte* image, std::size_t size) const noexcept;

  FileId file() const noexcept { return file_; }

 protected:
  // Whether an undamaged page with this header is what `expected` names.
  static Status check_identity(const PageHeader& header, const PageRef& expected);

 private:
  FileId file_;
};

}  // namespace vitrine::format
