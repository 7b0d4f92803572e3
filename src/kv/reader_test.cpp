// SPDX-License-Identifier: MIT OR Apache-2.0
// Read-only handles beside writers that come and go: what a handle saw stays readable until it moves on.
//
// One simulated machine holds both sides; a writer is killed by stopping the machine for a moment. Locks and the cache
// of the system outlive that, as they outlive a process.
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "format/meta.hpp"
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

constexpr const char* kReaderPath = "/db.vtr";
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
    writer_.emplace(Database::open(kReaderPath, OpenMode::CreateIfMissing, options(Access::ReadWrite)).value());
  }
  void open_reader() {
    reader_.emplace(Database::open(kReaderPath, OpenMode::MustExist, options(Access::ReadOnly)).value());
  }
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
  std::optional<Database> other(Database::open(kReaderPath, OpenMode::MustExist, options(Access::ReadOnly)).value());
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

// --- Refresh ---------------------------------------------------------------------------------------------------------

// What fails, a refresh that fails leaves the handle as it was, and the next one makes up for it.
TEST_F(ReaderTest, a_refresh_that_fails_keeps_what_was_seen_and_can_be_repeated) {
  const auto one_commit = [&] { return writer_->put("one", "commit"); };
  const auto new_checkpoint = [&] { return writer_->checkpoint(); };
  const auto both = [&] {
    const Status status = writer_->checkpoint();
    return status.is_ok() ? writer_->put("two", "commits") : status;
  };
  for (const std::function<Status()>& change : {std::function<Status()>(one_commit), {new_checkpoint}, {both}}) {
    bool is_over = false;
    for (std::uint64_t operation = 1; !is_over; ++operation) {
      open_reader();
      ASSERT_TRUE(ok(writer_->put("mark", std::to_string(operation))));
      ASSERT_TRUE(ok(change()));
      const Content before = content_of(*reader_), after = content_of(*writer_);
      env_->inject({.operation = env_->operations() + operation});
      const std::uint64_t last = env_->operations() + operation;
      const Status status = reader_->refresh().status();
      is_over = env_->operations() < last;
      env_->clear_faults();
      ASSERT_EQ(status.is_ok() || !is_over, true);
      const Content now = content_of(*reader_);
      ASSERT_TRUE(now == after || (!status.is_ok() && now == before)) << operation << ": " << status.to_string();
      ASSERT_TRUE(ok(reader_->refresh())) << operation;
      ASSERT_TRUE(content_of(*reader_) == after) << operation;
      reader_.reset();
    }
  }
}

// Commits that only a checkpoint has, made between the reader's looks at the header and at the log.
TEST_F(ReaderTest, a_reader_that_meets_the_log_of_a_newer_checkpoint_shows_what_comes_before_it) {
  const std::string large(600'000, 'x');
  env_->hooks().on_operation = [&](std::uint64_t, os::SimOperation kind, const std::string& path) {
    if (kind != os::SimOperation::Open || path != std::string(kReaderPath) + "-wal") return;
    env_->hooks().on_operation = {};
    ASSERT_TRUE(ok(writer_->put("a", "in the log")));
    ASSERT_TRUE(ok(writer_->put("b", large)));  // too large for the log
    ASSERT_TRUE(ok(writer_->put("c", "in the log again")));
  };
  open_reader();
  EXPECT_EQ(reader_->get("a").value(), "in the log");
  EXPECT_EQ(reader_->get("c").value(), std::nullopt);
  EXPECT_TRUE(ok(reader_->refresh()));
  EXPECT_TRUE(content_of(*reader_) == content_of(*writer_));
}

TEST_F(ReaderTest, a_refresh_that_meets_the_log_of_a_newer_checkpoint_moves_on_to_it) {
  const std::string large(600'000, 'x');
  open_reader();
  env_->hooks().on_operation = [&](std::uint64_t, os::SimOperation kind, const std::string& path) {
    if (kind != os::SimOperation::Read || path != std::string(kReaderPath) + "-wal") return;
    env_->hooks().on_operation = {};
    ASSERT_TRUE(ok(writer_->put("a", "in the log")));
    ASSERT_TRUE(ok(writer_->put("b", large)));
    ASSERT_TRUE(ok(writer_->put("c", "in the log again")));
  };
  EXPECT_EQ(reader_->refresh().value(), true);
  EXPECT_TRUE(content_of(*reader_) == content_of(*writer_));
}

// --- A lost header ---------------------------------------------------------------------------------------------------

// The newest header has a commit that the log does not have. Nobody may take the older one for the whole truth.
TEST_F(ReaderTest, a_lost_header_is_a_hole_in_the_log_unless_the_loss_is_accepted) {
  ASSERT_TRUE(ok(writer_->put("a", "in the log")));
  ASSERT_TRUE(ok(writer_->put("b", std::string(600'000, 'x'))));
  const std::uint64_t lost = writer_->info().value().checkpoint;
  ASSERT_TRUE(ok(writer_->put("c", "in the log again")));
  ASSERT_TRUE(ok(writer_->sync()));
  env_->stop();
  writer_.reset();
  env_->stop_before(os::kSimUnlimited);
  env_->write_durable(kReaderPath, format::meta_slot(lost) * 2 * format::kMetaBlockSize,
                      std::string(2 * format::kMetaBlockSize, '\xee'));
  Options accepting = options(Access::ReadWrite);
  EXPECT_TRUE(fails(Database::open(kReaderPath, OpenMode::MustExist, accepting), ErrorCode::LogHole));
  EXPECT_TRUE(fails(Database::open(kReaderPath, OpenMode::MustExist, options(Access::ReadOnly)), ErrorCode::LogHole));
  accepting.accept_lost_log = true;
  writer_.emplace(Database::open(kReaderPath, OpenMode::MustExist, accepting).value());
  EXPECT_EQ(writer_->get("b").value(), std::nullopt);
  EXPECT_EQ(writer_->get("c").value(), std::nullopt);
}

// --- Who writes ------------------------------------------------------------------------------------------------------

TEST_F(ReaderTest, a_writer_whose_close_failed_leaves_the_next_ones_name_alone) {
  ASSERT_TRUE(ok(writer_->put("k", "v")));
  env_->inject({.kinds = {os::SimOperation::Sync}, .path = kReaderPath});
  EXPECT_TRUE(fails(writer_->close(), ErrorCode::SyncFailed));
  std::optional<Database> failed(std::move(writer_));
  env_->clear_faults();
  open_writer();
  failed.reset();
  const Result<Database> third = Database::open(kReaderPath, OpenMode::MustExist, options(Access::ReadWrite));
  EXPECT_TRUE(fails(third, ErrorCode::FileLocked));
  EXPECT_EQ(third.status().detail("owner"), std::to_string(env_->process_id()));
}

}  // namespace
}  // namespace vitrine::kv
