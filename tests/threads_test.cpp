// SPDX-License-Identifier: MIT OR Apache-2.0
// Many threads on one database: writers that share syncs, readers whose snapshots must add up, maintenance in between.
// The thread sanitizer runs these too; amounts are counted, not timed, so that a slow run does the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/prng.hpp"
#include "os/testing.hpp"
#include "tests/engine_testing.hpp"
#include "tests/model_content.hpp"

namespace vitrine::testing {
namespace {

constexpr std::uint64_t kAccounts = 200;
constexpr std::uint64_t kBalance = 1000;

// Threads that throw what they find; join() throws the first of it.
class Team {
 public:
  void add(std::function<void()> body) {
    threads_.emplace_back([this, body = std::move(body)] {
      try {
        body();
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex_);
        if (failure_.empty()) failure_ = error.what();
        has_failed_ = true;
      }
    });
  }
  bool has_failed() const { return has_failed_; }
  void join() {
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
    ASSERT_EQ(failure_, "");
  }

 private:
  std::mutex mutex_;
  std::string failure_;
  std::atomic<bool> has_failed_{false};
  std::vector<std::thread> threads_;
};

std::string account(std::uint64_t number) { return "account " + std::to_string(1000 + number); }

// A balance is the size of the value, so that pages split and merge as money moves.
std::string balance(std::uint64_t amount) { return std::string(amount, '$'); }

std::uint64_t sum_of(const Transaction& txn) {
  std::uint64_t sum = 0;
  std::uint64_t accounts = 0;
  const auto visit = [&](Bytes, Bytes value) {
    sum += value.size();
    ++accounts;
    return true;
  };
  demand_ok(txn.scan({}, {.prefix = "account ", .from = {}, .to = {}}, visit).status(), "scan");
  demand(accounts == kAccounts, "accounts are missing");
  return sum;
}

void demand_sum(const Transaction& txn) { demand(sum_of(txn) == kAccounts * kBalance, "money is lost or made"); }

Durability any_durability(base::Prng& random) { return static_cast<Durability>(random.below(3)); }

class ThreadsTest : public ::testing::TestWithParam<bool> {
 protected:
  explicit ThreadsTest(const Secret& secret = {}) : secret_(secret) {
    db_.emplace(GetParam() ? Database::open_in_memory(options()).value()
                           : Database::open(path("a.vtr"), OpenMode::CreateNew, options()).value());
    const Status filled = db_->write([&](WriteTransaction& txn) -> Status {
      for (std::uint64_t i = 0; i < kAccounts; ++i) demand_ok(txn.put(account(i), balance(kBalance)), "put");
      return {};
    });
    demand_ok(filled, "filling");
  }

  Options options() const {
    Options options;
    options.secret = secret_;
    options.page_size = 4096;
    options.cache_size = 1u << 20;
    options.log_size_max = 1u << 20;
    options.sync_period = std::chrono::milliseconds(3);
    return options;
  }
  std::string path(const std::string& name) const { return directory_.path(name); }
  Database& db() { return *db_; }

  // Moves money between two accounts, `count` times.
  void transfer(std::uint64_t seed, std::uint64_t count) {
    base::Prng random(seed);
    for (std::uint64_t i = 0; i < count; ++i) {
      WriteTransaction txn = db().begin_write().value();
      const std::string from = account(random.below(kAccounts)), to = account(random.below(kAccounts));
      const std::uint64_t have = txn.get(from).value()->size();
      const std::uint64_t amount = random.below(have + 1);
      if (from != to && random.one_in(2)) {  // reads nothing after it has begun to put
        const std::uint64_t has = txn.get(to).value()->size();
        demand_ok(txn.put(from, balance(have - amount)), "put");
        demand_ok(txn.put(to, balance(has + amount)), "put");
      } else {
        demand_ok(txn.put(from, balance(have - amount)), "put");
        demand_ok(txn.put(to, balance(txn.get(to).value()->size() + amount)), "put");
      }
      if (random.one_in(10)) continue;  // rolled back
      const Commit commit = txn.commit(any_durability(random));
      demand_ok(commit.status, "commit");
      demand(db().begin_read().value().snapshot_seq() >= commit.seq, "a commit that has returned is not seen");
    }
  }

  void demand_backup_adds_up() {
    demand_ok(db().backup(path("backup.vtr")).status(), "backup");
    {
      const Database copy = Database::open(path("backup.vtr"), OpenMode::MustExist, options()).value();
      demand_sum(copy.begin_read().value());
    }
    std::filesystem::remove(path("backup.vtr"));
  }

