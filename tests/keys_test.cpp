// SPDX-License-Identifier: MIT OR Apache-2.0
// Keys of encrypted databases under attack and across crashes: a removed slot that is put back, hostile costs, key
// changes that are cut off at any operation, and the nonces of millions of page writes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/codec.hpp"
#include "base/prng.hpp"
#include "format/checksum.hpp"
#include "format/meta.hpp"
#include "format/page.hpp"
#include "os/sim_crash.hpp"
#include "os/sim_env.hpp"
#include "tests/engine_testing.hpp"

namespace vitrine::testing {
namespace {

constexpr char kPath[] = "/d/secret.vtr";
constexpr std::size_t kTableAt = 176;  // in a block of the header

Secret raw(char letter) { return Secret::raw_key(std::string(32, letter)).value(); }

Options options_with(os::Env& env, const Secret& secret) {
  Options options = small_options(env);
  options.secret = secret;
  return options;
}

std::string content_of(os::Env& env, const std::string& path, std::uint64_t from = 0, std::uint64_t size = ~0ull) {
  const std::unique_ptr<os::File> file = env.open(path, os::OpenMode::ReadOnly).value();
  const std::uint64_t end = file->size().value();
  std::string bytes(std::min(size, end - std::min(from, end)), '\0');
  bytes.resize(file->read_at(from, bytes.data(), bytes.size()).value());
  return bytes;
}

void place(os::Env& env, const std::string& bytes) {
  const std::unique_ptr<os::File> file = env.open(kPath, os::OpenMode::ReadWrite).value();
  ASSERT_TRUE(file->resize(bytes.size()).is_ok());
  const os::IoSlice slice{bytes.data(), bytes.size()};
  ASSERT_TRUE(file->write_at(0, {&slice, 1}).is_ok());
}

std::string with_right_checksum(std::string block) {
  const format::Checksum sum = format::checksum(block.data(), 4080);
  std::memcpy(block.data() + 4080, &sum, sizeof sum);
  return block;
}

class Keys : public ::testing::Test {
 protected:
  // With two keys, a and b, and some content.
  void create() {
    Database db = Database::open(kPath, OpenMode::CreateNew, options_with(*env_, raw('a'))).value();
    ASSERT_EQ(db.add_key(raw('b')).value(), 1u);
    fill(db);
    ASSERT_TRUE(db.close().is_ok());
  }
  static void fill(Database& db) {
    for (int i = 0; i < 30; ++i) {
      ASSERT_TRUE(db.put("key " + std::to_string(i), random_bytes(static_cast<std::uint64_t>(i), 300)).is_ok());
    }
  }
  Result<Database> open(const Secret& secret, Access access = Access::ReadWrite) {
    Options options = options_with(*env_, secret);
    options.access = access;
    return Database::open(kPath, OpenMode::MustExist, options);
  }
  ErrorCode code_of_open(const Secret& secret) { return open(secret, Access::ReadOnly).status().code(); }

  // After a key change that crashed: the database opens, verifies, and has the keys of before or of after it.
  void expect_one_of_both(const Secret& before, const Secret& after, bool is_done, const std::string& image) {
    const auto opens = [&](const Secret& secret) {
      const ErrorCode code = code_of_open(secret);
      EXPECT_TRUE(code == ErrorCode::Ok || code == ErrorCode::KeyMismatch) << image;
      return code == ErrorCode::Ok;
    };
    const bool is_old = before ? opens(before) : !opens(after), is_new = after ? opens(after) : !opens(before);
    EXPECT_TRUE(is_done ? is_new && !is_old : is_new || is_old) << image;
    const Result<Database> db = open(raw('a'));
    EXPECT_TRUE(db.has_value() && verify_clean(*db).is_ok()) << image;
  }

