// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tests/engine_crash.hpp"

#include <algorithm>
#include <utility>

#include "base/try.hpp"

namespace vitrine::testing {
namespace {

Options with_env(const Options& wanted, os::Env& env) {
  Options options = small_options(env);
  options.durability = wanted.durability;
  options.sync_period = wanted.sync_period;
  if (wanted.secret) options.secret = wanted.secret;
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

void Stage::begin_step(const Model& model) {
  history_.add(model);
  ack_.begin(history_.last_step());
}

void Stage::withdraw_step() {
  history_.withdraw();
  ack_.begin(history_.last_step());
}

Status Stage::commit(const Change& change, std::optional<Durability> durability) {
  WriteTransaction txn = TRY(db_->begin_write());
  Model next = history_.last();
  Editor editor(txn, next);
  CHECK(change(editor));
  begin_step(next);
  const Commit commit = txn.commit(durability);
  switch (commit.outcome) {
    case CommitOutcome::NotCommitted:
      withdraw_step();
      break;
    case CommitOutcome::Committed:
      acknowledge_all();
      break;
    case CommitOutcome::Pending:
      break;
    case CommitOutcome::Unknown:
      has_unknown_commit_ = true;
      break;
  }
  if (commit.status.is_ok() != commit.is_applied()) return test_failure("status and outcome contradict each other");
  return commit.status;
}

Status Stage::put(const std::string& key, const std::string& value) {
  return commit([&](Editor& editor) { return editor.put(key, value); });
}

Status Stage::put_alone(const std::string& key, const std::string& value, Durability durability) {
  const std::uint64_t seq = TRY(db_->begin_read()).snapshot_seq() + 1;
  Model next = history_.last();
  next["default"][key] = {value, seq};
  begin_step(next);
  const Status status = db_->put({}, key, value, durability);
  if (status.code() == ErrorCode::CommitUnknown) {
    has_unknown_commit_ = true;
  } else if (!status.is_ok()) {
    withdraw_step();
  } else if (durability == Durability::Full) {
    acknowledge_all();
  }
  return status;
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
  begin_step(model);
  const Status status = run();
  if (status.is_ok()) {
    acknowledge_all();
  } else if (status.code() == ErrorCode::CommitUnknown) {
    has_unknown_commit_ = true;
  } else {
    withdraw_step();
  }
  return status;
}

// --- Judge -----------------------------------------------------------------------------------------------------------

namespace {

std::uint64_t hash_of_pages(const os::SimEnv& env) {
  const auto file = env.disk().names().find(kCrashPath);
  return file == env.disk().names().end() ? 0 : file->second->visible.hash();
}

Status put_one_more(Database& db, const char* key, std::uint64_t& hash) {
  WriteTransaction txn = TRY(db.begin_write());
  CHECK(txn.put(key, "still writable"));
  hash += hash_of_entry("default", key, "still writable", txn.snapshot_seq() + 1);
  return txn.commit().status;
}

}  // namespace

Status Judge::prepare(os::Env& env, History& history) {
  history.start(empty_model());
  if (!workload_.prepare) return {};
  Ack ack;
  Stage stage(env, ack, history);
  stage.options = workload_.options;
  CHECK(stage.open(OpenMode::CreateNew));
  CHECK(workload_.prepare(stage));
  CHECK(stage.close());
  const Model left = history.last();
  history.start(left);
  is_created_ = true;
  return {};
}

Status Judge::recover(os::SimEnv& env) {
  Result<Database> db = Database::open(kCrashPath, OpenMode::MustExist, with_env(workload_.options, env));
  const bool is_absent = db.status().code() == ErrorCode::FileNotFound && !is_created_;
  if (!db.has_value()) return is_absent ? Status{} : db.status();
  return db->close();
}

// A workload that creates its database acknowledges the creation as its first step.
Result<Database> Judge::open(os::SimEnv& env, const Ack& ack) {
  const Options options = with_env(workload_.options, env);
  Result<Database> db = Database::open(kCrashPath, OpenMode::MustExist, options);
  const bool may_be_absent = !is_created_ && ack.acknowledged() == 0;
  if (db.status().code() != ErrorCode::FileNotFound || !may_be_absent) return db;
  ++counts_.absent;
  return Database::open(kCrashPath, OpenMode::CreateIfMissing, options);
}

Status Judge::check(os::SimEnv& env, const Ack& ack, const History& history) {
  const std::uint64_t pages = hash_of_pages(env);
  std::optional<Database> db(TRY(open(env, ack)));
  const Status status = judge(env, db, ack, history, pages);
  env.stop();  // the database need not close in order, which would cost another checkpoint
  return status;
}

Status Judge::judge(os::SimEnv& env, std::optional<Database>& db, const Ack& ack, const History& history,
                    std::uint64_t pages) {
  const std::uint64_t content = TRY(hash_of(*db));
  if (!history.find(content, ack)) return history.explain(TRY(model_of(*db)), ack);
  const bool reopens = random_.one_in(options_.reopen_one_in);
  // What a full check looks at follows from the pages of the image and from what the log adds to them.
  const bool is_new = verified_.insert(content + os::sim_mix(pages)).second;
  if (reopens) CHECK(verify(*db));
  std::uint64_t expected = content;
  for (const char* key : {"after the crash", "and once more"}) CHECK(put_one_more(*db, key, expected));
  if (is_new || reopens || random_.one_in(options_.verify_again_one_in)) CHECK(verify(*db));
  if (workload_.go_on && (reopens || random_.one_in(options_.go_on_one_in))) CHECK(workload_.go_on(*db));
  if (TRY(hash_of(*db)) != expected) return test_failure("two more transactions left something else");
  if (workload_.check_more) CHECK(workload_.check_more(env));
  if (!reopens) return {};
  ++counts_.reopened;
  CHECK(db->close());
  db.reset();
  db.emplace(TRY(Database::open(kCrashPath, OpenMode::MustExist, with_env(workload_.options, env))));
  if (TRY(hash_of(*db)) != expected) return test_failure("closing and opening changed the content");
  return verify(*db);
}

Status Judge::verify(const Database& db) {
  ++counts_.full_checks;
  return verify_clean(db);
}

EngineCrashReport explore_engine_crashes(const CrashWorkload& workload, const CrashExplorerOptions& options,
                                         const JudgeOptions& judge_options) {
  Judge judge(workload, judge_options);
  History history;
  CrashSubject subject;
  subject.prepare = [&](os::Env& env) { return judge.prepare(env, history); };
  subject.workload = [&](os::Env& env, Ack& ack) {
    Stage stage(env, ack, history);
    stage.options = workload.options;
    return workload.run(stage);
  };
  subject.check = [&](os::Env& env, const Ack& ack) {
    return judge.check(static_cast<os::SimEnv&>(env), ack, history);
  };
  subject.recover = [&](os::Env& env) { return judge.recover(static_cast<os::SimEnv&>(env)); };
  EngineCrashReport report;
  report.crashes = explore_crashes(subject, options);
  report.counts = judge.counts();
  return report;
}

}  // namespace vitrine::testing
