// SPDX-License-Identifier: MIT OR Apache-2.0
// How transactions end, in part (savepoints) and as a whole: commit and its outcomes, rollback, waiting for a turn.
#include <chrono>
#include <future>
#include <optional>
#include <stdexcept>
#include <thread>

#include "kv/testing.hpp"

namespace vitrine::kv {
namespace {

using testing::Content;
using testing::content_of;
using testing::DatabaseTest;
using testing::fails;
using testing::ok;
using namespace std::chrono_literals;

class TransactionEndTest : public DatabaseTest {};

// --- Savepoints ------------------------------------------------------------------------------------------------------

TEST_F(TransactionEndTest, rolling_back_to_a_savepoint_undoes_everything_since) {
  ASSERT_TRUE(ok(db().put("erased", "1")));
  WriteTransaction txn = begin();
  ASSERT_TRUE(ok(txn.put("before", "1")));
  const Content at_savepoint = content_of(txn);
  const Savepoint savepoint = txn.savepoint().value();
  ASSERT_TRUE(ok(txn.put("before", "2")));
  ASSERT_TRUE(ok(txn.put("after", std::string(100'000, 'x'))));
  ASSERT_TRUE(ok(txn.erase("erased")));
  ASSERT_TRUE(ok(txn.create_keyspace("new")));
  ASSERT_TRUE(ok(txn.rollback_to(savepoint)));
  EXPECT_TRUE(content_of(txn) == at_savepoint);
  ASSERT_TRUE(ok(txn.commit()));
  EXPECT_EQ(db().get("before").value(), "1");
  EXPECT_EQ(db().get("erased").value(), "1");
}

TEST_F(TransactionEndTest, a_savepoint_can_be_rolled_back_to_again_and_again) {
  WriteTransaction txn = begin();
  ASSERT_TRUE(ok(txn.put("kept", "1")));
  const Savepoint savepoint = txn.savepoint().value();
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(ok(txn.put("k" + std::to_string(i), std::string(3000, 'x'))));
    ASSERT_TRUE(ok(txn.rollback_to(savepoint)));
    EXPECT_EQ(txn.count({}).value(), 1u);
  }
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(TransactionEndTest, savepoints_nest_and_the_later_ones_end_with_the_earlier) {
  WriteTransaction txn = begin();
  const Savepoint first = txn.savepoint().value();
  ASSERT_TRUE(ok(txn.put("a", "1")));
  const Savepoint second = txn.savepoint().value();
  ASSERT_TRUE(ok(txn.put("b", "1")));
  const Savepoint third = txn.savepoint().value();
  ASSERT_TRUE(ok(txn.put("c", "1")));
  ASSERT_TRUE(ok(txn.rollback_to(second)));
  EXPECT_EQ(txn.count({}).value(), 1u);
  EXPECT_TRUE(fails(txn.rollback_to(third), ErrorCode::SavepointUnknown));
  ASSERT_TRUE(ok(txn.rollback_to(second)));
  ASSERT_TRUE(ok(txn.rollback_to(first)));
  EXPECT_EQ(txn.count({}).value(), 0u);
  EXPECT_TRUE(fails(txn.rollback_to(second), ErrorCode::SavepointUnknown));
}

TEST_F(TransactionEndTest, savepoints_that_do_not_exist_are_unknown) {
  WriteTransaction txn = begin();
  EXPECT_TRUE(fails(txn.rollback_to({}), ErrorCode::SavepointUnknown));
  EXPECT_TRUE(fails(txn.rollback_to({1}), ErrorCode::SavepointUnknown));
  (void)txn.savepoint();
  EXPECT_TRUE(fails(txn.rollback_to({2}), ErrorCode::SavepointUnknown));
}

TEST_F(TransactionEndTest, there_is_no_savepoint_in_the_middle_of_a_value) {
  WriteTransaction txn = begin();
  const Savepoint before = txn.savepoint().value();
  {
    ValueWriter writer = txn.write_value({}, "k").value();
    ASSERT_TRUE(ok(writer.append(std::string(50'000, 'x'))));
    EXPECT_TRUE(fails(txn.savepoint(), ErrorCode::Misuse));
    ASSERT_TRUE(ok(writer.append(std::string(50'000, 'y'))));
    ASSERT_TRUE(ok(writer.finish()));
    EXPECT_TRUE(ok(txn.savepoint())) << "the value is finished";
  }
  {
    ValueWriter writer = txn.write_value({}, "given up").value();
    ASSERT_TRUE(ok(writer.append(std::string(50'000, 'z'))));
    EXPECT_TRUE(fails(txn.savepoint(), ErrorCode::Misuse));
  }
  EXPECT_TRUE(ok(txn.savepoint())) << "the value is given up";
  ValueWriter writer = txn.write_value({}, "k").value();
  ASSERT_TRUE(ok(writer.append("half")));
  ASSERT_TRUE(ok(txn.rollback_to(before))) << "back to before the value began";
  EXPECT_TRUE(fails(writer.append("the rest"), ErrorCode::Misuse));
  EXPECT_TRUE(fails(writer.finish(), ErrorCode::Misuse));
  EXPECT_EQ(txn.count({}).value(), 0u);
  ASSERT_TRUE(ok(txn.put("k", "v")));
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(TransactionEndTest, what_came_before_a_savepoint_is_committed_after_rolling_back) {
  WriteTransaction txn = begin();
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(ok(txn.put("before" + std::to_string(i), std::string(100, 'x'))));
  const Savepoint savepoint = txn.savepoint().value();
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(ok(txn.put("after" + std::to_string(i), std::string(100, 'x'))));
  ASSERT_TRUE(ok(txn.rollback_to(savepoint)));
  ASSERT_TRUE(ok(txn.put("last", "1")));
  ASSERT_TRUE(ok(txn.commit()));
  EXPECT_EQ(db().begin_read().value().count({}).value(), 501u);
}

TEST_F(TransactionEndTest, a_transaction_grown_too_large_for_the_log_rolls_back_to_its_savepoint) {
  WriteTransaction txn = begin();
  ASSERT_TRUE(ok(txn.put("before", "1")));
  const Savepoint savepoint = txn.savepoint().value();
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(ok(txn.put("k" + std::to_string(i), std::string(100'000, 'x'))));
  ASSERT_TRUE(ok(txn.rollback_to(savepoint)));
  ASSERT_TRUE(ok(txn.put("after", "1")));
  ASSERT_TRUE(ok(txn.commit()));
  EXPECT_EQ(db().begin_read().value().count({}).value(), 2u);
}

// --- Rollback --------------------------------------------------------------------------------------------------------

TEST_F(TransactionEndTest, destruction_rolls_back) {
  {
    WriteTransaction txn = begin();
    ASSERT_TRUE(ok(txn.put("k", "v")));
  }
  EXPECT_EQ(db().get("k").value(), std::nullopt);
  EXPECT_EQ(db().stats().value().rollbacks, 1u);
}

TEST_F(TransactionEndTest, explicit_rollback_ends_the_transaction_and_lets_the_next_one_in) {
  WriteTransaction txn = begin();
  ASSERT_TRUE(ok(txn.put("k", "v")));
  txn.rollback();
  EXPECT_TRUE(fails(txn.put("k", "v"), ErrorCode::TransactionFinished));
  WriteTransaction next = begin();
  EXPECT_EQ(next.get("k").value(), std::nullopt);
  txn.rollback();  // harmless
  EXPECT_TRUE(ok(next.put("k", "next")));
  EXPECT_TRUE(ok(next.commit()));
}

TEST_F(TransactionEndTest, a_rolled_back_transaction_leaves_no_page_behind) {
  for (int i = 0; i < 2000; ++i) ASSERT_TRUE(ok(db().put("k" + std::to_string(i), std::string(50, 'x'))));
  ASSERT_TRUE(ok(db().checkpoint()));
  const std::uint64_t before = db().stats().value().pages_allocated;
  {
    WriteTransaction txn = begin();
    for (int i = 0; i < 2000; i += 2) ASSERT_TRUE(ok(txn.erase("k" + std::to_string(i))));
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(ok(txn.put("large" + std::to_string(i), std::string(200'000, 'x'))));
  }
  EXPECT_EQ(db().stats().value().pages_allocated, before);
  EXPECT_EQ(db().begin_read().value().count({}).value(), 2000u);
}

// --- Commit ----------------------------------------------------------------------------------------------------------

TEST_F(TransactionEndTest, the_outcome_of_a_commit_says_how_durable_it_is) {
  const std::pair<Durability, CommitOutcome> cases[] = {{Durability::Full, CommitOutcome::Committed},
                                                        {Durability::Periodic, CommitOutcome::Pending},
                                                        {Durability::None, CommitOutcome::Pending}};
  for (const auto& [durability, expected] : cases) {
    WriteTransaction txn = begin();
    ASSERT_TRUE(ok(txn.put("k", "v")));
    const Commit commit = txn.commit(durability);
    EXPECT_TRUE(ok(commit));
    EXPECT_EQ(commit.outcome, expected);
    EXPECT_TRUE(commit.is_applied());
    EXPECT_EQ(db().begin_read().value().snapshot_seq(), commit.seq) << "visible at once";
  }
}

TEST_F(TransactionEndTest, a_full_commit_is_durable_with_all_before_it) {
  ASSERT_TRUE(ok(db().put("a", "1")));
  ASSERT_TRUE(ok(db().put("b", "1")));
  WriteTransaction txn = begin();
  ASSERT_TRUE(ok(txn.put("c", "1")));
  const std::uint64_t syncs = db().stats().value().log_syncs;
  const Commit commit = txn.commit(Durability::Full);
  EXPECT_EQ(commit.outcome, CommitOutcome::Committed);
  EXPECT_EQ(db().stats().value().log_syncs, syncs + 1) << "one sync for all three";
}

TEST_F(TransactionEndTest, a_commit_without_writes_takes_no_number_and_no_sync) {
  ASSERT_TRUE(ok(db().put("k", "v")));
  ASSERT_TRUE(ok(db().sync()));
  const Stats before = db().stats().value();
  WriteTransaction txn = begin();
  EXPECT_EQ(txn.get("k").value(), "v");
  const Commit commit = txn.commit(Durability::Full);
  EXPECT_EQ(commit.outcome, CommitOutcome::Committed);
  EXPECT_EQ(commit.seq, before.commit_seq);
  EXPECT_EQ(db().stats().value().log_syncs, before.log_syncs);
}

TEST_F(TransactionEndTest, after_commit_every_call_answers_that_the_transaction_has_ended) {
  WriteTransaction txn = begin();
  ASSERT_TRUE(ok(txn.put("k", "v")));
  const Savepoint savepoint = txn.savepoint().value();
  ASSERT_TRUE(ok(txn.commit()));
  const auto finished = ErrorCode::TransactionFinished;
  std::string buffer;
  EXPECT_TRUE(fails(txn.put("k", "w"), finished));
  EXPECT_TRUE(fails(txn.put_if_absent({}, "k", "w"), finished));
  EXPECT_TRUE(fails(txn.compare_and_set({}, "k", 0, "w"), finished));
  EXPECT_TRUE(fails(txn.erase("k"), finished));
  EXPECT_TRUE(fails(txn.erase_range({}, "", std::nullopt), finished));
  EXPECT_TRUE(fails(txn.get("k"), finished));
  EXPECT_TRUE(fails(txn.get({}, "k", buffer), finished));
  EXPECT_TRUE(fails(txn.get_entry({}, "k"), finished));
  EXPECT_TRUE(fails(txn.contains({}, "k"), finished));
  EXPECT_TRUE(fails(txn.open_value({}, "k"), finished));
  EXPECT_TRUE(fails(txn.write_value({}, "k"), finished));
  EXPECT_TRUE(fails(txn.scan({}, {}, [](Bytes, Bytes) { return true; }), finished));
  EXPECT_TRUE(fails(txn.count({}), finished));
  EXPECT_TRUE(fails(txn.keyspace("x"), finished));
  EXPECT_TRUE(fails(txn.keyspaces(), finished));
  EXPECT_TRUE(fails(txn.create_keyspace("x"), finished));
  EXPECT_TRUE(fails(txn.ensure_keyspace("x"), finished));
  EXPECT_TRUE(fails(txn.drop_keyspace("x"), finished));
  EXPECT_TRUE(fails(txn.savepoint(), finished));
  EXPECT_TRUE(fails(txn.rollback_to(savepoint), finished));
  EXPECT_TRUE(fails(txn.cursor().seek_first(), finished));
  const Commit again = txn.commit();
  EXPECT_EQ(again.outcome, CommitOutcome::NotCommitted);
  EXPECT_TRUE(fails(again, finished));
  EXPECT_EQ(db().get("k").value(), "v");
}

TEST_F(TransactionEndTest, a_transaction_larger_than_log_and_cache_commits_as_a_whole) {
  WriteTransaction txn = begin();
  for (int i = 0; i < 60; ++i) ASSERT_TRUE(ok(txn.put("k" + std::to_string(i), std::string(100'000, 'x'))));
  const Commit commit = txn.commit(Durability::None);
  EXPECT_TRUE(ok(commit));
  EXPECT_EQ(commit.outcome, CommitOutcome::Committed) << "made by a checkpoint, so durable whatever was asked";
  EXPECT_EQ(db().begin_read().value().count({}).value(), 60u);
  EXPECT_EQ(db().stats().value().durable_seq, commit.seq);
}

// --- Closure form ----------------------------------------------------------------------------------------------------

TEST_F(TransactionEndTest, the_closure_form_commits_when_the_body_is_ok) {
  ASSERT_TRUE(ok(db().write([](WriteTransaction& txn) { return txn.put("k", "v"); })));
  EXPECT_EQ(db().get("k").value(), "v");
}

TEST_F(TransactionEndTest, the_closure_form_rolls_back_and_passes_the_error_on) {
  const Status status = db().write([](WriteTransaction& txn) -> Status {
    if (Status put = txn.put("k", "v"); !put.is_ok()) return put;
    return Status::error(ErrorCode::KeyNotFound, "the body's own");
  });
  EXPECT_TRUE(fails(status, ErrorCode::KeyNotFound));
  EXPECT_EQ(status.message(), "the body's own");
  EXPECT_EQ(db().get("k").value(), std::nullopt);
}

TEST_F(TransactionEndTest, an_exception_of_the_body_rolls_back_and_passes_through) {
  const auto body = [](WriteTransaction& txn) -> Status {
    if (Status put = txn.put("k", "v"); !put.is_ok()) return put;
    throw std::runtime_error("the body's own");
  };
  EXPECT_THROW((void)db().write(body), std::runtime_error);
  EXPECT_EQ(db().get("k").value(), std::nullopt);
  EXPECT_TRUE(ok(db().put("next", "v"))) << "the latch is free again";
}

TEST_F(TransactionEndTest, an_exception_of_a_visitor_passes_through) {
  ASSERT_TRUE(ok(db().put("k", "v")));
  WriteTransaction txn = begin();
  const auto visit = [](Bytes, Bytes) -> bool { throw std::runtime_error("the visitor's own"); };
  EXPECT_THROW((void)txn.scan({}, {}, visit), std::runtime_error);
  EXPECT_EQ(txn.get("k").value(), "v");
}

TEST_F(TransactionEndTest, the_read_closure_passes_on_what_its_body_returns) {
  ASSERT_TRUE(ok(db().put("k", "v")));
  auto value = db().read([](const ReadTransaction& txn) { return txn.get("k"); });
  EXPECT_EQ(value.value(), "v");
}

TEST_F(TransactionEndTest, the_durability_of_a_closure_overrides_the_databases) {
  const std::uint64_t syncs = db().stats().value().log_syncs;
  ASSERT_TRUE(ok(db().write([](WriteTransaction& txn) { return txn.put("k", "v"); }, Durability::Full)));
  EXPECT_EQ(db().stats().value().log_syncs, syncs + 1);
  EXPECT_EQ(db().stats().value().durable_seq, db().stats().value().commit_seq);
}

TEST_F(TransactionEndTest, stats_call_a_commit_durable_once_it_is) {
  const auto durable = [&] { return db().stats().value().durable_seq; };
  const auto put = [&](Durability durability) {
    return db().write([](WriteTransaction& txn) { return txn.put("k", "v"); }, durability);
  };
  const std::uint64_t before = durable();
  ASSERT_TRUE(ok(put(Durability::None)));
  EXPECT_EQ(durable(), before) << "seen, and not synced";
  ASSERT_TRUE(ok(put(Durability::Full)));
  EXPECT_EQ(durable(), before + 2) << "with all before it";
  ASSERT_TRUE(ok(put(Durability::None)));
  EXPECT_EQ(durable(), before + 2);
  ASSERT_TRUE(ok(db().checkpoint()));
  EXPECT_EQ(durable(), before + 3);
  ASSERT_TRUE(ok(put(Durability::None)));
  ASSERT_TRUE(ok(db().sync()));
  EXPECT_EQ(durable(), before + 4);
  reopen();
  EXPECT_EQ(durable(), before + 4);
}

// --- Waiting for a turn ----------------------------------------------------------------------------------------------

TEST_F(TransactionEndTest, begin_write_gives_up_at_its_deadline) {
  WriteTransaction txn = begin();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(fails(db().begin_write(0ms), ErrorCode::Timeout));
  EXPECT_TRUE(fails(db().begin_write(30ms), ErrorCode::Timeout));
  EXPECT_GE(std::chrono::steady_clock::now() - start, 30ms);
  EXPECT_TRUE(ok(txn.put("k", "v"))) << "the one that writes does not notice";
  EXPECT_TRUE(ok(txn.commit()));
  EXPECT_TRUE(ok(db().begin_write(0ms))) << "free again";
}

TEST_F(TransactionEndTest, begin_write_gets_its_turn_when_the_other_ends_in_time) {
  WriteTransaction txn = begin();
  std::thread waiter([&] {
    Result<WriteTransaction> mine = db().begin_write(20s);
    ASSERT_TRUE(ok(mine));
    EXPECT_EQ(mine->get("k").value(), "v");
  });
  std::this_thread::sleep_for(20ms);
  ASSERT_TRUE(ok(txn.put("k", "v")));
  ASSERT_TRUE(ok(txn.commit()));
  waiter.join();
  EXPECT_GE(db().stats().value().writer_waits, 1u);
}

TEST_F(TransactionEndTest, a_thread_that_would_wait_for_itself_is_told_so) {
  WriteTransaction txn = begin();
  ASSERT_TRUE(ok(txn.put("k", "v")));
  const auto misuse = ErrorCode::Misuse;
  EXPECT_TRUE(fails(db().begin_write(), misuse));
  EXPECT_TRUE(fails(db().write([](WriteTransaction& inner) { return inner.put("k", "w"); }), misuse));
  EXPECT_TRUE(fails(db().put("k", "w"), misuse));
  EXPECT_TRUE(fails(db().erase("k"), misuse));
  EXPECT_TRUE(fails(db().checkpoint(), misuse));
  EXPECT_TRUE(fails(db().compact(), misuse));
  EXPECT_TRUE(fails(db().vacuum(), misuse));
  EXPECT_TRUE(fails(db().import_from(path("none")), misuse));
  EXPECT_FALSE(db().verify(VerifyLevel::Quick).value().is_complete) << "no checkpoint of this moment can be made";
  EXPECT_TRUE(ok(txn.commit()));
  EXPECT_EQ(db().get("k").value(), "v");
  EXPECT_TRUE(ok(db().put("k", "w")));
  EXPECT_TRUE(ok(db().checkpoint()));
}

TEST_F(TransactionEndTest, a_thread_waits_for_a_transaction_that_another_thread_took_over) {
  std::optional<WriteTransaction> txn(begin());
  std::promise<void> taken;
  std::thread other([&] {
    ASSERT_TRUE(ok(txn->put("k", "v")));
    taken.set_value();
    std::this_thread::sleep_for(20ms);
    ASSERT_TRUE(ok(txn->commit()));
  });
  taken.get_future().wait();
  EXPECT_TRUE(ok(db().put("next", "1")));
  EXPECT_EQ(db().get("k").value(), "v");
  other.join();
}

TEST_F(TransactionEndTest, readers_begin_and_read_while_a_writer_is_at_work) {
  ASSERT_TRUE(ok(db().put("k", "old")));
  WriteTransaction txn = begin();
  ASSERT_TRUE(ok(txn.put("k", "new")));
  EXPECT_EQ(db().get("k").value(), "old");
  EXPECT_EQ(db().begin_read().value().get("k").value(), "old");
}

}  // namespace
}  // namespace vitrine::kv
