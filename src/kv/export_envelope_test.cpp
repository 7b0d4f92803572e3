// SPDX-License-Identifier: MIT OR Apache-2.0
// Exports of encrypted databases: who can open them, what they show, and that one which is cut, changed, put in another
// order or put together from two is refused whole.
#include "kv/export_envelope.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "base/codec.hpp"
#include "format/checksum.hpp"
#include "kv/testing.hpp"
#include "os/memory_env.hpp"

namespace vitrine::kv {
namespace {

using testing::content_of;
using testing::fails;
using testing::ok;

constexpr char kExport[] = "/data.export";
constexpr std::string_view kMarker = "MARKER-that-must-not-be-seen";
constexpr std::size_t kSealed = crypto::SealedStream::kSealedSize;

Secret raw(char letter) { return Secret::raw_key(std::string(32, letter)).value(); }

// With a right checksum, as somebody without a key can make it.
std::string with_right_checksum(std::string file) {
  const format::Checksum sum = format::checksum(file.data(), offsetof(EnvelopeHeader, checksum));
  base::store(file.data() + offsetof(EnvelopeHeader, checksum), sum.low);
  base::store(file.data() + offsetof(EnvelopeHeader, checksum) + 8, sum.high);
  return file;
}

class SealedExport : public ::testing::Test {
 protected:
  Database create(const std::string& path, const Secret& secret, Cipher cipher = Cipher::Automatic) {
    Options options = testing::small_options();
    options.env = env_.get();
    options.secret = secret;
    options.cipher = cipher;
    return Database::open(path, OpenMode::CreateNew, options).value();
  }
  static void fill(Database& db, std::size_t large_size = 0) {
    ASSERT_TRUE(ok(db.write([&](WriteTransaction& txn) -> Status {
      for (int i = 0; i < 5; ++i) {
        if (Status put = txn.put(std::string(kMarker) + std::to_string(i), kMarker); !put.is_ok()) return put;
      }
      return large_size == 0 ? Status{} : txn.put("large", std::string(large_size, 'x') + std::string(kMarker));
    })));
  }
  std::string exported(const Database& db, Plaintext plaintext = Plaintext::Refused) {
    (void)env_->remove(kExport);
    EXPECT_TRUE(ok(db.export_to(kExport, {}, plaintext)));
    return bytes_of(kExport);
  }
  std::string bytes_of(const std::string& path) {
    const std::unique_ptr<os::File> file = env_->open(path, os::OpenMode::ReadOnly).value();
    std::string bytes(file->size().value(), '\0');
    bytes.resize(file->read_at(0, bytes.data(), bytes.size()).value());
    return bytes;
  }
  Status import(Database& db, std::string_view bytes, const Secret& secret = {},
                Plaintext plaintext = Plaintext::Refused) {
    (void)env_->remove(kExport);
    const std::unique_ptr<os::File> file = env_->open(kExport, os::OpenMode::CreateNew).value();
    const os::IoSlice slice{bytes.data(), bytes.size()};
    EXPECT_TRUE(ok(file->write_at(0, {&slice, 1})));
    return db.import_from(kExport, ImportMode::Replace, {}, secret, plaintext).status();
  }

  // `damage` makes files out of `whole`; every one of them is refused, and nothing has changed.
  void expect_refused(Database& db, const std::string& whole,
                      const std::function<bool(std::uint64_t round, std::string& bytes)>& damage) {
    ASSERT_TRUE(ok(db.put("kept", "value")));
    const testing::Content before = content_of(db);
    const std::uint64_t commits = db.info()->commit_seq;
    for (std::uint64_t round = 0;; ++round) {
      std::string bytes = whole;
      if (!damage(round, bytes)) break;
      const Status status = import(db, bytes);
      ASSERT_EQ(status.code(), ErrorCode::ExportDamaged) << "round " << round << ": " << status.to_string();
    }
    EXPECT_EQ(db.info()->commit_seq, commits);
    EXPECT_TRUE(content_of(db) == before);
    EXPECT_TRUE(testing::verifies_clean(db));
    EXPECT_TRUE(ok(import(db, whole)));
  }

