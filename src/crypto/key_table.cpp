// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/key_table.hpp"

#include <algorithm>
#include <cstring>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "crypto/secret.hpp"
#include "os/env.hpp"

namespace vitrine::crypto {
namespace {

constexpr std::uint64_t kDerivationMs = 500;

using SlotContext = std::array<std::byte, 80>;

// What a slot's seal covers beside the master key.
SlotContext context_of(const KeyTable& table, std::size_t number, const KeySlot& slot) noexcept {
  SlotContext context{};
  // The cost and its salt are set with the first passphrase, which must not invalidate the slots before it.
  const bool is_derived = slot.kind == static_cast<std::uint8_t>(SecretKind::Passphrase);
  std::memcpy(context.data(), &table, is_derived ? 48 : table.id.size());
  base::store(context.data() + 48, static_cast<std::uint64_t>(number));
  base::store(context.data() + 56, std::uint64_t{slot.kind});
  base::store(context.data() + 64, slot.added_wall_ms);
  return context;
}

Result<std::shared_ptr<const AeadKey>> key_of_slot(ByteSpan root, const KeySlot& slot) {
  os::SecretArray<kKeySize> key;
  CHECK(hkdf(root, slot.salt, "vitrine 1 key slot", key));
  return AeadKey::create(Cipher::Aes256Gcm, key);
}

Result<std::array<std::byte, 16>> random_16(os::Env& env) {
  std::array<std::byte, 16> bytes;
  CHECK(env.random_bytes(bytes));
  return bytes;
}

Result<std::size_t> free_slot(const KeyTable& table) {
  const auto free =
      std::find_if(table.slots.begin(), table.slots.end(), [](const KeySlot& slot) { return !slot.is_used(); });
  if (free == table.slots.end()) return Status::error(ErrorCode::KeySlotsFull);
  return static_cast<std::size_t>(free - table.slots.begin());
}

// Seals `master` under what is derived from `root`.
Status fill_slot(os::Env& env, KeyTable& table, std::size_t number, std::uint8_t kind, ByteSpan root,
                 const MasterKey& master) {
  KeySlot filled;
  filled.kind = kind;
  filled.added_wall_ms = env.wall_ms();
  filled.salt = TRY(random_16(env));
  const std::shared_ptr<const AeadKey> key = TRY(key_of_slot(root, filled));
  os::SecretArray<kKeySize> sealed;  // holds the master key for a moment
  std::copy(master.bytes().begin(), master.bytes().end(), sealed.begin());
  CHECK(key->seal(Nonce{}, context_of(table, number, filled), sealed, filled.tag));
  std::copy(sealed.begin(), sealed.end(), filled.sealed_master.begin());
  table.slots[number] = filled;
  return {};
}

// Nothing when `root` is not what the slot was filled under.
Result<std::optional<MasterKey>> open_slot(const KeyTable& table, std::size_t number, ByteSpan root) {
  const KeySlot& slot = table.slots[number];
  const std::shared_ptr<const AeadKey> key = TRY(key_of_slot(root, slot));
  os::SecretArray<kKeySize> master;
  std::copy(slot.sealed_master.begin(), slot.sealed_master.end(), master.begin());
  std::optional<MasterKey> opened;
  if (key->open(Nonce{}, context_of(table, number, slot), master, slot.tag)) opened = TRY(MasterKey::copy_of(master));
  return opened;
}

}  // namespace

std::size_t KeyTable::used() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(slots.begin(), slots.end(), [](const KeySlot& slot) { return slot.is_of_secret(); }));
}

std::size_t KeyTable::previous_masters() const noexcept {
  return static_cast<std::size_t>(
      std::count_if(slots.begin(), slots.end(), [](const KeySlot& slot) { return slot.kind == kPreviousMaster; }));
}

std::vector<KeySlotInfo> KeyTable::list() const {
  std::vector<KeySlotInfo> rows;
  for (std::uint32_t i = 0; i < slots.size(); ++i) {
    if (slots[i].is_of_secret()) rows.push_back({i, static_cast<SecretKind>(slots[i].kind), slots[i].added_wall_ms});
  }
  return rows;
}

// What the keys of slots are derived from.
Result<ByteSpan> Unlocker::root_of(const KeyTable& table) {
  const SecretBytes& content = secret_.content();
  if (content.kind != SecretKind::Passphrase) return content.memory.bytes();
  if (!content.derived.find(table.cost, table.argon2_salt, derived_)) {
    CHECK(argon2id(content.memory.bytes(), table.argon2_salt, table.cost, derived_));
    CHECK(content.derived.keep(table.cost, table.argon2_salt, derived_));
    ++derivations_;
  }
  return ByteSpan(derived_);
}

Result<Unlocked> Unlocker::unlock(const KeyTable& table) {
  std::optional<ByteSpan> root;
  for (std::size_t i = 0; i < table.slots.size(); ++i) {
    const KeySlot& slot = table.slots[i];
    if (slot.kind != static_cast<std::uint8_t>(secret_.kind())) continue;
    if (!root) root = TRY(root_of(table));
    std::optional<MasterKey> master = TRY(open_slot(table, i, *root));
    if (master) return Unlocked{std::move(*master), i};
  }
  return Status::error(ErrorCode::KeyMismatch);
}

Result<KeyTable> make_key_table(os::Env& env) {
  KeyTable table;
  table.id = TRY(random_16(env));
  return table;
}

Result<std::size_t> add_key(os::Env& env, KeyTable& table, const MasterKey& master, const Secret& secret,
                            std::optional<std::size_t> slot, std::optional<Argon2Cost> cost) {
  if (!slot) slot = TRY(free_slot(table));
  const SecretBytes& content = secret.content();
  os::SecretArray<kKeySize> derived;
  ByteSpan root = content.memory.bytes();
  if (content.kind == SecretKind::Passphrase) {
    if (table.cost == Argon2Cost{}) {
      table.cost = cost ? *cost : TRY(calibrate_argon2(kDerivationMs));
      table.argon2_salt = TRY(random_16(env));
    }
    CHECK(argon2id(root, table.argon2_salt, table.cost, derived));
    root = derived;
  }
  CHECK(fill_slot(env, table, *slot, static_cast<std::uint8_t>(content.kind), root, master));
  return *slot;
}

Status keep_previous(os::Env& env, KeyTable& table, const MasterKey& master, const MasterKey& previous) {
  const std::size_t slot = TRY(free_slot(table));
  return fill_slot(env, table, slot, kPreviousMaster, master.bytes(), previous);
}

Result<MasterKey> open_previous(const KeyTable& table, const MasterKey& master) {
  for (std::size_t i = 0; i < table.slots.size(); ++i) {
    if (table.slots[i].kind != kPreviousMaster) continue;
    std::optional<MasterKey> previous = TRY(open_slot(table, i, master.bytes()));
    if (previous) return std::move(*previous);
  }
  return Status::error(ErrorCode::HeaderDamaged, "the key of before a rotation does not open");
}

void drop_previous(KeyTable& table) noexcept {
  for (KeySlot& slot : table.slots) {
    if (slot.kind == kPreviousMaster) slot = {};
  }
}

Status remove_key(KeyTable& table, std::size_t slot) {
  if (slot >= table.slots.size() || !table.slots[slot].is_of_secret()) {
    return Status::error(ErrorCode::KeySlotNotFound).with("slot", std::uint64_t{slot});
  }
  if (table.used() == 1) return Status::error(ErrorCode::KeySlotLast).with("slot", std::uint64_t{slot});
  table.slots[slot] = {};
  return {};
}

}  // namespace vitrine::crypto