  void finish() {
    demand_sum(db().begin_read().value());
    demand_ok(verify_clean(db()), "verify");
    demand_ok(db().close(), "close");
    if (GetParam()) return;
    const Database again = Database::open(path("a.vtr"), OpenMode::MustExist, options()).value();
    demand_sum(again.begin_read().value());
    demand_ok(verify_clean(again), "verify");
  }

  const Secret secret_;
  os::testing::TemporaryDirectory directory_{os::testing::memory_directory()};
  std::optional<Database> db_;
};

TEST_P(ThreadsTest, snapshots_add_up_while_writers_commit) {
  std::atomic<int> writing{4};
  Team team;
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    team.add([&, seed] {
      transfer(test_seed() + seed, scaled(1000, 20'000, 200'000));
      --writing;
    });
  }
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    team.add([&, seed] {
      base::Prng random(seed);
      std::uint64_t last_seq = 0;
      while (writing > 0 && !team.has_failed()) {
        const ReadTransaction txn = db().begin_read().value();
        demand(txn.snapshot_seq() >= last_seq, "a later snapshot is older");
        last_seq = txn.snapshot_seq();
        demand_sum(txn);
        const std::string key = account(random.below(kAccounts));
        const Entry entry = txn.get_entry({}, key).value().value();
        demand(entry.version <= last_seq, "an entry is newer than the snapshot");
        std::this_thread::yield();
        demand(txn.get(key).value() == entry.value, "a snapshot has changed");
      }
    });
  }
  team.join();
  finish();
}

// Small puts that need not be durable change pages in place, unless somebody can see them.
TEST_P(ThreadsTest, snapshots_stay_as_they_are_while_single_puts_go_on) {
  std::atomic<int> writing{2};
  Team team;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    team.add([&, seed] {
      base::Prng random(test_seed() + seed);
      for (std::uint64_t i = scaled(3'000, 60'000, 600'000); i > 0; --i) {
        const std::string key = account(random.below(kAccounts));
        const Durability durability = random.one_in(50) ? any_durability(random) : Durability::None;
        demand_ok(db().put({}, key, balance(kBalance + random.below(9)), durability), "put");
      }
      --writing;
    });
  }
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    team.add([&, seed] {  // looks without a transaction, which pins nothing
      base::Prng random(seed);
      while (writing > 0 && !team.has_failed()) {
        const auto value = db().get(account(random.below(kAccounts)));
        demand(value.value().value() == balance(value->value().size()), "half of a value");
      }
    });
  }
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    team.add([&, seed] {
      base::Prng random(seed);
      while (writing > 0 && !team.has_failed()) {
        const ReadTransaction txn = db().begin_read().value();
        const std::uint64_t sum = sum_of(txn);
        const Entry entry = txn.get_entry({}, account(random.below(kAccounts))).value().value();
        demand(entry.version <= txn.snapshot_seq(), "an entry is newer than the snapshot");
        std::this_thread::yield();
        demand(sum_of(txn) == sum, "a snapshot has changed");
        if (random.one_in(20)) demand_ok(db().checkpoint(), "checkpoint");
      }
    });
  }
  team.join();
  const Status filled = db().write([&](WriteTransaction& txn) -> Status {
    for (std::uint64_t i = 0; i < kAccounts; ++i) demand_ok(txn.put(account(i), balance(kBalance)), "put");
    return {};
  });
  demand_ok(filled, "filling");
  finish();
}

TEST_P(ThreadsTest, maintenance_runs_beside_writers_and_readers) {
  std::atomic<int> writing{2};
  Team team;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    team.add([&, seed] {
      transfer(test_seed() + seed, scaled(600, 8'000, 80'000));
      --writing;
    });
  }
  const auto repeat = [&](const std::function<void()>& work) {
    team.add([&, work] {
      do {
        work();
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      } while (writing > 0 && !team.has_failed());
    });
  };
  repeat([&] { demand_ok(db().checkpoint(), "checkpoint"); });
  repeat([&] { demand_ok(db().vacuum().status(), "vacuum"); });
  repeat([&] { demand_ok(verify_clean(db()), "verify"); });
  repeat([&] { demand_backup_adds_up(); });
  repeat([&] {
    demand_ok(db().export_to(path("export")).status(), "export");
    std::filesystem::remove(path("export"));
    demand_ok(db().sync(), "sync");
    const Stats stats = db().stats().value();
    demand(stats.durable_seq <= stats.commit_seq, "stats");
    demand_ok(db().info().status(), "info");
  });
  team.join();
  finish();
}

