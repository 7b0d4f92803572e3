// SPDX-License-Identifier: MIT OR Apache-2.0
// What unlocks an encrypted database. The bytes are kept in memory that is locked where the system allows it, left out
// of core dumps and child processes, and wiped with the last copy of the Secret.
//
//   Options options;
//   options.secret = Secret::passphrase("correct horse battery staple").value();
//   auto db = Database::open("app.vtr", OpenMode::CreateIfMissing, options).value();
//
// Thread safety: a Secret may be copied and used from any thread; copies share the bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "vitrine/bytes.hpp"
#include "vitrine/status.hpp"

namespace vitrine {

enum class Cipher : std::uint8_t {  // part of the file format, but for Automatic
  Automatic = 0,                    // AES-256-GCM where the processor computes it, else ChaCha20-Poly1305
  Aes256Gcm = 1,
  ChaCha20Poly1305 = 2,
};

enum class SecretKind : std::uint8_t {  // part of the file format
  Passphrase = 1,
  RecoveryKey = 2,
  KeyFile = 3,
  RawKey = 4,
};

struct SecretBytes;
struct NewRecoveryKey;

class Secret {
 public:
  Secret() = default;  // none: the database is not encrypted

  // All of them: SecretInvalid when the bytes cannot be such a secret.
  static Result<Secret> passphrase(Bytes text);       // 1 to 1024 bytes
  static Result<Secret> key_file(Bytes content);      // 32 bytes to 64 KiB that nobody can guess
  static Result<Secret> recovery_key(Bytes text);     // as shown once; blanks, dashes and case do not matter
  static Result<Secret> raw_key(Bytes key);           // 32 random bytes
  static Result<NewRecoveryKey> make_recovery_key();  // 160 random bits

  explicit operator bool() const noexcept { return bytes_ != nullptr; }
  bool same_as(const Secret& other) const noexcept;                // in constant time for equal sizes
  SecretKind kind() const noexcept;                                // REQUIRES: not none
  const SecretBytes& content() const noexcept { return *bytes_; }  // for the library

 private:
  static Result<Secret> make(SecretKind kind, Bytes bytes);
  std::shared_ptr<const SecretBytes> bytes_;
};

struct NewRecoveryKey {
  Secret secret;
  std::string text;  // to be written down; nobody can show it again
};

// One way to unlock a database.
struct KeySlotInfo {
  std::uint32_t slot = 0;
  SecretKind kind = SecretKind::Passphrase;
  std::uint64_t added_wall_ms = 0;
};

}  // namespace vitrine
