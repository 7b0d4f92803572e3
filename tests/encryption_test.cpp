// SPDX-License-Identifier: MIT OR Apache-2.0
// Encrypted databases from outside: who can open them, what their files give away, what comes of forged headers, and
// that no key meets the same nonce twice.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/codec.hpp"
#include "base/prng.hpp"
#include "engine/file_keys.hpp"
#include "format/checksum.hpp"
#include "format/log.hpp"
#include "format/meta.hpp"
#include "os/sim_crash.hpp"
#include "os/sim_env.hpp"
#include "tests/engine_testing.hpp"

namespace vitrine::testing {
namespace {

constexpr char kPath[] = "/d/secret.vtr";
constexpr char kLogPath[] = "/d/secret.vtr-wal";
constexpr std::string_view kMarker = "MARKER-that-must-not-be-seen";

Secret raw(char letter) { return Secret::raw_key(std::string(32, letter)).value(); }

Options options_with(os::Env& env, const Secret& secret) {
  Options options = small_options(env);
  options.secret = secret;
  return options;
}

std::string content_of(os::Env& env, const std::string& path) {
  const std::unique_ptr<os::File> file = env.open(path, os::OpenMode::ReadOnly).value();
  std::string bytes(file->size().value(), '\0');
  bytes.resize(file->read_at(0, bytes.data(), bytes.size()).value());
  return bytes;
}

void place(os::Env& env, const std::string& path, const std::string& bytes) {
  const std::unique_ptr<os::File> file = env.open(path, os::OpenMode::ReadWrite).value();
  ASSERT_TRUE(file->resize(bytes.size()).is_ok());
  const os::IoSlice slice{bytes.data(), bytes.size()};
  ASSERT_TRUE(file->write_at(0, {&slice, 1}).is_ok());
}

class Encryption : public ::testing::Test {
 protected:
  Database create(const Secret& secret = raw('a')) {
    return Database::open(kPath, OpenMode::CreateNew, options_with(*env_, secret)).value();
  }
  Result<Database> open(const Secret& secret, Access access = Access::ReadWrite) {
    Options options = options_with(*env_, secret);
    options.access = access;
    return Database::open(kPath, OpenMode::MustExist, options);
  }
  ErrorCode code_of_open(const Secret& secret, Access access = Access::ReadWrite) {
    return open(secret, access).status().code();
  }
  // Small and large values, all with the marker.
  static void fill(Database& db, int rounds = 3) {
    for (int round = 0; round < rounds; ++round) {
      ASSERT_TRUE(db.write([&](WriteTransaction& txn) -> Status {
                      for (int i = 0; i < 60; ++i) {
                        std::string value = std::string(kMarker) + random_bytes(static_cast<std::uint64_t>(i), 90);
                        if (i % 20 == 0) value += random_bytes(7, 30'000) + std::string(kMarker);
                        if (Status status = txn.put(std::string(kMarker) + std::to_string(i), value); !status.is_ok()) {
                          return status;
                        }
                      }
                      return {};
                    }).is_ok());
    }
  }
  void expect_hidden(const std::string& what) {
    for (const std::string& name : env_->names()) {
      const std::string bytes = content_of(*env_, name);
      EXPECT_EQ(bytes.find(what), std::string::npos) << name;
    }
  }

  std::unique_ptr<os::SimEnv> env_ = os::SimEnv::create({.seed = test_seed()});
};

TEST_F(Encryption, opens_with_each_of_its_secrets_and_no_other) {
  const NewRecoveryKey recovery = Secret::make_recovery_key().value();
  const Secret passphrase = Secret::passphrase("correct horse").value();
  {
    Database db = create(passphrase);
    fill(db);
    EXPECT_EQ(db.add_key(recovery.secret).value(), 1u);
    EXPECT_EQ(db.add_key(raw('r')).value(), 2u);
    EXPECT_EQ(db.keys().value().size(), 3u);
    ASSERT_TRUE(db.close().is_ok());
  }
  std::uint32_t slot = 0;
  for (const Secret& secret : {passphrase, recovery.secret, raw('r')}) {
    for (const Access access : {Access::ReadWrite, Access::ReadOnly}) {
      const Result<Database> db = open(secret, access);
      ASSERT_TRUE(db.has_value()) << db.status().to_string();
      EXPECT_EQ(db->info()->unlocked_slot, slot);
      EXPECT_FALSE(db->info()->cipher.empty());
      EXPECT_TRUE(verify_clean(*db).is_ok());
      EXPECT_EQ(db->get(std::string(kMarker) + "1").value()->substr(0, kMarker.size()), kMarker);
    }
    ++slot;
  }
  EXPECT_EQ(code_of_open(Secret::passphrase("wrong horse").value()), ErrorCode::KeyMismatch);
  EXPECT_EQ(code_of_open(Secret::make_recovery_key().value().secret), ErrorCode::KeyMismatch);
  EXPECT_EQ(code_of_open({}), ErrorCode::KeyRequired);
}

TEST_F(Encryption, a_wrong_key_changes_no_byte) {
  {
    Database db = create();
    fill(db);
    env_->stop();  // leaves the log
  }
  env_ = os::SimCrash(*env_).image_with_none().make_env();
  const std::string data = content_of(*env_, kPath), log = content_of(*env_, kLogPath);
  base::Prng random(test_seed());
  for (int i = 0; i < 1000; ++i) {
    std::string key(32, '\0');
    for (char& letter : key) letter = static_cast<char>(random.next());
    const Access access = i % 2 == 0 ? Access::ReadWrite : Access::ReadOnly;
    ASSERT_EQ(code_of_open(Secret::raw_key(key).value(), access), ErrorCode::KeyMismatch);
  }
  EXPECT_EQ(code_of_open({}), ErrorCode::KeyRequired);
  EXPECT_EQ(content_of(*env_, kPath), data);
  EXPECT_EQ(content_of(*env_, kLogPath), log);
  EXPECT_EQ(code_of_open(raw('a')), ErrorCode::Ok);
}

TEST_F(Encryption, a_plain_database_is_refused_to_somebody_with_a_secret) {
  { const Database db = Database::open(kPath, OpenMode::CreateNew, small_options(*env_)).value(); }
  EXPECT_EQ(code_of_open(raw('a')), ErrorCode::NotEncrypted);
  EXPECT_EQ(code_of_open(raw('a'), Access::ReadOnly), ErrorCode::NotEncrypted);
  Database db = open({}).value();
  EXPECT_EQ(db.add_key(raw('a')).status().code(), ErrorCode::NotEncrypted);
  EXPECT_TRUE(db.keys().value().empty());
}

TEST_F(Encryption, no_file_shows_content_or_key_at_any_time) {
  Database db = create();
  for (int round = 0; round < 4; ++round) {
    fill(db, 1);
    expect_hidden(std::string(kMarker));
    expect_hidden(std::string(32, 'a'));
    if (round == 1) {
      ASSERT_TRUE(db.checkpoint().is_ok());
    }
    if (round == 2) {
      ASSERT_TRUE(db.backup("/d/copy.vtr").has_value());
    }
  }
  const Database reader = open(raw('a'), Access::ReadOnly).value();
  EXPECT_TRUE(reader.get(std::string(kMarker) + "1").value().has_value());
  ASSERT_TRUE(db.close().is_ok());
  expect_hidden(std::string(kMarker));
}

TEST_F(Encryption, a_backup_opens_with_the_same_secrets_and_plaintext_must_be_asked_for) {
  Database db = create();
  fill(db);
  ASSERT_TRUE(db.backup("/d/copy.vtr").has_value());
  ASSERT_TRUE(db.export_to("/d/export").has_value());
  EXPECT_EQ(content_of(*env_, "/d/export").find(kMarker), std::string::npos);
  ASSERT_TRUE(db.export_to("/d/plain export", {}, Plaintext::Allowed).has_value());
  EXPECT_NE(content_of(*env_, "/d/plain export").find(kMarker), std::string::npos);
  ASSERT_TRUE(db.backup("/d/plain.vtr", {}, Plaintext::Allowed).has_value());
  const std::uint64_t hash = hash_of(db).value();
  const auto opened = [&](const std::string& path, const Secret& secret) {
    return Database::open(path, OpenMode::MustExist, options_with(*env_, secret));
  };
  EXPECT_EQ(opened("/d/copy.vtr", {}).status().code(), ErrorCode::KeyRequired);
  EXPECT_EQ(hash_of(opened("/d/copy.vtr", raw('a')).value()).value(), hash);
  EXPECT_EQ(hash_of(opened("/d/plain.vtr", {}).value()).value(), hash);
  EXPECT_NE(content_of(*env_, "/d/plain.vtr").find(kMarker), std::string::npos);
}

TEST_F(Encryption, readers_follow_a_writer_and_keep_their_keys) {
  Database db = create();
  Database reader = open(raw('a'), Access::ReadOnly).value();
  fill(db);
  EXPECT_TRUE(reader.refresh().value());
  ASSERT_TRUE(db.checkpoint().is_ok());
  ASSERT_TRUE(db.put("late", "1").is_ok());
  EXPECT_TRUE(reader.refresh().value());
  EXPECT_EQ(hash_of(reader).value(), hash_of(db).value());
}

TEST_F(Encryption, keys_are_changed_one_by_one_and_the_last_stays) {
  {
    Database db = create();
    fill(db);
    EXPECT_EQ(db.remove_key(0).code(), ErrorCode::KeySlotLast);
    EXPECT_EQ(db.add_key({}).status().code(), ErrorCode::SecretInvalid);
    ASSERT_EQ(db.add_key(raw('b')).value(), 1u);
    ASSERT_TRUE(db.remove_key(0).is_ok());
    EXPECT_EQ(db.remove_key(0).code(), ErrorCode::KeySlotNotFound);
    EXPECT_EQ(db.replace_key(0, raw('c')).code(), ErrorCode::KeySlotNotFound);
    ASSERT_TRUE(db.replace_key(1, raw('c')).is_ok());
    fill(db);
    ASSERT_TRUE(db.close().is_ok());
  }
  EXPECT_EQ(code_of_open(raw('a')), ErrorCode::KeyMismatch);
  EXPECT_EQ(code_of_open(raw('b')), ErrorCode::KeyMismatch);
  EXPECT_TRUE(verify_clean(open(raw('c')).value()).is_ok());
}

// --- The file written anew -------------------------------------------------------------------------------------------

TEST_F(Encryption, a_database_is_encrypted_rotated_and_decrypted_in_its_place) {
  CommitToken token;
  std::uint64_t hash = 0;
  {
    Database db = Database::open(kPath, OpenMode::CreateNew, small_options(*env_)).value();
    fill(db);
    hash = hash_of(db).value();
    token = CommitToken::parse(db.info()->commit_token).value();
    ASSERT_TRUE(db.encrypt(raw('a')).has_value());
    EXPECT_EQ(db.put("late", "1").code(), ErrorCode::Misuse);
  }
  expect_hidden(std::string(kMarker));
  EXPECT_EQ(env_->names().size(), 1u);
  EXPECT_EQ(code_of_open({}), ErrorCode::KeyRequired);
  {
    Database db = open(raw('a')).value();
    EXPECT_EQ(hash_of(db).value(), hash);
    ASSERT_TRUE(db.add_key(raw('b')).has_value());
    ASSERT_TRUE(db.encrypt(raw('a'), Cipher::ChaCha20Poly1305).has_value());
  }
  EXPECT_EQ(code_of_open(raw('b')), ErrorCode::KeyMismatch);
  {
    Database db = open(raw('a')).value();
    EXPECT_EQ(hash_of(db).value(), hash);
    EXPECT_EQ(db.info()->cipher, "ChaCha20-Poly1305");
    EXPECT_TRUE(verify_clean(db).is_ok());
    ASSERT_TRUE(db.decrypt().has_value());
  }
  Options options = small_options(*env_);
  options.min_commit = token;
  const Database db = Database::open(kPath, OpenMode::MustExist, options).value();
  EXPECT_EQ(hash_of(db).value(), hash);
  EXPECT_TRUE(verify_clean(db).is_ok());
}

TEST_F(Encryption, nobody_may_read_a_database_that_is_written_anew) {
  Database db = create();
  {
    const Database reader = open(raw('a'), Access::ReadOnly).value();
    EXPECT_EQ(db.encrypt(raw('b')).status().code(), ErrorCode::FileLocked);
    EXPECT_TRUE(db.put("still", "open").is_ok());
  }
  EXPECT_EQ(db.encrypt({}).status().code(), ErrorCode::SecretInvalid);
  ASSERT_TRUE(db.encrypt(raw('b')).has_value());
  EXPECT_EQ(code_of_open(raw('a')), ErrorCode::KeyMismatch);
  EXPECT_EQ(code_of_open(raw('b')), ErrorCode::Ok);
}

// Stops the machine at every operation of an encryption in place.
TEST_F(Encryption, a_crash_while_a_file_is_written_anew_leaves_the_old_file_or_the_new_one) {
  {
    Database db = create();
    fill(db, 1);
  }
  const std::uint64_t hash = hash_of(open(raw('a')).value()).value();
  const auto before = os::SimCrash(*env_).image_with_all().make_env();
  std::uint64_t old_files = 0, new_files = 0;
  for (std::uint64_t step = 1; !HasFailure(); step += scaled(7, 1, 1)) {
    env_ = os::SimCrash(*before).image_with_all().make_env();
    bool is_done = false;
    {
      Database db = open(raw('a')).value();
      env_->stop_before(env_->operations() + step);
      is_done = db.encrypt(raw('b')).has_value();
      env_->stop();
    }
    const std::unique_ptr<os::SimEnv> stopped = std::move(env_);
    os::SimCrash(*stopped).for_each_image({.random_images = 2}, [&](const os::SimImage& image) {
      env_ = image.make_env();
      const bool is_new = code_of_open(raw('a'), Access::ReadOnly) == ErrorCode::KeyMismatch;
      (is_new ? new_files : old_files) += 1;
      EXPECT_TRUE(is_new || !is_done) << image.describe();
      const Result<Database> db = open(raw(is_new ? 'b' : 'a'));
      EXPECT_TRUE(db.has_value() && verify_clean(*db).is_ok() && hash_of(*db).value() == hash) << image.describe();
      return !HasFailure();
    });
    if (is_done) break;
  }
  EXPECT_GT(old_files, 0u);
  EXPECT_GT(new_files, 0u);
}

std::string with_right_checksum(std::string block) {
  const format::Checksum sum = format::checksum(block.data(), 4080);
  std::memcpy(block.data() + 4080, &sum, sizeof sum);
  return block;
}

TEST_F(Encryption, a_removed_key_put_back_into_the_header_opens_nothing) {
  {
    Database db = create();
    ASSERT_TRUE(db.add_key(raw('b')).has_value());
  }
  const std::string old = content_of(*env_, kPath);
  {
    Database db = open(raw('a')).value();
    ASSERT_TRUE(db.remove_key(1).is_ok());
    fill(db);
  }
  std::string forged = content_of(*env_, kPath);
  for (std::size_t block = 0; block < format::kMetaBlockCount; ++block) {
    std::string bytes = forged.substr(block * 4096, 4096);
    bytes.replace(176, sizeof(crypto::KeyTable), old.substr(block * 4096 + 176, sizeof(crypto::KeyTable)));
    forged.replace(block * 4096, 4096, with_right_checksum(bytes));
  }
  place(*env_, kPath, forged);
  EXPECT_EQ(code_of_open(raw('b')), ErrorCode::HeaderDamaged);
  EXPECT_EQ(code_of_open(raw('a')), ErrorCode::HeaderDamaged);
}

TEST_F(Encryption, a_header_stripped_of_its_encryption_is_refused) {
  {
    Database db = create();
    fill(db);
  }
  std::string forged = content_of(*env_, kPath);
  for (std::size_t block = 0; block < format::kMetaBlockCount; ++block) {
    std::string bytes = forged.substr(block * 4096, 4096);
    std::memset(bytes.data() + 12, 0, 4);
    std::memset(bytes.data() + 168, 0, 4072 - 168);
    forged.replace(block * 4096, 4096, with_right_checksum(bytes));
  }
  place(*env_, kPath, forged);
  EXPECT_EQ(code_of_open(raw('a')), ErrorCode::NotEncrypted);
  const Result<Database> db = open({}, Access::ReadOnly);
  EXPECT_FALSE(db.has_value() && verify_clean(*db).is_ok());
}

// --- Rotation --------------------------------------------------------------------------------------------------------

// Every piece of old content that still stands somewhere in `now`.
std::uint64_t pieces_left(const std::string& old, const std::string& now) {
  constexpr std::size_t kPiece = 64;
  std::set<std::string_view> pieces;
  for (std::size_t at = format::kMetaAreaSize; at + kPiece <= old.size(); at += kPiece) {
    const std::string_view piece = std::string_view(old).substr(at, kPiece);
    if (piece.find_first_not_of('\0') != std::string_view::npos) pieces.insert(piece);
  }
  std::uint64_t left = 0;
  for (std::size_t at = format::kMetaAreaSize; at + kPiece <= now.size(); at += kPiece) {
    left += pieces.contains(std::string_view(now).substr(at, kPiece)) ? 1 : 0;
  }
  return left;
}

TEST_F(Encryption, a_rotation_leaves_nothing_that_an_old_copy_and_its_secrets_open) {
  std::uint64_t hash = 0;
  {
    Database db = create();
    fill(db);
    ASSERT_TRUE(db.add_key(raw('b')).has_value());
    hash = hash_of(db).value();
  }
  const std::string old = content_of(*env_, kPath);
  {
    Database db = open(raw('a')).value();
    ASSERT_TRUE(db.remove_key(1).is_ok());
    ASSERT_TRUE(db.put("late", "1").is_ok() && db.erase("late").value());
    const RotateReport report = db.rotate_keys(raw('c')).value();
    EXPECT_EQ(report.key_epoch, 2u);
    EXPECT_FALSE(report.resumed);
    EXPECT_GT(report.pages_rewritten, 20u);
    EXPECT_GT(report.pages_wiped, 0u);
    EXPECT_EQ(report.pages_in_use, 0u);
    EXPECT_EQ(db.info()->key_epoch, 2u);
    EXPECT_EQ(db.keys()->size(), 1u);
    EXPECT_TRUE(verify_clean(db).is_ok());
  }
  EXPECT_EQ(env_->names().size(), 1u);
  for (const char other : {'a', 'b'}) EXPECT_EQ(code_of_open(raw(other)), ErrorCode::KeyMismatch);
  EXPECT_EQ(hash_of(open(raw('c'), Access::ReadOnly).value()).value(), hash);
  const std::string now = content_of(*env_, kPath);
  EXPECT_EQ(pieces_left(old, now), 0u);
  for (std::size_t at = format::kMetaAreaSize; at + 4096 <= now.size(); at += 4096) {
    const auto header = base::load<format::PageHeader>(now.data() + at);
    const bool has_header = header.page == at / 4096 && header.session != 0;
    EXPECT_TRUE(!has_header || header.key_epoch == 2u) << at;
  }
  // The header of the old copy, and one that whoever had the old master key can make for the new pages.
  const std::span<const std::byte> area = std::as_bytes(std::span(old)).first(format::kMetaAreaSize);
  const engine::FileKeys old_keys = engine::unlock(area, raw('b')).value();
  const format::Meta old_meta = format::choose_meta(area).value().meta;
  format::Meta forged_meta =
      format::choose_meta(std::as_bytes(std::span(now)).first(format::kMetaAreaSize)).value().meta;
  forged_meta.keys = old_meta.keys;
  forged_meta.key_epoch = old_meta.key_epoch;
  std::string forged = now;
  for (unsigned copy = 0; copy < 2; ++copy) {
    const format::MetaBlock block = format::seal_meta(forged_meta, copy, old_keys.ring.get()).value();
    const std::size_t at = (format::meta_slot(forged_meta.checkpoint) * 2 + copy) * block.size();
    forged.replace(at, block.size(), reinterpret_cast<const char*>(block.data()), block.size());
  }
  for (const std::string& header : {forged, old}) {
    std::string mixed = now;
    mixed.replace(0, format::kMetaAreaSize, header.substr(0, format::kMetaAreaSize));
    place(*env_, kPath, mixed);
    EXPECT_NE(code_of_open(raw('b')), ErrorCode::Ok);
    const Result<Database> db = open(raw('b'), Access::ReadOnly);
    EXPECT_FALSE(db.has_value() && verify_clean(*db).is_ok());
  }
}

TEST_F(Encryption, a_rotation_that_was_stopped_goes_on_and_keeps_old_keys_out_from_its_beginning) {
  {
    Database db = create();
    fill(db);
    ASSERT_TRUE(db.add_key(raw('b')).has_value());
    const Secret wanted = raw('c');
    std::uint64_t calls = 0;
    EXPECT_EQ(db.rotate_keys(wanted, [&](const Progress&) { return ++calls < 3; }).status().code(),
              ErrorCode::Cancelled);
    EXPECT_TRUE(db.info()->rotating);
    EXPECT_EQ(db.rotate_keys(raw('d')).status().code(), ErrorCode::KeyMismatch);
    ASSERT_TRUE(db.put("between", "1").is_ok());
    EXPECT_TRUE(verify_clean(db).is_ok());
    EXPECT_EQ(db.add_key(raw('e')).value(), 2u);  // slot 1 holds the key of before
    EXPECT_EQ(db.keys()->size(), 2u);
    EXPECT_EQ(db.remove_key(1).code(), ErrorCode::KeySlotNotFound);
    EXPECT_EQ(db.replace_key(1, raw('f')).code(), ErrorCode::KeySlotNotFound);
    env_->stop();
  }
  env_ = os::SimCrash(*env_).image_with_none().make_env();
  for (const char other : {'a', 'b'}) EXPECT_EQ(code_of_open(raw(other)), ErrorCode::KeyMismatch);
  {
    const Database reader = open(raw('e'), Access::ReadOnly).value();
    EXPECT_TRUE(reader.info()->rotating);
    EXPECT_EQ(reader.get("between").value(), "1");
    EXPECT_TRUE(verify_clean(reader).is_ok());
  }
  Database db = open(raw('c')).value();
  EXPECT_TRUE(verify_clean(db).is_ok());
  ASSERT_TRUE(db.backup("/d/copy.vtr").has_value());
  const RotateReport report = db.rotate_keys(raw('c')).value();
  EXPECT_TRUE(report.resumed);
  EXPECT_EQ(report.key_epoch, 2u);
  EXPECT_FALSE(db.info()->rotating);
  EXPECT_TRUE(verify_clean(db).is_ok());
  const Database copy = Database::open("/d/copy.vtr", OpenMode::MustExist, options_with(*env_, raw('e'))).value();
  EXPECT_FALSE(copy.info()->rotating);
  EXPECT_EQ(hash_of(copy).value(), hash_of(db).value());
}

TEST_F(Encryption, snapshots_and_readers_outlive_a_rotation) {
  Database db = create();
  fill(db, 1);
  const std::uint64_t hash = hash_of(db).value();
  Database reader = open(raw('a'), Access::ReadOnly).value();
  {
    const ReadTransaction snapshot = db.begin_read().value();
    for (std::uint32_t epoch = 2; epoch < 4; ++epoch) {
      const RotateReport report = db.rotate_keys(raw('a'), [&](const Progress&) {
                                      return db.put("between", random_bytes(1, 3000)).is_ok();
                                    }).value();
      EXPECT_EQ(report.key_epoch, epoch);
      EXPECT_GT(report.pages_in_use, 0u);  // by the snapshot and the reader
    }
    EXPECT_EQ(hash_of(snapshot).value(), hash);
  }
  EXPECT_EQ(hash_of(reader).value(), hash);
  EXPECT_EQ(reader.refresh().status().code(), ErrorCode::KeyMismatch);
  EXPECT_EQ(hash_of(reader).value(), hash);
  const Result<VerifyReport> report = reader.verify(VerifyLevel::Full);
  ASSERT_TRUE(report.has_value() && report->findings.size() == 1);
  EXPECT_EQ(report->findings[0].severity, FindingSeverity::Incomplete);
  reader = open(raw('a'), Access::ReadOnly).value();
  EXPECT_EQ(hash_of(reader).value(), hash_of(db).value());
  EXPECT_TRUE(verify_clean(db).is_ok());
}

// --- Nonces ----------------------------------------------------------------------------------------------------------

// Of every page and frame that the files ever showed: key and nonce, and what was sealed with them.
class NonceLedger {
 public:
  void look_at(os::Env& env) {
    const std::string data = content_of(env, kPath);
    for (std::size_t at = format::kMetaAreaSize; at + 4096 <= data.size(); at += 4096)
      look_at_page(data.substr(at, 4096));
    if (!env.exists(kLogPath).value()) return;
    const std::string log = content_of(env, kLogPath);
    for (std::size_t at = 8192; at + 80 <= log.size(); at += 8) {
      if (const auto lsn = format::peek_frame(std::as_bytes(std::span(log)).subspan(at))) {
        note("log " + log.substr(at + 64, 16) + std::to_string(*lsn), log.substr(at + 48, 16));
      }
    }
  }
  std::size_t size() const { return seen_.size(); }
  std::size_t repeated() const { return repeated_; }

