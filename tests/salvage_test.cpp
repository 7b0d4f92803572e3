// SPDX-License-Identifier: MIT OR Apache-2.0
// Salvage gives back exactly the records whose pages verify. What that is, is worked out from the whole file, before
// anything is damaged: which pages each record needs. Then single pages, and three at a time, are damaged.
// Repair, its small sister in place, does what is safe or nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "base/prng.hpp"
#include "base/try.hpp"
#include "engine/write_session.hpp"
#include "inspect/tree_walk.hpp"
#include "tests/crash_explorer.hpp"
#include "tests/damage.hpp"
#include "vitrine/repair.hpp"
#include "vitrine/salvage.hpp"
#include "wal/scan.hpp"

namespace vitrine::testing {
namespace {

using format::PageNo;
using inspect::SourceFile;
using Pages = std::set<PageNo>;
using Records = std::map<std::string, std::string>;  // tree key -> record

constexpr char kTarget[] = "/d/saved.vtr";
constexpr PageNo kHeaderPages = format::kMetaAreaSize / kDamagePageSize;

struct Needed {
  std::string record;
  Pages pages;  // leaf, extents, list of extents
};

Result<Pages> pages_of_value(SourceFile& source, Bytes cell) {
  const tree::LargeValue value = TRY(tree::decode_large_value(cell));
  Pages pages;
  const auto add = [&](PageNo first, std::uint64_t count) {
    for (PageNo page = first; page < first + count; ++page) pages.insert(page);
  };
  if (value.depth > 0) add(value.ref.page(), value.pages);
  for (const tree::ExtentEntry& entry : TRY(source.extents_of(value))) add(entry.ref.page(), entry.pages);
  return pages;
}

struct Truth {
  std::map<std::string, Needed> tree;
  std::vector<std::string> log;  // payloads
  std::uint64_t page_count = 0;
  PageNo map_root = 0;
};

Result<Truth> truth_of(os::Env& env) {
  SourceFile source = TRY(SourceFile::open(kDamagePath, small_options(env)));
  Truth truth;
  truth.page_count = source.meta().page_count;
  truth.map_root = source.meta().map_root.page();
  Status failed;
  PageNo leaf = 0;
  const inspect::TreeVisitor visitor{[&](Bytes key, Bytes cell, bool is_large) {
                                       Needed& needed = truth.tree[std::string(key)];
                                       needed.record = is_large ? source.read_value(cell).value() : std::string(cell);
                                       if (is_large) needed.pages = pages_of_value(source, cell).value();
                                       needed.pages.insert(leaf);
                                       return true;
                                     },
                                     [&](const inspect::Gap& gap) { failed = gap.why; },
                                     [&](const format::PageRef& ref, const tree::NodeView&) { leaf = ref.page(); }};
  CHECK(inspect::TreeWalk(source, visitor).run());
  CHECK(failed);
  const format::Meta& meta = source.meta();
  TRY(wal::scan_log(*source.log(), {meta.file, {meta.log_position, meta.log_chain}, true},
                    [&](std::uint64_t, format::Lsn, Bytes payload) -> Status {
                      truth.log.emplace_back(payload);
                      return {};
                    }));
  return truth;
}

void replay(Records& records, Bytes payload) {
  format::OperationReader reader = format::OperationReader::open(payload).value();
  while (const auto operation = reader.next().value()) {
    const std::string key(operation->key), other(operation->value);
    if (operation->type == format::OperationType::Put) {
      records[key] = other;
    } else if (operation->type == format::OperationType::Erase) {
      records.erase(key);
    } else {
      records.erase(records.lower_bound(key), other.empty() ? records.end() : records.lower_bound(other));
    }
  }
}

// The catalog (keys that begin with 0) may be completed by salvage, and is compared by the names it gives.
Records without_catalog(Records records) {
  records.erase(records.begin(), records.lower_bound(std::string("\x01", 1)));
  return records;
}

Records expected(const Truth& truth, const Pages& damaged) {
  Records records;
  for (const auto& [key, needed] : truth.tree) {
    const bool is_whole =
        std::none_of(needed.pages.begin(), needed.pages.end(), [&](PageNo page) { return damaged.count(page) != 0; });
    if (is_whole) records[key] = needed.record;
  }
  for (const std::string& payload : truth.log) replay(records, payload);
  return without_catalog(std::move(records));
}

Result<Records> records_of(os::Env& env, const std::string& path) {
  SourceFile source = TRY(SourceFile::open(path, small_options(env)));
  Records records;
  const inspect::TreeVisitor visitor{[&](Bytes key, Bytes cell, bool is_large) {
                                       records[std::string(key)] =
                                           is_large ? source.read_value(cell).value() : std::string(cell);
                                       return true;
                                     },
                                     {},
                                     {}};
  CHECK(inspect::TreeWalk(source, visitor).run());
  return without_catalog(std::move(records));
}

class Salvage : public ::testing::Test {
 protected:
  Salvage() {
    options_.env = env_.get();
    options_.cache_size = 2u << 20;
    options_.log_size_max = 1u << 20;
    reference_ = make_reference(seed_, 7).value();
    EXPECT_TRUE(place(*env_, reference_.image).is_ok());
    truth_ = truth_of(*env_).value();
  }

