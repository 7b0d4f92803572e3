// SPDX-License-Identifier: MIT OR Apache-2.0
// The simulated machine: stops, faults, damage, capacity, hooks, and that it is the same for the same seed.
#include "os/sim_env.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "os/testing.hpp"

namespace vitrine::os {
namespace {

using testing::read_text;
using testing::write_text;

class SimEnvTest : public ::testing::Test {
 protected:
  std::unique_ptr<File> create(const std::string& path) { return env_->open(path, OpenMode::CreateNew).value(); }
  // A file whose name and content are durable.
  std::unique_ptr<File> create_durable(const std::string& path, std::string_view text) {
    std::unique_ptr<File> file = create(path);
    EXPECT_TRUE(write_text(*file, 0, text).is_ok());
    EXPECT_TRUE(file->sync().is_ok());
    EXPECT_TRUE(env_->sync_directory_of(path).is_ok());
    return file;
  }
  void fail_next(SimOperation kind, SimFault fault = {}) {
    fault.operation = env_->operations() + 1;
    fault.kinds = {kind};
    env_->inject(std::move(fault));
  }
  std::string durable(const std::string& path) { return env_->read_durable(path, 0, 1 << 20); }

  std::unique_ptr<SimEnv> env_ = SimEnv::create({});
};

TEST_F(SimEnvTest, content_is_durable_after_sync_only) {
  auto file = create("/a");
  ASSERT_TRUE(write_text(*file, 0, "text").is_ok());
  EXPECT_EQ(durable("/a"), "");
  ASSERT_TRUE(file->sync().is_ok());
  EXPECT_EQ(durable("/a"), "text");
}

TEST_F(SimEnvTest, cuts_and_growth_are_durable_after_sync_only) {
  auto file = create_durable("/a", "long text");
  ASSERT_TRUE(file->resize(4).is_ok());
  ASSERT_TRUE(file->reserve(0, 6).is_ok());
  EXPECT_EQ(durable("/a"), "long text");
  ASSERT_TRUE(file->sync().is_ok());
  EXPECT_EQ(durable("/a"), std::string("long\0\0", 6));
}

TEST_F(SimEnvTest, names_are_durable_after_their_directory_is_synced) {
  create("/d/a");
  create("/other/b");
  EXPECT_TRUE(env_->disk().durable_names().empty());
  ASSERT_TRUE(env_->sync_directory_of("/d/anything").is_ok());
  EXPECT_EQ(env_->disk().durable_names().size(), 1u);
  EXPECT_EQ(env_->disk().durable_names().count("/d/a"), 1u);
  ASSERT_TRUE(env_->rename("/d/a", "/d/c").is_ok());
  EXPECT_EQ(env_->disk().durable_names().count("/d/a"), 1u);
  ASSERT_TRUE(env_->sync_directory_of("/d/c").is_ok());
  EXPECT_EQ(env_->disk().durable_names().count("/d/a"), 0u);
  EXPECT_EQ(env_->disk().durable_names().count("/d/c"), 1u);
  ASSERT_TRUE(env_->remove("/d/c").is_ok());
  ASSERT_TRUE(env_->sync_directory_of("/d/c").is_ok());
  EXPECT_TRUE(env_->disk().durable_names().empty());
}

TEST_F(SimEnvTest, a_stopped_machine_fails_everything_and_changes_nothing) {
  auto file = create_durable("/a", "before");
  ASSERT_TRUE(write_text(*file, 0, "pending").is_ok());
  env_->stop_before(env_->operations() + 2);
  EXPECT_FALSE(env_->is_stopped());
  ASSERT_TRUE(file->size().has_value()) << "the last operation that works";
  EXPECT_TRUE(env_->is_stopped());
  const std::uint64_t hash = env_->visible_hash();
  const std::uint64_t operations = env_->operations();
  EXPECT_EQ(write_text(*file, 0, "after").code(), ErrorCode::SystemFailed);
  EXPECT_FALSE(file->sync().is_ok());
  EXPECT_FALSE(file->resize(0).is_ok());
  EXPECT_FALSE(file->reserve(0, 100).is_ok());
  EXPECT_FALSE(file->size().has_value());
  EXPECT_FALSE(file->try_lock(0, 1, LockMode::Shared).has_value());
  EXPECT_FALSE(env_->remove("/a").is_ok());
  EXPECT_FALSE(env_->rename("/a", "/b").is_ok());
  EXPECT_FALSE(env_->open("/c", OpenMode::CreateNew).has_value());
  EXPECT_FALSE(env_->sync_directory_of("/a").is_ok());
  EXPECT_EQ(env_->visible_hash(), hash);
  EXPECT_EQ(env_->operations(), operations);
  EXPECT_EQ(durable("/a"), "before");
}

TEST_F(SimEnvTest, a_hook_can_stop_the_machine_before_the_operation_it_sees) {
  auto file = create_durable("/a", "before");
  env_->hooks().on_operation = [&](std::uint64_t, SimOperation kind, const std::string&) {
    if (kind == SimOperation::Sync) env_->stop();
  };
  ASSERT_TRUE(write_text(*file, 0, "after!").is_ok());
  EXPECT_FALSE(file->sync().is_ok());
  EXPECT_EQ(durable("/a"), "before");
}

TEST_F(SimEnvTest, each_fallible_call_is_one_operation_of_its_kind) {
  std::vector<std::string> seen;
  env_->hooks().on_operation = [&](std::uint64_t number, SimOperation kind, const std::string& path) {
    EXPECT_EQ(number, seen.size() + 1);
    seen.push_back(std::string(sim_operation_name(kind)) + " " + path);
  };
  auto file = create("/a");
  ASSERT_TRUE(write_text(*file, 0, "x").is_ok());
  ASSERT_TRUE(file->sync().is_ok());
  read_text(*file, 0, 1);
  ASSERT_TRUE(env_->sync_directory_of("/a").is_ok());
  EXPECT_EQ(seen, (std::vector<std::string>{"create /a", "write /a", "sync /a", "read /a", "sync directory /a"}));
}

TEST_F(SimEnvTest, a_fault_strikes_once_or_for_ever) {
  auto file = create_durable("/a", "text");
  fail_next(SimOperation::Read);
  char byte = 0;
  const Status failure = file->read_at(2, &byte, 1).status();
  EXPECT_EQ(failure.code(), ErrorCode::ReadFailed);
  EXPECT_EQ(failure.detail("path"), "/a");
  EXPECT_EQ(failure.detail("offset"), "2");
  EXPECT_EQ(failure.detail("operation"), "read");
  EXPECT_EQ(read_text(*file, 0, 4), "text");
  fail_next(SimOperation::Read, {.for_ever = true});
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(file->read_at(0, &byte, 1).has_value());
  EXPECT_TRUE(write_text(*file, 0, "x").is_ok()) << "other kinds of operation work";
  env_->clear_faults();
  EXPECT_EQ(read_text(*file, 0, 4), "xext");
  EXPECT_EQ(env_->counters().faults, 4u);
}

TEST_F(SimEnvTest, a_fault_strikes_the_chosen_operation_file_and_code) {
  auto file = create_durable("/a", "text");
  auto other = create_durable("/b", "text");
  env_->inject({.operation = env_->operations() + 2, .code = ErrorCode::FileLimit});
  EXPECT_TRUE(file->sync().is_ok());
  EXPECT_EQ(file->sync().code(), ErrorCode::FileLimit);
  EXPECT_TRUE(file->sync().is_ok());
  env_->inject({.for_ever = true, .kinds = {SimOperation::Write}, .path = "/b", .code = ErrorCode::DiskFull});
  EXPECT_TRUE(write_text(*file, 0, "x").is_ok());
  EXPECT_EQ(write_text(*other, 0, "x").code(), ErrorCode::DiskFull);
}

TEST_F(SimEnvTest, a_failing_write_takes_its_partial_effect) {
  auto file = create_durable("/a", "old text");
  fail_next(SimOperation::Write);
  EXPECT_EQ(write_text(*file, 0, "NEW TEXT").code(), ErrorCode::WriteFailed);
  EXPECT_EQ(read_text(*file, 0, 100), "old text");
  fail_next(SimOperation::Write, {.partial_bytes = 3});
  const Status failure = write_text(*file, 0, "NEW TEXT");
  EXPECT_EQ(failure.code(), ErrorCode::WriteFailed);
  EXPECT_EQ(failure.detail("offset"), "3");
  EXPECT_EQ(read_text(*file, 0, 100), "NEW text");
}

TEST_F(SimEnvTest, a_failed_sync_drops_what_was_pending_for_good) {
  auto file = create_durable("/a", "old");
  ASSERT_TRUE(write_text(*file, 0, "new").is_ok());
  fail_next(SimOperation::Sync);
  EXPECT_EQ(file->sync().code(), ErrorCode::SyncFailed);
  EXPECT_EQ(read_text(*file, 0, 3), "new") << "the cache still shows it";
  EXPECT_TRUE(file->sync().is_ok()) << "and the next sync claims success";
  EXPECT_EQ(durable("/a"), "old");
  env_->drop_caches();
  EXPECT_EQ(read_text(*file, 0, 3), "old");
}

TEST_F(SimEnvTest, a_failed_sync_can_revert_what_was_pending) {
  auto file = create_durable("/a", "old");
  ASSERT_TRUE(write_text(*file, 0, "newer").is_ok());
  fail_next(SimOperation::Sync, {.sync_failure = SyncFailure::RevertPending});
  EXPECT_FALSE(file->sync().is_ok());
  EXPECT_EQ(read_text(*file, 0, 10), "old");
  EXPECT_EQ(file->size().value(), 3u);
}

TEST_F(SimEnvTest, a_failed_sync_can_keep_a_part_of_what_was_pending) {
  const std::string old_text(64 * 512, 'o');
  const std::string new_text(64 * 512, 'n');
  auto file = create_durable("/a", old_text);
  ASSERT_TRUE(write_text(*file, 0, new_text).is_ok());
  fail_next(SimOperation::Sync, {.sync_failure = SyncFailure::PartlyDurable});
  EXPECT_FALSE(file->sync().is_ok());
  EXPECT_EQ(read_text(*file, 0, new_text.size()), new_text);
  ASSERT_TRUE(file->sync().is_ok());
  const std::string now = durable("/a");
  EXPECT_NE(now.find('o'), std::string::npos);
  EXPECT_NE(now.find('n'), std::string::npos);
  for (std::size_t at = 0; at < now.size(); at += 512) {
    EXPECT_EQ(now.substr(at, 512), std::string(512, now[at])) << "a sector is whole";
  }
}

TEST_F(SimEnvTest, a_failed_directory_sync_drops_the_names) {
  create("/a");
  fail_next(SimOperation::SyncDirectory);
  EXPECT_EQ(env_->sync_directory_of("/a").code(), ErrorCode::SyncFailed);
  EXPECT_TRUE(env_->sync_directory_of("/a").is_ok());
  EXPECT_TRUE(env_->exists("/a").value());
  EXPECT_TRUE(env_->disk().durable_names().empty());
}

TEST_F(SimEnvTest, a_lost_write_is_acknowledged_and_gone) {
  auto file = create_durable("/a", "old text");
  fail_next(SimOperation::Write, {.effect = SimEffect::Lose});
  ASSERT_TRUE(write_text(*file, 0, "NEW TEXT, LONGER").is_ok());
  ASSERT_TRUE(file->sync().is_ok());
  EXPECT_EQ(read_text(*file, 0, 8), "NEW TEXT");
  env_->drop_caches();
  EXPECT_EQ(read_text(*file, 0, 100), "old text" + std::string(8, '\0'));
}

TEST_F(SimEnvTest, a_misdirected_write_lands_elsewhere) {
  auto file = create_durable("/a", "0123456789");
  fail_next(SimOperation::Write, {.effect = SimEffect::Misdirect, .misdirected_to = 6});
  ASSERT_TRUE(write_text(*file, 0, "ab").is_ok());
  ASSERT_TRUE(file->sync().is_ok());
  EXPECT_EQ(read_text(*file, 0, 10), "ab23456789");
  env_->drop_caches();
  EXPECT_EQ(read_text(*file, 0, 10), "012345ab89");
}

TEST_F(SimEnvTest, a_lying_sync_makes_nothing_durable) {
  auto file = create_durable("/a", "old");
  ASSERT_TRUE(write_text(*file, 0, "new").is_ok());
  fail_next(SimOperation::Sync, {.effect = SimEffect::Lose});
  EXPECT_TRUE(file->sync().is_ok());
  EXPECT_EQ(durable("/a"), "old");
  EXPECT_TRUE(file->sync().is_ok());
  EXPECT_EQ(durable("/a"), "new");
}

TEST_F(SimEnvTest, a_flipped_bit_shows_where_no_unsynced_write_covers_it) {
  auto file = create_durable("/a", "aaaa");
  ASSERT_TRUE(write_text(*file, 2, "x").is_ok());
  env_->flip_bit("/a", 1, 1);
  env_->flip_bit("/a", 2, 1);
  EXPECT_EQ(read_text(*file, 0, 4), "acxa");
  EXPECT_EQ(durable("/a"), "acca");
  ASSERT_TRUE(file->sync().is_ok());
  EXPECT_EQ(durable("/a"), "acxa");
}

TEST_F(SimEnvTest, a_full_disk_takes_what_fits_and_recovers) {
  env_->set_capacity(4 * 4096);
  auto file = create("/a");
  ASSERT_TRUE(file->reserve(0, 2 * 4096).is_ok());
  EXPECT_EQ(env_->used_bytes(), 2 * 4096u);
  EXPECT_EQ(file->reserve(0, 5 * 4096).code(), ErrorCode::DiskFull);
  EXPECT_EQ(file->size().value(), 2 * 4096u);
  const std::string text(3 * 4096, 'x');
  EXPECT_EQ(write_text(*file, 2 * 4096, text).code(), ErrorCode::DiskFull);
  EXPECT_EQ(file->size().value(), 4 * 4096u) << "the part that fits was written";
  EXPECT_TRUE(write_text(*file, 0, text).is_ok()) << "reserved space cannot run out";
  auto other = create("/b");
  EXPECT_EQ(write_text(*other, 0, "x").code(), ErrorCode::DiskFull);
  ASSERT_TRUE(file->resize(4096).is_ok());
  EXPECT_TRUE(write_text(*other, 0, "x").is_ok());
  EXPECT_EQ(env_->used_bytes(), 2 * 4096u);
  ASSERT_TRUE(env_->remove("/a").is_ok());
  EXPECT_EQ(env_->used_bytes(), 2 * 4096u) << "an open file keeps its space";
  file.reset();
  EXPECT_EQ(env_->used_bytes(), 4096u);
}

TEST_F(SimEnvTest, writes_over_durable_bytes_are_reported) {
  std::vector<bool> overwrites;
  auto file = create_durable("/a", std::string(100, 'x'));
  ASSERT_TRUE(file->reserve(0, 8192).is_ok());
  ASSERT_TRUE(file->sync().is_ok());
  env_->hooks().on_write = [&](const SimWrite& write) {
    EXPECT_EQ(write.path, "/a");
    EXPECT_EQ(write.size, 10u);
    overwrites.push_back(write.overwrites_durable);
  };
  for (const std::uint64_t offset : {std::uint64_t{95}, std::uint64_t{100}, std::uint64_t{100}}) {
    ASSERT_TRUE(write_text(*file, offset, "0123456789").is_ok());
  }
  ASSERT_TRUE(file->sync().is_ok());
  ASSERT_TRUE(write_text(*file, 100, "0123456789").is_ok());
  EXPECT_EQ(overwrites, (std::vector<bool>{true, false, false, true}));
}

TEST_F(SimEnvTest, counters_count) {
  auto file = create_durable("/a", "text");
  read_text(*file, 1, 100);
  EXPECT_EQ(env_->counters().operations, 5u);
  EXPECT_EQ(env_->counters().writes, 1u);
  EXPECT_EQ(env_->counters().bytes_written, 4u);
  EXPECT_EQ(env_->counters().reads, 1u);
  EXPECT_EQ(env_->counters().bytes_read, 3u);
  EXPECT_EQ(env_->counters().syncs, 1u);
  EXPECT_EQ(env_->counters().directory_syncs, 1u);
}

TEST_F(SimEnvTest, time_moves_only_by_calls_and_by_hand) {
  const std::uint64_t before = env_->monotonic_ns();
  EXPECT_EQ(env_->monotonic_ns(), before + 100);
  env_->advance_ns(5'000'000);
  EXPECT_EQ(env_->monotonic_ns(), before + 5'000'200);
  const std::uint64_t wall = env_->wall_ms();
  env_->shift_wall_ms(-10'000);
  EXPECT_EQ(env_->wall_ms(), wall - 10'000);
  EXPECT_FALSE(env_->has_background_threads());
}

TEST_F(SimEnvTest, a_seed_decides_the_randomness) {
  const auto draw = [](std::uint64_t seed) {
    std::array<std::byte, 16> bytes{};
    EXPECT_TRUE(SimEnv::create({.seed = seed})->random_bytes(bytes).is_ok());
    return bytes;
  };
  EXPECT_EQ(draw(7), draw(7));
  EXPECT_NE(draw(7), draw(8));
}

TEST_F(SimEnvTest, the_hash_follows_names_sizes_and_bytes) {
  auto file = create("/a");
  const std::uint64_t empty = env_->visible_hash();
  ASSERT_TRUE(file->resize(10).is_ok());
  const std::uint64_t sized = env_->visible_hash();
  EXPECT_NE(sized, empty);
  ASSERT_TRUE(write_text(*file, 0, std::string(10, '\0')).is_ok());
  EXPECT_EQ(env_->visible_hash(), sized) << "written zeros equal a hole";
  ASSERT_TRUE(write_text(*file, 3, "x").is_ok());
  EXPECT_NE(env_->visible_hash(), sized);
  ASSERT_TRUE(write_text(*file, 3, std::string(1, '\0')).is_ok());
  EXPECT_EQ(env_->visible_hash(), sized);
  ASSERT_TRUE(env_->rename("/a", "/b").is_ok());
  EXPECT_NE(env_->visible_hash(), sized);
}

}  // namespace
}  // namespace vitrine::os
