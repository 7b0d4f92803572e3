// SPDX-License-Identifier: MIT OR Apache-2.0
// Crash exploration of the whole engine: a workload that does the same to a database and to a model, and the judgement
// of what an image recovers to.
//
// A workload is a list of steps. State k of the history is what step k leaves; after a power cut the recovered database
// must be one of the states between the last acknowledged and the last begun step, whole, with nothing wrong in any
// page.
//
// Thread safety: none.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/prng.hpp"
#include "os/sim_env.hpp"
#include "tests/crash_explorer.hpp"
#include "tests/engine_testing.hpp"

namespace vitrine::testing {

inline constexpr const char* kCrashPath = "/db.vtr";

// One transaction on a database and on its model.
class Editor {
 public:
  Editor(WriteTransaction& txn, Model& model) : txn_(txn), model_(model), version_(txn.snapshot_seq() + 1) {}

  Status put(const std::string& key, const std::string& value, const std::string& keyspace = "default");
  Status erase(const std::string& key, const std::string& keyspace = "default");
  Status erase_range(const std::string& from, const std::string& to, const std::string& keyspace = "default");
  Status create_keyspace(const std::string& name);
  Status drop_keyspace(const std::string& name);

  struct Mark {
    Savepoint savepoint;
    Model model;
  };
  Result<Mark> savepoint();
  Status rollback_to(const Mark& mark);

  WriteTransaction& txn() { return txn_; }
  Model& model() { return model_; }
  std::uint64_t version() const { return version_; }  // that entries written now will have

 private:
  WriteTransaction& txn_;
  Model& model_;
  const std::uint64_t version_;
};

// The states a workload goes through.
class History {
 public:
  void start(const Model& model) {
    states_ = {model};
    hashes_ = {hash_of(model)};
  }
  void add(const Model& model) {
    states_.push_back(model);
    hashes_.push_back(hash_of(model));
  }
  // The last step did not take place.
  void withdraw() {
    states_.pop_back();
    hashes_.pop_back();
  }
  std::uint64_t last_step() const { return hashes_.size() - 1; }
  const Model& state(std::uint64_t step) const { return states_[step]; }
  const Model& last() const { return states_.back(); }

  // The newest step that `ack` allows and that left this content.
  std::optional<std::uint64_t> find(std::uint64_t hash, const Ack& ack) const;
  // Why there is none.
  Status explain(const Model& found, const Ack& ack) const;

 private:
  std::vector<Model> states_;
  std::vector<std::uint64_t> hashes_;
};

// Drives a database through the steps of a workload.
class Stage {
 public:
  Stage(os::Env& env, Ack& ack, History& history) : env_(static_cast<os::SimEnv&>(env)), ack_(ack), history_(history) {}
  ~Stage();

  Options options = {};  // env is filled in

  Status open(OpenMode mode = OpenMode::CreateIfMissing);
  Status close();
  // Ends as if the process died: nothing more reaches the disk.
  void abandon();

  using Change = std::function<Status(Editor&)>;
  // One transaction as one step. When it fails, the outcome of the commit decides whether the step took place.
  Status commit(const Change& change, std::optional<Durability> durability = std::nullopt);
  Status put(const std::string& key, const std::string& value);
  // By Database::put, which makes small changes in place when they need not be durable.
  Status put_alone(const std::string& key, const std::string& value, Durability durability);
  // A transaction that leaves no trace.
  Status roll_back(const Change& change);
  // A step that is not a transaction of ours. `model` is what it leaves.
  Status step(const Model& model, const std::function<Status()>& run);
  // What came before is durable now.
  void acknowledge_all() { ack_.acknowledge(history_.last_step()); }

  Database& db() { return *db_; }
  bool is_open() const { return db_.has_value(); }
  // A commit ended without anybody knowing how: its step may or may not have taken place.
  bool has_unknown_commit() const { return has_unknown_commit_; }
  os::SimEnv& env() { return env_; }
  const Model& model() const { return history_.last(); }

 private:
  void begin_step(const Model& model);
  void withdraw_step();

  os::SimEnv& env_;
  Ack& ack_;
  History& history_;
  std::optional<Database> db_;
  bool has_unknown_commit_ = false;
};

struct CrashWorkload {
  std::string name;
  Options options = {};                        // env, cache and log sizes are filled in
  std::function<Status(Stage&)> prepare = {};  // what is there before; the database is closed afterwards
  std::function<Status(Stage&)> run = {};
  // Looks at more than the database, for example at the target of a backup.
  std::function<Status(os::SimEnv&)> check_more = {};
  // Goes on with what the crash interrupted; must not change the content.
  std::function<Status(Database&)> go_on = {};
};

inline void PrintTo(const CrashWorkload& workload, std::ostream* to) { *to << workload.name; }

// What the judge does only for one image in so many, because it is slow.
struct JudgeOptions {
  std::uint64_t verify_again_one_in = 8;  // full checks of pages and log that an earlier image had, too
  std::uint64_t reopen_one_in = 16;       // close, reopen, compare, and check once more
  std::uint64_t go_on_one_in = 6;         // go on with what the crash interrupted; also whenever it reopens
  std::uint64_t seed = 1;
};

struct JudgeCounts {
  std::uint64_t full_checks = 0;
  std::uint64_t reopened = 0;
  std::uint64_t absent = 0;  // machines on which the database had not been created
};

// Opens the database a machine has, and says whether it is what a workload may have left.
class Judge {
 public:
  Judge(const CrashWorkload& workload, const JudgeOptions& options)
      : workload_(workload), options_(options), random_(options.seed) {}

  // What is there before the workload. It becomes state 0 of `history`.
  Status prepare(os::Env& env, History& history);

  // The database must open (or be absent, while its creation is not acknowledged), hold a state that `ack` allows, take
  // two more transactions, and then verify. Leaves the machine stopped.
  Status check(os::SimEnv& env, const Ack& ack, const History& history);

  // Only opens and closes.
  Status recover(os::SimEnv& env);

  const JudgeCounts& counts() const { return counts_; }

 private:
  Result<Database> open(os::SimEnv& env, const Ack& ack);
  Status judge(os::SimEnv& env, std::optional<Database>& db, const Ack& ack, const History& history,
               std::uint64_t pages);
  Status verify(const Database& db);

  const CrashWorkload& workload_;
  const JudgeOptions options_;
  base::Prng random_;
  bool is_created_ = false;
  std::unordered_set<std::uint64_t> verified_;
  JudgeCounts counts_;
};

struct EngineCrashReport {
  CrashReport crashes;
  JudgeCounts counts;
};
EngineCrashReport explore_engine_crashes(const CrashWorkload& workload, const CrashExplorerOptions& options,
                                         const JudgeOptions& judge = {});

}  // namespace vitrine::testing
