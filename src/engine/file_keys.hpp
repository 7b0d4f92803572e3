// SPDX-License-Identifier: MIT OR Apache-2.0
// From a secret to the keys of a file: making them for a new file, finding them in the header of an existing one. Knows
// header blocks and key tables; must not know pages or log.
//
// A rotation gives a file a new master key, of the next epoch. While it runs, the header holds the old one, sealed
// under the new one, for pages that are not yet written anew.
//
// Stateless; safe from any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "crypto/key_ring.hpp"
#include "format/meta.hpp"
#include "format/sealed_page.hpp"
#include "os/env.hpp"
#include "vitrine/options.hpp"

namespace vitrine::engine {

inline crypto::ByteSpan bytes_of(const format::FileId& id) noexcept { return std::as_bytes(std::span(&id, 1)); }

// The keys of an open encrypted file.
struct FileKeys {
  std::shared_ptr<const crypto::KeyRing> ring;
  std::size_t slot = 0;                             // that the secret opened
  std::shared_ptr<const crypto::KeyRing> previous;  // of the epoch before, while a rotation runs
};

// Makes `meta`, of a file that does not exist yet, encrypted: a new master key under `secret`.
Result<FileKeys> make_keys(os::Env& env, format::Meta& meta, const Secret& secret, Cipher cipher, std::uint32_t epoch);

// The same with the key table and the master key of another file, so that the same secrets open both.
// A rotation that runs there is none here: everything is written under the newest keys.
Result<FileKeys> inherit_keys(format::Meta& meta, const format::Meta& other, const FileKeys& keys);

// Makes `meta` the header of a file in which a rotation has just begun: a new master key under `secret`, as its only
// secret.
Result<FileKeys> make_next_keys(os::Env& env, format::Meta& meta, const FileKeys& keys, const Secret& secret);

// Makes `meta` the header of a file in which the rotation has ended.
void forget_previous_keys(format::Meta& meta) noexcept;

// The keys of the epoch before go into `keys`, or out of them, as `meta` says. Errors: HeaderDamaged, CryptoFailed.
Status find_previous_keys(const format::Meta& meta, FileKeys& keys);

// Whether the header in `area`, of which nothing is proven, is of a later epoch than `keys`.
bool has_later_keys(std::span<const std::byte> area, const crypto::KeyRing& keys);

// For pages that `meta`, under `keys`, leads to. Errors: CryptoFailed, OutOfMemory.
Result<std::unique_ptr<format::SealedPageCodec>> make_page_codec(const format::Meta& meta, const FileKeys& keys,
                                                                 const crypto::Salt& salt);

// What `secret` opens of the header in `area`. Only keys that at least one block verifies under are returned. Errors:
// NotEncrypted, KeyMismatch, HeaderDamaged, those of choose_meta() when there is no block at all.
Result<FileKeys> unlock(std::span<const std::byte> area, const Secret& secret);

}  // namespace vitrine::engine
