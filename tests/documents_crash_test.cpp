// SPDX-License-Identifier: MIT OR Apache-2.0
// Cuts the power while an index is built and others write, and while documents are imported and swept: documents are
// those that were acknowledged, every entry of the index is right, and what was begun goes on to its end.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "base/try.hpp"
#include "doc/index_build.hpp"
#include "kv/native_store.hpp"
#include "tests/crash_explorer.hpp"
#include "tests/engine_testing.hpp"
#include "vitrine/vitrine.hpp"

namespace vitrine::testing {
namespace {

constexpr const char* kPath = "/documents.vtr";
constexpr int kBefore = 40;  // documents

Document document_of(int number) {
  const std::string n = std::to_string(number), text(static_cast<std::size_t>(std::abs(number) % 5 * 150), 'x');
  const std::string json = "{\"_id\":" + n + ",\"n\":[" + n + ",\"" + n + "\"],\"text\":\"" + text + n + "\"}";
  return Document::from_json(json).value();
}

IndexDefinition definition() {
  IndexDefinition made;
  made.name = "by_n";
  made.key = Document::from_json(R"({"text": -1, "n": 1})").value();
  made.unique = true;
  return made;
}

Status insert(Database& db, int number) {
  return db.write([&](WriteTransaction& txn) { return DocumentWriter(txn).insert("c", document_of(number)).status(); });
}

Status prepare(os::Env& env) {
  Database db = TRY(Database::open(kPath, OpenMode::CreateNew, small_options(env)));
  CHECK(db.write([](WriteTransaction& txn) { return DocumentWriter(txn).create_collection("c"); }));
  for (int i = 0; i < kBefore; ++i) CHECK(insert(db, i));
  return db.close();
}

// Between two batches another document comes, before or behind the mark.
Status build(os::Env& env, Ack& ack) {
  Database db = TRY(Database::open(kPath, OpenMode::MustExist, small_options(env)));
  Status inserted;
  const auto progress = [&](const Progress&) {
    const std::uint64_t step = ack.begun() + 1;
    ack.begin(step);
    inserted = insert(db, (step % 2 == 0 ? 1 : -1) * static_cast<int>(kBefore + step));
    if (inserted.is_ok()) ack.acknowledge(step);
    return inserted.is_ok();
  };
  kv::NativeStore store(db, "vitrine.documents");
  CHECK(doc::build_index(store, "c", definition(), progress, 1000));
  CHECK(inserted);
  return db.close();
}

Status check_documents(const Database& db) {
  VerifyReport report = TRY(db.verify(VerifyLevel::Full));
  CHECK(verify_documents(TRY(db.begin_read()), report));
  return report.is_clean() ? Status{} : test_failure(report.findings.front().message);
}

Status check(os::Env& env, const Ack& ack) {
  Database db = TRY(Database::open(kPath, OpenMode::MustExist, small_options(env)));
  const std::uint64_t count = TRY(DocumentReader(TRY(db.begin_read())).count("c"));
  if (count < kBefore || !ack.allows(count - kBefore)) return test_failure("documents are lost").with("count", count);
  CHECK(check_documents(db));
  const Status built = build_index(db, "c", definition());
  if (!built.is_ok() && built.code() != ErrorCode::IndexExists) return built;
  CHECK(check_documents(db));
  const ReadTransaction txn = TRY(db.begin_read());
  const DocumentReader documents(txn);
  if (TRY(documents.list_indexes("c")).front().is_building) return test_failure("the index is still being built");
  FindOptions options;
  options.hint = "by_n";
  std::uint64_t found = 0;
  for (int i = 0; i < kBefore; ++i) {
    const Document filter = Document::from_bson(document_of(i).bson()).value();
    found += TRY(documents.find("c", filter, options, [](const StoredDocument&) { return true; }));
  }
  return found == kBefore ? Status{} : test_failure("the index does not find what is there");
}

// --- Imports and sweeps ----------------------------------------------------------------------------------------------

constexpr std::size_t kImported = 3;  // documents at once
constexpr int kExpired = 9, kSteps = 12;

// Documents that have expired when they are stored, so that no clock has to move.
Status prepare_expired(os::Env& env) {
  Database db = TRY(Database::open(kPath, OpenMode::CreateNew, small_options(env)));
  const Status filled = db.write([](WriteTransaction& txn) -> Status {
    DocumentWriter writer(txn);
    CHECK(writer.create_collection("c"));
    CHECK(writer.create_index("c", definition()));
    for (int i = 0; i < kExpired; ++i) CHECK(writer.set_ex("c", document_of(i), Expiry::at_ms(1)).status());
    return {};
  });
  CHECK(filled);
  return db.close();
}

// Odd steps import, even ones sweep. What is imported has the unique keys of what has expired, while that lasts.
Status import_and_sweep(os::Env& env, Ack& ack) {
  Database db = TRY(Database::open(kPath, OpenMode::MustExist, small_options(env)));
  for (int step = 1; step <= kSteps; ++step) {
    ack.begin(static_cast<std::uint64_t>(step));
    const Status stepped = db.write([&](WriteTransaction& txn) -> Status {
      DocumentWriter writer(txn);
      if (step % 2 == 0) return writer.sweep_expired(2).status();
      std::vector<Document> documents;
      for (std::size_t i = 0; i < kImported; ++i) {
        documents.push_back(document_of(step / 2 * static_cast<int>(kImported) + static_cast<int>(i)));
      }
      return writer.insert_many("c", documents).status();
    });
    CHECK(stepped);
    ack.acknowledge(static_cast<std::uint64_t>(step));
  }
  return db.close();
}

Status check_import(os::Env& env, const Ack& ack) {
  Database db = TRY(Database::open(kPath, OpenMode::MustExist, small_options(env)));
  const std::uint64_t count = TRY(DocumentReader(TRY(db.begin_read())).count("c"));
  const std::uint64_t imports = count / kImported;
  const bool is_whole = count % kImported == 0;
  if (!is_whole || imports < (ack.acknowledged() + 1) / 2 || imports > (ack.begun() + 1) / 2) {
    return test_failure("an import is lost or in pieces").with("count", count);
  }
  CHECK(check_documents(db));
  CHECK(db.write([](WriteTransaction& txn) { return DocumentWriter(txn).sweep_expired().status(); }));
  CHECK(check_documents(db));
  kv::NativeStore store(db, "vitrine.documents");
  const auto reader = TRY(store.begin_read());
  const std::uint64_t left = TRY(reader->scan("\x10", "\x11", {}, [](Bytes, Bytes) { return true; }));
  return left == count ? Status{} : test_failure("something is left of what was swept").with("entries", left);
}

CrashExplorerOptions options_of_test() {
  CrashExplorerOptions options;
  options.seed = test_seed();
  options.machine.seed = options.seed;
  options.images.seed = options.seed;
  options.images.random_images = scaled(4, 12, 100);
  options.nested_one_in = 0;
  options.crash_one_in = scaled(8, 3, 1, 24);
  return options;
}

TEST(DocumentsCrash, an_index_build_goes_on_where_the_power_was_cut) {
  const CrashReport report = explore_crashes({prepare, build, check, {}}, options_of_test());
  std::printf("%s\n", report.to_string().c_str());
  EXPECT_TRUE(report.is_ok()) << report.to_string();
}

TEST(DocumentsCrash, imports_are_whole_and_sweeps_leave_nothing) {
  const CrashReport report = explore_crashes({prepare_expired, import_and_sweep, check_import, {}}, options_of_test());
  std::printf("%s\n", report.to_string().c_str());
  EXPECT_TRUE(report.is_ok()) << report.to_string();
}

}  // namespace
}  // namespace vitrine::testing