  std::unique_ptr<os::Env> env_ = os::make_memory_env();
};

TEST_F(SealedExport, opens_with_every_secret_of_the_database_and_no_other) {
  const NewRecoveryKey recovery = Secret::make_recovery_key().value();
  const Secret passphrase = Secret::passphrase("correct horse").value();
  for (const Cipher cipher : {Cipher::Aes256Gcm, Cipher::ChaCha20Poly1305}) {
    const std::string name = "/a" + std::to_string(static_cast<int>(cipher));
    Database db = create(name, raw('a'), cipher);
    fill(db, 200'000);
    const bool is_first = cipher == Cipher::Aes256Gcm;  // passphrases take their time
    ASSERT_TRUE(ok(db.add_key(recovery.secret)) && (!is_first || ok(db.add_key(passphrase))));
    const std::string bytes = exported(db);
    EXPECT_EQ(bytes.find(kMarker), std::string::npos);
    EXPECT_NE(exported(db), bytes) << "two exports have a key in common";
    Database other = create(name + "-other", raw('o'));
    EXPECT_TRUE(fails(import(other, bytes), ErrorCode::KeyRequired));
    for (const Secret& wrong : {raw('o'), Secret::make_recovery_key()->secret, Secret::passphrase("wrong").value()}) {
      EXPECT_TRUE(fails(import(other, bytes, wrong), ErrorCode::KeyMismatch));
    }
    for (const Secret& secret : {raw('a'), recovery.secret, passphrase}) {
      if (secret.same_as(passphrase) && !is_first) continue;
      ASSERT_TRUE(ok(other.put("gone", "1")));
      ASSERT_TRUE(ok(import(other, bytes, secret)));
      EXPECT_EQ(other.begin_read()->keyspaces()->size(), db.begin_read()->keyspaces()->size());
      EXPECT_EQ(other.get("large").value(), db.get("large").value());
      EXPECT_EQ(other.get("gone").value(), std::nullopt);
    }
    EXPECT_TRUE(ok(import(db, bytes))) << "its own database needs no secret";
    EXPECT_TRUE(testing::verifies_clean(other));
  }
}

TEST_F(SealedExport, becomes_plain_only_when_that_is_asked_for) {
  Database db = create("/a", raw('a'));
  fill(db);
  const std::string sealed = exported(db);
  const std::string plain = exported(db, Plaintext::Allowed);
  EXPECT_NE(plain.find(kMarker), std::string::npos);
  Database target = create("/plain", {});
  EXPECT_TRUE(fails(import(target, sealed, raw('a')), ErrorCode::PlaintextRefused));
  EXPECT_TRUE(fails(import(target, sealed, {}, Plaintext::Allowed), ErrorCode::KeyRequired));
  EXPECT_TRUE(ok(import(target, sealed, raw('a'), Plaintext::Allowed)));
  EXPECT_EQ(target.get(std::string(kMarker) + "1").value(), kMarker);
  EXPECT_TRUE(ok(import(target, plain))) << "a plain file into a plain database";
  EXPECT_TRUE(fails(import(db, plain, raw('a')), ErrorCode::NotEncrypted))
      << "a plain file in the place of a sealed one";
}

TEST_F(SealedExport, is_refused_when_cut_anywhere) {
  Database db = create("/a", raw('a'));
  fill(db);
  expect_refused(db, exported(db), [](std::uint64_t round, std::string& bytes) {
    if (round == bytes.size()) return false;
    bytes.resize(round);
    return true;
  });
}

TEST_F(SealedExport, is_refused_with_any_bit_flipped) {
  Database db = create("/a", raw('a'));
  fill(db);
  expect_refused(db, exported(db), [](std::uint64_t round, std::string& bytes) {
    if (round == bytes.size() * 8) return false;
    bytes[round / 8] = static_cast<char>(bytes[round / 8] ^ (1 << round % 8));
    return true;
  });
}

// By somebody who makes the checksum fit, too. A slot that was changed opens no more, which is no proof of anything.
TEST_F(SealedExport, is_refused_with_a_forged_header) {
  Database db = create("/a", raw('a')), other = create("/other", raw('o'));
  ASSERT_TRUE(ok(db.add_key(raw('b'))));
  fill(db);
  const std::string whole = exported(db);
  std::size_t found = 0;
  for (std::size_t at = offsetof(EnvelopeHeader, version); at < offsetof(EnvelopeHeader, checksum); ++at) {
    std::string forged = whole;
    forged[at] = static_cast<char>(forged[at] ^ 1);
    const Status status = import(other, with_right_checksum(std::move(forged)), raw('a'));
    const bool is_slot = at >= offsetof(EnvelopeHeader, keys) && at < offsetof(EnvelopeHeader, mac);
    const bool is_version = at < offsetof(EnvelopeHeader, cipher);
    if (status.code() == ErrorCode::ExportDamaged) {
      ++found;
    } else {
      const ErrorCode expected = is_version ? ErrorCode::ExportVersion : ErrorCode::KeyMismatch;
      ASSERT_TRUE(is_version || is_slot) << at;
      ASSERT_EQ(status.code(), expected) << at << ": " << status.to_string();
    }
  }
  EXPECT_GT(found, sizeof(crypto::KeyTable) * 9 / 10);
  EXPECT_EQ(other.get(std::string(kMarker) + "1").value(), std::nullopt);
}

TEST_F(SealedExport, is_refused_in_any_other_order_or_mixture_of_chunks) {
  Database db = create("/a", raw('a'));
  fill(db, 4 * 65'536);
  const std::string other = exported(db), whole = exported(db);
  const std::size_t chunks = (whole.size() - sizeof(EnvelopeHeader) + kSealed - 1) / kSealed;
  ASSERT_EQ(chunks, 5u);
  const auto chunk = [](const std::string& of, std::size_t number) {
    return of.substr(sizeof(EnvelopeHeader) + number * kSealed, kSealed);
  };
  std::vector<std::string> files;
  for (std::size_t i = 0; i < chunks; ++i) {
    const std::size_t at = sizeof(EnvelopeHeader) + i * kSealed;
    files.push_back(whole.substr(0, at));                                       // cut between chunks
    files.push_back(std::string(whole).replace(at, kSealed, chunk(other, i)));  // spliced
    files.push_back(std::string(whole).insert(at, chunk(whole, i)));            // repeated
    files.push_back(std::string(whole).erase(at, kSealed));                     // left out
    files.push_back(whole + chunk(whole, i));                                   // appended
    for (std::size_t j = 0; j < i; ++j) {                                       // exchanged
      std::string swapped = whole.substr(0, sizeof(EnvelopeHeader));
      for (std::size_t k = 0; k < chunks; ++k) swapped += chunk(whole, k == i ? j : k == j ? i : k);
      files.push_back(swapped);
    }
  }
  files.push_back(other.substr(0, sizeof(EnvelopeHeader)) + whole.substr(sizeof(EnvelopeHeader)));
  for (const std::size_t more : {1u, 15u, 16u, 17u}) files.push_back(whole + std::string(more, '\0'));
  expect_refused(db, whole, [&](std::uint64_t round, std::string& bytes) {
    if (round == files.size()) return false;
    bytes = files[round];
    return true;
  });
}

TEST_F(SealedExport, is_not_opened_by_a_removed_secret_put_back_into_it) {
  Database db = create("/a", raw('a'));
  ASSERT_TRUE(ok(db.add_key(raw('b'))));
  fill(db);
  const std::string old = exported(db);
  ASSERT_TRUE(ok(db.remove_key(1)));
  std::string forged = exported(db);
  Database other = create("/other", raw('o'));
  EXPECT_TRUE(fails(import(other, forged, raw('b')), ErrorCode::KeyMismatch));
  const std::size_t at = offsetof(EnvelopeHeader, keys);
  forged.replace(at, sizeof(crypto::KeyTable), old, at, sizeof(crypto::KeyTable));
  forged = with_right_checksum(std::move(forged));
  EXPECT_TRUE(fails(import(other, forged, raw('b')), ErrorCode::ExportDamaged));
  EXPECT_TRUE(fails(import(other, forged, raw('a')), ErrorCode::ExportDamaged));
  EXPECT_TRUE(ok(import(other, old, raw('b')))) << "what was made before stays unlockable";
}

TEST_F(SealedExport, of_a_newer_version_is_named_and_hostile_costs_are_refused) {
  Database db = create("/a", raw('a'));
  fill(db);
  const std::string whole = exported(db);
  std::string newer = whole, hostile = whole;
  base::store(newer.data() + offsetof(EnvelopeHeader, version), kEnvelopeVersion + 1);
  EXPECT_TRUE(fails(import(db, with_right_checksum(newer)), ErrorCode::ExportVersion));
  hostile[offsetof(EnvelopeHeader, keys) + offsetof(crypto::KeyTable, slots)] = 1;  // a passphrase, of all the memory
  base::store(hostile.data() + offsetof(EnvelopeHeader, keys) + offsetof(crypto::KeyTable, cost), ~std::uint32_t{0});
  EXPECT_TRUE(
      fails(import(db, with_right_checksum(hostile), Secret::passphrase("any").value()), ErrorCode::ExportDamaged));
}

}  // namespace
}  // namespace vitrine::kv
