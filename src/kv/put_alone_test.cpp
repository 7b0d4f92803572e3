// SPDX-License-Identifier: MIT OR Apache-2.0
// Puts with a commit of their own: when pages are changed in place, and that nobody notices.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "engine/write_session.hpp"
#include "kv/database_impl.hpp"
#include "kv/testing.hpp"
#include "os/memory_env.hpp"

namespace vitrine::kv::testing {
namespace {

class PutAloneTest : public ::testing::Test {
 protected:
  PutAloneTest() {
    Options options = small_options();
    EXPECT_TRUE(ok(engine::Engine::create(*env_, "a.vtr", options)));
    engine_ = engine::Engine::open(*env_, "a.vtr", options).value();
  }

  Commit put(Bytes key, Bytes value, Durability durability = Durability::None) {
    const tree::Put put{key, {}, value};
    return engine_->begin_write(std::nullopt).value()->put_alone({&put, 1}, durability);
  }
  // The newest version that a put leaves behind.
  engine::Version version_after(Bytes key, Bytes value, Durability durability = Durability::None) {
    EXPECT_TRUE(ok(put(key, value, durability)));
    return version();
  }
  engine::Version version() { return engine_->versions().latest().version; }
  std::string value_in(const engine::State& state, Bytes key) {
    return std::string(tree::find(engine_->pool(), state.root, key).value().value);
  }
  // Transactions as users have them.
  WriteTransaction begin() {
    auto session = engine_->begin_write(std::nullopt).value();
    return WriteTransaction(std::make_unique<TransactionImpl>(database(), engine_, std::move(session)));
  }
  ReadTransaction begin_read() { return ReadTransaction(std::make_unique<TransactionImpl>(database(), engine_)); }
  std::string value_of(Bytes key) { return begin_read().get(key).value().value_or("none"); }
  void TearDown() override {
    const VerifyReport report = engine_->verify(VerifyLevel::Full, {}).value();
    EXPECT_TRUE(report.is_clean());
    EXPECT_TRUE(ok(engine_->close()));
  }

  std::unique_ptr<os::Env> env_ = os::make_memory_env();
  std::shared_ptr<engine::Engine> engine_;

 private:
  const std::shared_ptr<DatabaseImpl>& database() {
    if (!database_) {
      database_ = std::make_shared<DatabaseImpl>();
      database_->adopt(engine_);
    }
    return database_;
  }

