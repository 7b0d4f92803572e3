// SPDX-License-Identifier: MIT OR Apache-2.0
// Every allocation of the engine fails, once or together with all later ones. The caller gets a typed error, nothing
// that was acknowledged is lost, nothing leaks, and the handle is usable or refuses to write, but is never wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "os/sim_crash.hpp"
#include "os/sim_env.hpp"
#include "tests/engine_fault_memory.hpp"
#include "tests/engine_testing.hpp"

namespace vitrine::testing {
namespace {

using memory::armed;
using memory::Refuse;

constexpr const char* kPath = "/db.vtr";

std::string key_of(std::uint64_t number) {
  return "a key that is too long for a small string " + std::to_string(number);
}

// One run of one scenario. Calls of the database are armed, everything else is not.
class MemoryRun {
 public:
  explicit MemoryRun(std::unique_ptr<os::SimEnv> env, Model model)
      : env_(std::move(env)), calm_(*env_), allowed_({std::move(model)}) {}

  Options options() { return small_options(calm_); }
  const Model& model() const { return allowed_.back(); }
  Database& db() { return *db_; }
  os::SimEnv& env() { return *env_; }

  Status open(OpenMode mode = OpenMode::MustExist) {
    const Options wanted = options();
    const std::string path = kPath;
    Result<Database> db = armed([&] { return Database::open(path, mode, wanted); });
    if (!db.has_value()) return db.status();
    db_.emplace(std::move(*db));
    return {};
  }

  Status close() {
    const Status status = armed([&] { return db_->close(); });
    db_.reset();
    return status;
  }

  // What may be there from now on. More than one model after a commit that ended without an outcome.
  void settle(const Commit& commit, Model next) {
    if (commit.is_applied()) allowed_ = {std::move(next)};
    if (commit.outcome == CommitOutcome::Unknown) allowed_.push_back(std::move(next));
    if (commit.is_applied() != commit.status.is_ok()) note("status and outcome contradict each other");
  }
  void settle(const Status& status, Model next) {
    if (status.is_ok()) allowed_ = {std::move(next)};
    if (status.code() == ErrorCode::CommitUnknown) allowed_.push_back(std::move(next));
  }
  void note(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
  }
  // Calls answer with these when memory ends, or after it did.
  void expect_typed(const Status& status) {
    switch (status.code()) {
      case ErrorCode::Ok:
      case ErrorCode::OutOfMemory:
      case ErrorCode::TransactionFailed:
      case ErrorCode::Poisoned:
      case ErrorCode::CommitUnknown:
        return;
      default:
        note("an unexpected error: " + status.to_string());
    }
  }

  using Change = std::function<Status(WriteTransaction&, Model&)>;
  Status commit(const Change& change, std::optional<Durability> durability = std::nullopt) {
    Result<WriteTransaction> txn = armed([&] { return db_->begin_write(); });
    if (!txn.has_value()) return txn.status();
    Model next = model();
    version_ = txn->snapshot_seq() + 1;
    if (Status status = change(*txn, next); !status.is_ok()) return status;
    const Commit commit = armed([&] { return txn->commit(durability); });
    settle(commit, std::move(next));
    return commit.status;
  }

  Status put(WriteTransaction& txn, Model& next, const std::string& key, const std::string& value) {
    const Status status = armed([&] { return txn.put(key, value); });
    if (status.is_ok()) next["default"][key] = {value, version_};
    return status;
  }

  std::uint64_t version() const { return version_; }

  // A file of its own, without any refusal.
  void expect_database(const std::string& path, const Model& expected) {
    const Result<Database> db = Database::open(path, OpenMode::MustExist, small_options(*env_));
    if (!db.has_value()) return note(path + ": " + db.status().to_string());
    const Result<Model> found = model_of(*db);
    if (!found.has_value() || *found != expected) note(path + ": another content");
    if (const Status clean = verify_clean(*db); !clean.is_ok()) note(path + ": " + clean.to_string());
  }

  // With memory again.
  std::string check() {
    memory::plan(Refuse::Never, 0);
    if (!problem_.empty()) return problem_;
    if (db_) check_handle();
    db_.reset();
    if (!problem_.empty()) return problem_;
    check_file();
    return problem_;
  }

