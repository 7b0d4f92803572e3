// SPDX-License-Identifier: MIT OR Apache-2.0
// Older states of all files together: whole, and found only by what is kept elsewhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "kv/testing.hpp"
#include "os/sim_crash.hpp"
#include "os/sim_env.hpp"

namespace vitrine::kv::testing {
namespace {

constexpr char kPath[] = "/d/a.vtr";
constexpr char kAnchor[] = "/elsewhere/a.anchor";

class FreshnessTest : public ::testing::Test {
 protected:
  using Files = std::unique_ptr<os::SimEnv>;

  Options options(os::SimEnv& env) const {
    Options options = small_options();
    options.durability = Durability::Full;
    options.env = &env;
    return options;
  }
  Result<Database> open(os::SimEnv& env, const std::optional<CommitToken>& token, const std::string& anchor = {},
                        Access access = Access::ReadWrite) {
    Options given = options(env);
    given.min_commit = token;
    given.anchor = anchor;
    given.access = access;
    return Database::open(kPath, OpenMode::MustExist, given);
  }
  Freshness freshness_of(os::SimEnv& env, const std::optional<CommitToken>& token, const std::string& anchor = {}) {
    Options given = options(env);
    given.min_commit = token;
    given.anchor = anchor;
    given.access = Access::ReadOnly;
    given.accept_rollback = true;
    const Database db = Database::open(kPath, OpenMode::MustExist, given).value();
    const VerifyReport report = db.verify(VerifyLevel::Full).value();
    EXPECT_TRUE(report.is_clean());
    EXPECT_FALSE(report.freshness_note.empty());
    return report.freshness;
  }
  static CommitToken put(Database& db, const std::string& key) {
    WriteTransaction txn = db.begin_write().value();
    EXPECT_TRUE(ok(txn.put(key, key)));
    const Commit commit = txn.commit();
    EXPECT_TRUE(ok(commit));
    return commit.token();
  }
  // What a power cut would leave now.
  static Files copy_of(os::SimEnv& env) { return os::SimCrash(env).image_with_none().make_env(); }

  // Read as docs/FORMAT.md says.
  static std::uint64_t number_in_anchor(os::SimEnv& env) {
    const std::unique_ptr<os::File> file = env.open(kAnchor, os::OpenMode::ReadOnly).value();
    std::uint64_t newest = 0;
    for (const std::uint64_t place : {0u, 4096u}) {
      std::uint64_t seq = 0;
      EXPECT_TRUE(ok(file->read_at(place + 24, &seq, sizeof seq)));
      newest = std::max(newest, seq);
    }
    return newest;
  }