 protected:
  std::shared_ptr<DatabaseImpl> database_;
};

TEST_F(PutAloneTest, a_leaf_nobody_sees_is_changed_as_it_is) {
  const engine::Version first = version_after("a", "1");
  EXPECT_EQ(version_after("a", "another value"), first);
  EXPECT_EQ(version_after("b", "inserted"), first);
  const engine::State now = engine_->versions().published();
  EXPECT_EQ(value_in(now, "a"), "another value");
  EXPECT_EQ(now.root.entries, 2u);
  EXPECT_EQ(now.commit_seq, 3u);
}

TEST_F(PutAloneTest, a_snapshot_keeps_what_it_sees) {
  ASSERT_TRUE(ok(put("a", "before")));
  const engine::State snapshot = engine_->pin_snapshot();
  EXPECT_GT(version_after("a", "after"), snapshot.version);
  // The copy is younger than the snapshot.
  const engine::Version copied = version();
  EXPECT_EQ(version_after("a", "later"), copied);
  EXPECT_EQ(value_in(snapshot, "a"), "before");
  EXPECT_EQ(value_in(engine_->versions().published(), "a"), "later");
  engine_->unpin_snapshot(snapshot);
}

TEST_F(PutAloneTest, a_checkpoint_keeps_what_it_writes) {
  ASSERT_TRUE(ok(put("a", "1")));
  ASSERT_TRUE(ok(engine_->checkpoint()));
  const engine::Version written = version();
  EXPECT_GT(version_after("a", "2"), written);
}

TEST_F(PutAloneTest, what_must_be_durable_first_has_a_version_of_its_own) {
  const engine::Version first = version_after("a", "1");
  EXPECT_GT(version_after("a", "2", Durability::Full), first);
}

TEST_F(PutAloneTest, what_does_not_fit_goes_the_ordinary_way) {
  const engine::Version first = version_after("a", "1");
  EXPECT_GT(version_after("a", std::string(3 * engine_->page_size(), 'x')), first);
  // The large value goes, too.
  const engine::Version second = version();
  EXPECT_GT(version_after("a", "small again"), second);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(ok(put("key " + std::to_string(i), std::string(300, 'x'))));
  EXPECT_EQ(engine_->versions().latest().root.entries, 201u);
}

TEST_F(PutAloneTest, puts_are_there_after_opening_again) {
  ASSERT_TRUE(ok(put("a", "1")));
  ASSERT_TRUE(ok(put("a", "2")));
  ASSERT_TRUE(ok(put("b", "3")));
  ASSERT_TRUE(ok(engine_->sync()));
  const engine::State now = engine_->versions().published();
  ASSERT_TRUE(ok(engine_->close()));
  engine_ = engine::Engine::open(*env_, "a.vtr", small_options()).value();
  const engine::State again = engine_->versions().published();
  EXPECT_EQ(again.commit_seq, now.commit_seq);
  EXPECT_EQ(value_in(again, "a"), "2");
  EXPECT_EQ(value_in(again, "b"), "3");
}

// --- Transactions that put one entry and nothing else ----------------------------------------------------------------

TEST_F(PutAloneTest, a_transaction_that_reads_and_puts_once_changes_the_leaf_as_it_is) {
  WriteTransaction filling = begin();
  ASSERT_TRUE(ok(filling.put("a", "1")));
  ASSERT_TRUE(ok(filling.commit(Durability::None)));
  const engine::Version first = version();
  const std::uint64_t seq = engine_->versions().latest().commit_seq;
  WriteTransaction txn = begin();
  EXPECT_EQ(txn.get("a").value(), "1");
  ASSERT_TRUE(ok(txn.put("a", "2")));
  EXPECT_EQ(value_of("a"), "1") << "nothing is committed yet";
  const Commit commit = txn.commit(Durability::None);
  ASSERT_TRUE(ok(commit));
  EXPECT_EQ(commit.seq, seq + 1);
  EXPECT_EQ(version(), first);
  EXPECT_EQ(begin_read().get_entry({}, "a").value()->version, commit.seq);
  EXPECT_EQ(value_of("a"), "2");
}

TEST_F(PutAloneTest, whatever_a_transaction_does_next_sees_its_first_put) {
  using Next = std::function<void(WriteTransaction&)>;
  const Next next[] = {
      [](WriteTransaction& txn) { EXPECT_EQ(txn.get("a").value(), "new"); },
      [](WriteTransaction& txn) { EXPECT_TRUE(txn.contains({}, "a").value()); },
      [](WriteTransaction& txn) { EXPECT_EQ(txn.get_entry({}, "a").value()->version, txn.snapshot_seq() + 1); },
      [](WriteTransaction& txn) {
        const Bytes keys[] = {"a"};
        EXPECT_EQ(txn.multi_get({}, keys).value().front(), "new");
      },
      [](WriteTransaction& txn) { EXPECT_EQ(txn.count({}).value(), 1u); },
      [](WriteTransaction& txn) {
        Cursor cursor = txn.cursor();
        ASSERT_TRUE(ok(cursor.seek_first()));
        ASSERT_TRUE(cursor.is_valid());
        EXPECT_EQ(cursor.value().value(), "new");
      },
      [](WriteTransaction& txn) { EXPECT_FALSE(txn.put_if_absent({}, "a", "other").value()); },
      [](WriteTransaction& txn) {
        const Savepoint savepoint = txn.savepoint().value();
        ASSERT_TRUE(ok(txn.put("a", "rolled back")));
        ASSERT_TRUE(ok(txn.rollback_to(savepoint)));
      },
      [](WriteTransaction& txn) { ASSERT_TRUE(ok(txn.put("b", "another"))); },
      [](WriteTransaction& txn) { EXPECT_EQ(txn.erase_range({}, "b", "c").value(), 1u); },
      [](WriteTransaction& txn) {
        ASSERT_TRUE(txn.create_keyspace("made by " + std::to_string(txn.snapshot_seq())).status());
      },
  };
  for (const Next& each : next) {
    WriteTransaction txn = begin();
    ASSERT_TRUE(ok(txn.put("a", "new")));
    each(txn);
    ASSERT_TRUE(ok(txn.commit(Durability::None)));
    EXPECT_EQ(value_of("a"), "new");
    WriteTransaction erasing = begin();
    ASSERT_TRUE(erasing.erase("a").value());
    ASSERT_TRUE(ok(erasing.commit(Durability::None)));
  }
}

TEST_F(PutAloneTest, a_put_that_is_rolled_back_was_never_there) {
  WriteTransaction txn = begin();
  ASSERT_TRUE(ok(txn.put("a", "1")));
  txn.rollback();
  EXPECT_EQ(value_of("a"), "none");
  EXPECT_EQ(engine_->versions().latest().commit_seq, 0u);
}

TEST_F(PutAloneTest, a_cursor_sees_the_first_put_of_its_transaction) {
  WriteTransaction txn = begin();
  Cursor cursor = txn.cursor();
  ASSERT_TRUE(ok(cursor.seek_first()));
  ASSERT_TRUE(ok(txn.put("a", "1")));
  EXPECT_FALSE(cursor.is_valid());
  ASSERT_TRUE(ok(cursor.seek("a")));
  ASSERT_TRUE(cursor.is_valid());
  EXPECT_EQ(cursor.value().value(), "1");
}

// --- Transactions that put several entries and nothing else ----------------------------------------------------------

class PutTogetherTest : public PutAloneTest {
 protected:
  static std::string key(unsigned number) { return "key " + std::to_string(1000 + number * 7919 % 9000); }

