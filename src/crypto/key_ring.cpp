// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/key_ring.hpp"

#include <algorithm>
#include <string>

#include "base/assert.hpp"
#include "base/codec.hpp"
#include "base/try.hpp"
#include "crypto/known_answers.hpp"

namespace vitrine::crypto {
namespace {

// A file keeps pages of many sessions; those that are read are few at a time.
constexpr std::size_t kCachedSessionsMax = 256;
constexpr std::string_view kLabels[] = {"vitrine 1 pages", "vitrine 1 log", "vitrine 1 header"};
constexpr std::size_t kPurposes = std::size(kLabels);

}  // namespace

Status UsageCeiling::check(std::uint64_t bytes) const noexcept {
  const std::uint64_t used = used_.load(std::memory_order_relaxed);
  if (used <= bytes_max_ && bytes <= bytes_max_ - used) return {};
  return Status::error(ErrorCode::KeyExhausted);
}

Status UsageCeiling::count(std::uint64_t bytes) noexcept {
  CHECK(check(bytes));
  used_.fetch_add(bytes, std::memory_order_relaxed);
  return {};
}

Result<std::shared_ptr<const KeyRing>> KeyRing::make(ByteSpan master, Cipher cipher, std::uint32_t epoch,
                                                     ByteSpan file_id) {
  CHECK(self_test());
  std::shared_ptr<KeyRing> ring(new KeyRing);
  ring->cipher_ = cipher;
  ring->epoch_ = epoch;
  ring->master_ = TRY(MasterKey::copy_of(master));
  os::SecretArray<kPurposes * kKeySize> keys;
  for (std::size_t purpose = 0; purpose < kPurposes; ++purpose) {
    std::string label(kLabels[purpose]);
    base::append_fixed(label, static_cast<std::uint32_t>(cipher));
    base::append_fixed(label, epoch);
    CHECK(hkdf(master, file_id, label, std::span(keys).subspan(purpose * kKeySize, kKeySize)));
  }
  ring->purpose_keys_ = TRY(os::SecretMemory::copy_of(keys));
  return std::shared_ptr<const KeyRing>(std::move(ring));
}

Result<std::shared_ptr<const KeyRing>> KeyRing::for_file(ByteSpan file_id) const {
  return make(master_.bytes(), cipher_, epoch_, file_id);
}

ByteSpan KeyRing::key_of(Purpose purpose) const noexcept {
  return purpose_keys_.bytes().subspan(static_cast<std::size_t>(purpose) * kKeySize, kKeySize);
}

Result<std::shared_ptr<const AeadKey>> KeyRing::session_key(Purpose purpose, const Salt& salt) const {
  VITRINE_ASSERT(purpose != Purpose::Header);
  Cache& cache = cache_[static_cast<std::size_t>(purpose)];
  {
    std::shared_lock lock(mutex_);
    if (const auto found = cache.find(salt); found != cache.end()) return found->second;
  }
  os::SecretArray<kKeySize> bytes;
  CHECK(hkdf(key_of(purpose), salt, "vitrine 1 session", bytes));
  const std::shared_ptr<const AeadKey> key = TRY(AeadKey::create(cipher_, bytes));
  std::unique_lock lock(mutex_);
  if (cache.size() >= kCachedSessionsMax) cache.clear();
  return cache.emplace(salt, key).first->second;
}

Result<Mac> KeyRing::header_mac(ByteSpan block) const { return hmac(key_of(Purpose::Header), block); }

}  // namespace vitrine::crypto
