// SPDX-License-Identifier: MIT OR Apache-2.0
// The keys of a database, as its users see them: ways to unlock it, added and removed one by one.
#include "base/try.hpp"
#include "crypto/key_table.hpp"
#include "kv/database_impl.hpp"
#include "kv/safely.hpp"
#include "vitrine/database.hpp"

namespace vitrine {
namespace {

Result<std::uint32_t> put_key(engine::Engine& engine, const Secret& secret, std::optional<std::size_t> slot) {
  if (!secret) return Status::error(ErrorCode::SecretInvalid, "no secret was given");
  std::uint32_t filled = 0;
  CHECK(engine.change_keys([&](crypto::KeyTable& table, const crypto::MasterKey& master) -> Status {
    if (slot && (*slot >= table.slots.size() || !table.slots[*slot].is_of_secret())) {
      return Status::error(ErrorCode::KeySlotNotFound).with("slot", std::uint64_t{*slot});
    }
    filled = static_cast<std::uint32_t>(TRY(crypto::add_key(engine.env(), table, master, secret, slot)));
    return {};
  }));
  return filled;
}

Result<TransferReport> rewrite(DatabaseImpl& impl, const Secret& secret, Cipher cipher,
                               const ProgressFunction& progress) {
  return kv::safely([&]() -> Result<TransferReport> {
    CHECK(impl.current()->check_usable());
    impl.end_transactions();
    return impl.current()->rewrite(secret, cipher, progress);
  });
}

}  // namespace

Result<TransferReport> Database::encrypt(const Secret& secret, Cipher cipher, const ProgressFunction& progress) {
  if (!secret) return Status::error(ErrorCode::SecretInvalid, "no secret was given");
  return rewrite(*impl_, secret, cipher, progress);
}

Result<TransferReport> Database::decrypt(const ProgressFunction& progress) {
  return rewrite(*impl_, {}, Cipher::Automatic, progress);
}

Result<std::vector<KeySlotInfo>> Database::keys() const {
  return kv::safely([&]() -> Result<std::vector<KeySlotInfo>> {
    const std::shared_ptr<engine::Engine> engine = impl_->current();
    CHECK(engine->check_usable());
    return engine->key_slots();
  });
}

Result<std::uint32_t> Database::add_key(const Secret& secret) {
  return kv::safely([&] { return put_key(*impl_->current(), secret, std::nullopt); });
}

Status Database::replace_key(std::uint32_t slot, const Secret& secret) {
  return kv::safely([&] { return put_key(*impl_->current(), secret, slot).status(); });
}

Result<RotateReport> Database::rotate_keys(const Secret& secret, const ProgressFunction& progress) {
  if (!secret) return Status::error(ErrorCode::SecretInvalid, "no secret was given");
  return kv::safely([&] { return impl_->current()->rotate(secret, progress); });
}

Status Database::remove_key(std::uint32_t slot) {
  return kv::safely([&] {
    return impl_->current()->change_keys(
        [&](crypto::KeyTable& table, const crypto::MasterKey&) { return crypto::remove_key(table, slot); });
  });
}

}  // namespace vitrine
