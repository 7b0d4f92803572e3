// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/key_table.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "os/env.hpp"

namespace vitrine::crypto {
namespace {

class KeyTableTest : public testing::Test {
 protected:
  std::size_t add(const Secret& secret, std::optional<std::size_t> slot = std::nullopt) {
    return add_key(os::system_env(), table_, master_, secret, slot, kArgon2Floor).value();
  }
  static Status unlock(const KeyTable& table, const Secret& secret) { return Unlocker(secret).unlock(table).status(); }

  const std::string key_ = std::string(32, 'k');
  const MasterKey master_ = *MasterKey::copy_of(std::as_bytes(std::span(key_)));
  const Secret passphrase_ = *Secret::passphrase("correct horse");
  const Secret raw_ = *Secret::raw_key(std::string(32, 'r'));
  KeyTable table_ = *make_key_table(os::system_env());
};

TEST_F(KeyTableTest, gives_the_master_key_to_every_kind_of_secret) {
  const NewRecoveryKey recovery = Secret::make_recovery_key().value();
  const Secret secrets[] = {raw_, passphrase_, recovery.secret, *Secret::key_file(std::string(100, 'f'))};
  for (const Secret& secret : secrets) add(secret);
  for (std::size_t i = 0; i < std::size(secrets); ++i) {
    const Unlocked unlocked = Unlocker(secrets[i]).unlock(table_).value();
    EXPECT_EQ(unlocked.slot, i);
    EXPECT_TRUE(equal_in_constant_time(unlocked.master.bytes(), master_.bytes()));
    EXPECT_EQ(table_.list()[i].kind, secrets[i].kind());
  }
}

TEST_F(KeyTableTest, keeps_kinds_apart_and_the_master_key_hidden) {
  add(raw_);
  const Secret same_bytes = *Secret::key_file(std::string(32, 'r'));
  EXPECT_EQ(unlock(table_, same_bytes).code(), ErrorCode::KeyMismatch);
  const std::string bytes(reinterpret_cast<const char*>(&table_), sizeof table_);
  EXPECT_EQ(bytes.find(key_), std::string::npos);
}

TEST_F(KeyTableTest, keeps_the_master_key_of_before_for_whoever_has_the_next_one) {
  const std::string next_key(32, 'n');
  const MasterKey next = *MasterKey::copy_of(std::as_bytes(std::span(next_key)));
  add_key(os::system_env(), table_, next, raw_).value();
  ASSERT_TRUE(keep_previous(os::system_env(), table_, next, master_).is_ok());
  EXPECT_TRUE(equal_in_constant_time(open_previous(table_, next)->bytes(), master_.bytes()));
  EXPECT_EQ(open_previous(table_, master_).status().code(), ErrorCode::HeaderDamaged);
  EXPECT_EQ(unlock(table_, *Secret::raw_key(next_key)).code(), ErrorCode::KeyMismatch);
  const std::string bytes(reinterpret_cast<const char*>(&table_), sizeof table_);
  EXPECT_EQ(bytes.find(key_), std::string::npos);
  // It is no way to unlock: not listed, not counted, and not to be removed.
  EXPECT_EQ(table_.list().size(), 1u);
  EXPECT_EQ(remove_key(table_, 1).code(), ErrorCode::KeySlotNotFound);
  EXPECT_EQ(remove_key(table_, 0).code(), ErrorCode::KeySlotLast);
  drop_previous(table_);
  EXPECT_EQ(open_previous(table_, next).status().code(), ErrorCode::HeaderDamaged);
  EXPECT_EQ(table_.previous_masters(), 0u);
}

TEST_F(KeyTableTest, has_sixteen_slots_and_costs_one_derivation_for_all) {
  for (int i = 0; i < 15; ++i) add(*Secret::passphrase("other " + std::to_string(i)));
  add(passphrase_);
  EXPECT_EQ(add_key(os::system_env(), table_, master_, raw_).status().code(), ErrorCode::KeySlotsFull);
  Unlocker right(passphrase_);
  EXPECT_EQ(right.unlock(table_).value().slot, 15u);
  EXPECT_EQ(right.derivations(), 1u);
  const Secret wrong_passphrase = *Secret::passphrase("wrong");
  Unlocker wrong(wrong_passphrase);
  EXPECT_EQ(wrong.unlock(table_).status().code(), ErrorCode::KeyMismatch);
  EXPECT_EQ(wrong.unlock(table_).status().code(), ErrorCode::KeyMismatch);
  EXPECT_EQ(wrong.derivations(), 1u);
}

TEST_F(KeyTableTest, derives_once_for_all_copies_of_a_secret) {
  add(passphrase_);
  const Secret copy = passphrase_, typed_again = *Secret::passphrase("wrong");
  Unlocker first(passphrase_), second(copy), wrong(typed_again);
  EXPECT_TRUE(first.unlock(table_).has_value());
  EXPECT_TRUE(second.unlock(table_).has_value());
  EXPECT_EQ(second.derivations(), 0u);
  EXPECT_EQ(wrong.unlock(table_).status().code(), ErrorCode::KeyMismatch);
  KeyTable other = make_key_table(os::system_env()).value();  // another salt, so another key
  ASSERT_TRUE(add_key(os::system_env(), other, master_, passphrase_, std::nullopt, kArgon2Floor).has_value());
  EXPECT_TRUE(first.unlock(other).has_value());
  EXPECT_EQ(first.derivations(), 2u);
}

TEST_F(KeyTableTest, removes_all_slots_but_the_last) {
  add(raw_);
  add(passphrase_);
  EXPECT_EQ(remove_key(table_, 5).code(), ErrorCode::KeySlotNotFound);
  EXPECT_EQ(remove_key(table_, 16).code(), ErrorCode::KeySlotNotFound);
  EXPECT_TRUE(remove_key(table_, 0).is_ok());
  EXPECT_EQ(unlock(table_, raw_).code(), ErrorCode::KeyMismatch);
  EXPECT_TRUE(unlock(table_, passphrase_).is_ok());
  EXPECT_EQ(remove_key(table_, 1).code(), ErrorCode::KeySlotLast);
}

TEST_F(KeyTableTest, a_passphrase_added_later_leaves_earlier_slots_as_they_are) {
  add(raw_);
  add(passphrase_);
  EXPECT_TRUE(unlock(table_, raw_).is_ok());
}

TEST_F(KeyTableTest, refuses_every_flipped_bit_of_a_slot) {
  add(raw_, 3);
  const std::size_t begin = offsetof(KeyTable, slots) + 3 * sizeof(KeySlot);
  for (std::size_t bit = 0; bit < 80 * 8; ++bit) {
    if (bit >= 8 && bit < 64) continue;  // zeros that the header's authentication covers
    KeyTable forged = table_;
    reinterpret_cast<unsigned char*>(&forged)[begin + bit / 8] ^= static_cast<unsigned char>(1u << bit % 8);
    EXPECT_FALSE(unlock(forged, raw_).is_ok()) << bit;
  }
  KeyTable moved = table_;
  std::swap(moved.slots[3], moved.slots[4]);
  EXPECT_FALSE(unlock(moved, raw_).is_ok());
  KeyTable foreign = *make_key_table(os::system_env());
  foreign.slots = table_.slots;
  EXPECT_FALSE(unlock(foreign, raw_).is_ok());
}

TEST_F(KeyTableTest, a_forged_cost_costs_nothing_or_opens_nothing) {
  add(passphrase_);
  KeyTable forged = table_;
  forged.cost.memory_kib = 0xffffffff;
  EXPECT_EQ(unlock(forged, passphrase_).code(), ErrorCode::HeaderDamaged);
  forged = table_;
  forged.cost.passes += 1;
  EXPECT_EQ(unlock(forged, passphrase_).code(), ErrorCode::KeyMismatch);
}

}  // namespace
}  // namespace vitrine::crypto