 private:
  bool is_allowed(const Model& found) const {
    for (const Model& model : allowed_) {
      if (model == found) return true;
    }
    return false;
  }

  void check_content(const char* where) {
    const Result<Model> found = model_of(*db_);
    if (!found.has_value()) return note(std::string(where) + ": " + found.status().to_string());
    if (!is_allowed(*found)) note(std::string(where) + ": " + first_difference(model(), *found));
  }

  void check_handle() {
    check_content("the open handle");
    const Status put = db_->put("with memory again", "value");
    const bool is_poisoned = put.code() == ErrorCode::Poisoned;
    if (!put.is_ok() && !is_poisoned) note("neither usable nor poisoned: " + put.to_string());
    if (put.is_ok()) {
      if (allowed_.size() > 1) note("a handle with an unknown commit must be poisoned");
      const std::uint64_t version = db_->begin_read().value().snapshot_seq();
      allowed_.back()["default"]["with memory again"] = {"value", version};
      if (const Status clean = verify_clean(*db_); !clean.is_ok()) note("the open handle: " + clean.to_string());
    }
    const Status closed = db_->close();
    if (closed.is_ok() == is_poisoned) note("close: " + closed.to_string());
  }

  void check_file() {
    const Status opened = open(allowed_.front().empty() ? OpenMode::CreateIfMissing : OpenMode::MustExist);
    if (!opened.is_ok()) return note("opened again: " + opened.to_string());
    if (allowed_.front().empty()) allowed_.front() = empty_model();
    check_content("opened again");
    if (const Status clean = verify_clean(*db_); !clean.is_ok()) note("opened again: " + clean.to_string());
    db_.reset();
  }

