// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/secret.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/assert.hpp"
#include "base/try.hpp"
#include "crypto/derive.hpp"

namespace vitrine {
namespace {

constexpr std::size_t kPassphraseMax = 1024;
constexpr std::size_t kKeyFileMin = 32;
constexpr std::size_t kKeyFileMax = 64u << 10;
constexpr std::size_t kRawKeySize = 32;

// --- Text of a recovery key: 160 bits and 20 bits of their SHA-256, 5 bits a letter, in 9 groups of 4 ----------------

constexpr std::size_t kRecoverySize = 20;
constexpr std::size_t kRecoveryLetters = 36;
constexpr std::size_t kGroup = 4;
constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // without I, L, O, U

using RecoveryBytes = os::SecretArray<kRecoverySize + 3>;  // with the checksum, in the high bits of the last three

Status add_checksum(RecoveryBytes& bytes) {
  crypto::Mac digest = TRY(crypto::sha256(std::span(bytes).first(kRecoverySize)));
  std::copy_n(digest.begin(), 3, bytes.begin() + kRecoverySize);
  os::wipe(digest.data(), digest.size());
  bytes.back() &= std::byte{0xf0};
  return {};
}

std::string text_of(const RecoveryBytes& bytes) {
  std::string text;
  text.reserve(kRecoveryLetters + kRecoveryLetters / kGroup);
  for (std::size_t letter = 0; letter < kRecoveryLetters; ++letter) {
    if (letter > 0 && letter % kGroup == 0) text.push_back('-');
    unsigned value = 0;
    for (std::size_t bit = letter * 5; bit < letter * 5 + 5; ++bit) {
      value = value << 1 | (std::to_integer<unsigned>(bytes[bit / 8]) >> (7 - bit % 8) & 1);
    }
    text.push_back(kAlphabet[value]);
  }
  return text;
}

// Letters that people take for digits are those digits. False: no letter of a recovery key.
bool letter_value(char letter, unsigned& value) {
  char upper = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  if (upper == 'O') upper = '0';
  if (upper == 'I' || upper == 'L') upper = '1';
  const std::size_t at = kAlphabet.find(upper);
  value = static_cast<unsigned>(at);
  return at != std::string_view::npos;
}

Status invalid(std::string_view reason) { return Status::error(ErrorCode::SecretInvalid, reason); }

}  // namespace

bool DerivedKey::find(const crypto::Argon2Cost& cost, const Salt& salt, std::span<std::byte> key) const noexcept {
  const std::lock_guard lock(mutex_);
  const std::span<const std::byte> kept = key_.bytes();
  if (kept.size() != key.size() || cost_ != cost || salt_ != salt) return false;
  std::copy(kept.begin(), kept.end(), key.begin());
  return true;
}

Status DerivedKey::keep(const crypto::Argon2Cost& cost, const Salt& salt, std::span<const std::byte> key) {
  os::SecretMemory copy = TRY(os::SecretMemory::copy_of(key));
  const std::lock_guard lock(mutex_);
  key_ = std::move(copy);
  cost_ = cost;
  salt_ = salt;
  return {};
}

bool Secret::same_as(const Secret& other) const noexcept {
  if (!bytes_ || !other.bytes_) return bytes_ == other.bytes_;
  return bytes_->kind == other.bytes_->kind &&
         crypto::equal_in_constant_time(bytes_->memory.bytes(), other.bytes_->memory.bytes());
}

SecretKind Secret::kind() const noexcept {
  VITRINE_ASSERT(bytes_ != nullptr);
  return bytes_->kind;
}

Result<Secret> Secret::make(SecretKind kind, Bytes bytes) {
  Secret secret;
  os::SecretMemory memory = TRY(os::SecretMemory::copy_of(std::as_bytes(std::span(bytes))));
  secret.bytes_ = std::make_shared<const SecretBytes>(kind, std::move(memory));
  return secret;
}

Result<Secret> Secret::passphrase(Bytes text) {
  if (text.empty() || text.size() > kPassphraseMax) return invalid("a passphrase has 1 to 1024 bytes");
  return make(SecretKind::Passphrase, text);
}

Result<Secret> Secret::key_file(Bytes content) {
  if (content.size() < kKeyFileMin || content.size() > kKeyFileMax) return invalid("a key file has 32 to 65536 bytes");
  return make(SecretKind::KeyFile, content);
}

Result<Secret> Secret::raw_key(Bytes key) {
  if (key.size() != kRawKeySize) return invalid("a raw key has 32 bytes");
  return make(SecretKind::RawKey, key);
}

Result<Secret> Secret::recovery_key(Bytes text) {
  RecoveryBytes given;
  std::size_t letters = 0;
  for (const char letter : text) {
    if (letter == '-' || std::isspace(static_cast<unsigned char>(letter)) != 0) continue;
    unsigned value = 0;
    if (letters == kRecoveryLetters || !letter_value(letter, value)) {
      return invalid("a recovery key has 36 letters and digits in groups of four");
    }
    for (std::size_t bit = 0; bit < 5; ++bit) {
      const std::size_t at = letters * 5 + bit;
      given[at / 8] |= static_cast<std::byte>((value >> (4 - bit) & 1) << (7 - at % 8));
    }
    ++letters;
  }
  if (letters != kRecoveryLetters) return invalid("a recovery key has 36 letters and digits in groups of four");
  RecoveryBytes right;
  std::copy_n(given.begin(), kRecoverySize, right.begin());
  CHECK(add_checksum(right));
  if (given != right) return invalid("the checksum of the recovery key is wrong: a letter was mistyped");
  return make(SecretKind::RecoveryKey, Bytes(reinterpret_cast<const char*>(given.data()), kRecoverySize));
}

Result<NewRecoveryKey> Secret::make_recovery_key() {
  RecoveryBytes bytes;
  CHECK(crypto::private_random(std::span(bytes).first(kRecoverySize)));
  CHECK(add_checksum(bytes));
  Secret secret = TRY(make(SecretKind::RecoveryKey, Bytes(reinterpret_cast<const char*>(bytes.data()), kRecoverySize)));
  return NewRecoveryKey{std::move(secret), text_of(bytes)};
}

}  // namespace vitrine