  // Damages these pages, salvages, and compares.
  void damage_and_salvage(const Pages& pages) {
    SCOPED_TRACE("damaged pages " + ::testing::PrintToString(pages) + ", seed " + std::to_string(seed_));
    Image image = reference_.image;
    for (const PageNo page : pages) image.data[page * kDamagePageSize + random_.below(kDamagePageSize)] ^= 1;
    ASSERT_TRUE(place(*env_, image).is_ok());
    const Result<SalvageReport> dry = salvage_dry_run(kDamagePath, options_);
    const Result<SalvageReport> report = salvage(kDamagePath, kTarget, options_);
    ASSERT_TRUE(report.has_value()) << report.status().to_string();
    EXPECT_EQ(image_of(*env_), image) << "the damaged files are not touched";
    compare(expected(truth_, pages), records_of(*env_, kTarget).value(), *report);
    ASSERT_TRUE(dry.has_value());
    EXPECT_EQ(dry->records_in_place + dry->records_orphaned, report->records_in_place + report->records_orphaned);
    Options reading = options_;
    reading.access = Access::ReadOnly;
    EXPECT_TRUE(Database::open(kTarget, OpenMode::MustExist, reading)->verify(VerifyLevel::Deep)->is_clean());
    ASSERT_TRUE(env_->remove(kTarget).is_ok());
  }

  static void compare(const Records& wanted, const Records& got, const SalvageReport& report) {
    for (const auto& [key, record] : wanted) {
      const auto found = got.find(key);
      ASSERT_NE(found, got.end()) << "a record whose pages verify was not recovered";
      ASSERT_TRUE(found->second == record) << "a record came back with another content";
    }
    if (report.records_uncertain > 0) return;
    EXPECT_EQ(got.size(), wanted.size()) << "something is there that was not";
  }