  std::unique_ptr<os::SimEnv> env_;
  memory::CalmEnv calm_;
  std::vector<Model> allowed_;
  std::optional<Database> db_;
  std::uint64_t version_ = 0;
  std::string problem_;
};

// --- Scenarios -------------------------------------------------------------------------------------------------------

struct Scenario {
  std::string name;
  std::function<Status(MemoryRun&)> run;
  bool starts_open = true;
  bool starts_empty = false;  // there is no database yet
};

Status many_puts(MemoryRun& run) {
  return run.commit([&](WriteTransaction& txn, Model& next) -> Status {
    for (std::uint64_t i = 0; i < 40; ++i) CHECK(run.put(txn, next, key_of(i * 7 % 40), random_bytes(i, 300)));
    return {};
  });
}

Status small_commits(MemoryRun& run) {
  Status first;
  for (std::uint64_t i = 0; i < 4; ++i) {
    const Status status = run.commit(
        [&](WriteTransaction& txn, Model& next) { return run.put(txn, next, key_of(i), random_bytes(i, 2000)); });
    run.expect_typed(status);
    if (first.is_ok()) first = status;
  }
  return first;
}

// Commits that change pages in place, where they can.
Status puts_alone(MemoryRun& run) {
  Status first;
  for (std::uint64_t i = 0; i < 6; ++i) {
    const std::string key = key_of(i % 2), value = random_bytes(i, 100 + i);
    Model next = run.model();
    next["default"][key] = {value, run.db().begin_read().value().snapshot_seq() + 1};
    const Status status = armed([&] { return run.db().put({}, key, value, Durability::None); });
    run.settle(status, std::move(next));
    run.expect_typed(status);
    if (first.is_ok()) first = status;
  }
  return first;
}

// The same with several puts in each, of which some split a leaf.
Status puts_together(MemoryRun& run) {
  Status first;
  for (std::uint64_t i = 0; i < 5; ++i) {
    const auto change = [&](WriteTransaction& txn, Model& next) -> Status {
      for (std::uint64_t k = 0; k < 8; ++k)
        CHECK(run.put(txn, next, key_of((i * 5 + k) % 20), random_bytes(i, 90 * (i + 1))));
      return {};
    };
    const Status status = run.commit(change, Durability::None);
    run.expect_typed(status);
    if (first.is_ok()) first = status;
  }
  return first;
}

Status large_values(MemoryRun& run) {
  return run.commit([&](WriteTransaction& txn, Model& next) -> Status {
    CHECK(run.put(txn, next, key_of(1), random_bytes(1, 30'000)));
    CHECK(run.put(txn, next, key_of(2), random_bytes(2, 300'000)));
    return run.put(txn, next, key_of(1), random_bytes(3, 9'000));
  });
}

Status streamed_value(MemoryRun& run) {
  return run.commit([&](WriteTransaction& txn, Model& next) -> Status {
    const std::string key = key_of(3), value = random_bytes(3, 100'000);
    Result<ValueWriter> writer = armed([&] { return txn.write_value({}, key); });
    CHECK(writer.status());
    for (std::size_t at = 0; at < value.size(); at += 10'000) {
      CHECK(armed([&] { return writer->append(Bytes(value).substr(at, 10'000)); }));
    }
    CHECK(armed([&] { return writer->finish(); }));
    next["default"][key] = {value, run.version()};
    return {};
  });
}

Status erases(MemoryRun& run) {
  return run.commit([&](WriteTransaction& txn, Model& next) -> Status {
    ModelKeyspace& entries = next["default"];
    for (std::uint64_t i = 0; i < 10; ++i) {
      const std::string key = key_of(i);
      CHECK(armed([&] { return txn.erase(key).status(); }));
      entries.erase(key);
    }
    const std::string from = key_of(2), to = key_of(6);
    CHECK(armed([&] { return txn.erase_range({}, from, Bytes(to)).status(); }));
    entries.erase(entries.lower_bound(from), entries.lower_bound(to));
    return {};
  });
}

Status savepoints(MemoryRun& run) {
  return run.commit([&](WriteTransaction& txn, Model& next) -> Status {
    CHECK(run.put(txn, next, key_of(1), random_bytes(1, 900)));
    const Model before = next;
    const Result<Savepoint> savepoint = armed([&] { return txn.savepoint(); });
    CHECK(savepoint.status());
    Status status;
    for (std::uint64_t i = 0; i < 20 && status.is_ok(); ++i)
      status = run.put(txn, next, key_of(i), random_bytes(i, 900));
    run.expect_typed(status);
    CHECK(armed([&] { return txn.rollback_to(*savepoint); }));  // also makes up for the failure
    next = before;
    return run.put(txn, next, key_of(50), random_bytes(5, 900));
  });
}

Status keyspaces(MemoryRun& run) {
  return run.commit([&](WriteTransaction& txn, Model& next) -> Status {
    const std::string name = "a keyspace with a name that is long", key = key_of(1);
    const Result<Keyspace> keyspace = armed([&] { return txn.create_keyspace(name); });
    CHECK(keyspace.status());
    CHECK(armed([&] { return txn.put(*keyspace, key, "value"); }));
    next[name][key] = {"value", run.version()};
    return {};
  });
}

// A cursor that fails may be asked again; what it shows must be right.
Status reads(MemoryRun& run) {
  const Model& expected = run.model();
  const Result<ReadTransaction> txn = armed([&] { return run.db().begin_read(); });
  CHECK(txn.status());
  Status first;
  const auto met = [&](const Status& status) {
    run.expect_typed(status);
    if (first.is_ok()) first = status;
    return status.is_ok();
  };
  for (const auto& [key, entry] : expected.at("default")) {
    const auto value = armed([&, &key = key] { return txn->get(key); });
    if (met(value.status()) && *value != entry.value) run.note("get gave another value");
  }
  std::vector<std::string> keys;
  const auto scanned = armed([&] {
    return txn->scan({}, {}, [&](Bytes key, Bytes) {
      return memory::calm([&] {
        keys.emplace_back(key);
        return true;
      });
    });
  });
  if (met(scanned.status()) && keys.size() != expected.at("default").size()) run.note("a scan missed something");
  met(armed([&] { return txn->keyspaces().status(); }));
  met(armed([&] { return run.db().stats().status(); }));
  met(armed([&] { return run.db().info().status(); }));
  return first;
}

Status checkpoints(MemoryRun& run) {
  CHECK(run.commit([&](WriteTransaction& txn, Model& next) { return run.put(txn, next, key_of(1), "x"); }));
  return armed([&] { return run.db().checkpoint(); });
}

Status commit_by_checkpoint(MemoryRun& run) {
  return run.commit([&](WriteTransaction& txn, Model& next) -> Status {
    for (std::uint64_t i = 0; i < 5; ++i) CHECK(run.put(txn, next, key_of(i), random_bytes(i, 60'000)));
    return {};
  });
}

Status check_pages(MemoryRun& run) {
  const Result<VerifyReport> report = armed([&] { return run.db().verify(VerifyLevel::Full); });
  if (!report.has_value()) return report.status();
  if (report->has_damage()) run.note("verify reports damage: " + report->findings.front().message);
  return report->is_clean() ? Status{} : Status::out_of_memory();
}

Status shrinking(MemoryRun& run) {
  CHECK(armed([&] { return run.db().compact().status(); }));
  return armed([&] { return run.db().vacuum().status(); });
}

// A copy that fails leaves nothing, under whatever name; one that does not is whole.
Status backup(MemoryRun& run) {
  const std::string path = "/the path of a backup that is long.vtr";
  const std::size_t files_before = run.env().names().size();
  const Status status = armed([&] { return run.db().backup(path).status(); });
  if (!status.is_ok() && run.env().names().size() != files_before) run.note("a failed backup leaves a file");
  if (status.is_ok()) run.expect_database(path, run.model());
  return status;
}

Status export_all(MemoryRun& run) {
  const std::string path = "/the path of an export that is long";
  const std::size_t files_before = run.env().names().size();
  const Status status = armed([&] { return run.db().export_to(path).status(); });
  if (!status.is_ok() && run.env().names().size() != files_before) run.note("a failed export leaves a file");
  return status;
}

Status import_over_everything(MemoryRun& run) {
  const std::string path = "/the path of an export that is long";
  CHECK(run.db().export_to(path).status());
  CHECK(run.db().put(key_of(0), "changed since"));
  Model changed = run.model();
  const std::uint64_t version = run.db().begin_read().value().snapshot_seq();
  changed["default"][key_of(0)] = {"changed since", version};
  Model imported = run.model();
  for (auto& [key, entry] : imported["default"]) entry.version = version + 1;
  run.settle(Status{}, std::move(changed));
  const Status status = armed([&] { return run.db().import_from(path, ImportMode::Replace).status(); });
  run.settle(status, std::move(imported));
  return status;
}

Status create(MemoryRun& run) {
  const Status status = run.open(OpenMode::CreateNew);
  run.settle(status, empty_model());
  for (const std::string& name : run.env().names()) {
    if (name.find(".new-") != std::string::npos) run.note("a creation leaves its draft");
  }
  return status;
}

Status create_in_memory(MemoryRun& run) {
  const Options wanted = run.options();
  const std::string key = key_of(1);
  Result<Database> db = armed([&] { return Database::open_in_memory(wanted); });
  CHECK(db.status());
  CHECK(armed([&] { return db->put(key, "value"); }));
  if (db->get(key).value() != "value") run.note("a database in memory forgets");
  return armed([&] { return db->close(); });
}

// A reader beside the writer. Without memory it shows what it showed, or a later commit; then it moves on after all.
Status refresh(MemoryRun& run) {
  Options wanted = run.options();
  wanted.access = Access::ReadOnly;
  Database reader = Database::open(kPath, OpenMode::MustExist, wanted).value();
  std::vector<Model> seen{run.model()};
  const Refuse mode = std::exchange(memory::state.mode, Refuse::Never);
  for (std::uint64_t i = 0; i < 3; ++i) {  // each splits leaves
    const Status changed = run.commit([&](WriteTransaction& txn, Model& next) -> Status {
      for (std::uint64_t at = 0; at < 5; ++at) {
        const std::string key = key_of(at * 6) + " and more " + std::to_string(i), value = random_bytes(i, 1500);
        CHECK(txn.put(key, value));
        next["default"][key] = {value, run.version()};
      }
      return {};
    });
    CHECK(changed);
    seen.push_back(run.model());
  }
  memory::plan(mode, memory::state.first_refused);
  const Status status = armed([&] { return reader.refresh().status(); });
  memory::state.mode = Refuse::Never;
  const Model shown = model_of(reader).value();
  if (std::find(seen.begin(), seen.end(), shown) == seen.end()) run.note("a failed refresh shows what never was");
  if (!reader.refresh().has_value() || model_of(reader).value() != run.model()) run.note("no refresh afterwards");
  if (reader.stats().value().entries != run.db().stats().value().entries) run.note("a refresh counts wrong");
  return status;
}

Status open_only(MemoryRun& run) { return run.open(); }

Status close(MemoryRun& run) { return run.close(); }

const Scenario kScenarios[] = {
    {"many_puts", many_puts},
    {"small_commits", small_commits},
    {"puts_alone", puts_alone},
    {"puts_together", puts_together},
    {"large_values", large_values},
    {"streamed_value", streamed_value},
    {"erases", erases},
    {"savepoints", savepoints},
    {"keyspaces", keyspaces},
    {"reads", reads},
    {"checkpoints", checkpoints},
    {"commit_by_checkpoint", commit_by_checkpoint},
    {"check_pages", check_pages},
    {"shrinking", shrinking},
    {"backup", backup},
    {"export", export_all},
    {"import", import_over_everything},
    {"create", create, false, true},
    {"create_in_memory", create_in_memory},
    {"refresh", refresh},
    {"open_and_recover", open_only, false},
    {"close", close},
};

// --- Every allocation ------------------------------------------------------------------------------------------------

// A database with a tree of two levels and commits in the log, left by a process that died.
Model prepare(os::SimEnv& env) {
  Model model = empty_model();
  Database db = Database::open(kPath, OpenMode::CreateNew, small_options(env)).value();
  for (std::uint64_t i = 0; i < 30; ++i) {
    const std::string value = i % 10 == 9 ? random_bytes(i, 20'000) : random_bytes(i, 200);
    EXPECT_TRUE(db.put(key_of(i), value).is_ok());
    model["default"][key_of(i)] = {value, i + 1};
    if (i == 20) {
      EXPECT_TRUE(db.checkpoint().is_ok());
    }
  }
  env.stop();
  return model;
}

void PrintTo(const Scenario& scenario, std::ostream* to) { *to << scenario.name; }

class MemoryEnds : public ::testing::TestWithParam<Scenario> {
 protected:
  void SetUp() override {
    machine_ = os::SimEnv::create({.seed = 1});
    if (!GetParam().starts_empty) model_ = prepare(*machine_);
    crash_.emplace(*machine_);
  }

  // What went wrong when allocations from `first` on are refused; sets `is_over` when there are not so many.
  std::string run(Refuse mode, std::uint64_t first, bool& is_over) {
    MemoryRun run(crash_->image_with_all().make_env(), model_);
    if (GetParam().starts_open) {
      EXPECT_TRUE(run.open().is_ok());
    }
    memory::plan(mode, first);
    const Status status = GetParam().run(run);
    is_over = memory::state.refused == 0;
    if (is_over && !status.is_ok()) return "without a refusal: " + status.to_string();
    run.expect_typed(status);
    return run.check();
  }

  void refuse_each(Refuse mode) {
    const std::uint64_t step = scaled(7, 1, 1);
    bool is_over = false;
    std::uint64_t first = 1;
    for (; !is_over; first += step) {
      // A run may fill caches of the C++ library, once: only what the same run leaves behind again is a leak.
      std::int64_t left = 0;
      for (int attempt = 0; attempt == 0 || (attempt == 1 && left != 0); ++attempt) {
        const std::int64_t living = memory::state.living;
        const std::string problem = run(mode, first, is_over);
        ASSERT_EQ(problem, "") << "allocation " << first;
        left = memory::state.living - living;
      }
      ASSERT_EQ(left, 0) << "allocation " << first << " leaks";
    }
    std::printf("%llu allocations\n", static_cast<unsigned long long>(first - 1));
  }

  std::unique_ptr<os::SimEnv> machine_;
  std::optional<os::SimCrash> crash_;
  Model model_;  // without a keyspace: there is no database
};

TEST_P(MemoryEnds, memory_that_ends_once_is_an_error_and_loses_nothing) { refuse_each(Refuse::Once); }
TEST_P(MemoryEnds, memory_that_ends_for_ever_is_an_error_and_loses_nothing) { refuse_each(Refuse::ForEver); }

INSTANTIATE_TEST_SUITE_P(, MemoryEnds, ::testing::ValuesIn(kScenarios),
                         [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace vitrine::testing
