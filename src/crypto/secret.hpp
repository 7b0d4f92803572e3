// SPDX-License-Identifier: MIT OR Apache-2.0
// The inside of vitrine::Secret.
#pragma once

#include <array>
#include <mutex>

#include "crypto/derive.hpp"
#include "os/secret_memory.hpp"
#include "vitrine/secret.hpp"

namespace vitrine {

// What Argon2id last made of a passphrase. It is slow by design, and whoever looks through a file opens it often; who
// can read this could read the passphrase beside it. Thread safety: any thread.
class DerivedKey {
 public:
  using Salt = std::array<std::byte, 16>;

  // True: `key` holds what this cost and salt gave.
  bool find(const crypto::Argon2Cost& cost, const Salt& salt, std::span<std::byte> key) const noexcept;
  // Errors: OutOfMemory.
  Status keep(const crypto::Argon2Cost& cost, const Salt& salt, std::span<const std::byte> key);

 private:
  mutable std::mutex mutex_;
  crypto::Argon2Cost cost_;
  Salt salt_{};
  os::SecretMemory key_;  // empty: there was none yet
};

struct SecretBytes {
  SecretBytes(SecretKind its_kind, os::SecretMemory its_memory) : kind(its_kind), memory(std::move(its_memory)) {}

  const SecretKind kind;
  const os::SecretMemory memory;
  mutable DerivedKey derived;
};

}  // namespace vitrine