  Files env_ = os::SimEnv::create({});
};

// Every earlier state is put back, against the token of every commit.
TEST_F(FreshnessTest, a_token_tells_every_earlier_state_from_every_later_one) {
  std::vector<Files> states;
  std::vector<CommitToken> tokens;
  for (int session = 0; session < 3; ++session) {
    std::optional<Database> db = Database::open(kPath, OpenMode::CreateIfMissing, options(*env_)).value();
    for (int i = 0; i < 3; ++i) {
      tokens.push_back(put(*db, "key " + std::to_string(i)));
      if (i == 1) {
        ASSERT_TRUE(ok(db->checkpoint()));
      }
      states.push_back(copy_of(*env_));
    }
    if (session != 1) continue;
    env_->stop();
    db.reset();
    env_ = copy_of(*env_);
  }
  for (std::size_t state = 0; state < states.size(); ++state) {
    for (std::size_t token = 0; token < tokens.size(); ++token) {
      const bool is_there = token <= state;
      EXPECT_EQ(freshness_of(*states[state], tokens[token]), is_there ? Freshness::Anchored : Freshness::Behind);
      for (const Access access : {Access::ReadOnly, Access::ReadWrite}) {
        const Files files = copy_of(*states[state]);
        EXPECT_TRUE(fails(open(*files, tokens[token], {}, access), is_there ? ErrorCode::Ok : ErrorCode::RolledBack))
            << state << " " << token;
      }
    }
    EXPECT_EQ(freshness_of(*states[state], std::nullopt), Freshness::Unanchored);
  }
}

TEST_F(FreshnessTest, copies_that_are_both_written_are_told_apart) {
  {
    Database db = Database::open(kPath, OpenMode::CreateNew, options(*env_)).value();
    put(db, "common");
  }
  const Files copy = copy_of(*env_);
  CommitToken here, there;
  {
    Database one = open(*env_, std::nullopt).value(), other = open(*copy, std::nullopt).value();
    here = put(one, "here");
    there = put(other, "there");
    put(one, "more");
  }
  EXPECT_EQ(here.seq, there.seq);
  EXPECT_EQ(freshness_of(*env_, here), Freshness::Anchored);
  EXPECT_EQ(freshness_of(*env_, there), Freshness::Forked);
  EXPECT_EQ(freshness_of(*copy, here), Freshness::Forked);
  EXPECT_TRUE(fails(open(*env_, there), ErrorCode::Forked));
}

TEST_F(FreshnessTest, a_backup_has_the_history_of_its_snapshot) {
  Database db = Database::open(kPath, OpenMode::CreateNew, options(*env_)).value();
  const CommitToken first = put(db, "1");
  ASSERT_TRUE(ok(db.backup("/d/copy.vtr")));
  const CommitToken second = put(db, "2");
  Options given = options(*env_);
  given.min_commit = first;
  {
    const Database copy = Database::open("/d/copy.vtr", OpenMode::MustExist, given).value();
    EXPECT_EQ(copy.info()->commit_token, first.to_string());
    EXPECT_TRUE(verifies_clean(copy));
  }
  given.min_commit = second;
  EXPECT_TRUE(fails(Database::open("/d/copy.vtr", OpenMode::MustExist, given), ErrorCode::RolledBack));
}

TEST_F(FreshnessTest, an_anchor_elsewhere_finds_every_earlier_state) {
  std::vector<Files> states;
  Options anchored = options(*env_);
  anchored.anchor = kAnchor;
  for (int session = 0; session < 2; ++session) {
    Database db = Database::open(kPath, OpenMode::CreateIfMissing, anchored).value();
    for (int i = 0; i < 2; ++i) {
      put(db, std::to_string(i));
      states.push_back(copy_of(*env_));
    }
  }
  // The anchor of now, beside the files of then.
  const auto moved_anchor = [&](os::SimEnv& to) {
    const std::unique_ptr<os::File> from = env_->open(kAnchor, os::OpenMode::ReadOnly).value();
    std::string bytes(8192, '\0');
    EXPECT_EQ(from->read_at(0, bytes.data(), bytes.size()).value(), bytes.size());
    const os::IoSlice slice{bytes.data(), bytes.size()};
    EXPECT_TRUE(ok(to.open(kAnchor, os::OpenMode::ReadWrite).value()->write_at(0, {&slice, 1})));
  };
  for (const Files& state : states) {
    const bool is_newest = state == states.back();
    EXPECT_EQ(freshness_of(*state, std::nullopt, kAnchor), Freshness::Anchored);
    moved_anchor(*state);
    EXPECT_EQ(freshness_of(*state, std::nullopt, kAnchor), is_newest ? Freshness::Anchored : Freshness::Behind);
    EXPECT_TRUE(fails(open(*state, {}, kAnchor), is_newest ? ErrorCode::Ok : ErrorCode::RolledBack));
    EXPECT_TRUE(ok(open(*state, {})));
  }
  // Whoever put it back on purpose says so once.
  anchored.env = states.front().get();
  anchored.accept_rollback = true;
  { const Database db = Database::open(kPath, OpenMode::MustExist, anchored).value(); }
  EXPECT_TRUE(ok(open(*states.front(), {}, kAnchor)));
}

TEST_F(FreshnessTest, a_missing_or_damaged_anchor_is_no_anchor) {
  { const Database db = Database::open(kPath, OpenMode::CreateNew, options(*env_)).value(); }
  EXPECT_TRUE(fails(open(*env_, {}, kAnchor, Access::ReadOnly), ErrorCode::FileNotFound));
  EXPECT_EQ(freshness_of(*env_, {}, kAnchor), Freshness::Unanchored);
  { EXPECT_TRUE(ok(open(*env_, {}, kAnchor))); }
  EXPECT_TRUE(ok(open(*env_, {}, kAnchor, Access::ReadOnly)));
  {
    const std::unique_ptr<os::File> file = env_->open(kAnchor, os::OpenMode::ReadWrite).value();
    ASSERT_TRUE(ok(file->resize(0)));
  }
  EXPECT_TRUE(fails(open(*env_, {}, kAnchor), ErrorCode::AnchorDamaged));
  EXPECT_EQ(freshness_of(*env_, {}, kAnchor), Freshness::Unanchored);
}

TEST_F(FreshnessTest, no_empty_database_is_made_in_the_place_of_a_lost_one) {
  Options given = options(*env_);
  given.anchor = kAnchor;
  {
    Database db = Database::open(kPath, OpenMode::CreateIfMissing, given).value();
    put(db, "1");
  }
  ASSERT_TRUE(ok(env_->remove(kPath)));
  EXPECT_TRUE(fails(Database::open(kPath, OpenMode::CreateIfMissing, given), ErrorCode::RolledBack));
  EXPECT_FALSE(env_->exists(kPath).value());
}

// The anchor may be behind after a crash, never ahead: it would call a sound database an old one.
TEST_F(FreshnessTest, a_crash_at_any_operation_leaves_a_database_that_its_anchor_believes) {
  Options anchored = options(*env_);
  anchored.anchor = kAnchor;
  { Database::open(kPath, OpenMode::CreateNew, anchored).value(); }
  const Files before = copy_of(*env_);
  for (std::uint64_t step = 1; !HasFailure(); ++step) {
    const Files machine = copy_of(*before);
    std::uint64_t acknowledged = 0;
    bool is_done = false;
    {
      anchored.env = machine.get();
      machine->stop_before(step);
      Result<Database> db = Database::open(kPath, OpenMode::MustExist, anchored);
      for (int i = 0; db.has_value() && i < 3 && !machine->is_stopped(); ++i) {
        WriteTransaction txn = db->begin_write().value();
        if (!txn.put("key", std::string(static_cast<std::size_t>(i) * 3000, 'x')).is_ok()) break;
        if (txn.commit().status.is_ok()) ++acknowledged;
        if (i == 1) (void)db->checkpoint();
      }
      is_done = db.has_value() && db->close().is_ok();
    }
    const os::SimCrash crash(*machine);
    for (const os::SimImage& image : {crash.image_with_none(), crash.image_with_all()}) {
      const Files files = image.make_env();
      EXPECT_GE(number_in_anchor(*files), acknowledged) << image.describe();
      const Result<Database> db = open(*files, {}, kAnchor);
      EXPECT_TRUE(ok(db)) << "step " << step << " " << image.describe();
      EXPECT_TRUE(db.has_value() && verifies_clean(*db));
    }
    if (is_done) break;
  }
}

TEST_F(FreshnessTest, an_anchor_that_cannot_be_written_is_told_and_nothing_is_lost) {
  Options anchored = options(*env_);
  anchored.anchor = kAnchor;
  {
    Database db = Database::open(kPath, OpenMode::CreateNew, anchored).value();
    env_->inject({.operation = 1, .kinds = {os::SimOperation::Sync}, .path = kAnchor});
    WriteTransaction txn = db.begin_write().value();
    ASSERT_TRUE(ok(txn.put("key", "value")));
    const Commit commit = txn.commit();
    EXPECT_EQ(commit.outcome, CommitOutcome::Committed);
    EXPECT_TRUE(fails(commit, ErrorCode::AnchorFailed));
    EXPECT_TRUE(fails(db.put("another", "value"), ErrorCode::Poisoned));
  }
  const Database db = open(*env_, {}, kAnchor).value();
  EXPECT_EQ(db.get("key").value(), "value");
  EXPECT_TRUE(verifies_clean(db));
}

}  // namespace
}  // namespace vitrine::kv::testing
