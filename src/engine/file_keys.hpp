// SPDX-License-Identifier: MIT OR Apache-2.0
// From a secret to the keys of a file: making them for a new file, finding them in the header of an existing one. Knows
// header blocks and key tables; must not know pages or log.
//
// Stateless; safe from any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "crypto/key_ring.hpp"
#include "format/meta.hpp"
#include "os/env.hpp"
#include "vitrine/options.hpp"

namespace vitrine::engine {

inline crypto::ByteSpan bytes_of(const format::FileId& id) noexcept { return std::as_bytes(std::span(&id, 1)); }

// The keys of an open encrypted file.
struct FileKeys {
  std::shared_ptr<const crypto::KeyRing> ring;
  std::size_t slot = 0;  // that the secret opened
};

// Makes `meta`, of a file that does not exist yet, encrypted: a new master key under `secret`.
Result<FileKeys> make_keys(os::Env& env, format::Meta& meta, const Secret& secret, Cipher cipher, std::uint32_t epoch);

// The same with the key table and the master key of another file, so that the same secrets open both.
Result<FileKeys> inherit_keys(format::Meta& meta, const format::Meta& other, const FileKeys& keys);

// What `secret` opens of the header in `area`. Only keys that at least one block verifies under are returned. Errors:
// NotEncrypted, KeyMismatch, HeaderDamaged, those of choose_meta() when there is no block at all.
Result<FileKeys> unlock(std::span<const std::byte> area, const Secret& secret);

}  // namespace vitrine::engine