 private:
  void look_at_page(const std::string& page) {
    const auto trailer = base::load<format::PageTrailer>(page.data() + 4096 - format::kPageTrailerSize);
    const bool is_unused = trailer.tag_low == 0 && trailer.tag_high == 0;
    if (is_unused || page[0] == 3 || page[0] == 4) return;  // an extent has its trailer at its end
    note("page " + page.substr(4096 - 24, 24), page.substr(4096 - 40, 16));
  }
  void note(const std::string& nonce, const std::string& tag) {
    const auto [place, is_new] = seen_.emplace(nonce, tag);
    if (!is_new && place->second != tag) ++repeated_;
  }

  std::map<std::string, std::string> seen_;
  std::size_t repeated_ = 0;
};

TEST_F(Encryption, no_nonce_is_used_twice_across_crashes_and_written_copies) {
  NonceLedger ledger;
  {
    Database db = create();
    fill(db, 1);
  }
  base::Prng random(test_seed());
  const std::uint64_t crashes = scaled(20, 200, 1000);
  for (std::uint64_t i = 0; i < crashes && !HasFailure(); ++i) {
    const auto live = [&](os::SimEnv& env) {
      Result<Database> db = Database::open(kPath, OpenMode::MustExist, options_with(env, raw('a')));
      ASSERT_TRUE(db.has_value()) << db.status().to_string();
      env.stop_before(env.operations() + 1 + random.next() % 60);
      for (std::uint64_t n = 0; !env.is_stopped() && n < 8; ++n) {
        (void)db->put("key " + std::to_string(random.next() % 50), random_bytes(n, 200));
        if (n % 4 == 3) (void)db->checkpoint();
        if (i % 4 == 1 && n == 2) (void)db->rotate_keys(raw('a'));
      }
      env.stop();
    };
    // Two copies of one state live on apart; the first is what goes on.
    const auto copy = os::SimCrash(*env_).image_with_all().make_env();
    live(*env_);
    live(*copy);
    ledger.look_at(*os::SimCrash(*copy).image_with_all().make_env());
    env_ = os::SimCrash(*env_).image_with_all().make_env();
    ledger.look_at(*env_);
  }
  EXPECT_GT(ledger.size(), crashes);
  EXPECT_EQ(ledger.repeated(), 0u);
}

}  // namespace
}  // namespace vitrine::testing