  // Commits entries [first, first + count) together and keeps them in mind.
  Commit put_all(unsigned first, unsigned count, const std::string& value, Durability durability = Durability::None) {
    WriteTransaction txn = begin();
    for (unsigned i = first; i < first + count; ++i) {
      EXPECT_TRUE(ok(txn.put(key(i), value)));
      expected_[key(i)] = value;
    }
    return txn.commit(durability);
  }
  void expect_all() {
    const ReadTransaction txn = begin_read();
    std::map<std::string, std::string> found;
    ASSERT_TRUE(ok(txn.scan({}, {}, [&](Bytes key, Bytes value) { return found.emplace(key, value).second; })));
    EXPECT_EQ(found, expected_);
    EXPECT_EQ(engine_->versions().latest().root.entries, expected_.size());
  }

  std::map<std::string, std::string> expected_;
};

TEST_F(PutTogetherTest, leaves_nobody_sees_are_changed_as_they_are) {
  ASSERT_TRUE(ok(put_all(0, 300, "value")));
  const engine::Version first = version();
  const std::uint64_t seq = engine_->versions().latest().commit_seq;
  const Commit commit = put_all(50, 200, "other");
  ASSERT_TRUE(ok(commit));
  EXPECT_EQ(version(), first);
  EXPECT_EQ(commit.seq, seq + 1);
  expect_all();
  EXPECT_EQ(begin_read().get_entry({}, key(50)).value()->version, commit.seq);
}

TEST_F(PutTogetherTest, leaves_that_must_be_split_are_copied_and_the_others_are_not) {
  ASSERT_TRUE(ok(put_all(0, 1000, "value")));
  const engine::Version first = version();
  ASSERT_TRUE(ok(put_all(900, 500, "a value that is longer")));
  EXPECT_GT(version(), first);
  expect_all();
  ASSERT_TRUE(ok(put_all(0, 1400, "short")));
  expect_all();
}

TEST_F(PutTogetherTest, a_snapshot_and_a_checkpoint_keep_what_they_see) {
  ASSERT_TRUE(ok(put_all(0, 300, "value")));
  const std::map<std::string, std::string> before = expected_;
  {
    const ReadTransaction snapshot = begin_read();
    ASSERT_TRUE(ok(put_all(0, 400, "other")));
    for (const auto& [key, value] : before) ASSERT_EQ(snapshot.get(key).value(), value);
    ASSERT_TRUE(ok(put_all(0, 400, "third")));
    for (const auto& [key, value] : before) ASSERT_EQ(snapshot.get(key).value(), value);
  }
  ASSERT_TRUE(ok(engine_->checkpoint()));
  const engine::Version written = version();
  ASSERT_TRUE(ok(put_all(0, 30, "after")));
  EXPECT_GT(version(), written);
  expect_all();
}

TEST_F(PutTogetherTest, of_two_puts_under_one_key_the_last_one_counts) {
  ASSERT_TRUE(ok(put_all(0, 10, "value")));
  WriteTransaction txn = begin();
  for (const char* value : {"first", "a second one that is longer", "3rd"}) {
    ASSERT_TRUE(ok(txn.put(key(3), value)));
    ASSERT_TRUE(ok(txn.put("new", value)));
  }
  ASSERT_TRUE(ok(txn.commit(Durability::None)));
  expected_[key(3)] = expected_["new"] = "3rd";
  expect_all();
}

TEST_F(PutTogetherTest, whatever_comes_next_sees_all_of_them) {
  ASSERT_TRUE(ok(put_all(0, 10, "value")));
  WriteTransaction txn = begin();
  ASSERT_TRUE(ok(txn.put(key(3), "x")));
  ASSERT_TRUE(ok(txn.put(key(20), "y")));
  EXPECT_EQ(value_of(key(3)), "value") << "nothing is committed yet";
  EXPECT_EQ(txn.get(key(3)).value(), "x");
  EXPECT_EQ(txn.get(key(20)).value(), "y");
  ASSERT_TRUE(ok(txn.put(key(21), "z")));
  ASSERT_TRUE(ok(txn.commit(Durability::None)));
  expected_[key(3)] = "x";
  expected_[key(20)] = "y";
  expected_[key(21)] = "z";
  expect_all();
}

TEST_F(PutTogetherTest, nothing_is_left_of_a_rollback) {
  ASSERT_TRUE(ok(put_all(0, 10, "value")));
  WriteTransaction txn = begin();
  for (unsigned i = 0; i < 20; ++i) ASSERT_TRUE(ok(txn.put(key(i), "never")));
  txn.rollback();
  expect_all();
}

TEST_F(PutTogetherTest, more_than_are_held_and_large_ones_go_the_ordinary_way) {
  ASSERT_TRUE(ok(put_all(0, 3000, "value")));
  expect_all();
  WriteTransaction txn = begin();
  ASSERT_TRUE(ok(txn.put(key(1), "small")));
  ASSERT_TRUE(ok(txn.put(key(2), std::string(100'000, 'x'))));
  ASSERT_TRUE(ok(txn.put(key(3), "small")));
  ASSERT_TRUE(ok(txn.commit(Durability::None)));
  expected_[key(1)] = expected_[key(3)] = "small";
  expected_[key(2)] = std::string(100'000, 'x');
  expect_all();
  ASSERT_TRUE(ok(put_all(0, 10, "small again"))) << "the large value goes";
  expect_all();
}

TEST_F(PutTogetherTest, puts_are_there_after_opening_again) {
  ASSERT_TRUE(ok(put_all(0, 500, "value")));
  ASSERT_TRUE(ok(engine_->checkpoint()));
  for (unsigned i = 0; i < 5; ++i) ASSERT_TRUE(ok(put_all(i * 100, 300, "value " + std::to_string(i))));
  ASSERT_TRUE(ok(engine_->sync()));
  ASSERT_TRUE(ok(engine_->close()));
  engine_ = engine::Engine::open(*env_, "a.vtr", small_options()).value();
  database_.reset();
  expect_all();
}

TEST(PutAlone, a_keyspace_that_was_dropped_is_found_out) {
  Database db = Database::open_in_memory(small_options()).value();
  const auto make = [&] {
    WriteTransaction txn = db.begin_write().value();
    const Keyspace made = txn.create_keyspace("own").value();
    EXPECT_TRUE(ok(txn.commit()));
    return made;
  };
  const Keyspace own = make();
  ASSERT_TRUE(ok(db.put(own, "a", "1", Durability::None)));
  ASSERT_TRUE(ok(db.put(own, "a", "2", Durability::None)));
  EXPECT_EQ(db.begin_read().value().get(own, "a").value(), "2");
  ASSERT_TRUE(ok(db.write([&](WriteTransaction& txn) { return txn.drop_keyspace("own"); })));
  EXPECT_TRUE(fails(db.put(own, "a", "3", Durability::None), ErrorCode::KeyspaceNotFound));
  EXPECT_TRUE(fails(db.put("", "empty key"), ErrorCode::KeyEmpty));
  EXPECT_TRUE(verifies_clean(db));
}

}  // namespace
}  // namespace vitrine::kv::testing
