// SPDX-License-Identifier: MIT OR Apache-2.0
// Workloads of transactions: what is committed, how durably, and what the log does with it.
#include "tests/engine_crash_workloads.hpp"

#include <iterator>
#include <utility>

#include "base/prng.hpp"
#include "base/try.hpp"

namespace vitrine::testing {
namespace {

Status fill(Stage& stage, std::uint64_t count, std::size_t value_size) {
  return stage.commit([&](Editor& editor) -> Status {
    for (std::uint64_t i = 0; i < count; ++i) CHECK(editor.put(workload_key(i), random_bytes(i, value_size)));
    return {};
  });
}

// Sizes around one sector, one log block and one page. Every second transaction also erases.
Status plain_commits(Stage& stage, std::uint64_t rounds) {
  constexpr std::size_t kSizes[] = {10, 400, 3000, 900, 0, 2500, 3600, 50};
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < 8 * rounds; ++i) {
    const auto change = [&](Editor& editor) -> Status {
      CHECK(editor.put(workload_key(i % 13), random_bytes(i, kSizes[i % std::size(kSizes)])));
      if (i % 2 == 1) CHECK(editor.erase(workload_key((i + 12) % 13)));
      return {};
    };
    CHECK(stage.commit(change));
    if (i % 16 == 15) CHECK(stage.db().checkpoint());
  }
  return {};
}

// Checkpoints keep few segments alive, so every slot is written again and again.
Status log_wraps(Stage& stage, std::uint64_t rounds) {
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < 12 * rounds; ++i) {
    CHECK(stage.put(workload_key(i % 5), random_bytes(i, 3300)));
    if (i % 7 == 6) CHECK(stage.db().checkpoint());
  }
  return {};
}

// One transaction spans segments and is longer than the buffer of the log; the ring itself goes round.
Status long_records(Stage& stage, std::uint64_t rounds) {
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < rounds; ++i) {
    const auto change = [&](Editor& editor) -> Status {
      for (std::uint64_t k = 0; k < 5; ++k) CHECK(editor.put(workload_key(k), random_bytes(i * 5 + k, 20'000)));
      return {};
    };
    CHECK(stage.commit(change));
    CHECK(stage.put("small", random_bytes(i, 100)));
    if (i % 2 == 1) CHECK(stage.db().checkpoint());
  }
  return {};
}

// What is acknowledged is what a sync, a checkpoint or a durable commit covers; before that any prefix may survive.
Status relaxed_commits(Stage& stage, std::uint64_t rounds) {
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < 12 * rounds; ++i) {
    const bool is_full = i % 12 == 11;
    CHECK(
        stage.commit([&](Editor& editor) { return editor.put(workload_key(i % 9), random_bytes(i, 40 + i % 5 * 700)); },
                     is_full ? Durability::Full : Durability::None));
    if (i % 12 == 4) {
      CHECK(stage.db().sync());
      stage.acknowledge_all();
    }
    if (i % 24 == 8) {
      CHECK(stage.db().checkpoint());
      stage.acknowledge_all();
    }
  }
  return {};
}

// Puts with a commit each. Between checkpoints most of them change pages that only memory has, as they are.
Status puts_alone(Stage& stage, std::uint64_t rounds) {
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < 16 * rounds; ++i) {
    const Durability durability = i % 8 == 7 ? Durability::Full : Durability::None;
    CHECK(stage.put_alone(workload_key(i % 10), random_bytes(i, 30 + i % 3 * 50), durability));
    if (i % 16 != 11) continue;
    CHECK(stage.db().checkpoint());
    stage.acknowledge_all();
  }
  return {};
}

// The same with several puts in each, some of which split leaves, and some under one key.
Status puts_together(Stage& stage, std::uint64_t rounds) {
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < 12 * rounds; ++i) {
    const Durability durability = i % 8 == 7 ? Durability::Full : Durability::None;
    const auto change = [&](Editor& editor) -> Status {
      for (std::uint64_t k = 0; k < 2 + i % 9; ++k) {
        CHECK(editor.put(workload_key((i * 7 + k * k) % 40), random_bytes(i * 10 + k, 30 + (i + k) % 4 * 90)));
      }
      return {};
    };
    CHECK(stage.commit(change, durability));
    if (i % 12 != 7) continue;
    CHECK(stage.db().checkpoint());
    stage.acknowledge_all();
  }
  return {};
}

// A commit that comes a period after the last sync takes everything along.
Status periodic_commits(Stage& stage, std::uint64_t rounds) {
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < 12 * rounds; ++i) {
    const bool period_is_over = i % 6 == 5;
    if (period_is_over) stage.env().advance_ns(1'000'000'000);
    const std::uint64_t syncs = TRY(stage.db().stats()).log_syncs;
    CHECK(stage.put(workload_key(i % 7), random_bytes(i, 100 + i % 7 * 500)));
    if (!period_is_over) continue;
    if (TRY(stage.db().stats()).log_syncs == syncs) return test_failure("the period is over and nothing was synced");
    CHECK(stage.db().sync());  // only asks whether that one failed
    stage.acknowledge_all();
  }
  return {};
}

