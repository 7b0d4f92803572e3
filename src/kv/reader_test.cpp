// SPDX-License-Identifier: MIT OR Apache-2.0
// Read-only handles beside writers that come and go: what a handle saw stays readable until it moves on.
//
// One simulated machine holds both sides; a writer is killed by stopping the machine for a moment. Locks and the cache
// of the system outlive that, as they outlive a process.
#include <memory>
#include <optional>
#include <string>

#include "kv/testing.hpp"
#include "os/sim_disk.hpp"
#include "os/sim_env.hpp"

namespace vitrine::kv {
namespace {

using testing::Content;
using testing::content_of;
using testing::fails;
using testing::ok;
using testing::verifies_clean;

constexpr const char* kPath = "/db.vtr";
constexpr int kEntries = 400;  // more pages than any cache of this test holds

class ReaderTest : public ::testing::Test {
 protected:
  ReaderTest() {
    open_writer();
    change_everything("first");
    EXPECT_TRUE(ok(writer_->checkpoint()));
  }

  void TearDown() override {
    reader_.reset();
    if (!writer_) open_writer();
    const Content content = content_of(*writer_);
    EXPECT_TRUE(verifies_clean(*writer_));
    EXPECT_TRUE(ok(writer_->close()));
    open_writer();
    EXPECT_TRUE(content_of(*writer_) == content);
    EXPECT_TRUE(verifies_clean(*writer_));
  }

  Options options(Access access) {
    Options options = testing::small_options();
    options.access = access;
    options.page_size = 4096;
    options.env = env_.get();
    return options;
  }
  void open_writer() {
    writer_.emplace(Database::open(kPath, OpenMode::CreateIfMissing, options(Access::ReadWrite)).value());
  }
  void open_reader() { reader_.emplace(Database::open(kPath, OpenMode::MustExist, options(Access::ReadOnly)).value()); }
  void restart() {
    ASSERT_TRUE(ok(writer_->close()));
    open_writer();
  }
  void kill_and_restart() {
    env_->stop();
    writer_.reset();
    env_->stop_before(os::kSimUnlimited);
    open_writer();
  }

  // Touches every leaf.
  void change_everything(const std::string& mark) {
    ASSERT_TRUE(ok(writer_->write([&](WriteTransaction& txn) -> Status {
      for (int i = 0; i < kEntries; ++i) {
        const Status put = txn.put("key " + std::to_string(i), mark + std::string(2000, 'x'));
        if (!put.is_ok()) return put;
      }
      return {};
    })));
  }
  // Enough to reuse every page that is free.
  void churn() {
    for (int round = 0; round < 4; ++round) {
      change_everything("round " + std::to_string(round));
      ASSERT_TRUE(ok(writer_->checkpoint()));
    }
  }

  std::unique_ptr<os::SimEnv> env_ = os::SimEnv::create({.seed = 1});
  std::optional<Database> writer_;
  std::optional<Database> reader_;
};

// --- Older checkpoints -----------------------------------------------------------------------------------------------

TEST_F(ReaderTest, an_older_checkpoint_stays_readable_while_the_writer_goes_on) {
  const Content first = content_of(*writer_);
  open_reader();
  churn();
  EXPECT_TRUE(content_of(*reader_) == first);
  EXPECT_TRUE(verifies_clean(*reader_));
}

TEST_F(ReaderTest, an_older_checkpoint_stays_readable_when_the_writer_closes_and_opens_again) {
  const Content first = content_of(*writer_);
  open_reader();
  change_everything("second");
  restart();
  churn();
  restart();
  churn();
  EXPECT_TRUE(content_of(*reader_) == first);
  EXPECT_TRUE(verifies_clean(*reader_));
}

TEST_F(ReaderTest, an_older_checkpoint_stays_readable_when_the_writer_is_killed) {
  const Content first = content_of(*writer_);
  open_reader();
  change_everything("second");
  ASSERT_TRUE(ok(writer_->checkpoint()));
  change_everything("third");
  kill_and_restart();
  churn();
  kill_and_restart();
  churn();
  EXPECT_TRUE(content_of(*reader_) == first);
  EXPECT_TRUE(verifies_clean(*reader_));
}

TEST_F(ReaderTest, several_readers_of_different_checkpoints_keep_what_they_saw) {
  const Content first = content_of(*writer_);
  open_reader();
  churn();
  const Content second = content_of(*writer_);
  std::optional<Database> other(Database::open(kPath, OpenMode::MustExist, options(Access::ReadOnly)).value());
  restart();
  churn();
  EXPECT_TRUE(content_of(*reader_) == first);
  reader_.reset();
  churn();
  EXPECT_TRUE(content_of(*other) == second);
  EXPECT_TRUE(verifies_clean(*other));
}

TEST_F(ReaderTest, pages_kept_for_a_reader_of_before_come_free_when_it_goes) {
  open_reader();
  change_everything("second");
  restart();
  const Stats kept = writer_->stats().value();
  EXPECT_GT(kept.pages_held, 0u);
  EXPECT_EQ(kept.pages_free, 0u) << "the new writer cannot know which of them are needed";
  EXPECT_TRUE(verifies_clean(*writer_));
  reader_.reset();
  ASSERT_TRUE(ok(writer_->put("next", "1")));
  ASSERT_TRUE(ok(writer_->checkpoint()));
  ASSERT_TRUE(ok(writer_->put("next", "2")));
  EXPECT_GT(writer_->stats().value().pages_free, kept.pages_held / 2);
}

TEST_F(ReaderTest, a_reader_of_the_newest_checkpoint_costs_the_next_writer_nothing) {
  ASSERT_TRUE(ok(writer_->close()));
  open_reader();
  const Content first = content_of(*reader_);
  open_writer();
  EXPECT_EQ(writer_->stats().value().pages_held, 0u);
  churn();
  EXPECT_TRUE(content_of(*reader_) == first);
}

TEST_F(ReaderTest, a_reader_that_moved_on_keeps_nothing_old) {
  open_reader();
  change_everything("second");
  restart();
  EXPECT_TRUE(ok(reader_->refresh()));
  EXPECT_TRUE(content_of(*reader_) == content_of(*writer_));
  restart();
  EXPECT_TRUE(ok(reader_->refresh()));
  ASSERT_TRUE(ok(writer_->put("next", "1")));
  ASSERT_TRUE(ok(writer_->checkpoint()));
  ASSERT_TRUE(ok(writer_->put("next", "2")));
  EXPECT_GT(writer_->stats().value().pages_free, 0u);
}

// --- Who writes ------------------------------------------------------------------------------------------------------

TEST_F(ReaderTest, a_writer_whose_close_failed_leaves_the_next_ones_name_alone) {
  ASSERT_TRUE(ok(writer_->put("k", "v")));
  env_->inject({.kinds = {os::SimOperation::Sync}, .path = kPath});
  EXPECT_TRUE(fails(writer_->close(), ErrorCode::SyncFailed));
  std::optional<Database> failed(std::move(writer_));
  env_->clear_faults();
  open_writer();
  failed.reset();
  const Result<Database> third = Database::open(kPath, OpenMode::MustExist, options(Access::ReadWrite));
  EXPECT_TRUE(fails(third, ErrorCode::FileLocked));
  EXPECT_EQ(third.status().detail("owner"), std::to_string(env_->process_id()));
}

}  // namespace
}  // namespace vitrine::kv
