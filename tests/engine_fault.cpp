// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tests/engine_fault.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "os/sim_crash.hpp"

namespace vitrine::testing {
namespace {

using os::SimFault;
using os::SimOperation;
using os::SyncFailure;

struct Operation {
  std::uint64_t number;
  SimOperation kind;
  std::string path;
};

struct FaultCase {
  Operation where;
  SimFault fault;

  std::string to_string() const {
    std::string text = std::string(os::sim_operation_name(where.kind)) + " of " + where.path + " (operation " +
                       std::to_string(where.number) + ")";
    text += fault.for_ever ? (fault.kinds.empty() ? ", all from there on" : ", all like it from there on") : ", once";
    if (fault.code) text += ", " + std::string(error_name(*fault.code));
    if (fault.partial_bytes > 0) text += ", after " + std::to_string(fault.partial_bytes) + " bytes";
    if (where.kind == SimOperation::Sync) text += ", policy " + std::to_string(static_cast<int>(fault.sync_failure));
    return text;
  }
};

// Every way in which this operation can fail.
std::vector<SimFault> faults_of(const Operation& operation) {
  const SimFault plain{.operation = operation.number};
  const auto with_code = [&](ErrorCode code, std::uint64_t partial_bytes = 0) {
    SimFault fault = plain;
    fault.code = code;
    fault.partial_bytes = partial_bytes;
    return fault;
  };
  const auto for_ever = [](SimFault fault, std::vector<SimOperation> kinds) {
    fault.for_ever = true;
    fault.kinds = std::move(kinds);
    return fault;
  };
  std::vector<SimFault> faults = {plain, for_ever(plain, {})};
  switch (operation.kind) {
    case SimOperation::Read:
      faults.push_back(for_ever(plain, {SimOperation::Read}));
      break;
    case SimOperation::Write:
    case SimOperation::Reserve:
    case SimOperation::Resize:
      faults.push_back(with_code(ErrorCode::WriteFailed, 512));
      faults.push_back(with_code(ErrorCode::DiskFull, 4096 + 512));
      faults.push_back(
          for_ever(with_code(ErrorCode::DiskFull), {SimOperation::Write, SimOperation::Reserve, SimOperation::Create}));
      break;
    case SimOperation::Sync:
    case SimOperation::SyncDirectory:
      for (const SyncFailure how : {SyncFailure::PartlyDurable, SyncFailure::RevertPending}) {
        faults.push_back(plain);
        faults.back().sync_failure = how;
      }
      faults.push_back(for_ever(plain, {SimOperation::Sync, SimOperation::SyncDirectory}));
      break;
    case SimOperation::Open:
      faults.push_back(with_code(ErrorCode::FileLimit));
      break;
    case SimOperation::Create:
      faults.push_back(with_code(ErrorCode::DiskFull));
      break;
    default:
      break;
  }
  return faults;
}

// The machine before the workload, to start from again and again.
class Start {
 public:
  Start(Judge& judge, const FaultOptions& options)
      : env_(os::SimEnv::create({.seed = options.seed})), status_(judge.prepare(*env_, history_)), crash_(*env_) {}

  const Status& status() const { return status_; }
  const History& history() const { return history_; }
  std::unique_ptr<os::SimEnv> make_env() const { return crash_.image_with_all().make_env(); }

 private:
  std::unique_ptr<os::SimEnv> env_;
  History history_;
  Status status_;
  os::SimCrash crash_;
};

// One run with one fault.
class FaultRun {
 public:
  FaultRun(const CrashWorkload& workload, const Start& start, Judge& judge, const FaultCase& fault,
           const FaultOptions& options, FaultReport& report)
      : workload_(workload),
        judge_(judge),
        case_(fault),
        options_(options),
        report_(report),
        env_(start.make_env()),
        history_(start.history()),
        random_(options.seed + report.runs) {}