Status savepoints(Stage& stage, std::uint64_t rounds) {
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < 4 * rounds; ++i) {
    const auto change = [&](Editor& editor) -> Status {
      CHECK(editor.put(workload_key(i % 11), random_bytes(i, 600)));
      const Editor::Mark first = TRY(editor.savepoint());
      for (std::uint64_t k = 0; k < 20; ++k) CHECK(editor.put(workload_key(100 + k), random_bytes(k, 500)));
      const Editor::Mark second = TRY(editor.savepoint());
      CHECK(editor.erase_range("key 1", "key 2"));
      CHECK(editor.rollback_to(i % 2 == 0 ? second : first));
      return editor.put(workload_key(50 + i % 3), random_bytes(i + 1, 800));
    };
    CHECK(stage.commit(change));
    const auto undone = [&](Editor& editor) -> Status {
      for (std::uint64_t k = 0; k < 10; ++k) CHECK(editor.put(workload_key(k), random_bytes(k, 2000)));
      return {};
    };
    CHECK(stage.roll_back(undone));
    if (i % 4 == 3) CHECK(stage.db().checkpoint());
  }
  return {};
}

Status keyspaces(Stage& stage, std::uint64_t rounds) {
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < 4 * rounds; ++i) {
    const std::string name = "space " + std::to_string(i % 3);
    const auto change = [&](Editor& editor) -> Status {
      if (editor.model().count(name) != 0) CHECK(editor.drop_keyspace(name));
      CHECK(editor.create_keyspace(name));
      for (std::uint64_t k = 0; k < 12; ++k) CHECK(editor.put(workload_key(k), random_bytes(i + k, 250), name));
      return {};
    };
    CHECK(stage.commit(change));
    CHECK(stage.commit([&](Editor& editor) { return editor.put("more", random_bytes(i, 3000), name); }));
    const auto removal = [&](Editor& editor) -> Status {
      return i % 4 == 2 ? editor.drop_keyspace(name) : editor.erase_range("key 1", "key 5", name);
    };
    CHECK(stage.commit(removal));
    if (i % 4 == 3) CHECK(stage.db().checkpoint());
  }
  return {};
}

// While a checkpoint writes and syncs, transactions go on committing: one before each of its operations, as another
// thread would make them. What they write is in the log behind the checkpoint, and only there.
Status commits_during_checkpoints(Stage& stage, std::uint64_t rounds) {
  CHECK(stage.open());
  os::SimHooks& hooks = stage.env().hooks();
  std::uint64_t made = 0;
  for (std::uint64_t i = 0; i <= rounds; ++i) {
    // Few, and then so many that the log goes round and takes every slot that it may.
    const std::uint64_t puts = i % 2 == 0 ? 4 : 24;
    for (std::uint64_t k = 0; k < puts; ++k)
      CHECK(stage.put(workload_key((i + k) % 30), random_bytes(i * 30 + k, 700)));
    Status status;
    bool is_inside = false;
    const auto outer = std::exchange(hooks.on_operation, nullptr);
    hooks.on_operation = [&](std::uint64_t number, os::SimOperation kind, const std::string& path) {
      if (outer) outer(number, kind, path);
      if (std::exchange(is_inside, true)) return;
      if (status.is_ok()) status = stage.put(workload_key(made % 9), random_bytes(1000 + made, 60 + made % 5 * 400));
      ++made;
      is_inside = false;
    };
    const Status checkpointed = stage.db().checkpoint();
    hooks.on_operation = outer;
    CHECK(status);
    CHECK(checkpointed);
  }
  return {};
}

}  // namespace

std::vector<CrashWorkload> commit_workloads(std::uint64_t rounds) {
  const auto filled = [](Stage& stage) { return fill(stage, 12, 150); };
  Options periodic;
  periodic.durability = Durability::Periodic;
  const auto workload = [&](const char* name, Status (*run)(Stage&, std::uint64_t), std::uint64_t quarters) {
    CrashWorkload made;
    made.name = name;
    made.prepare = filled;
    made.run = [=](Stage& stage) { return run(stage, share(rounds, quarters)); };
    return made;
  };
  std::vector<CrashWorkload> all = {
      workload("plain_commits", plain_commits, 4),
      workload("log_wraps", log_wraps, 3),
      workload("long_records", long_records, 1),
      workload("relaxed_commits", relaxed_commits, 3),
      workload("periodic_commits", periodic_commits, 2),
      workload("savepoints", savepoints, 3),
      workload("keyspaces", keyspaces, 2),
      workload("puts_alone", puts_alone, 2),
      workload("puts_together", puts_together, 2),
  };
  all[4].options = periodic;
  return all;
}

CrashWorkload interleaved_workload(std::uint64_t rounds) {
  CrashWorkload made;
  made.name = "commits_during_checkpoints";
  made.prepare = [](Stage& stage) { return fill(stage, 12, 150); };
  made.run = [=](Stage& stage) { return commits_during_checkpoints(stage, share(rounds, 1)); };
  return made;
}

std::vector<CrashWorkload> crash_workloads(std::uint64_t rounds) {
  std::vector<CrashWorkload> all = commit_workloads(rounds);
  for (auto* more : {tree_workloads, maintenance_workloads, rotation_workloads}) {
    for (CrashWorkload& workload : more(rounds)) all.push_back(std::move(workload));
  }
  return all;
}

}  // namespace vitrine::testing