  std::unique_ptr<os::SimEnv> env_ = os::SimEnv::create({.seed = test_seed()});
};

// Adding, removing and changing, each stopped at every operation.
TEST_F(Keys, a_crash_inside_a_key_change_leaves_the_old_keys_or_the_new_ones) {
  struct Change {
    std::function<Status(Database&)> run;
    Secret before, after;  // what opens only before and only after it, if anything
  };
  const Change changes[] = {
      {[](Database& db) { return db.add_key(raw('c')).status(); }, {}, raw('c')},
      {[](Database& db) { return db.remove_key(1); }, raw('b'), {}},
      {[](Database& db) { return db.replace_key(1, raw('c')); }, raw('b'), raw('c')},
  };
  create();
  const auto start = os::SimCrash(*env_).image_with_all().make_env();
  for (const Change& change : changes) {
    bool is_done = false;
    std::uint64_t step = 1;
    for (; !is_done && !HasFailure(); ++step) {
      env_ = os::SimCrash(*start).image_with_all().make_env();
      {
        Database db = open(raw('a')).value();
        env_->stop_before(env_->operations() + step);
        is_done = change.run(db).is_ok();
        env_->stop();
      }
      const std::unique_ptr<os::SimEnv> stopped = std::move(env_);
      os::SimCrash(*stopped).for_each_image({.random_images = 4}, [&](const os::SimImage& image) {
        env_ = image.make_env();
        expect_one_of_both(change.before, change.after, is_done, image.describe());
        return !HasFailure();
      });
    }
    EXPECT_GT(step, 4u) << "both header slots are written and synced";
  }
}

// The slot alone, in any of the header's blocks. Where a block is left whole the owner opens, and who writes the header
// anew must not prove the slot along with it.
TEST_F(Keys, a_removed_slot_is_not_proven_by_whoever_writes_the_header_next) {
  create();
  constexpr std::size_t kSlot = kTableAt + offsetof(crypto::KeyTable, slots) + sizeof(crypto::KeySlot);
  const std::string removed = content_of(*env_, kPath).substr(kSlot, sizeof(crypto::KeySlot));
  {
    Database db = open(raw('a')).value();
    ASSERT_TRUE(db.remove_key(1).is_ok());
    fill(db);
  }
  const std::string whole = content_of(*env_, kPath);
  for (unsigned spliced = 1; spliced < 1u << format::kMetaBlockCount && !HasFailure(); ++spliced) {
    std::string forged = whole;
    for (std::size_t block = 0; block < format::kMetaBlockCount; ++block) {
      if ((spliced >> block & 1) == 0) continue;
      std::string bytes = forged.substr(block * 4096, 4096);
      bytes.replace(kSlot, removed.size(), removed);
      forged.replace(block * 4096, 4096, with_right_checksum(bytes));
    }
    place(*env_, forged);
    EXPECT_NE(code_of_open(raw('b')), ErrorCode::Ok) << spliced;
    if (Result<Database> db = open(raw('a')); db.has_value()) {
      EXPECT_TRUE(db->put("late", "1").is_ok() && db->checkpoint().is_ok() && db->checkpoint().is_ok());
      EXPECT_TRUE(db->close().is_ok());
    }
    EXPECT_NE(code_of_open(raw('b')), ErrorCode::Ok) << spliced << ", written anew";
  }
}

// In every block, with a right checksum: an opener must not spend what a stranger says.
TEST_F(Keys, a_header_with_hostile_costs_is_refused_before_they_are_paid) {
  create();
  const std::string whole = content_of(*env_, kPath);
  constexpr std::uint32_t any = ~std::uint32_t{0};
  constexpr std::uint32_t kHostile[][3] = {{0, 0, 0},      {19'455, 2, 1},   {1'048'577, 2, 1}, {any, 2, 1},
                                           {65'536, 1, 1}, {65'536, 33, 1},  {65'536, any, 1},  {65'536, 3, 0},
                                           {65'536, 3, 9}, {65'536, 3, any}, {1'048'576, 5, 1}, {any, any, any}};
  for (const auto& [memory, passes, lanes] : kHostile) {
    std::string forged = whole;
    for (std::size_t block = 0; block < format::kMetaBlockCount; ++block) {
      std::string bytes = forged.substr(block * 4096, 4096);
      base::store(bytes.data() + kTableAt + 16, memory);
      base::store(bytes.data() + kTableAt + 20, passes);
      base::store(bytes.data() + kTableAt + 24, lanes);
      bytes[kTableAt + offsetof(crypto::KeyTable, slots)] = 1;  // a passphrase, so that somebody would have to pay
      forged.replace(block * 4096, 4096, with_right_checksum(bytes));
    }
    place(*env_, forged);
    EXPECT_EQ(code_of_open(Secret::passphrase("any").value()), ErrorCode::HeaderDamaged) << memory << ' ' << passes;
    EXPECT_EQ(content_of(*env_, kPath), forged);
  }
}

// --- Nonces ----------------------------------------------------------------------------------------------------------

// What was sealed under each nonce that the files ever showed. Counters of pages begin at 0 in every session, so a row
// of tags for each salt holds ten million of them.
class NonceLedger {
 public:
  // Sees every page before another is written over it.
  void watch(os::SimEnv& env) {
    env.hooks().on_write = [this, &env](const os::SimWrite& write) {
      if (write.path != kPath || write.offset < format::kMetaAreaSize) return;
      const Result<std::unique_ptr<os::File>> file = env.open(kPath, os::OpenMode::ReadOnly);
      if (!file.has_value()) return;  // stopped
      std::string bytes(write.size, '\0');
      const Result<std::size_t> got = (*file)->read_at(write.offset, bytes.data(), bytes.size());
      if (got.has_value()) look_at_pages(write.offset, bytes.substr(0, *got));
    };
  }
  void look_at(os::Env& env) { look_at_pages(format::kMetaAreaSize, content_of(env, kPath, format::kMetaAreaSize)); }
  std::uint64_t pages() const { return pages_; }
  std::uint64_t repeated() const { return repeated_; }

 private:
  // The inside of an extent, which is sealed as one, has no header of its own.
  void look_at_pages(std::uint64_t offset, const std::string& pages) {
    for (std::size_t at = 0; at + 4096 <= pages.size(); at += 4096) {
      const auto header = base::load<format::PageHeader>(pages.data() + at);
      const auto trailer = base::load<format::PageTrailer>(pages.data() + at + 4096 - format::kPageTrailerSize);
      const bool is_page = header.page == (offset + at) / 4096 && header.generation != format::Generation{};
      if (!is_page || pages[at] == 3 || pages[at] == 4) continue;  // an extent has its trailer at its end
      std::vector<std::uint64_t>& tags = pages_by_salt_[{trailer.salt[0], trailer.salt[1]}];
      if (tags.size() <= trailer.counter) tags.resize(trailer.counter + 1);
      std::uint64_t& tag = tags[trailer.counter];
      if (tag == 0) ++pages_;
      if (tag != 0 && tag != trailer.tag_low) ++repeated_;
      tag = trailer.tag_low;
    }
  }

  std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<std::uint64_t>> pages_by_salt_;
  std::uint64_t pages_ = 0, repeated_ = 0;
};

// Ten million at large scale. Each session writes its share of pages, and is then stopped somewhere in the next ones.
TEST_F(Keys, no_nonce_is_used_twice_in_millions_of_page_writes_across_crashes) {
  const std::uint64_t crashes = scaled(10, 50, 1000), wanted = scaled(2'000, 20'000, 10'000'000);
  NonceLedger ledger;
  create();
  base::Prng random(test_seed());
  for (std::uint64_t i = 1; i <= crashes && !HasFailure(); ++i) {
    ledger.watch(*env_);
    {
      Options options = options_with(*env_, raw('a'));
      options.durability = Durability::None;
      options.cache_size = 16u << 20;
      Result<Database> db = Database::open(kPath, OpenMode::MustExist, options);
      ASSERT_TRUE(db.has_value()) << db.status().to_string();
      while (!env_->is_stopped()) {
        if (ledger.pages() >= wanted * i / crashes) env_->stop_before(env_->operations() + 1 + random.below(400));
        (void)db->write([&](WriteTransaction& txn) -> Status {
          Status status;
          for (int n = 0; n < 200 && status.is_ok(); ++n) {
            status = txn.put("key " + std::to_string(random.below(2000)), std::string(500, 'x'));
          }
          return status;
        });
        (void)db->checkpoint();
      }
    }
    env_->hooks().on_write = nullptr;
    env_ = os::SimCrash(*env_).image_with_all().make_env();
    ledger.look_at(*env_);
  }
  std::printf("%llu page writes, %llu crashes\n", static_cast<unsigned long long>(ledger.pages()),
              static_cast<unsigned long long>(crashes));
  EXPECT_GE(ledger.pages(), wanted);
  EXPECT_EQ(ledger.repeated(), 0u);
  EXPECT_TRUE(verify_clean(open(raw('a')).value()).is_ok());
}

}  // namespace
}  // namespace vitrine::testing