  Status run() {
    env_->inject(case_.fault);
    {
      Stage stage(*env_, ack_, history_);
      stage.options = workload_.options;
      met_ = workload_.run(stage);
      if (met_.code() == ErrorCode::InternalBug || met_.code() == ErrorCode::OutOfMemory) return met_;
      if (env_->counters().faults == 0) return test_failure("the fault did not strike").with("met", met_.to_string());
      report_.failed_runs += !met_.is_ok();
      report_.unknown_commits += stage.has_unknown_commit();
      if (stage.is_open()) CHECK(use_after_fault(stage));
    }
    env_->clear_faults();
    CHECK(cut_power("after the fault"));
    if (case_.where.kind == SimOperation::SyncDirectory) start_again();
    if (random_.one_in(2)) CHECK(fail_again());
    CHECK(open_again());
    return cut_power("after opening again");
  }

 private:
  // What an open handle shows now. A read that fails while the fault lasts is fine, a wrong answer is not.
  Status look(Stage& stage, bool must_work) {
    const Result<std::uint64_t> content = hash_of(stage.db());
    if (!content.has_value()) {
      return must_work ? content.status().with("handle", "still open") : Status{};
    }
    Ack shown = ack_;
    const std::uint64_t last = history_.last_step();
    shown.acknowledge(stage.has_unknown_commit() && last > 0 ? last - 1 : last);
    if (history_.find(*content, shown)) return {};
    return history_.explain(TRY(model_of(stage.db())), shown).with("handle", "still open");
  }

  bool is_database(const std::string& path) const { return path.rfind(kCrashPath, 0) == 0; }

  Status use_after_fault(Stage& stage) {
    // Some file systems forget unsynced data when a sync fails; pages that were not in the cache are then gone until
    // the log is replayed.
    const bool may_miss_pages = case_.fault.sync_failure == SyncFailure::RevertPending;
    CHECK(look(stage, false));
    env_->clear_faults();
    CHECK(look(stage, !may_miss_pages));
    const Status put = stage.put("after the fault", "value");
    const bool is_poisoned = put.code() == ErrorCode::Poisoned;
    report_.poisoned += is_poisoned;
    if (!put.is_ok() && !is_poisoned) return put.with("handle", "neither usable nor poisoned");
    const bool has_lost_data = case_.where.kind == SimOperation::Write || case_.where.kind == SimOperation::Sync;
    const bool is_full = case_.fault.code == ErrorCode::DiskFull;
    const bool must_be_poisoned =
        stage.has_unknown_commit() ||
        (!met_.is_ok() && has_lost_data && !is_full && !case_.fault.for_ever && is_database(case_.where.path));
    if (must_be_poisoned && !is_poisoned) return test_failure("the handle should be poisoned");
    if (case_.where.kind == SimOperation::Read && !case_.fault.for_ever && is_poisoned) {
      return test_failure("a failed read has poisoned the handle");
    }
    CHECK(look(stage, !may_miss_pages));
    CHECK(check_pages(stage, is_poisoned));
    const Status closed = stage.close();
    if (closed.is_ok() == is_poisoned)
      return closed.with("handle", is_poisoned ? "closed though poisoned" : "not closed");
    return {};
  }

  Status check_pages(Stage& stage, bool is_poisoned) {
    if (!is_poisoned) return verify_clean(stage.db());
    const VerifyReport report = TRY(stage.db().verify(VerifyLevel::Full));
    if (report.is_clean()) return test_failure("a check of a poisoned database cannot be complete");
    return report.has_damage() ? test_failure(report.findings.front().code).with("handle", "poisoned") : Status{};
  }

  // A file system that cannot write its directories stops altogether, until the machine starts again.
  void start_again() { env_ = os::SimCrash(*env_).image_with_none().make_env(); }

  // The process that failed is gone; the next one sees what the system has, durable or not. What it finds is final.
  Status open_and_settle(Stage& stage) {
    stage.options = workload_.options;
    const bool may_be_absent = !workload_.prepare && ack_.acknowledged() == 0;
    CHECK(stage.open(may_be_absent ? OpenMode::CreateIfMissing : OpenMode::MustExist));
    const std::uint64_t content = TRY(hash_of(stage.db()));
    const std::optional<std::uint64_t> step = history_.find(content, ack_);
    if (!step) return history_.explain(TRY(model_of(stage.db())), ack_).with("handle", "opened again");
    while (history_.last_step() > *step) history_.withdraw();
    ack_.begin(*step);
    ack_.acknowledge(*step);
    return {};
  }