  const std::uint64_t seed_ = test_seed();
  base::Prng random_{seed_};
  std::unique_ptr<os::SimEnv> env_ = os::SimEnv::create({.seed = test_seed() + 1});
  Options options_;
  Reference reference_;
  Truth truth_;
};

TEST_F(Salvage, gives_everything_of_a_whole_file) {
  const SalvageReport report = salvage(kDamagePath, kTarget, options_).value();
  EXPECT_TRUE(report.is_complete());
  EXPECT_GT(report.log_transactions, 0u);
  const Database db = Database::open(kTarget, OpenMode::MustExist, options_).value();
  EXPECT_EQ(hash_of(db).value(), hash_of(reference_.model));
  EXPECT_EQ(salvage(kDamagePath, kTarget, options_).status().code(), ErrorCode::FileExists);
}

TEST_F(Salvage, gives_exactly_what_verifies_after_damage_to_any_page) {
  const std::uint64_t step = scaled(7, 1, 1);
  for (PageNo page = random_.below(step); page < truth_.page_count; page += step) {
    damage_and_salvage({page});
    if (HasFatalFailure()) return;
  }
}

// Without both copies of the newest slot an older checkpoint counts, and what verifies is another question.
TEST_F(Salvage, gives_exactly_what_verifies_after_damage_to_three_pages) {
  for (std::uint64_t round = 0; round < scaled(20, 150, 2000); ++round) {
    Pages pages;
    while (pages.size() < 3) pages.insert(kHeaderPages + random_.below(truth_.page_count - kHeaderPages));
    damage_and_salvage(pages);
    if (HasFatalFailure()) return;
  }
}

TEST_F(Salvage, finds_all_leaves_without_the_root_and_the_map) {
  SourceFile source = SourceFile::open(kDamagePath, options_).value();
  damage_and_salvage({source.meta().tree_root.page(), truth_.map_root});
}

// --- Repair ----------------------------------------------------------------------------------------------------------

constexpr unsigned kLeaks = 5;

// Takes pages and lets nothing lead to them.
Status leak_pages(os::Env& env, const Options& options) {
  const std::shared_ptr<engine::Engine> engine = TRY(engine::Engine::open(env, kDamagePath, options));
  {
    const std::unique_ptr<engine::WriteSession> session = TRY(engine->begin_write(std::nullopt));
    TRY(session->reorganize([&](tree::TreeWriter&) { return session->workspace().allocate_run(kLeaks); }));
    CHECK(session->commit(Durability::None).status);
  }
  return engine->close();
}

Status damage_header_copy(os::Env& env, std::uint64_t block) {
  const std::unique_ptr<os::File> file = TRY(env.open(kDamagePath, os::OpenMode::ReadWrite));
  const std::uint64_t at = block * format::kMetaBlockSize + 40;
  char byte = 0;
  TRY(file->read_at(at, &byte, 1));
  byte = static_cast<char>(byte ^ 4);
  const os::IoSlice slice{&byte, 1};
  CHECK(file->write_at(at, {&slice, 1}));
  return file->sync();
}

std::map<std::string, int> codes_of(const std::vector<Finding>& findings) {
  std::map<std::string, int> codes;
  for (const Finding& finding : findings) ++codes[finding.code];
  return codes;
}

class Repair : public Salvage {
 protected:
  // Repairs what the dry run promised, keeps the content, and leaves a file in which nothing is found.
  void expect_repaired(const std::map<std::string, int>& codes) {
    const Image before = image_of(*env_);
    const RepairReport dry = repair_dry_run(kDamagePath, options_).value();
    EXPECT_EQ(codes_of(dry.repaired), codes);
    EXPECT_EQ(image_of(*env_), before) << "a dry run changes nothing";
    const RepairReport report = repair(kDamagePath, options_).value();
    EXPECT_TRUE(report.is_clean());
    EXPECT_EQ(codes_of(report.repaired), codes);
    const Image after = image_of(*env_);
    const RepairReport again = repair(kDamagePath, options_).value();
    EXPECT_TRUE(again.is_clean() && again.repaired.empty());
    EXPECT_EQ(image_of(*env_), after) << "there was nothing left to do";
    const Database db = Database::open(kDamagePath, OpenMode::MustExist, options_).value();
    EXPECT_TRUE(verify_clean(db).is_ok());
    EXPECT_EQ(hash_of(db).value(), hash_of(reference_.model));
  }
};

TEST_F(Repair, frees_pages_that_nothing_leads_to) {
  ASSERT_TRUE(leak_pages(*env_, options_).is_ok());
  const auto allocated = [&] {
    return Database::open(kDamagePath, OpenMode::MustExist, options_).value().stats().value().pages_allocated;
  };
  const std::uint64_t before = allocated();
  expect_repaired({{"PAGE_CHECK_LEAKED", kLeaks}});
  EXPECT_LE(allocated() + kLeaks, before);
}

TEST_F(Repair, renews_each_copy_of_the_header) {
  for (std::uint64_t block = 0; block < format::kMetaBlockCount; ++block) {
    SCOPED_TRACE(block);
    ASSERT_TRUE(place(*env_, reference_.image).is_ok());
    ASSERT_TRUE(damage_header_copy(*env_, block).is_ok());
    expect_repaired({{"HEADER_CHECK_COPY", 1}});
  }
  ASSERT_TRUE(leak_pages(*env_, options_).is_ok());
  ASSERT_TRUE(damage_header_copy(*env_, 0).is_ok());
  ASSERT_TRUE(damage_header_copy(*env_, 3).is_ok());
  expect_repaired({{"HEADER_CHECK_COPY", 2}, {"PAGE_CHECK_LEAKED", kLeaks}});
}

TEST_F(Repair, leaves_every_damaged_file_exactly_as_it_is) {
  ASSERT_TRUE(leak_pages(*env_, options_).is_ok());
  ASSERT_TRUE(damage_header_copy(*env_, 1).is_ok());
  const Image whole = image_of(*env_);
  std::uint64_t refused = 0;
  for (std::uint64_t round = 0; round < scaled(15, 80, 1000); ++round) {
    Image image = whole;
    const PageNo page = kHeaderPages + random_.below(truth_.page_count - kHeaderPages);
    SCOPED_TRACE("damaged page " + std::to_string(page) + ", seed " + std::to_string(seed_));
    image.data[page * kDamagePageSize + random_.below(kDamagePageSize)] ^= 1;
    ASSERT_TRUE(place(*env_, image).is_ok());
    const Result<RepairReport> report = repair(kDamagePath, options_);
    if (report.has_value() && report->is_clean()) {  // the page is free, and may hold anything
      EXPECT_TRUE(look_at(*env_, Access::ReadOnly).is_clean());
      continue;
    }
    ++refused;
    EXPECT_TRUE(report.has_value() ? report->repaired.empty() : names_damage(report.status()));
    EXPECT_TRUE(image_of(*env_) == image) << "nothing may be changed";
  }
  EXPECT_GT(refused, 0u);
}

TEST(RepairOfOlderCheckpoints, keeps_leaked_pages_while_a_reader_may_see_them) {
  const std::unique_ptr<os::SimEnv> env = os::SimEnv::create({.seed = 5});
  const Options options = small_options(*env);
  ASSERT_TRUE(Database::open(kDamagePath, OpenMode::CreateNew, options)->put("a", "1").is_ok());
  ASSERT_TRUE(leak_pages(*env, options).is_ok());
  Options reading = options;
  reading.access = Access::ReadOnly;
  std::optional<Database> reader(Database::open(kDamagePath, OpenMode::MustExist, reading).value());
  EXPECT_TRUE(repair(kDamagePath, options)->is_clean());
  EXPECT_EQ(reader->get("a").value(), "1");
  EXPECT_TRUE(reader->verify(VerifyLevel::Quick)->is_complete);
  reader.reset();
  EXPECT_TRUE(verify_clean(Database::open(kDamagePath, OpenMode::MustExist, options).value()).is_ok());
}

TEST_F(Repair, cut_at_any_operation_loses_nothing_and_can_run_again) {
  const auto prepare = [](os::Env& env) -> Status {
    const Options options = small_options(env);
    Database db = TRY(Database::open(kDamagePath, OpenMode::CreateNew, options));
    for (int i = 0; i < 40; ++i) CHECK(db.put("key" + std::to_string(i), std::string(300, 'v')));
    CHECK(db.close());
    CHECK(leak_pages(env, options));
    return damage_header_copy(env, 2);
  };
  const auto check = [](os::Env& env, const Ack& ack) -> Status {
    const Options options = small_options(env);
    if (ack.acknowledged() > 0) CHECK(verify_clean(TRY(Database::open(kDamagePath, OpenMode::MustExist, options))));
    const RepairReport report = TRY(repair(kDamagePath, options));
    if (!report.is_clean()) return test_failure("a repair that was cut cannot be repaired");
    Database db = TRY(Database::open(kDamagePath, OpenMode::MustExist, options));
    CHECK(verify_clean(db));
    const Model found = TRY(model_of(db));
    if (found.at("default").size() != 40) return test_failure("entries are missing");
    return db.close();
  };
  const CrashReport report =
      explore_crashes({.prepare = prepare,
                       .workload = [](os::Env& env, Ack& ack) -> Status {
                         ack.begin(1);
                         if (!TRY(repair(kDamagePath, small_options(env))).is_clean())
                           return test_failure("not repaired");
                         ack.acknowledge(1);
                         return {};
                       },
                       .check = check},
                      {.nested_one_in = scaled(200, 40, 10), .crash_one_in = scaled(2, 1, 1), .seed = seed_});
  EXPECT_TRUE(report.is_ok()) << report.to_string();
  std::printf("%s\n", report.to_string().c_str());
}

}  // namespace
}  // namespace vitrine::testing
