// SPDX-License-Identifier: MIT OR Apache-2.0
#include "engine/file_keys.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/try.hpp"

namespace vitrine::engine {
namespace {

// All blocks that are whole, newest first; nothing is proven about them.
Result<std::vector<format::Meta>> whole_blocks(std::span<const std::byte> area) {
  std::vector<format::Meta> blocks;
  for (unsigned i = 0; i < format::kMetaBlockCount; ++i) {
    Result<format::Meta> meta = format::decode_meta(format::meta_block(area, i), i / 2, i % 2);
    if (meta.has_value()) blocks.push_back(*meta);
  }
  if (blocks.empty()) CHECK(format::choose_meta(area).status());
  std::stable_sort(blocks.begin(), blocks.end(),
                   [](const format::Meta& a, const format::Meta& b) { return a.checkpoint > b.checkpoint; });
  return blocks;
}

}  // namespace

Result<FileKeys> make_keys(os::Env& env, format::Meta& meta, const Secret& secret, Cipher cipher, std::uint32_t epoch) {
  if (cipher == Cipher::Automatic) cipher = crypto::fastest_cipher();
  os::SecretArray<crypto::kKeySize> master;
  CHECK(env.random_bytes(master));
  FileKeys keys;
  keys.ring = TRY(crypto::KeyRing::make(master, cipher, epoch, bytes_of(meta.file)));
  meta.features |= format::kMetaEncrypted;
  meta.cipher = static_cast<std::uint32_t>(cipher);
  meta.key_epoch = epoch;
  meta.keys = TRY(crypto::make_key_table(env));
  keys.slot = TRY(crypto::add_key(env, meta.keys, keys.ring->master(), secret));
  return keys;
}

Result<FileKeys> inherit_keys(format::Meta& meta, const format::Meta& other, const FileKeys& keys) {
  FileKeys inherited = keys;
  inherited.ring = TRY(keys.ring->for_file(bytes_of(meta.file)));
  meta.features |= format::kMetaEncrypted;
  meta.cipher = other.cipher;
  meta.key_epoch = other.key_epoch;
  meta.keys = other.keys;
  crypto::drop_previous(meta.keys);
  inherited.previous.reset();
  return inherited;
}

// The cost of a derivation stays what it was found to be, but what was derived with the old salt is of no use.
Result<FileKeys> make_next_keys(os::Env& env, format::Meta& meta, const FileKeys& keys, const Secret& secret) {
  os::SecretArray<crypto::kKeySize> master;
  CHECK(env.random_bytes(master));
  const std::uint32_t epoch = meta.key_epoch + 1;
  FileKeys next;
  next.ring = TRY(crypto::KeyRing::make(master, keys.ring->cipher(), epoch, bytes_of(meta.file)));
  next.previous = keys.ring;
  std::optional<crypto::Argon2Cost> cost;
  if (meta.keys.cost != crypto::Argon2Cost{}) cost = meta.keys.cost;
  meta.keys = TRY(crypto::make_key_table(env));
  next.slot = TRY(crypto::add_key(env, meta.keys, next.ring->master(), secret, std::nullopt, cost));
  CHECK(crypto::keep_previous(env, meta.keys, next.ring->master(), keys.ring->master()));
  meta.features |= format::kMetaRotating;
  meta.key_epoch = epoch;
  meta.previous_until = meta.version;
  return next;
}

void forget_previous_keys(format::Meta& meta) noexcept {
  crypto::drop_previous(meta.keys);
  meta.features &= ~std::uint32_t{format::kMetaRotating};
  meta.previous_until = 0;
}

Status find_previous_keys(const format::Meta& meta, FileKeys& keys) {
  keys.previous.reset();
  if (!meta.is_rotating() || !keys.ring) return {};
  const crypto::MasterKey master = TRY(crypto::open_previous(meta.keys, keys.ring->master()));
  const auto cipher = static_cast<Cipher>(meta.cipher);
  keys.previous = TRY(crypto::KeyRing::make(master.bytes(), cipher, meta.key_epoch - 1, bytes_of(meta.file)));
  return {};
}

bool has_later_keys(std::span<const std::byte> area, const crypto::KeyRing& keys) {
  const Result<std::vector<format::Meta>> blocks = whole_blocks(area);
  return blocks.has_value() && blocks->front().key_epoch > keys.epoch();
}

Result<std::unique_ptr<format::SealedPageCodec>> make_page_codec(const format::Meta& meta, const FileKeys& keys,
                                                                 const crypto::Salt& salt) {
  std::unique_ptr<format::SealedPageCodec> codec = TRY(format::SealedPageCodec::make(meta.file, keys.ring, salt));
  if (keys.previous) codec->add_old_epoch({keys.previous, meta.previous_until});
  return codec;
}

// A block whose slots open but which does not verify was tampered with; another block may still be good. What is chosen
// must open with the secret, too: the slot that did may have been removed since, and be in an older block or put back.
Result<FileKeys> unlock(std::span<const std::byte> area, const Secret& secret) {
  const std::vector<format::Meta> blocks = TRY(whole_blocks(area));
  crypto::Unlocker unlocker(secret);
  Status why = Status::error(ErrorCode::NotEncrypted);
  for (const format::Meta& meta : blocks) {
    if (!meta.is_encrypted()) continue;
    const Result<crypto::Unlocked> unlocked = unlocker.unlock(meta.keys);
    if (!unlocked.has_value()) {
      const ErrorCode code = unlocked.status().code();
      if (code != ErrorCode::KeyMismatch && code != ErrorCode::HeaderDamaged) return unlocked.status();
      if (why.code() != ErrorCode::HeaderDamaged) why = unlocked.status();
      continue;
    }
    const auto cipher = static_cast<Cipher>(meta.cipher);
    FileKeys keys{TRY(crypto::KeyRing::make(unlocked->master.bytes(), cipher, meta.key_epoch, bytes_of(meta.file))),
                  unlocked->slot,
                  {}};
    const Result<format::MetaChoice> verified = format::choose_meta(area, keys.ring.get());
    const Result<crypto::Unlocked> proven =
        verified.has_value() ? unlocker.unlock(verified->meta.keys) : verified.status();
    if (proven.has_value()) {
      keys.slot = proven->slot;
      CHECK(find_previous_keys(verified->meta, keys));
      return keys;
    }
    why = proven.status();
  }
  return why;
}

}  // namespace vitrine::engine
