// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tests/engine_crash.hpp"

#include <algorithm>
#include <utility>

#include "base/prng.hpp"
#include "base/try.hpp"

namespace vitrine::testing {
namespace {

Options with_env(const Options& wanted, os::Env& env) {
  Options options = small_options(env);
  options.durability = wanted.durability;
  options.sync_period = wanted.sync_period;
  if (wanted.page_size != 0) options.page_size = wanted.page_size;
  if (wanted.log_segment_size != 0) options.log_segment_size = wanted.log_segment_size;
  if (wanted.log_size_max != 0) options.log_size_max = wanted.log_size_max;
  return options;
}

}  // namespace

// --- Editor ----------------------------------------------------------------------------------------------------------

Status Editor::put(const std::string& key, const std::string& value, const std::string& keyspace) {
  CHECK(txn_.put(TRY(txn_.keyspace(keyspace)), key, value));
  model_[keyspace][key] = {value, version_};
  return {};
}

Status Editor::erase(const std::string& key, const std::string& keyspace) {
  const bool existed = TRY(txn_.erase(TRY(txn_.keyspace(keyspace)), key));
  if (existed != (model_[keyspace].erase(key) == 1)) return test_failure("erase says something else than the model");
  return {};
}

Status Editor::erase_range(const std::string& from, const std::string& to, const std::string& keyspace) {
  const std::uint64_t erased = TRY(txn_.erase_range(TRY(txn_.keyspace(keyspace)), from, Bytes(to)));
  ModelKeyspace& entries = model_[keyspace];
  const auto begin = entries.lower_bound(from), end = entries.lower_bound(to);
  const auto expected = static_cast<std::uint64_t>(std::distance(begin, end));
  entries.erase(begin, end);
  if (erased != expected) return test_failure("erase_range says something else than the model");
  return {};
}

Status Editor::create_keyspace(const std::string& name) {
  CHECK(txn_.create_keyspace(name).status());
  model_[name];
  return {};
}

Status Editor::drop_keyspace(const std::string& name) {
  CHECK(txn_.drop_keyspace(name));
  model_.erase(name);
  return {};
}

Result<Editor::Mark> Editor::savepoint() {
  const Savepoint savepoint = TRY(txn_.savepoint());
  return Mark{savepoint, model_};
}

Status Editor::rollback_to(const Mark& mark) {
  CHECK(txn_.rollback_to(mark.savepoint));
  model_ = mark.model;
  return {};
}

// --- History ---------------------------------------------------------------------------------------------------------

std::optional<std::uint64_t> History::find(std::uint64_t hash, const Ack& ack) const {
  for (std::uint64_t step = std::min(ack.begun(), last_step()) + 1; step-- > ack.acknowledged();) {
    if (hashes_[step] == hash) return step;
  }
  return std::nullopt;
}

Status History::explain(const Model& found, const Ack& ack) const {
  Status status = test_failure("the recovered state is none of those allowed")
                      .with("acknowledged", ack.acknowledged())
                      .with("begun", ack.begun())
                      .with("difference", first_difference(states_[ack.acknowledged()], found));
  for (std::uint64_t step = 0; step < states_.size(); ++step) {
    if (states_[step] == found) status = status.with("equals state", step);
  }
  return status;
}

// --- Stage -----------------------------------------------------------------------------------------------------------

Stage::~Stage() { abandon(); }

Status Stage::open(OpenMode mode) {
  db_.emplace(TRY(Database::open(kCrashPath, mode, with_env(options, env_))));
  return {};
}

Status Stage::close() {
  const Status status = db_->close();
  db_.reset();
  return status;
}

void Stage::abandon() {
  if (!db_) return;
  env_.stop();
  db_.reset();
  env_.stop_before(os::kSimUnlimited);
}

Status Stage::commit(const Change& change, std::optional<Durability> durability) {
  WriteTransaction txn = TRY(db_->begin_write());
  Model next = history_.last();
  Editor editor(txn, next);
  CHECK(change(editor));
  history_.add(next);
  ack_.begin(history_.last_step());
  const Commit commit = txn.commit(durability);
  CHECK(commit.status);
  if (commit.outcome == CommitOutcome::Committed) acknowledge_all();
  return {};
}

Status Stage::put(const std::string& key, const std::string& value) {
  return commit([&](Editor& editor) { return editor.put(key, value); });
}

Status Stage::roll_back(const Change& change) {
  WriteTransaction txn = TRY(db_->begin_write());
  Model unused = history_.last();
  Editor editor(txn, unused);
  CHECK(change(editor));
  txn.rollback();
  return {};
}

Status Stage::step(const Model& model, const std::function<Status()>& run) {
  history_.add(model);
  ack_.begin(history_.last_step());
  CHECK(run());
  acknowledge_all();
  return {};
}

// --- Judge -----------------------------------------------------------------------------------------------------------

namespace {

class Judge {
 public:
  Judge(const CrashWorkload& workload, const JudgeOptions& options, std::uint64_t seed)
      : workload_(workload), options_(options), random_(seed) {}

