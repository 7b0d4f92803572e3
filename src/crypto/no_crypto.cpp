// SPDX-License-Identifier: MIT OR Apache-2.0
// Stands in for aead.cpp, derive.cpp and known_answers.cpp in the lean build (VITRINE_LEAN), which is linked to no
// cryptography at all: every call that would need it answers CryptoFailed, so such a build neither makes nor opens
// encrypted databases, and says so.
#include "crypto/aead.hpp"
#include "crypto/argon2_raw.hpp"
#include "crypto/derive.hpp"
#include "crypto/known_answers.hpp"

namespace vitrine::crypto {
namespace {

Status left_out() { return Status::error(ErrorCode::CryptoFailed, "this build of the library has no encryption"); }

}  // namespace

Nonce counter_nonce(std::uint64_t) noexcept { return {}; }
Cipher fastest_cipher() noexcept { return Cipher::Aes256Gcm; }

Result<std::shared_ptr<const AeadKey>> AeadKey::create(Cipher, std::span<const std::byte, kKeySize>) {
  return left_out();
}
AeadKey::~AeadKey() = default;
Status AeadKey::seal(const Nonce&, std::span<const std::byte>, std::span<std::byte>, Tag&) const { return left_out(); }
bool AeadKey::open(const Nonce&, std::span<const std::byte>, std::span<std::byte>, const Tag&) const { return false; }

Status hkdf(ByteSpan, ByteSpan, std::string_view, std::span<std::byte>) { return left_out(); }
Result<Mac> hmac(ByteSpan, ByteSpan) { return left_out(); }
Result<Mac> sha256(ByteSpan) { return left_out(); }
Status private_random(std::span<std::byte>) { return left_out(); }

bool equal_in_constant_time(ByteSpan left, ByteSpan right) noexcept {
  std::byte difference{left.size() == right.size() ? std::uint8_t{0} : std::uint8_t{1}};
  for (std::size_t i = 0; i < left.size() && i < right.size(); ++i) difference |= left[i] ^ right[i];
  return difference == std::byte{0};
}

bool is_acceptable(const Argon2Cost&) noexcept { return false; }
Result<Argon2Cost> calibrate_argon2(std::uint64_t) { return left_out(); }
Status argon2id(ByteSpan, ByteSpan, const Argon2Cost&, std::span<std::byte>) { return left_out(); }
Status argon2id_raw(ByteSpan, ByteSpan, ByteSpan, ByteSpan, const Argon2Cost&, std::span<std::byte>) {
  return left_out();
}

Status self_test() { return left_out(); }

}  // namespace vitrine::crypto
