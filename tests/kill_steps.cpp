// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tests/kill_steps.hpp"

#include <filesystem>

#include "base/prng.hpp"
#include "base/try.hpp"
#include "os/sim_bytes.hpp"
#include "tests/engine_testing.hpp"

namespace vitrine::testing {
namespace {

constexpr const char* kLast = "last step";
constexpr const char* kSide = "side";
constexpr std::uint64_t kKeys = 1500;
constexpr std::uint64_t kTooLargeToLog = 300'000;  // with the smallest log: the commit is a checkpoint

}  // namespace

Result<std::uint64_t> KillSteps::last_step(const Database& db) {
  const std::optional<ByteString> last = TRY(db.get(kLast));
  return last ? std::strtoull(last->c_str(), nullptr, 10) : 0;
}

KillSteps::Step KillSteps::step(std::uint64_t number) const {
  base::Prng random(os::sim_mix(seed_ + number));
  Step step;
  const std::uint64_t dice = random.below(100);
  step.kind = dice < 85   ? Kind::Write
              : dice < 90 ? Kind::Rollback
              : dice < 94 ? Kind::Drop
              : dice < 99 ? Kind::Import
                          : Kind::Replace;
  step.durability = static_cast<Durability>(random.below(3));
  const bool is_large = random.one_in(25);
  for (std::uint64_t i = random.below(random.one_in(10) ? 200 : 20); i > 0; --i) {
    Change change{random.one_in(4) ? kSide : "default", "key " + std::to_string(random.below(kKeys)), std::nullopt};
    const std::uint64_t size = is_large && i == 1 ? kTooLargeToLog : random.below(random.one_in(20) ? 20'000 : 400);
    if (!random.one_in(3)) change.value = random_bytes(random.next(), size);
    step.changes.push_back(std::move(change));
  }
  step.changes.push_back({"default", kLast, std::to_string(number)});
  return step;
}

Status KillSteps::write(WriteTransaction& txn, const Step& step) {
  for (const Change& change : step.changes) {
    const Keyspace keyspace = TRY(txn.ensure_keyspace(change.keyspace));
    if (change.value) {
      CHECK(txn.put(keyspace, change.key, *change.value));
    } else {
      CHECK(txn.erase(keyspace, change.key).status());
    }
  }
  return {};
}

// What an import puts is made in memory first.
Status KillSteps::import(Database& db, const Step& step, const std::string& scratch) {
  Database source = TRY(Database::open_in_memory());
  CHECK(source.write([&](WriteTransaction& txn) { return write(txn, step); }));
  std::filesystem::remove(scratch);
  CHECK(source.export_to(scratch).status());
  return db.import_from(scratch, step.kind == Kind::Replace ? ImportMode::Replace : ImportMode::Merge).status();
}

Status KillSteps::perform(Database& db, std::uint64_t number, const std::string& scratch) const {
  const Step step = this->step(number);
  if (step.kind == Kind::Import || step.kind == Kind::Replace) return import(db, step, scratch);
  WriteTransaction txn = TRY(db.begin_write());
  CHECK(txn.ensure_keyspace(kSide).status());
  if (step.kind == Kind::Drop) CHECK(txn.drop_keyspace(kSide));
  if (step.kind == Kind::Rollback) {
    const Savepoint savepoint = TRY(txn.savepoint());
    CHECK(write(txn, step));
    CHECK(txn.rollback_to(savepoint));
    CHECK(txn.put(kLast, std::to_string(number)));
  } else {
    CHECK(write(txn, step));
  }
  return txn.commit(step.durability).status;
}

void KillSteps::apply(Model& model, std::uint64_t number) const {
  const Step step = this->step(number);
  const bool is_import = step.kind == Kind::Import || step.kind == Kind::Replace;
  if (step.kind == Kind::Replace) model = empty();
  if (step.kind == Kind::Drop) model.erase(kSide);
  if (!is_import && step.kind != Kind::Drop) model[kSide];
  std::map<std::string, std::map<std::string, std::string>> imported;
  for (const Change& change : step.changes) {
    if (step.kind == Kind::Rollback && change.key != kLast) continue;
    auto& keyspace = is_import ? imported[change.keyspace] : model[change.keyspace];
    if (change.value) {
      keyspace[change.key] = *change.value;
    } else {
      keyspace.erase(change.key);
    }
  }
  for (const auto& [name, entries] : imported) {
    for (const auto& [key, value] : entries) model[name][key] = value;
    model[name];
  }
}

}  // namespace vitrine::testing
