// SPDX-License-Identifier: MIT OR Apache-2.0
#include "format/sealed_page.hpp"

#include <cstring>
#include <span>

#include "base/assert.hpp"
#include "base/codec.hpp"
#include "base/try.hpp"

namespace vitrine::format {
namespace {

std::span<std::byte> body_of(std::byte* image, std::size_t size) noexcept {
  return {image + kPageHeaderSize, size - kPageHeaderSize - kPageTrailerSize};
}

std::span<const std::byte> header_of(const std::byte* image) noexcept { return {image, kPageHeaderSize}; }

}  // namespace

Result<std::unique_ptr<PageCodec>> SealedPageCodec::make(FileId file, std::shared_ptr<const crypto::KeyRing> keys,
                                                         const crypto::Salt& salt, std::uint64_t bytes_max) {
  std::shared_ptr<const crypto::AeadKey> own_key = TRY(keys->session_key(crypto::Purpose::Pages, salt));
  return std::unique_ptr<PageCodec>(new SealedPageCodec(file, std::move(keys), salt, std::move(own_key), bytes_max));
}

Status SealedPageCodec::seal(std::byte* image, std::size_t size) const {
  VITRINE_ASSERT(size >= kPageHeaderSize + kPageTrailerSize);
  CHECK(ceiling_.count(size));
  const std::uint64_t counter = counter_.fetch_add(1, std::memory_order_relaxed);
  base::store(image + offsetof(PageHeader, key_epoch), keys_->epoch());
  crypto::Tag tag;
  CHECK(own_key_->seal(crypto::counter_nonce(counter), header_of(image), body_of(image, size), tag));
  PageTrailer trailer{};
  std::memcpy(&trailer, tag.data(), tag.size());
  std::memcpy(trailer.salt, salt_.data(), salt_.size());
  trailer.counter = counter;
  base::store(image + size - kPageTrailerSize, trailer);
  return {};
}

Status SealedPageCodec::open(std::byte* image, std::size_t size, const PageRef& expected) const {
  VITRINE_ASSERT(size >= kPageHeaderSize + kPageTrailerSize);
  const auto trailer = base::load<PageTrailer>(image + size - kPageTrailerSize);
  crypto::Tag tag;
  crypto::Salt salt;
  std::memcpy(tag.data(), &trailer, tag.size());
  std::memcpy(salt.data(), trailer.salt, salt.size());
  const std::shared_ptr<const crypto::AeadKey> key =
      salt == salt_ ? own_key_ : TRY(keys_->session_key(crypto::Purpose::Pages, salt));
  if (!key->open(crypto::counter_nonce(trailer.counter), header_of(image), body_of(image, size), tag)) {
    return Status::error(ErrorCode::PageForged).with("page", expected.page());
  }
  return check_identity(base::load<PageHeader>(image), expected);
}

}  // namespace vitrine::format
