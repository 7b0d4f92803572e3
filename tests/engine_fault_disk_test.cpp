// SPDX-License-Identifier: MIT OR Apache-2.0
// A disk that is full: writes are refused whole, reads and erasing go on, and when space returns so do writes, without
// opening anything anew.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "base/prng.hpp"
#include "base/try.hpp"
#include "os/sim_crash.hpp"
#include "tests/engine_testing.hpp"

namespace vitrine::testing {
namespace {

constexpr const char* kPath = "/db.vtr";

struct FullDiskCase {
  std::string name;
  std::size_t value_size;
  std::uint64_t values_each;  // of one transaction
  std::uint64_t first_spare;  // bytes; the engine itself keeps 1 MiB for bad times
  std::uint64_t last_spare;
  std::uint64_t step;
};

void PrintTo(const FullDiskCase& full, std::ostream* to) { *to << full.name; }

std::string key_of(std::uint64_t number) { return "key " + std::to_string(1000 + number); }

class FullDisk : public ::testing::TestWithParam<FullDiskCase> {
 protected:
  // Fills the disk until a commit is refused. `model_` is what was committed.
  Status fill() {
    for (std::uint64_t i = 0; i < 10'000; ++i) {
      Model next = model_;
      const Commit commit = TRY(put_some(i, next));
      if (!commit.is_applied()) {
        EXPECT_EQ(commit.outcome, CommitOutcome::NotCommitted) << commit.status.to_string();
        return commit.status;
      }
      model_ = std::move(next);
    }
    return test_failure("the disk does not get full");
  }

  Result<Commit> put_some(std::uint64_t number, Model& next) {
    WriteTransaction txn = TRY(db_->begin_write());
    for (std::uint64_t k = 0; k < GetParam().values_each; ++k) {
      const std::string key = key_of((number * GetParam().values_each + k) % 4000);
      const std::string value = random_bytes(number + k, GetParam().value_size);
      if (Status status = txn.put(key, value); !status.is_ok()) return Commit{CommitOutcome::NotCommitted, 0, status};
      next["default"][key] = {value, txn.snapshot_seq() + 1};
    }
    return txn.commit();
  }

  // One key a transaction, to the last.
  Status erase_everything() {
    while (!model_["default"].empty()) {
      const std::string key = model_["default"].begin()->first;
      CHECK(db_->erase(key).status());
      model_["default"].erase(key);
    }
    return {};
  }

  Status same_as_model() {
    const Model found = TRY(model_of(*db_));
    const std::string difference = first_difference(model_, found);
    return difference.empty() ? Status{} : test_failure(difference);
  }

  Status run(std::uint64_t spare) {
    env_ = os::SimEnv::create({.seed = test_seed()});
    model_ = empty_model();
    db_.emplace(TRY(Database::open(kPath, OpenMode::CreateNew, small_options(*env_))));
    env_->set_capacity(env_->used_bytes() + spare);
    const Status full = fill();
    if (full.code() != ErrorCode::DiskFull) return full;
    most_keys_ = std::max(most_keys_, model_["default"].size());
    CHECK(same_as_model());
    CHECK(erase_everything());
    CHECK(same_as_model());
    CHECK(db_->checkpoint());
    env_->set_capacity(os::kSimUnlimited);
    Model next = model_;
    const Commit commit = TRY(put_some(1, next));
    CHECK(commit.status);
    model_ = std::move(next);
    CHECK(verify_clean(*db_));
    CHECK(db_->close());
    db_.emplace(TRY(Database::open(kPath, OpenMode::MustExist, small_options(*env_))));
    return same_as_model();
  }

  std::unique_ptr<os::SimEnv> env_;
  std::optional<Database> db_;
  Model model_;
  std::size_t most_keys_ = 0;
};

TEST_P(FullDisk, refuses_writes_and_can_be_emptied) {
  const std::uint64_t step = GetParam().step * scaled(4, 1, 1);
  for (std::uint64_t spare = GetParam().first_spare; spare <= GetParam().last_spare; spare += step) {
    const Status status = run(spare);
    db_.reset();
    ASSERT_TRUE(status.is_ok()) << spare << " bytes to spare: " << status.to_string();
  }
  EXPECT_GT(most_keys_, 10u) << "the disk was full before there was anything to erase";
}

constexpr std::uint64_t kKiB = 1024;
INSTANTIATE_TEST_SUITE_P(
    , FullDisk,
    ::testing::Values(FullDiskCase{"small_values", 100, 20, 1100 * kKiB, 1600 * kKiB, 4 * kKiB},
                      FullDiskCase{"values_of_a_page", 3000, 1, 1100 * kKiB, 2000 * kKiB, 8 * kKiB},
                      FullDiskCase{"large_values", 20'000, 1, 1100 * kKiB, 3000 * kKiB, 20 * kKiB},
                      FullDiskCase{"large_transactions", 60'000, 6, 1500 * kKiB, 6000 * kKiB, 100 * kKiB}),
    [](const auto& parameter) { return parameter.param.name; });

// A crash leaves a full disk behind: the next open works or says DiskFull, changes nothing that matters, and works once
// there is space.
TEST(FullDiskAfterACrash, is_no_loss) {
  for (std::uint64_t spare = 0; spare <= 200 * kKiB; spare += 4 * kKiB) {
    const std::unique_ptr<os::SimEnv> env = os::SimEnv::create({.seed = test_seed()});
    std::uint64_t content = 0;
    {
      Database db = Database::open(kPath, OpenMode::CreateNew, small_options(*env)).value();
      for (std::uint64_t i = 0; i < 40; ++i) ASSERT_TRUE(db.put(key_of(i), random_bytes(i, 3000)).is_ok());
      content = hash_of(db).value();
      env->stop();
    }
    const os::SimCrash crash(*env);
    const std::unique_ptr<os::SimEnv> after = crash.image_with_all().make_env();
    after->set_capacity(after->used_bytes() + spare);
    for (int attempt = 0; attempt < 2; ++attempt) {
      Result<Database> db = Database::open(kPath, OpenMode::MustExist, small_options(*after));
      if (db.has_value()) {
        EXPECT_EQ(hash_of(*db).value(), content);
        EXPECT_TRUE(attempt == 0 || db->put("space is back", random_bytes(1, 10'000)).is_ok());
      } else {
        EXPECT_EQ(attempt, 0) << db.status().to_string();
        EXPECT_EQ(db.status().code(), ErrorCode::DiskFull) << db.status().to_string();
      }
      if (attempt == 0) after->set_capacity(os::kSimUnlimited);
    }
  }
}

}  // namespace
}  // namespace vitrine::testing
