// SPDX-License-Identifier: MIT OR Apache-2.0
#include "format/page.hpp"

#include "base/assert.hpp"
#include "base/codec.hpp"
#include "format/checksum.hpp"

namespace vitrine::format {

namespace {

bool is_image_size(std::size_t size) noexcept { return size >= kPageHeaderSize + kPageTrailerSize; }

Checksum tag_of(const std::byte* image, std::size_t size, FileId file) noexcept {
  return checksum(image, size - kPageTrailerSize, checksum_seed(file));
}

Status misplaced(const PageRef& expected, std::uint64_t found) {
  return Status::error(ErrorCode::PageMisplaced).with("page", expected.page()).with("found_page", found);
}

Status stale(const PageRef& expected, const PageHeader& found) {
  return Status::error(ErrorCode::PageStale)
      .with("page", expected.page())
      .with("found_generation", found.generation.word)
      .with("expected_generation", expected.generation.word)
      .with("found_session", found.session)
      .with("expected_session", expected.session);
}

}  // namespace

Status PageCodec::seal(std::byte* image, std::size_t size) const {
  VITRINE_ASSERT(is_image_size(size));
  const Checksum tag = tag_of(image, size, file_);
  base::store(image + size - kPageTrailerSize, PageTrailer{tag.low, tag.high, {0, 0}, 0});
  return {};
}

Status PageCodec::check_identity(const PageHeader& header, const PageRef& expected) {
  if (header.page != expected.page()) return misplaced(expected, header.page);
  if (header.generation != expected.generation || header.session != expected.session) return stale(expected, header);
  return {};
}

bool PageCodec::is_intact(const std::byte* image, std::size_t size) const noexcept {
  if (!is_image_size(size)) return false;
  const auto trailer = base::load<PageTrailer>(image + size - kPageTrailerSize);
  // The tag does not cover the rest of the trailer; without encryption there is one right value for it.
  if (trailer.salt[0] != 0 || trailer.salt[1] != 0 || trailer.counter != 0) return false;
  return tag_of(image, size, file_) == Checksum{trailer.tag_low, trailer.tag_high};
}

Status PageCodec::open(std::byte* image, std::size_t size, const PageRef& expected) const {
  if (!is_intact(image, size)) return Status::error(ErrorCode::PageChecksum).with("page", expected.page());
  return check_identity(base::load<PageHeader>(image), expected);
}

}  // namespace vitrine::format
