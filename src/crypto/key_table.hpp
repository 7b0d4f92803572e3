// SPDX-License-Identifier: MIT OR Apache-2.0
// The key table of a file: up to 16 slots, each of which holds the master key sealed under a secret. Knows its bytes;
// must not know where they are stored. The table is no secret, and who holds it authenticates it (the file header).
//
// One Argon2id cost and salt serve all passphrases of a table, so that one derivation tells whether a passphrase fits
// any slot. The key that seals a slot is HKDF-SHA256 of that derivation, or of the other kinds of secrets themselves,
// with the salt of the slot, which is new each time a slot is filled: so that key seals once, with nonce 0. Associated
// data: the table id, for passphrases cost and Argon2id salt, and number, kind and time of the slot.
//
// While a rotation runs, one slot holds the master key of before, sealed under the new one in the same way. It opens
// nothing by itself: whoever has the new key gets at the old one, never the other way round.
//
// KEY TABLE (2112 bytes)
// OFFSET SIZE FIELD
//      0   16 table id: random, kept by backups, which the same secrets open
//     16    4 Argon2id memory in KiB, 0 until the first passphrase
//     20    4 Argon2id passes
//     24    4 Argon2id lanes
//     28    4 0
//     32   16 Argon2id salt
//     48   16 0
//     64  128 slot 0, slot 1, ... slot 15
//
// KEY SLOT (128 bytes, all 0 when unused)
// OFFSET SIZE FIELD
//      0    1 kind (SecretKind): 1 passphrase, 2 recovery key, 3 key file, 4 raw key; 5 the master key of before
//      1    7 0
//      8    8 wall clock when it was filled, milliseconds since 1970
//     16   16 salt
//     32   32 master key, sealed with AES-256-GCM
//     64   16 tag
//     80   48 0
//
// Thread safety: none.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <type_traits>
#include <vector>

#include "crypto/aead.hpp"
#include "crypto/derive.hpp"
#include "os/secret_memory.hpp"
#include "vitrine/secret.hpp"

namespace vitrine::os {
class Env;
}

namespace vitrine::crypto {

inline constexpr std::size_t kKeySlotCount = 16;
inline constexpr std::uint8_t kPreviousMaster = 5;  // kind of a slot, beside those of SecretKind

struct KeySlot {
  std::uint8_t kind = 0;
  std::array<std::byte, 7> zero{};
  std::uint64_t added_wall_ms = 0;
  std::array<std::byte, 16> salt{};
  std::array<std::byte, kKeySize> sealed_master{};
  Tag tag{};
  std::array<std::byte, 48> zero2{};

  bool is_used() const noexcept { return kind != 0; }
  bool is_of_secret() const noexcept { return is_used() && kind != kPreviousMaster; }
  bool operator==(const KeySlot&) const = default;
};
static_assert(sizeof(KeySlot) == 128);

struct KeyTable {
  std::array<std::byte, 16> id{};
  Argon2Cost cost;
  std::uint32_t zero = 0;
  std::array<std::byte, 16> argon2_salt{};
  std::array<std::byte, 16> zero2{};
  std::array<KeySlot, kKeySlotCount> slots{};

  // Of secrets alone.
  std::size_t used() const noexcept;
  std::vector<KeySlotInfo> list() const;
  std::size_t previous_masters() const noexcept;
  // Part of every look at a header; member by member would go byte by byte.
  bool operator==(const KeyTable& other) const noexcept { return std::memcmp(this, &other, sizeof other) == 0; }
};
static_assert(std::has_unique_object_representations_v<KeyTable>);
static_assert(sizeof(KeyTable) == 2112 && offsetof(KeyTable, argon2_salt) == 32 && offsetof(KeyTable, slots) == 64);

using MasterKey = os::SecretMemory;  // 32 bytes

struct Unlocked {
  MasterKey master;
  std::size_t slot = 0;
};

// Tries one secret on tables. The secret remembers the derivation from a passphrase, so that further tables of the same
// file, and its next opening with the same Secret, cost nothing.
class Unlocker {
 public:
  explicit Unlocker(const Secret& secret) : secret_(secret) {}

  // Errors: KeyMismatch (no slot opens), HeaderDamaged (an impossible cost), OutOfMemory, CryptoFailed.
  Result<Unlocked> unlock(const KeyTable& table);

  std::uint64_t derivations() const noexcept { return derivations_; }

 private:
  Result<ByteSpan> root_of(const KeyTable& table);

  const Secret& secret_;
  os::SecretArray<kKeySize> derived_;
  std::uint64_t derivations_ = 0;
};

// An empty table with a new id. Errors: SystemFailed.
Result<KeyTable> make_key_table(os::Env& env);

// Fills a free slot, or `slot` when given, with `master` under `secret`, and returns its number. The first passphrase
// sets the cost: `cost` if given, else one that is measured. Errors: KeySlotsFull, SystemFailed, CryptoFailed.
Result<std::size_t> add_key(os::Env& env, KeyTable& table, const MasterKey& master, const Secret& secret,
                            std::optional<std::size_t> slot = std::nullopt,
                            std::optional<Argon2Cost> cost = std::nullopt);

// Puts the master key of before into a free slot, sealed under `master`. Errors: as add_key().
Status keep_previous(os::Env& env, KeyTable& table, const MasterKey& master, const MasterKey& previous);
// Errors: HeaderDamaged (there is none that `master` opens), CryptoFailed, OutOfMemory.
Result<MasterKey> open_previous(const KeyTable& table, const MasterKey& master);
void drop_previous(KeyTable& table) noexcept;

// Errors: KeySlotNotFound, KeySlotLast.
Status remove_key(KeyTable& table, std::size_t slot);

}  // namespace vitrine::crypto
