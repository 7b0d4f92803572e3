// SPDX-License-Identifier: MIT OR Apache-2.0
// The vectors: McGrew and Viega, "The Galois/Counter Mode of Operation", test case 16; RFC 8439, 2.8.2; RFC 5869, A.1;
// RFC 4231, 4.3; RFC 9106, 5.3.
#include "crypto/known_answers.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "base/try.hpp"
#include "crypto/aead.hpp"
#include "crypto/argon2_raw.hpp"
#include "crypto/derive.hpp"

namespace vitrine::crypto {
namespace {

std::byte digit(char letter) noexcept {
  return static_cast<std::byte>(letter <= '9' ? letter - '0' : letter - 'a' + 10);
}

std::vector<std::byte> from_hex(std::string_view text) {
  std::vector<std::byte> bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) bytes.push_back(digit(text[i]) << 4 | digit(text[i + 1]));
  return bytes;
}

template <typename To>
To from_hex_as(std::string_view text) {
  To to{};
  const std::vector<std::byte> bytes = from_hex(text);
  std::copy_n(bytes.begin(), std::min(bytes.size(), to.size()), to.begin());
  return to;
}

Status wrong(std::string_view primitive) {
  return Status::error(ErrorCode::CryptoFailed, "a primitive computes something else than was published")
      .with("primitive", primitive);
}

struct AeadVector {
  Cipher cipher;
  std::string_view name, key, nonce, associated, plain, sealed, tag;
};

constexpr AeadVector kAeadVectors[] = {
    {Cipher::Aes256Gcm, "AES-256-GCM", "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
     "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
     "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657"
     "ba637b39",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a"
     "bcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
    {Cipher::ChaCha20Poly1305, "ChaCha20-Poly1305", "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
     "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
     "4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a204966204920636f756c64206f6666"
     "657220796f75206f6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73637265656e20776f756c642062652069"
     "742e",
     "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b29"
     "05d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b"
     "6116",
     "1ae10b594f09e26a7e902ecbd0600691"},
};

Status test_aead(const AeadVector& vector) {
  const auto key = TRY(AeadKey::create(vector.cipher, from_hex_as<std::array<std::byte, kKeySize>>(vector.key)));
  const auto nonce = from_hex_as<Nonce>(vector.nonce);
  const std::vector<std::byte> associated = from_hex(vector.associated), plain = from_hex(vector.plain);
  std::vector<std::byte> data = plain;
  Tag tag;
  CHECK(key->seal(nonce, associated, data, tag));
  if (data != from_hex(vector.sealed) || tag != from_hex_as<Tag>(vector.tag)) return wrong(vector.name);
  if (!key->open(nonce, associated, data, tag) || data != plain) return wrong(vector.name);
  tag[0] ^= std::byte{1};
  return key->open(nonce, associated, data, tag) ? wrong(vector.name) : Status{};
}

Status test_derivation() {
  std::vector<std::byte> key(42);
  CHECK(hkdf(std::vector<std::byte>(22, std::byte{0x0b}), from_hex("000102030405060708090a0b0c"),
             "\xf0\xf1\xf2\xf3\xf4\xf5\xf6\xf7\xf8\xf9", key));
  if (key != from_hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")) {
    return wrong("HKDF-SHA256");
  }
  const std::string_view secret = "Jefe", message = "what do ya want for nothing?";
  const Mac mac = TRY(hmac(std::as_bytes(std::span(secret)), std::as_bytes(std::span(message))));
  if (mac != from_hex_as<Mac>("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")) {
    return wrong("HMAC-SHA256");
  }
  key.resize(32);
  CHECK(argon2id_raw(std::vector<std::byte>(32, std::byte{1}), std::vector<std::byte>(16, std::byte{2}),
                     std::vector<std::byte>(8, std::byte{3}), std::vector<std::byte>(12, std::byte{4}), {32, 3, 4},
                     key));
  if (key != from_hex("0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659")) return wrong("Argon2id");
  return {};
}

Status run() {
  for (const AeadVector& vector : kAeadVectors) CHECK(test_aead(vector));
  return test_derivation();
}

}  // namespace

Status self_test() {
  static const Status outcome = run();
  return outcome;
}

}  // namespace vitrine::crypto
