// SPDX-License-Identifier: MIT OR Apache-2.0
// Workloads in which the keys of a database rotate. They are encrypted whatever the other tests are.
#include "base/try.hpp"
#include "tests/engine_crash_workloads.hpp"

namespace vitrine::testing {
namespace {

Status put_with_large(Stage& stage, std::uint64_t count, std::size_t value_size, std::uint64_t seed) {
  return stage.commit([&](Editor& editor) -> Status {
    for (std::uint64_t i = 0; i < count; ++i) CHECK(editor.put(workload_key(i), random_bytes(seed + i, value_size)));
    return editor.put("large", random_bytes(seed, 9'000));
  });
}

Status check_ended(const Database& db) {
  return TRY(db.info()).rotating ? test_failure("the rotation has not ended") : Status{};
}

// One change of each kind between its steps: small, large, erased, and one that is in a checkpoint at once.
Status write_between(Stage& stage, std::uint64_t turn) {
  switch (turn) {
    case 0:
      return stage.put("between", random_bytes(turn, 300));
    case 1:
      return stage.commit([&](Editor& editor) -> Status {
        CHECK(editor.erase_range("key 2", "key 3"));
        return editor.put("large", random_bytes(turn, 5'000));
      });
    case 2:
      CHECK(stage.put(workload_key(7), random_bytes(turn, 2'000)));
      return stage.db().checkpoint();
    default:
      return {};
  }
}

Status rotate_while_writing(Stage& stage, const Secret& secret) {
  Status written;
  std::uint64_t turn = 0;
  const Result<RotateReport> report = stage.db().rotate_keys(secret, [&](const Progress&) {
    written = write_between(stage, turn++);
    return written.is_ok();
  });
  CHECK(written);
  CHECK(report.status());
  if (report->resumed || report->pages_rewritten == 0 || report->pages_wiped == 0 || turn < 3) {
    return test_failure("the rotation did something else");
  }
  return check_ended(stage.db());
}

Status rotation(Stage& stage, std::uint64_t rounds) {
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < rounds; ++i) {
    CHECK(put_with_large(stage, 20, 400, i));
    CHECK(rotate_while_writing(stage, stage.options.secret));
    CHECK(stage.put("behind it", random_bytes(i, 2'000)));
  }
  return stage.close();
}

// It is stopped, the process dies, and the next one goes on.
Status rotation_in_parts(Stage& stage, std::uint64_t rounds) {
  for (std::uint64_t i = 0; i < rounds; ++i) {
    CHECK(stage.open());
    CHECK(put_with_large(stage, 20, 400, i));
    std::uint64_t calls = 0;
    const Result<RotateReport> begun =
        stage.db().rotate_keys(stage.options.secret, [&](const Progress&) { return ++calls < 2; });
    if (begun.status().code() != ErrorCode::Cancelled) return begun.status();
    if (!TRY(stage.db().info()).rotating) return test_failure("a cancelled rotation has ended");
    CHECK(stage.put("between", random_bytes(i, 3'000)));
    stage.abandon();
    CHECK(stage.open());
    CHECK(stage.put("in the next process", random_bytes(i, 500)));
    if (!TRY(stage.db().rotate_keys(stage.options.secret)).resumed) return test_failure("another rotation has begun");
    CHECK(check_ended(stage.db()));
    CHECK(stage.put("behind it", random_bytes(i, 2'000)));
    CHECK(stage.close());
  }
  return {};
}

}  // namespace

// None where the run without VITRINE_TEST_ENCRYPTED has done the same.
std::vector<CrashWorkload> rotation_workloads(std::uint64_t rounds) {
  if (tests_are_encrypted()) return {};
  const auto workload = [&](const char* name, Status (*run)(Stage&, std::uint64_t)) {
    CrashWorkload made;
    made.name = name;
    made.options.secret = test_secret();
    made.prepare = [](Stage& stage) { return stage.put("first", "value"); };
    made.run = [=](Stage& stage) { return run(stage, (rounds + 15) / 16); };
    made.go_on = [](Database& db) -> Status {
      CHECK(db.rotate_keys(test_secret()).status());
      return check_ended(db);
    };
    return made;
  };
  return {workload("rotation", rotation), workload("rotation_in_parts", rotation_in_parts)};
}

}  // namespace vitrine::testing