  CrashSubject subject() {
    CrashSubject subject;
    subject.prepare = [this](os::Env& env) { return prepare(env); };
    subject.workload = [this](os::Env& env, Ack& ack) { return run(env, ack); };
    subject.check = [this](os::Env& env, const Ack& ack) { return check(static_cast<os::SimEnv&>(env), ack); };
    subject.recover = [this](os::Env& env) { return recover(static_cast<os::SimEnv&>(env)); };
    return subject;
  }

  EngineCrashReport& report() { return report_; }

 private:
  Status prepare(os::Env& env) {
    history_.start(empty_model());
    if (!workload_.prepare) return {};
    Ack ack;
    Stage stage(env, ack, history_);
    stage.options = workload_.options;
    CHECK(stage.open(OpenMode::CreateNew));
    CHECK(workload_.prepare(stage));
    CHECK(stage.close());
    const Model left = history_.last();
    history_.start(left);
    is_created_ = true;
    return {};
  }

  Status run(os::Env& env, Ack& ack) {
    Stage stage(env, ack, history_);
    stage.options = workload_.options;
    return workload_.run(stage);
  }

  // A workload that creates its database acknowledges the creation as its first step.
  bool may_be_absent(const Ack& ack) const { return !is_created_ && ack.acknowledged() == 0; }

  Result<std::optional<Database>> open(os::SimEnv& env, const Ack& ack) {
    Result<Database> db = Database::open(kCrashPath, OpenMode::MustExist, with_env(workload_.options, env));
    if (db.has_value()) return std::optional<Database>(std::move(*db));
    if (db.status().code() != ErrorCode::FileNotFound || !may_be_absent(ack)) return db.status();
    ++report_.absent;
    return std::optional<Database>(
        TRY(Database::open(kCrashPath, OpenMode::CreateIfMissing, with_env(workload_.options, env))));
  }

  Status check(os::SimEnv& env, const Ack& ack) {
    const std::uint64_t pages = hash_of_pages(env);
    std::optional<Database> db = TRY(open(env, ack));
    const Status status = judge(env, db, ack, pages);
    if (db) {
      env.stop();  // it need not close in order, which would cost another checkpoint
      db.reset();
    }
    return status;
  }

  static std::uint64_t hash_of_pages(const os::SimEnv& env) {
    const auto file = env.disk().names().find(kCrashPath);
    return file == env.disk().names().end() ? 0 : file->second->visible.hash();
  }

  Status judge(os::SimEnv& env, std::optional<Database>& db, const Ack& ack, std::uint64_t pages) {
    const std::uint64_t content = TRY(hash_of(*db));
    const std::optional<std::uint64_t> step = history_.find(content, ack);
    if (!step) return history_.explain(TRY(model_of(*db)), ack);
    const bool reopens = random_.one_in(options_.reopen_one_in);
    // What the check looks at follows from the pages of the image and from what the log adds to them.
    const bool is_new = verified_.insert(content + os::sim_mix(pages)).second;
    if (reopens) CHECK(verify(*db));
    std::uint64_t expected = content;
    for (const char* key : {"after the crash", "and once more"}) CHECK(one_more(*db, key, expected));
    if (is_new || reopens || random_.one_in(options_.verify_again_one_in)) CHECK(verify(*db));
    if (TRY(hash_of(*db)) != expected) return test_failure("two more transactions left something else");
    if (workload_.check_more) CHECK(workload_.check_more(env, ack, history_));
    if (!reopens) return {};
    ++report_.reopened;
    CHECK(db->close());
    db.reset();
    db.emplace(TRY(Database::open(kCrashPath, OpenMode::MustExist, with_env(workload_.options, env))));
    if (TRY(hash_of(*db)) != expected) return test_failure("closing and opening changed the content");
    return verify(*db);
  }

  static Status one_more(Database& db, const char* key, std::uint64_t& hash) {
    WriteTransaction txn = TRY(db.begin_write());
    CHECK(txn.put(key, "still writable"));
    hash += hash_of_entry("default", key, "still writable", txn.snapshot_seq() + 1);
    return txn.commit().status;
  }

  Status verify(const Database& db) {
    ++report_.full_checks;
    return verify_clean(db);
  }

  Status recover(os::SimEnv& env) {
    Result<Database> db = Database::open(kCrashPath, OpenMode::MustExist, with_env(workload_.options, env));
    const bool is_absent = db.status().code() == ErrorCode::FileNotFound && !is_created_;
    if (!db.has_value()) return is_absent ? Status{} : db.status();
    return db->close();
  }

  const CrashWorkload& workload_;
  const JudgeOptions& options_;
  base::Prng random_;
  History history_;
  bool is_created_ = false;
  std::unordered_set<std::uint64_t> verified_;
  EngineCrashReport report_;
};

}  // namespace

EngineCrashReport explore_engine_crashes(const CrashWorkload& workload, const CrashExplorerOptions& options,
                                         const JudgeOptions& judge_options) {
  Judge judge(workload, judge_options, options.seed);
  const CrashSubject subject = judge.subject();
  judge.report().crashes = explore_crashes(subject, options);
  return std::move(judge.report());
}

}  // namespace vitrine::testing
