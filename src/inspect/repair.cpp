// SPDX-License-Identifier: MIT OR Apache-2.0
#include "vitrine/repair.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "engine/engine.hpp"
#include "engine/write_session.hpp"
#include "inspect/source_file.hpp"

namespace vitrine {
namespace {

using EnginePointer = std::shared_ptr<engine::Engine>;

Result<EnginePointer> open_engine(const std::string& path, const Options& options, Access access) {
  Options opening = options;
  opening.access = access;
  return engine::Engine::open(inspect::env_of(options), path, opening);
}

bool is_repairable(const Finding& finding) noexcept {
  return finding.severity == FindingSeverity::Warning &&
         (finding.code == "HEADER_CHECK_COPY" || finding.code == "PAGE_CHECK_LEAKED");
}

// All or nothing: beside damage, what looks like a leaked page may be the only copy of something.
Result<RepairReport> look(engine::Engine& engine) {
  VerifyReport check = TRY(engine.verify(VerifyLevel::Full, {}));
  RepairReport report;
  const bool is_safe = check.is_complete && std::all_of(check.findings.begin(), check.findings.end(), is_repairable);
  (is_safe ? report.repaired : report.left) = std::move(check.findings);
  if (!is_safe && report.left.empty()) {
    report.left.push_back({FindingSeverity::Incomplete, std::string(error_name(ErrorCode::CheckIncomplete)), 0,
                           "not everything could be looked at"});
  }
  return report;
}

// The pages are retired like pages of an old tree: whoever reads an older checkpoint, in whatever process, keeps them
// until he has moved on. Their birth is version 0, because nobody knows it.
Status free_leaked(engine::Engine& engine, const std::vector<Finding>& findings) {
  const std::unique_ptr<engine::WriteSession> session = TRY(engine.begin_write(std::nullopt));
  CHECK(session->reorganize([&](tree::TreeWriter&) -> Status {
    for (const Finding& finding : findings) {
      if (finding.code != "PAGE_CHECK_LEAKED") continue;
      session->workspace().retire({finding.page, format::Generation{}, 0});
    }
    return session->workspace().failure();
  }));
  CHECK(session->commit(Durability::None).status);
  return engine.checkpoint();
}

// REQUIRES: a look found only what is repairable. Opening for writing has written both header slots anew, each from
// what was good; what is left are leaked pages, looked for again now that nobody else writes.
Result<RepairReport> repair_opened(engine::Engine& engine) {
  RepairReport now = TRY(look(engine));
  if (!now.is_clean() || now.repaired.empty()) return now;
  CHECK(free_leaked(engine, now.repaired));
  RepairReport after = TRY(look(engine));
  std::move(after.repaired.begin(), after.repaired.end(), std::back_inserter(after.left));  // should not be there
  after.repaired = std::move(now.repaired);
  return after;
}

}  // namespace

Result<RepairReport> repair_dry_run(const std::string& path, const Options& options) {
  try {
    const EnginePointer engine = TRY(open_engine(path, options, Access::ReadOnly));
    RepairReport report = TRY(look(*engine));
    CHECK(engine->close());
    return report;
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory();
  }
}

Result<RepairReport> repair(const std::string& path, const Options& options) {
  RepairReport found = TRY(repair_dry_run(path, options));
  if (!found.is_clean() || found.repaired.empty()) return found;
  try {
    const EnginePointer engine = TRY(open_engine(path, options, Access::ReadWrite));
    RepairReport done = TRY(repair_opened(*engine));
    CHECK(engine->close());
    for (Finding& finding : found.repaired) {
      if (finding.code == "HEADER_CHECK_COPY") done.repaired.push_back(std::move(finding));
    }
    return done;
  } catch (const std::bad_alloc&) {
    return Status::out_of_memory();
  }
}

}  // namespace vitrine