TEST_P(ThreadsTest, a_cursor_walks_its_snapshot_while_everything_is_rewritten) {
  Team team;
  const ReadTransaction before = db().begin_read().value();
  std::atomic<bool> is_walking{true};
  team.add([&] {
    for (std::uint64_t round = 0; is_walking; ++round) {
      demand_ok(db().write([&](WriteTransaction& txn) -> Status {
        demand(txn.erase_range({}, "", std::nullopt).value() > 0, "erase_range");
        for (std::uint64_t i = 0; i < kAccounts; ++i) demand_ok(txn.put(account(i), balance(kBalance)), "put");
        return txn.put("other " + std::to_string(round), "x");
      }),
                "write");
      demand_ok(round % 4 == 0 ? db().vacuum().status() : db().checkpoint(), "maintenance");
    }
  });
  team.add([&] {
    Cursor cursor = before.cursor();
    const std::uint64_t rounds = scaled(40, 400, 4000);
    for (std::uint64_t round = 0; round < rounds && !team.has_failed(); ++round) {
      demand_ok(round % 2 == 0 ? cursor.seek_first() : cursor.seek_last(), "seek");
      for (std::uint64_t i = 0; i < kAccounts; ++i) {
        demand(cursor.is_valid(), "an entry is missing");
        demand(cursor.key() == account(round % 2 == 0 ? i : kAccounts - 1 - i), "another key");
        demand(cursor.value().value() == balance(kBalance), "another value");
        demand(cursor.version() <= before.snapshot_seq(), "a newer entry");
        demand_ok(round % 2 == 0 ? cursor.next() : cursor.prev(), "step");
      }
      demand(!cursor.is_valid(), "too many entries");
    }
    is_walking = false;
  });
  team.join();
}

TEST_P(ThreadsTest, commits_are_numbered_in_one_order_and_durable_when_they_say_so) {
  std::mutex mutex;
  std::set<std::uint64_t> numbers;
  Team team;
  const std::uint64_t first = db().begin_read().value().snapshot_seq();
  const std::uint64_t each = scaled(300, 3'000, 30'000);
  constexpr int kWriters = 8;
  for (int writer = 0; writer < kWriters; ++writer) {
    team.add([&, writer] {
      std::uint64_t last = 0;
      for (std::uint64_t i = 0; i < each; ++i) {
        WriteTransaction txn = db().begin_write().value();
        demand_ok(txn.put("writer " + std::to_string(writer), std::to_string(i)), "put");
        const Commit commit = txn.commit(Durability::Full);
        demand(commit.outcome == CommitOutcome::Committed, "a full commit is not durable");
        demand(commit.seq > last, "a later commit has a smaller number");
        if (!GetParam()) demand(db().stats().value().durable_seq >= commit.seq, "stats call a full commit not durable");
        last = commit.seq;
        const std::lock_guard lock(mutex);
        demand(numbers.insert(commit.seq).second, "two commits have one number");
      }
    });
  }
  team.join();
  EXPECT_EQ(numbers.size(), each * kWriters);
  EXPECT_EQ(*numbers.begin(), first + 1);
  EXPECT_EQ(*numbers.rbegin(), first + each * kWriters);
  finish();
}

TEST_P(ThreadsTest, a_transaction_may_move_from_thread_to_thread) {
  std::optional<WriteTransaction> write;
  std::optional<ReadTransaction> read;
  const auto elsewhere = [](const std::function<void()>& body) {
    Team team;
    team.add(body);
    team.join();
  };
  elsewhere([&] { write.emplace(db().begin_write().value()); });
  elsewhere([&] { demand_ok(write->put("moved", "1"), "put"); });
  elsewhere([&] { read.emplace(db().begin_read().value()); });
  elsewhere([&] { demand_ok(write->commit().status, "commit"); });
  elsewhere([&] { write.reset(); });
  elsewhere([&] { demand(!read->get("moved").value().has_value(), "an old snapshot sees a later commit"); });
  elsewhere([&] { read.reset(); });
  EXPECT_EQ(db().get("moved").value(), "1");
  finish();
}

