// SPDX-License-Identifier: MIT OR Apache-2.0
// Workloads of whole files: creation, opening and closing, processes that die, compaction, vacuum, import, backup.
#include "base/try.hpp"
#include "tests/engine_crash_workloads.hpp"

namespace vitrine::testing {
namespace {

constexpr const char* kBackupPath = "/backup.vtr";
constexpr const char* kExportPath = "/data.export";

Status put_many(Stage& stage, std::uint64_t count, std::size_t value_size, std::uint64_t seed) {
  return stage.commit([&](Editor& editor) -> Status {
    for (std::uint64_t i = 0; i < count; ++i) CHECK(editor.put(workload_key(i), random_bytes(seed + i, value_size)));
    return {};
  });
}

Status create(Stage& stage, std::uint64_t) {
  CHECK(stage.step(empty_model(), [&] { return stage.open(OpenMode::CreateNew); }));
  CHECK(stage.put("first", random_bytes(1, 3000)));
  CHECK(stage.put("second", random_bytes(2, 3000)));
  return stage.close();
}

Status open_and_close(Stage& stage, std::uint64_t rounds) {
  for (std::uint64_t i = 0; i < rounds; ++i) {
    CHECK(stage.open());
    if (i % 3 != 2) CHECK(stage.put(workload_key(i % 5), random_bytes(i, 2000)));
    if (i % 3 == 1) CHECK(stage.put("second", random_bytes(i, 200)));
    CHECK(stage.close());
  }
  return {};
}

// The process dies, the machine does not: the next one finds what was written, synced or not, and then the power goes.
Status processes_die(Stage& stage, std::uint64_t rounds) {
  for (std::uint64_t i = 0; i < 2 * rounds; ++i) {
    CHECK(stage.open());
    CHECK(stage.put(workload_key(i % 5), random_bytes(i, 2500)));
    if (i % 4 == 1) CHECK(stage.db().checkpoint());
    const std::optional<Durability> last = i % 3 == 0 ? Durability::None : Durability::Full;
    CHECK(stage.commit([&](Editor& editor) { return editor.put("last", random_bytes(i, 1800)); }, last));
    stage.abandon();
  }
  return {};
}

// Every third entry stays, so pages become thin and free ones lie between them.
Status thin_out(Stage& stage, std::uint64_t count) {
  return stage.commit([&](Editor& editor) -> Status {
    for (std::uint64_t i = 0; i < count; ++i) {
      if (i % 3 != 0) CHECK(editor.erase(workload_key(i)));
    }
    return {};
  });
}

Status compaction(Stage& stage, std::uint64_t rounds) {
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < (rounds + 1) / 2; ++i) {
    CHECK(put_many(stage, 60, 350, i));
    CHECK(stage.db().checkpoint());
    CHECK(thin_out(stage, 60));
    CHECK(stage.db().compact().status());
    CHECK(stage.put("between", random_bytes(i, 300)));
  }
  return {};
}

Status vacuum(Stage& stage, std::uint64_t rounds) {
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < (rounds + 3) / 4; ++i) {
    CHECK(put_many(stage, 60, 350, i));
    CHECK(stage.put("large", random_bytes(i, 30'000)));
    CHECK(stage.db().checkpoint());
    CHECK(thin_out(stage, 60));
    CHECK(stage.commit([&](Editor& editor) { return editor.put("large", random_bytes(i, 5'000)); }));
    const CompactReport report = TRY(stage.db().vacuum());
    if (report.pages_after >= report.pages_before) return test_failure("vacuum cut nothing");
    CHECK(stage.put("behind it", random_bytes(i, 3'000)));
  }
  return {};
}

// --- Import and backup -----------------------------------------------------------------------------------------------

// What the file of prepare_import() holds.
Model exported_entries() {
  Model model = empty_model();
  for (std::uint64_t i = 0; i < 30; ++i) model["default"][workload_key(i)] = {random_bytes(i, 300), 0};
  model["default"]["large"] = {random_bytes(9, 70'000), 0};
  model["other"]["one"] = {"1", 0};
  return model;
}

Status prepare_import(Stage& stage) {
  const auto change = [&](Editor& editor) -> Status {
    CHECK(editor.create_keyspace("other"));
    for (const auto& [name, entries] : exported_entries()) {
      for (const auto& [key, entry] : entries) CHECK(editor.put(key, entry.value, name));
    }
    return {};
  };
  CHECK(stage.commit(change));
  CHECK(stage.db().export_to(kExportPath).status());
  return stage.commit([&](Editor& editor) -> Status {
    CHECK(editor.erase_range("key 1", "key 5"));
    CHECK(editor.create_keyspace("third"));
    return editor.put("mine", "stays or goes", "third");
  });
}

Status import(Stage& stage, ImportMode mode) {
  Model after = mode == ImportMode::Replace ? empty_model() : stage.model();
  const std::uint64_t version = TRY(stage.db().begin_read()).snapshot_seq() + 1;
  for (const auto& [name, entries] : exported_entries()) {
    for (const auto& [key, entry] : entries) after[name][key] = {entry.value, version};
  }
  return stage.step(after, [&] { return stage.db().import_from(kExportPath, mode).status(); });
}

Status imports(Stage& stage, std::uint64_t rounds) {
  CHECK(stage.open());
  for (std::uint64_t i = 0; i < (rounds + 3) / 4; ++i) {
    CHECK(import(stage, ImportMode::Merge));
    CHECK(stage.put("mine", random_bytes(i, 2000)));
    CHECK(import(stage, ImportMode::Replace));
  }
  return {};
}

struct BackupProgress {
  std::uint64_t source = 0;  // hash of what the backup holds
  bool has_begun = false;
  bool is_done = false;
};

Status backup(Stage& stage, std::uint64_t rounds, BackupProgress& progress) {
  progress = {};
  CHECK(stage.open());
  CHECK(put_many(stage, 10 + rounds, 700, 3));
  progress.source = hash_of(stage.model());
  progress.has_begun = true;
  CHECK(stage.db().backup(kBackupPath).status());
  progress.is_done = true;
  return stage.put("after", random_bytes(1, 2000));
}

// All or nothing, and there once it was acknowledged.
Status check_backup(os::SimEnv& env, const BackupProgress& progress) {
  const Result<Database> db = Database::open(kBackupPath, OpenMode::MustExist, small_options(env));
  if (db.status().code() == ErrorCode::FileNotFound) {
    return progress.is_done ? test_failure("the backup is gone") : Status{};
  }
  if (!db.has_value()) return db.status();
  if (!progress.has_begun) return test_failure("there is a backup that nobody asked for");
  if (TRY(hash_of(*db)) != progress.source) return test_failure("the backup holds something else");
  return verify_clean(*db);
}

CrashWorkload backup_workload(std::uint64_t rounds) {
  const auto progress = std::make_shared<BackupProgress>();
  CrashWorkload made;
  made.name = "backup";
  made.prepare = [](Stage& stage) { return stage.put("first", "value"); };
  made.run = [=](Stage& stage) { return backup(stage, rounds, *progress); };
  made.check_more = [=](os::SimEnv& env) { return check_backup(env, *progress); };
  return made;
}

}  // namespace

std::vector<CrashWorkload> maintenance_workloads(std::uint64_t rounds) {
  const auto workload = [&](const char* name, Status (*run)(Stage&, std::uint64_t), std::uint64_t quarters) {
    CrashWorkload made;
    made.name = name;
    made.prepare = [](Stage& stage) { return stage.put("first", "value"); };
    made.run = [=](Stage& stage) { return run(stage, share(rounds, quarters)); };
    return made;
  };
  std::vector<CrashWorkload> all = {
      workload("open_and_close", open_and_close, 4),
      workload("processes_die", processes_die, 4),
      workload("compaction", compaction, 3),
      workload("vacuum", vacuum, 3),
      workload("imports", imports, 1),
      workload("create", create, 1),
      backup_workload(share(rounds, 1)),
  };
  all[4].prepare = prepare_import;
  all[5].prepare = nullptr;
  return all;
}

}  // namespace vitrine::testing
