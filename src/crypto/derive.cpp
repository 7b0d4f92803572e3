// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/derive.hpp"

#include <argon2.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "base/try.hpp"
#include "crypto/argon2_raw.hpp"
#include "os/secret_memory.hpp"

namespace vitrine::crypto {
namespace {

constexpr Argon2Cost kDefaultCost{64u << 10, 3, 1};

Status not_derived(const char* what) { return Status::error(ErrorCode::CryptoFailed, what); }

// libcrypto and libargon2 take inputs as pointers to what they do not change.
std::uint8_t* input(ByteSpan bytes) noexcept {
  return const_cast<std::uint8_t*>(reinterpret_cast<const std::uint8_t*>(bytes.data()));
}

}  // namespace

Status hkdf(ByteSpan secret, ByteSpan salt, std::string_view label, std::span<std::byte> key) {
  const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr), EVP_KDF_free);
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr,
                                                                          EVP_KDF_CTX_free);
  if (!context) return not_derived("libcrypto offers no HKDF");
  char digest[] = "SHA256";
  char* const info = const_cast<char*>(label.data());
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, input(secret), secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, input(salt), salt.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, label.size()),
      OSSL_PARAM_construct_end(),
  };
  auto* const to = reinterpret_cast<unsigned char*>(key.data());
  if (EVP_KDF_derive(context.get(), to, key.size(), parameters) != 1)
    return not_derived("libcrypto did not derive a key");
  return {};
}

Result<Mac> hmac(ByteSpan key, ByteSpan message) {
  Mac mac;
  unsigned size = 0;
  const unsigned char* made = HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), input(message),
                                   message.size(), reinterpret_cast<unsigned char*>(mac.data()), &size);
  if (made == nullptr || size != mac.size()) return not_derived("libcrypto did not authenticate");
  return mac;
}

Result<Mac> sha256(ByteSpan message) {
  Mac digest;
  auto* const to = reinterpret_cast<unsigned char*>(digest.data());
  if (EVP_Digest(message.data(), message.size(), to, nullptr, EVP_sha256(), nullptr) != 1) {
    return not_derived("libcrypto did not hash");
  }
  return digest;
}

Status private_random(std::span<std::byte> bytes) {
  auto* const to = reinterpret_cast<unsigned char*>(bytes.data());
  if (RAND_priv_bytes(to, static_cast<int>(bytes.size())) != 1) return not_derived("libcrypto has no random numbers");
  return {};
}

bool equal_in_constant_time(ByteSpan left, ByteSpan right) noexcept {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

bool is_acceptable(const Argon2Cost& cost) noexcept {
  return cost.memory_kib >= kArgon2Floor.memory_kib && cost.memory_kib <= kArgon2Ceiling.memory_kib &&
         cost.passes >= kArgon2Floor.passes && cost.passes <= kArgon2Ceiling.passes &&
         cost.lanes >= kArgon2Floor.lanes && cost.lanes <= kArgon2Ceiling.lanes &&
         std::uint64_t{cost.memory_kib} * cost.passes <= kArgon2WorkMax;
}

Status argon2id_raw(ByteSpan passphrase, ByteSpan salt, ByteSpan pepper, ByteSpan associated, const Argon2Cost& cost,
                    std::span<std::byte> key) {
  argon2_context context{};
  context.out = reinterpret_cast<std::uint8_t*>(key.data());
  context.outlen = static_cast<std::uint32_t>(key.size());
  context.pwd = input(passphrase);
  context.pwdlen = static_cast<std::uint32_t>(passphrase.size());
  context.salt = input(salt);
  context.saltlen = static_cast<std::uint32_t>(salt.size());
  context.secret = input(pepper);
  context.secretlen = static_cast<std::uint32_t>(pepper.size());
  context.ad = input(associated);
  context.adlen = static_cast<std::uint32_t>(associated.size());
  context.t_cost = cost.passes;
  context.m_cost = cost.memory_kib;
  context.lanes = cost.lanes;
  context.threads = 1;
  context.version = ARGON2_VERSION_13;
  context.flags = ARGON2_DEFAULT_FLAGS;
  const int outcome = argon2id_ctx(&context);
  if (outcome == ARGON2_MEMORY_ALLOCATION_ERROR) return Status::out_of_memory().with("size_kib", cost.memory_kib);
  return outcome == ARGON2_OK ? Status{} : not_derived(argon2_error_message(outcome));
}

Status argon2id(ByteSpan passphrase, ByteSpan salt, const Argon2Cost& cost, std::span<std::byte> key) {
  if (!is_acceptable(cost)) {
    return Status::error(ErrorCode::HeaderDamaged, "the cost of the passphrase is outside its limits")
        .with("memory_kib", std::uint64_t{cost.memory_kib})
        .with("passes", std::uint64_t{cost.passes})
        .with("lanes", std::uint64_t{cost.lanes});
  }
  return argon2id_raw(passphrase, salt, {}, {}, cost, key);
}

Result<Argon2Cost> calibrate_argon2(std::uint64_t target_ms) {
  static constexpr std::array<std::byte, 16> kSalt{};
  os::SecretArray<32> key;
  const auto begin = std::chrono::steady_clock::now();
  CHECK(argon2id(kSalt, kSalt, kDefaultCost, key));
  const auto took = std::chrono::steady_clock::now() - begin;
  const auto took_us = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
  // More memory first, because it is what makes guessing on special hardware dear; passes for the rest.
  const std::uint64_t factor = std::max<std::uint64_t>(1, target_ms * 1000 / std::max<std::uint64_t>(1, took_us));
  const std::uint64_t memory_factor = std::min<std::uint64_t>(factor, 4);
  Argon2Cost cost = kDefaultCost;
  cost.memory_kib *= static_cast<std::uint32_t>(memory_factor);
  cost.passes *= static_cast<std::uint32_t>(std::clamp<std::uint64_t>(factor / memory_factor, 1, 5));
  return cost;
}

}  // namespace vitrine::crypto