  // The next process meets a fault, too, most likely during its recovery.
  Status fail_again() {
    constexpr SyncFailure kPolicies[] = {SyncFailure::DropPending, SyncFailure::PartlyDurable,
                                         SyncFailure::RevertPending};
    SimFault second{.operation = env_->operations() + random_.between(1, 30)};
    second.kinds = {SimOperation::Read, SimOperation::Write, SimOperation::Sync, SimOperation::Rename};
    second.for_ever = random_.one_in(2);
    second.partial_bytes = random_.below(2) * 512;
    second.sync_failure = kPolicies[random_.below(std::size(kPolicies))];
    env_->inject(second);
    ++report_.second_faults;
    Stage stage(*env_, ack_, history_);
    Status status = open_and_settle(stage);
    if (status.is_ok()) status = stage.put("between two faults", "value");
    stage.abandon();
    env_->clear_faults();
    if (status.code() == ErrorCode::InternalBug) return status;
    return cut_power("after a second fault");
  }

  Status open_again() {
    Stage stage(*env_, ack_, history_);
    CHECK(open_and_settle(stage));
    CHECK(stage.put("opened again", "value"));
    CHECK(verify_clean(stage.db()));
    if (workload_.check_more) CHECK(workload_.check_more(*env_));
    return {};
  }

  Status cut_power(const char* when) {
    os::SimCrashOptions images{.exhaustive_units = 0, .list_limit = 0, .random_images = options_.random_images};
    images.seed = options_.seed + case_.where.number;
    Status status;
    os::SimCrash(*env_).for_each_image(images, [&](const os::SimImage& image) {
      ++report_.images;
      status = judge_.check(*image.make_env(), ack_, history_);
      if (!status.is_ok()) status = status.with("power cut", when).with("image", image.describe());
      return status.is_ok();
    });
    return status;
  }

  const CrashWorkload& workload_;
  Judge& judge_;
  const FaultCase& case_;
  const FaultOptions& options_;
  FaultReport& report_;
  std::unique_ptr<os::SimEnv> env_;
  History history_;
  Ack ack_;
  base::Prng random_;
  Status met_;  // by the workload
};

std::vector<Operation> operations_of(const CrashWorkload& workload, const Start& start, Status& status) {
  std::vector<Operation> operations;
  const std::unique_ptr<os::SimEnv> env = start.make_env();
  env->hooks().on_operation = [&](std::uint64_t number, SimOperation kind, const std::string& path) {
    operations.push_back({number, kind, path});
  };
  History history = start.history();
  Ack ack;
  Stage stage(*env, ack, history);
  stage.options = workload.options;
  status = workload.run(stage);
  return operations;
}

}  // namespace

std::string FaultReport::to_string() const {
  std::string text = std::to_string(operations) + " operations, " + std::to_string(runs) + " faults, " +
                     std::to_string(failed_runs) + " met, " + std::to_string(unknown_commits) + " unknown commits, " +
                     std::to_string(poisoned) + " poisoned, " + std::to_string(second_faults) + " second faults, " +
                     std::to_string(images) + " images, " + std::to_string(failures.size()) + " failures";
  for (const std::string& failure : failures) text += "\n" + failure;
  return text;
}

FaultReport explore_faults(const CrashWorkload& workload, const FaultOptions& options) {
  FaultReport report;
  Judge judge(workload, {.seed = options.seed});
  const Start start(judge, options);
  Status status = start.status();
  std::vector<Operation> operations;
  if (status.is_ok()) operations = operations_of(workload, start, status);
  if (!status.is_ok()) report.failures.push_back("without a fault: " + status.to_string());
  report.operations = operations.size();
  base::Prng random(options.seed);
  for (const Operation& operation : operations) {
    for (const SimFault& fault : faults_of(operation)) {
      if (options.one_in > 1 && !random.one_in(options.one_in)) continue;
      const FaultCase fault_case{operation, fault};
      ++report.runs;
      status = FaultRun(workload, start, judge, fault_case, options, report).run();
      if (!status.is_ok()) report.failures.push_back(fault_case.to_string() + ": " + status.to_string());
      if (report.failures.size() >= options.failure_limit) return report;
    }
  }
  return report;
}

}  // namespace vitrine::testing
