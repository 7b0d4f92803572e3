// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/aead.hpp"

#include <openssl/evp.h>

#include <climits>
#include <cstring>

#include "base/assert.hpp"
#include "base/codec.hpp"
#include "base/try.hpp"
#include "os/secret_memory.hpp"

namespace vitrine::crypto {
namespace {

const EVP_CIPHER* cipher_of(Cipher cipher) noexcept {
  return cipher == Cipher::ChaCha20Poly1305 ? EVP_chacha20_poly1305() : EVP_aes_256_gcm();
}

const unsigned char* raw(const std::byte* bytes) noexcept { return reinterpret_cast<const unsigned char*>(bytes); }
unsigned char* raw(std::byte* bytes) noexcept { return reinterpret_cast<unsigned char*>(bytes); }

Status failed(const char* what) { return Status::error(ErrorCode::CryptoFailed, what); }

}  // namespace

Nonce counter_nonce(std::uint64_t counter) noexcept {
  Nonce nonce{};
  base::store(nonce.data() + 4, counter);
  return nonce;
}

Cipher fastest_cipher() noexcept {
#if defined(__x86_64__)
  const bool has_aes = __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
  return has_aes ? Cipher::Aes256Gcm : Cipher::ChaCha20Poly1305;
#else
  return Cipher::ChaCha20Poly1305;
#endif
}

// A context for one call, given back afterwards.
struct AeadKey::Lease {
  Lease(const AeadKey& key, Direction direction) : owner(key), way(direction), context(key.take(direction)) {}
  ~Lease() {
    if (context == nullptr) return;
    std::lock_guard lock(owner.mutex_);
    try {
      owner.idle_[way].push_back(context);
    } catch (...) {
      EVP_CIPHER_CTX_free(context);
    }
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  const AeadKey& owner;
  const Direction way;
  Context* const context;
};

Result<std::shared_ptr<const AeadKey>> AeadKey::create(Cipher cipher, std::span<const std::byte, kKeySize> key) {
  VITRINE_ASSERT(cipher != Cipher::Automatic);
  std::shared_ptr<AeadKey> made(new AeadKey);
  for (const Direction direction : {kOpen, kSeal}) {
    made->prototype_[direction] = EVP_CIPHER_CTX_new();
    Context* const context = made->prototype_[direction];
    if (context == nullptr ||
        EVP_CipherInit_ex(context, cipher_of(cipher), nullptr, raw(key.data()), nullptr, direction) != 1) {
      return failed("libcrypto offers no such cipher");
    }
  }
  return std::shared_ptr<const AeadKey>(std::move(made));
}

AeadKey::~AeadKey() {
  for (const Direction direction : {kOpen, kSeal}) {
    EVP_CIPHER_CTX_free(prototype_[direction]);  // wipes the key
    for (Context* context : idle_[direction]) EVP_CIPHER_CTX_free(context);
  }
}

AeadKey::Context* AeadKey::take(Direction direction) const {
  std::lock_guard lock(mutex_);
  if (!idle_[direction].empty()) {
    Context* const context = idle_[direction].back();
    idle_[direction].pop_back();
    return context;
  }
  Context* const context = EVP_CIPHER_CTX_new();
  if (context != nullptr && EVP_CIPHER_CTX_copy(context, prototype_[direction]) == 1) return context;
  EVP_CIPHER_CTX_free(context);
  return nullptr;
}

Status AeadKey::seal(const Nonce& nonce, std::span<const std::byte> associated, std::span<std::byte> data,
                     Tag& tag) const {
  VITRINE_ASSERT(data.size() <= INT_MAX && associated.size() <= INT_MAX);
  const Lease lease(*this, kSeal);
  EVP_CIPHER_CTX* const context = lease.context;
  int done = 0;
  const bool is_sealed =
      context != nullptr && EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, raw(nonce.data())) == 1 &&
      (associated.empty() ||
       EVP_EncryptUpdate(context, nullptr, &done, raw(associated.data()), static_cast<int>(associated.size())) == 1) &&
      (data.empty() ||
       EVP_EncryptUpdate(context, raw(data.data()), &done, raw(data.data()), static_cast<int>(data.size())) == 1) &&
      EVP_EncryptFinal_ex(context, nullptr, &done) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize, tag.data()) == 1;
  return is_sealed ? Status{} : failed("libcrypto did not seal");
}

bool AeadKey::open(const Nonce& nonce, std::span<const std::byte> associated, std::span<std::byte> data,
                   const Tag& tag) const {
  VITRINE_ASSERT(data.size() <= INT_MAX && associated.size() <= INT_MAX);
  const Lease lease(*this, kOpen);
  EVP_CIPHER_CTX* const context = lease.context;
  Tag expected = tag;
  int done = 0;
  const bool is_opened =
      context != nullptr && EVP_DecryptInit_ex(context, nullptr, nullptr, nullptr, raw(nonce.data())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagSize, expected.data()) == 1 &&
      (associated.empty() ||
       EVP_DecryptUpdate(context, nullptr, &done, raw(associated.data()), static_cast<int>(associated.size())) == 1) &&
      (data.empty() ||
       EVP_DecryptUpdate(context, raw(data.data()), &done, raw(data.data()), static_cast<int>(data.size())) == 1) &&
      EVP_DecryptFinal_ex(context, nullptr, &done) == 1;
  if (!is_opened) os::wipe(data.data(), data.size());
  return is_opened;
}

}  // namespace vitrine::crypto
