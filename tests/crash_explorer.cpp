// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tests/crash_explorer.hpp"

#include <unordered_set>
#include <utility>

namespace vitrine::testing {
namespace {

std::uint64_t key_of(const os::SimImage& image, const Ack& ack) {
  return image.hash() + os::sim_mix(ack.begun() * 2 + 1) + os::sim_mix(ack.acknowledged() * 2 + 2);
}

class Explorer {
 public:
  Explorer(const CrashSubject& subject, const CrashExplorerOptions& options)
      : subject_(subject), options_(options), random_(options.seed) {}

  CrashReport run() {
    const std::unique_ptr<os::SimEnv> env = os::SimEnv::create(options_.machine);
    if (subject_.prepare) {
      report_.workload_status = subject_.prepare(*env);
      if (!report_.workload_status.is_ok()) return std::move(report_);
    }
    env->hooks().on_operation = [&](std::uint64_t number, os::SimOperation kind, const std::string&) {
      if (!os::sim_operation_changes_disk(kind)) return;
      if (options_.crash_one_in <= 1 || random_.one_in(options_.crash_one_in)) crash_before(*env, number);
    };
    const Status status = subject_.workload(*env, ack_);
    if (!is_done()) {
      report_.workload_status = status;
      crash_before(*env, env->operations() + 1);
    }
    report_.operations = env->operations();
    return std::move(report_);
  }

 private:
  bool is_done() const { return report_.failures.size() >= options_.failure_limit; }

  void crash_before(os::SimEnv& env, std::uint64_t operation) {
    if (options_.only_operation != 0 && options_.only_operation != operation) return;
    ++report_.crash_points;
    const os::SimCrash crash(env);
    crash.for_each_image(options_.images, [&](const os::SimImage& image) {
      ++report_.images;
      if (seen_.insert(key_of(image, ack_)).second) look_at(image, operation);
      return !is_done();
    });
    if (is_done()) env.stop();
  }

  void look_at(const os::SimImage& image, std::uint64_t operation) {
    ++report_.distinct_images;
    const std::unique_ptr<os::SimEnv> env = image.make_env();
    if (Status status = subject_.check(*env, ack_); !status.is_ok()) {
      report_.failures.push_back({operation, 0, ack_, image.describe(), {}, std::move(status)});
      return;
    }
    if (options_.nested_one_in != 0 && random_.one_in(options_.nested_one_in)) crash_in_recovery(image, operation);
  }

  void crash_in_recovery(const os::SimImage& image, std::uint64_t operation) {
    ++report_.nested_recoveries;
    const std::unique_ptr<os::SimEnv> env = image.make_env();
    env->hooks().on_operation = [&](std::uint64_t number, os::SimOperation kind, const std::string&) {
      if (os::sim_operation_changes_disk(kind)) crash_recovery_before(*env, number, image, operation);
    };
    // The same recovery succeeded in look_at; here it may also have been stopped by a failure.
    const Status status = subject_.recover ? subject_.recover(*env) : subject_.check(*env, ack_);
    if (is_done()) return;
    if (!status.is_ok()) report_.failures.push_back({operation, 0, ack_, image.describe(), {}, status});
    crash_recovery_before(*env, env->operations() + 1, image, operation);
  }

  void crash_recovery_before(os::SimEnv& env, std::uint64_t nested_operation, const os::SimImage& outer,
                             std::uint64_t operation) {
    const os::SimCrash crash(env);
    crash.for_each_image(options_.nested_images, [&](const os::SimImage& image) {
      if (!nested_seen_.insert(key_of(image, ack_)).second) return true;
      ++report_.nested_images;
      const std::unique_ptr<os::SimEnv> recovered = image.make_env();
      if (Status status = subject_.check(*recovered, ack_); !status.is_ok()) {
        report_.failures.push_back(
            {operation, nested_operation, ack_, outer.describe(), image.describe(), std::move(status)});
      }
      return !is_done();
    });
    if (is_done()) env.stop();
  }

  const CrashSubject& subject_;
  const CrashExplorerOptions& options_;
  base::Prng random_;
  Ack ack_;
  CrashReport report_;
  std::unordered_set<std::uint64_t> seen_;
  std::unordered_set<std::uint64_t> nested_seen_;
};

}  // namespace

std::string CrashFailure::to_string() const {
  std::string text = "power cut before operation " + std::to_string(operation) + " (acknowledged " +
                     std::to_string(ack.acknowledged()) + ", begun " + std::to_string(ack.begun()) + "), " + image;
  if (nested_operation != 0) {
    text += "; and again before operation " + std::to_string(nested_operation) + " of the recovery, " + nested_image;
  }
  return text + ": " + status.to_string();
}

std::string CrashReport::to_string() const {
  std::string text = std::to_string(operations) + " operations, " + std::to_string(crash_points) + " crash points, " +
                     std::to_string(images) + " images, " + std::to_string(distinct_images) + " distinct, " +
                     std::to_string(nested_recoveries) + " nested recoveries, " + std::to_string(nested_images) +
                     " nested images, " + std::to_string(failures.size()) + " failures";
  if (!workload_status.is_ok()) text += "\nworkload: " + workload_status.to_string();
  for (const CrashFailure& failure : failures) text += "\n" + failure.to_string();
  return text;
}

CrashReport explore_crashes(const CrashSubject& subject, const CrashExplorerOptions& options) {
  return Explorer(subject, options).run();
}

}  // namespace vitrine::testing