TEST_P(ThreadsTest, close_rolls_back_what_other_threads_left_open) {
  std::optional<WriteTransaction> write;
  std::vector<ReadTransaction> reads;
  Team team;
  team.add([&] {
    write.emplace(db().begin_write().value());
    demand_ok(write->put(account(0), ""), "put");
    for (int i = 0; i < 5; ++i) reads.push_back(db().begin_read().value());
  });
  team.join();
  ASSERT_TRUE(db().close().is_ok());
  EXPECT_EQ(write->put("a", "b").code(), ErrorCode::TransactionFinished);
  EXPECT_EQ(write->commit().outcome, CommitOutcome::NotCommitted);
  for (const ReadTransaction& read : reads) {
    EXPECT_EQ(read.get(account(0)).status().code(), ErrorCode::TransactionFinished);
  }
  EXPECT_EQ(db().begin_read().status().code(), ErrorCode::Misuse);
  EXPECT_EQ(db().begin_write().status().code(), ErrorCode::Misuse);
  if (GetParam()) return;
  const Database again = Database::open(path("a.vtr"), OpenMode::MustExist, options()).value();
  demand_sum(again.begin_read().value());
}

INSTANTIATE_TEST_SUITE_P(Places, ThreadsTest, ::testing::Bool(),
                         [](const auto& chosen) { return chosen.param ? "memory" : "file"; });

// A read-only handle of the same file, used and refreshed by several threads at once.
class RefreshTest : public ThreadsTest {};

TEST_P(RefreshTest, readers_go_on_while_others_refresh_their_handle) {
  Options read_only = options();
  read_only.access = Access::ReadOnly;
  Database reader = Database::open(path("a.vtr"), OpenMode::MustExist, read_only).value();
  std::atomic<int> writing{2};
  Team team;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    team.add([&, seed] {
      transfer(test_seed() + seed, scaled(600, 8'000, 80'000));
      demand_ok(db().checkpoint(), "checkpoint");
      --writing;
    });
    team.add([&] {
      while (writing > 0 && !team.has_failed()) {
        const ReadTransaction txn = reader.begin_read().value();
        demand_sum(txn);
        std::this_thread::yield();
        demand_sum(txn);
      }
    });
    team.add([&] {
      while (writing > 0 && !team.has_failed()) demand_ok(reader.refresh().status(), "refresh");
    });
  }
  team.join();
  const std::uint64_t newest = db().begin_read().value().snapshot_seq();
  demand_ok(reader.refresh().status(), "refresh");
  EXPECT_EQ(reader.begin_read().value().snapshot_seq(), newest);
  demand_ok(verify_clean(reader), "verify");
  demand_ok(reader.close(), "close");
  finish();
}

INSTANTIATE_TEST_SUITE_P(Places, RefreshTest, ::testing::Values(false), [](const auto&) { return "file"; });

class RotationTest : public ThreadsTest {
 protected:
  RotationTest() : ThreadsTest(test_secret()) {}
};

TEST_P(RotationTest, keys_rotate_beside_writers_readers_checks_and_backups) {
  std::atomic<int> writing{2};
  std::uint32_t rotations = 0;
  Team team;
  for (std::uint64_t seed = 1; seed <= 2; ++seed) {
    team.add([&, seed] {
      transfer(test_seed() + seed, scaled(400, 6'000, 60'000));
      --writing;
    });
  }
  const auto repeat = [&](const std::function<void()>& work) {
    team.add([&, work] {
      do {
        work();
      } while (writing > 0 && !team.has_failed());
    });
  };
  repeat([&] {
    const Result<RotateReport> report = db().rotate_keys(test_secret());
    demand_ok(report.status(), "rotate");
    demand(report->key_epoch == ++rotations + 1 && !report->resumed, "a rotation counts itself wrongly");
  });
  // Its snapshot is kept over one rotation at least, with pages that only old keys open.
  repeat([&] {
    const ReadTransaction txn = db().begin_read().value();
    const std::uint32_t epoch = db().info()->key_epoch;
    demand_sum(txn);
    while (writing > 0 && db().info()->key_epoch < epoch + 2) std::this_thread::yield();
    demand_sum(txn);
  });
  repeat([&] { demand_ok(verify_clean(db()), "verify"); });
  repeat([&] { demand_ok(db().vacuum().status(), "vacuum"); });
  repeat([&] { demand_backup_adds_up(); });
  // Another handle, as another process would have it.
  repeat([&] {
    Options read_only = options();
    read_only.access = Access::ReadOnly;
    Database reader = Database::open(path("a.vtr"), OpenMode::MustExist, read_only).value();
    demand_sum(reader.begin_read().value());
    const ErrorCode refreshed = reader.refresh().status().code();
    demand(refreshed == ErrorCode::Ok || refreshed == ErrorCode::KeyMismatch, "refresh");
    demand_sum(reader.begin_read().value());
  });
  team.join();
  EXPECT_GT(rotations, 0u);
  finish();
}

INSTANTIATE_TEST_SUITE_P(Places, RotationTest, ::testing::Values(false), [](const auto&) { return "file"; });

}  // namespace
}  // namespace vitrine::testing
