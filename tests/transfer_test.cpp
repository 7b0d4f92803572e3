// SPDX-License-Identifier: MIT OR Apache-2.0
// Export, import and backup as a whole. An export file that is cut, damaged or made up is refused and changes nothing;
// an import that fails midway, wherever that is, neither; a backup is one moment of its database, whatever is committed
// meanwhile.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "base/codec.hpp"
#include "base/prng.hpp"
#include "base/try.hpp"
#include "format/checksum.hpp"
#include "kv/export_format.hpp"
#include "os/sim_crash.hpp"
#include "tests/engine_testing.hpp"

namespace vitrine::testing {
namespace {

constexpr char kPath[] = "/d/target.vtr";
constexpr char kExport[] = "/d/data.export";

// Without versions: an import writes entries anew.
Model without_versions(Model model) {
  for (auto& [name, entries] : model) {
    for (auto& [key, entry] : entries) entry.version = 0;
  }
  return model;
}

Result<Model> values_of(const Database& db) { return without_versions(TRY(model_of(db))); }

std::string content_of(os::SimEnv& env, const std::string& path) {
  const std::unique_ptr<os::File> file = env.open(path, os::OpenMode::ReadOnly).value();
  std::string bytes(file->size().value(), '\0');
  bytes.resize(file->read_at(0, bytes.data(), bytes.size()).value());
  return bytes;
}

void write_file(os::SimEnv& env, const std::string& path, std::string_view bytes) {
  if (env.exists(path).value()) (void)env.remove(path);
  const std::unique_ptr<os::File> file = env.open(path, os::OpenMode::CreateNew).value();
  const os::IoSlice slice{bytes.data(), bytes.size()};
  ASSERT_TRUE(file->write_at(0, {&slice, 1}).is_ok());
}

Status fill(Database& db, const Model& model) {
  return db.write([&](WriteTransaction& txn) -> Status {
    for (const auto& [name, entries] : model) {
      const Keyspace keyspace = TRY(txn.ensure_keyspace(name));
      for (const auto& [key, entry] : entries) CHECK(txn.put(keyspace, key, entry.value));
    }
    return {};
  });
}

class Transfer : public ::testing::Test {
 protected:
  void SetUp() override { db_.emplace(Database::open(kPath, OpenMode::CreateNew, small_options(*env_)).value()); }
  void TearDown() override {
    if (!db_) return;
    const Status status = verify_clean(*db_);
    EXPECT_TRUE(status.is_ok()) << status.to_string();
  }

  static Model small_model() {
    return {{"default", {{"a", {"1"}}, {"b", {std::string(300, 'b')}}, {"empty", {""}}}},
            {"\xc3\xb6", {{std::string("\0\xff", 2), {"binary"}}}},
            {"empty", {}}};
  }

  // An export of `model`.
  std::string exported(const Model& model) {
    const std::unique_ptr<os::SimEnv> env = os::SimEnv::create({.seed = test_seed() + 1});
    Database source = Database::open("/s.vtr", OpenMode::CreateNew, small_options(*env)).value();
    const Status filled = fill(source, model);
    EXPECT_TRUE(filled.is_ok()) << filled.to_string();
    const Result<TransferReport> report = source.export_to(kExport);
    EXPECT_TRUE(report.has_value()) << report.status().to_string();
    return content_of(*env, kExport);
  }

  Status import(std::string_view bytes, ImportMode mode = ImportMode::Merge) {
    write_file(*env_, kExport, bytes);
    return db_->import_from(kExport, mode).status();
  }

  // Refused as `code`, in both modes, and nothing has changed.
  void expect_refused(std::string_view bytes, ErrorCode code, const std::string& what) {
    const std::uint64_t before = hash_of(*db_).value();
    const std::uint64_t commits = db_->info()->commit_seq;
    for (const ImportMode mode : {ImportMode::Merge, ImportMode::Replace}) {
      const Status status = import(bytes, mode);
      ASSERT_EQ(status.code(), code) << what << ": " << status.to_string();
      ASSERT_EQ(hash_of(*db_).value(), before) << what;
      ASSERT_EQ(db_->info()->commit_seq, commits) << what;
    }
    ++refused_;
  }

  std::unique_ptr<os::SimEnv> env_ = os::SimEnv::create({.seed = test_seed()});
  std::optional<Database> db_;
  base::Prng random_{test_seed()};
  std::uint64_t refused_ = 0;
};

// --- Damaged files ---------------------------------------------------------------------------------------------------

TEST_F(Transfer, a_file_cut_at_any_byte_is_refused) {
  ASSERT_TRUE(fill(*db_, {{"default", {{"kept", {"1"}}}}}).is_ok());
  const std::string whole = exported(small_model());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    expect_refused(whole.substr(0, size), ErrorCode::ExportDamaged, "cut at " + std::to_string(size));
    ASSERT_FALSE(HasFatalFailure());
  }
  EXPECT_TRUE(import(whole).is_ok());
}

TEST_F(Transfer, a_large_file_cut_anywhere_is_refused) {
  ASSERT_TRUE(fill(*db_, {{"default", {{"kept", {"1"}}}}}).is_ok());
  Model model = small_model();
  model["default"]["large"] = {random_bytes(1, 1'300'000)};
  for (int i = 0; i < 300; ++i) model["many"][std::to_string(i)] = {random_bytes(random_.next(), 500)};
  const std::string whole = exported(model);
  for (std::uint64_t round = 0; round < scaled(5, 60, 600); ++round) {
    expect_refused(whole.substr(0, random_.below(whole.size())), ErrorCode::ExportDamaged, "cut");
    std::string flipped = whole;
    const std::uint64_t bit = random_.below(whole.size() * 8);
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    expect_refused(flipped, ErrorCode::ExportDamaged, "bit " + std::to_string(bit));
    ASSERT_FALSE(HasFatalFailure());
  }
  ASSERT_TRUE(import(whole, ImportMode::Replace).is_ok());
  EXPECT_EQ(first_difference(model, values_of(*db_).value()), "");
}

TEST_F(Transfer, every_flipped_bit_is_refused) {
  ASSERT_TRUE(fill(*db_, {{"default", {{"kept", {"1"}}}}}).is_ok());
  const std::string whole = exported(small_model());
  const std::uint64_t step = scaled(37, 1, 1);
  for (std::uint64_t bit = 0; bit < whole.size() * 8; bit += step) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    expect_refused(flipped, ErrorCode::ExportDamaged, "bit " + std::to_string(bit));
    ASSERT_FALSE(HasFatalFailure());
  }
  std::printf("%llu bits\n", static_cast<unsigned long long>(refused_));
}

TEST_F(Transfer, anything_behind_the_end_is_refused) {
  const std::string whole = exported(small_model());
  for (const std::string& more : {std::string(1, '\0'), std::string("garbage"), whole, whole.substr(64)}) {
    expect_refused(whole + more, ErrorCode::ExportDamaged, "more behind the end");
  }
}

TEST_F(Transfer, a_newer_format_is_named) {
  std::string newer = exported(small_model());
  for (const std::uint32_t version : {0u, 2u, ~0u}) {
    base::store(newer.data() + 8, version);
    base::store(newer.data() + 48, format::checksum(newer.data(), 48));
    expect_refused(newer, ErrorCode::ExportVersion, "version " + std::to_string(version));
  }
}

TEST_F(Transfer, other_files_are_refused) {
  expect_refused("", ErrorCode::ExportDamaged, "an empty file");
  expect_refused(std::string(100'000, '\0'), ErrorCode::ExportDamaged, "zeros");
  expect_refused(random_bytes(test_seed(), 100'000), ErrorCode::ExportDamaged, "garbage");
  expect_refused(content_of(*env_, kPath), ErrorCode::ExportDamaged, "a database");
  EXPECT_EQ(db_->import_from("/d/nowhere").status().code(), ErrorCode::FileNotFound);
}

// --- Files that verify, but make no sense ----------------------------------------------------------------------------

struct Block {
  kv::ExportBlock type;
  std::string payload;
};

std::string varint(std::uint64_t value) {
  std::string text;
  base::append_varint(text, value);
  return text;
}
std::string sized(std::string_view bytes) { return varint(bytes.size()) + std::string(bytes); }
std::string entry(std::string_view key, std::string_view value) { return sized(key) + sized(value); }
std::string counts(std::uint64_t keyspaces, std::uint64_t entries, std::uint64_t bytes) {
  return varint(keyspaces) + varint(entries) + varint(bytes);
}

class MadeUpExport : public Transfer {
 protected:
  using Type = kv::ExportBlock;
  const Block keyspace_{Type::Keyspace, varint(1) + "default"};
  const Block one_{Type::Entries, entry("k", "v")};

  std::string made_of(const std::vector<Block>& blocks) {
    const std::unique_ptr<os::File> file = env_->open_temporary("/d/x").value();
    kv::PlainSink sink(*file);
    kv::ExportWriter writer(sink);
    EXPECT_TRUE(writer.begin({1, 1}).is_ok());
    for (const Block& block : blocks) EXPECT_TRUE(writer.block(block.type, block.payload).is_ok());
    EXPECT_TRUE(writer.finish().is_ok());
    std::string bytes(file->size().value(), '\0');
    EXPECT_TRUE(file->read_at(0, bytes.data(), bytes.size()).has_value());
    return bytes;
  }
};

TEST_F(MadeUpExport, is_imported_when_it_makes_sense) {
  ASSERT_TRUE(import(made_of({keyspace_, one_, {Type::End, counts(1, 1, 2)}})).is_ok());
  EXPECT_EQ(db_->get("k")->value_or("none"), "v");
}

TEST_F(MadeUpExport, with_wrong_counts_is_refused) {
  for (const std::string& end : {counts(0, 1, 2), counts(2, 1, 2), counts(1, 0, 2), counts(1, 2, 2), counts(1, 1, 1),
                                 counts(1, 1, 3), counts(1, 1, 2) + "x", varint(1) + varint(1), std::string()}) {
    expect_refused(made_of({keyspace_, one_, {Type::End, end}}), ErrorCode::ExportDamaged, "counts");
  }
  expect_refused(made_of({keyspace_, one_}), ErrorCode::ExportDamaged, "no end");
}

TEST_F(MadeUpExport, with_blocks_in_a_wrong_place_is_refused) {
  const Block end{Type::End, counts(1, 1, 2)};
  const Block large{Type::Large, varint(5) + "k"};
  const auto refused = [&](const std::vector<Block>& blocks, const std::string& what) {
    expect_refused(made_of(blocks), ErrorCode::ExportDamaged, what);
  };
  refused({one_, end}, "entries before a keyspace");
  refused({large, {Type::Data, "12345"}, end}, "a large value before a keyspace");
  refused({keyspace_, {Type::Data, "v"}, end}, "data without a value");
  refused({keyspace_, large, one_, end}, "a large value without data");
  refused({keyspace_, large, {Type::Data, "1234"}, one_, end}, "less data than announced");
  refused({keyspace_, large, {Type::Data, "123456"}, end}, "more data than announced");
  refused({keyspace_, large, {Type::Data, ""}, {Type::Data, "12345"}, end}, "empty data");
  refused({keyspace_, large, end}, "the end inside a value");
  refused({keyspace_, {static_cast<Type>(0), ""}, end}, "type 0");
  refused({keyspace_, {static_cast<Type>(6), ""}, end}, "type 6");
  refused({keyspace_, one_, end, keyspace_}, "a block behind the end");
  refused({{Type::Keyspace, varint(2) + "default"}, one_, end}, "unknown flags");
  refused({{Type::Keyspace, ""}, one_, end}, "a keyspace of nothing");
  refused({keyspace_, {Type::Large, ""}, end}, "a large value of nothing");
}

TEST_F(MadeUpExport, with_entries_longer_than_their_block_is_refused) {
  for (const std::string& payload :
       {sized("k"), sized("k") + varint(100), varint(100) + "k", varint(~std::uint64_t{0}) + "k", std::string("\x80"),
        sized("k") + varint(~std::uint64_t{0}) + "v", entry("k", "v") + "\x01"}) {
    expect_refused(made_of({keyspace_, {Type::Entries, payload}, {Type::End, counts(1, 1, 2)}}),
                   ErrorCode::ExportDamaged, "payload of " + std::to_string(payload.size()) + " bytes");
  }
}

TEST_F(MadeUpExport, with_content_that_no_database_takes_is_refused) {
  const auto with_key = [&](const std::string& key) {
    return made_of({keyspace_, {Type::Entries, entry(key, "v")}, {Type::End, counts(1, 1, key.size() + 1)}});
  };
  const auto with_name = [&](const std::string& name) {
    return made_of({{Type::Keyspace, varint(1) + name}, {Type::End, counts(1, 0, 0)}});
  };
  expect_refused(with_key(""), ErrorCode::KeyEmpty, "an empty key");
  expect_refused(with_key(std::string(5000, 'k')), ErrorCode::KeyTooLong, "a long key");
  expect_refused(with_name(""), ErrorCode::KeyspaceName, "no name");
  expect_refused(with_name(std::string(256, 'n')), ErrorCode::KeyspaceName, "a long name");
  expect_refused(with_name("a\nb"), ErrorCode::KeyspaceName, "a control character");
  expect_refused(with_name("\xff"), ErrorCode::KeyspaceName, "no UTF-8");
  const std::uint64_t huge = (std::uint64_t{1} << 30) + 1;
  expect_refused(made_of({keyspace_, {Type::Large, varint(huge) + "k"}, {Type::Data, std::string(1000, 'x')}}),
                 ErrorCode::ExportDamaged, "a value above the limit, and cut short");
}

// --- Meaning ---------------------------------------------------------------------------------------------------------

TEST_F(Transfer, merge_puts_over_and_keeps_the_rest) {
  ASSERT_TRUE(fill(*db_, {{"default", {{"a", {"old"}}, {"mine", {"kept"}}}}, {"own", {{"x", {"y"}}}}}).is_ok());
  ASSERT_TRUE(import(exported(small_model())).is_ok());
  Model expected = small_model();
  expected["default"]["mine"] = {"kept"};
  expected["own"]["x"] = {"y"};
  EXPECT_EQ(first_difference(expected, values_of(*db_).value()), "");
}

TEST_F(Transfer, replace_leaves_what_the_file_has) {
  ASSERT_TRUE(fill(*db_, {{"default", {{"a", {"old"}}, {"mine", {"gone"}}}}, {"own", {{"x", {"y"}}}}}).is_ok());
  ASSERT_TRUE(import(exported(small_model()), ImportMode::Replace).is_ok());
  EXPECT_EQ(first_difference(small_model(), values_of(*db_).value()), "");
}

TEST_F(Transfer, strange_names_of_keyspaces_come_back) {
  Model model = small_model();
  for (const std::string& name :
       {std::string("default "), std::string(" "), std::string("../../etc"), std::string(255, 'n'),
        std::string("\xf0\x9f\x90\x99"), std::string("a=b;c\"'\\"), std::string("DEFAULT")}) {
    model[name] = {{name, {name}}};
  }
  ASSERT_TRUE(import(exported(model)).is_ok());
  EXPECT_EQ(first_difference(model, values_of(*db_).value()), "");
}

TEST_F(Transfer, values_far_larger_than_the_cache_come_back) {
  Model model;
  model["default"]["large"] = {random_bytes(1, scaled(3, 12, 200) << 20)};
  model["default"]["at the limit of a block"] = {random_bytes(2, kv::kExportPayloadMax)};
  model["default"]["small"] = {"1"};
  ASSERT_TRUE(import(exported(model)).is_ok());
  EXPECT_EQ(first_difference(model, values_of(*db_).value()), "");
}

// --- Failures --------------------------------------------------------------------------------------------------------

// Each operation of an import fails once. Then the database has everything, or nothing of it.
TEST_F(Transfer, an_import_that_fails_at_any_operation_is_whole_or_absent) {
  ASSERT_TRUE(fill(*db_, {{"default", {{"a", {"old"}}, {"mine", {"kept"}}}}}).is_ok());
  Model model = small_model();
  for (int i = 0; i < 40; ++i) model["many"][std::to_string(i)] = {random_bytes(random_.next(), 1000)};
  model["default"]["large"] = {random_bytes(1, 200'000)};
  write_file(*env_, kExport, exported(model));
  ASSERT_TRUE(db_->close().is_ok());
  db_.reset();
  const os::SimCrash start(*env_);
  const auto run = [&](std::uint64_t fail_at, bool for_ever, std::uint64_t& operations) {
    const std::unique_ptr<os::SimEnv> env = start.image_with_all().make_env();
    Status status;
    {
      Database db = Database::open(kPath, OpenMode::MustExist, small_options(*env)).value();
      const std::uint64_t before = hash_of(db).value();
      const std::uint64_t first = env->operations();
      if (fail_at > 0) env->inject({.operation = first + fail_at, .for_ever = for_ever});
      status = db.import_from(kExport, ImportMode::Replace).status();
      operations = env->operations() - first;
      env->clear_faults();
      if (!status.is_ok() && status.code() != ErrorCode::CommitUnknown) {
        ASSERT_EQ(hash_of(db).value(), before) << status.to_string();
      }
    }
    const Database db = Database::open(kPath, OpenMode::MustExist, small_options(*env)).value();
    const Model found = values_of(db).value();
    const bool is_new = first_difference(model, found).empty();
    const bool is_old = first_difference({{"default", {{"a", {"old"}}, {"mine", {"kept"}}}}}, found).empty();
    ASSERT_TRUE(status.is_ok() ? is_new : is_old || (is_new && status.code() == ErrorCode::CommitUnknown))
        << "operation " << fail_at << ": " << status.to_string();
    const Status clean = verify_clean(db);
    ASSERT_TRUE(clean.is_ok()) << clean.to_string();
  };
  std::uint64_t operations = 0, ignored = 0;
  run(0, false, operations);
  ASSERT_GT(operations, 5u);
  for (std::uint64_t fail_at = 1; fail_at <= operations; ++fail_at) {
    for (const bool for_ever : {false, true}) {
      run(fail_at, for_ever, ignored);
      ASSERT_FALSE(HasFatalFailure()) << "operation " << fail_at << " of " << operations;
    }
  }
  std::printf("%llu operations\n", static_cast<unsigned long long>(operations));
}

TEST_F(Transfer, a_backup_is_one_moment_while_commits_go_on) {
  Model model;
  for (int i = 0; i < 5000; ++i) model["default"]["key " + std::to_string(i)] = {random_bytes(random_.next(), 50)};
  ASSERT_TRUE(fill(*db_, model).is_ok());
  const std::uint64_t before = hash_of(*db_).value();
  std::uint64_t commits = 0;
  const Result<TransferReport> report = db_->backup("/d/backup.vtr", [&](const Progress&) {
    for (int i = 0; i < 20; ++i) {
      const std::string key = "key " + std::to_string(random_.below(5000));
      EXPECT_TRUE((random_.one_in(2) ? db_->erase(key).status() : db_->put(key, "changed meanwhile")).is_ok());
    }
    EXPECT_TRUE(db_->checkpoint().is_ok());
    ++commits;
    return true;
  });
  ASSERT_TRUE(report.has_value()) << report.status().to_string();
  EXPECT_GE(commits, 4u);
  EXPECT_NE(hash_of(*db_).value(), before);
  const Database copy = Database::open("/d/backup.vtr", OpenMode::MustExist, small_options(*env_)).value();
  EXPECT_EQ(hash_of(copy).value(), before);
  EXPECT_TRUE(verify_clean(copy).is_ok());
}

// A file without a durable name would be gone with the power.
TEST_F(Transfer, what_was_acknowledged_survives_power_loss) {
  ASSERT_TRUE(fill(*db_, small_model()).is_ok());
  ASSERT_TRUE(db_->backup("/d/backup.vtr").has_value());
  const auto after_backup = os::SimCrash(*env_).image_with_none().make_env();
  const Database copy = Database::open("/d/backup.vtr", OpenMode::MustExist, small_options(*after_backup)).value();
  EXPECT_EQ(first_difference(small_model(), values_of(copy).value()), "");
  ASSERT_TRUE(db_->export_to("/d/export").has_value());
  const auto after_export = os::SimCrash(*env_).image_with_none().make_env();
  EXPECT_EQ(content_of(*after_export, "/d/export"), content_of(*env_, "/d/export"));
}

TEST_F(Transfer, a_target_that_exists_is_refused_and_stays) {
  ASSERT_TRUE(fill(*db_, small_model()).is_ok());
  write_file(*env_, "/d/precious", "text");
  const std::vector<std::string> names = env_->names();
  EXPECT_EQ(db_->backup("/d/precious").status().code(), ErrorCode::FileExists);
  EXPECT_EQ(db_->export_to("/d/precious").status().code(), ErrorCode::FileExists);
  EXPECT_EQ(db_->backup(kPath).status().code(), ErrorCode::FileExists);
  EXPECT_EQ(content_of(*env_, "/d/precious"), "text");
  EXPECT_EQ(env_->names(), names);
}

TEST_F(Transfer, a_full_disk_leaves_no_target_behind) {
  Model model;
  for (int i = 0; i < 3000; ++i) model["default"]["key " + std::to_string(i)] = {random_bytes(random_.next(), 400)};
  ASSERT_TRUE(fill(*db_, model).is_ok());
  const std::uint64_t before = hash_of(*db_).value();
  const std::vector<std::string> names = env_->names();
  for (const std::uint64_t room : {0u, 5000u, 100'000u, 1'000'000u}) {
    env_->set_capacity(env_->used_bytes() + room);
    EXPECT_EQ(db_->backup("/d/backup.vtr").status().code(), ErrorCode::DiskFull) << room;
    EXPECT_EQ(db_->export_to("/d/export").status().code(), ErrorCode::DiskFull) << room;
    EXPECT_EQ(env_->names(), names) << room;
  }
  env_->set_capacity(os::kSimUnlimited);
  EXPECT_EQ(hash_of(*db_).value(), before);
  ASSERT_TRUE(db_->backup("/d/backup.vtr").has_value());
  ASSERT_TRUE(db_->export_to("/d/export").has_value());
}

TEST_F(Transfer, a_cancelled_transfer_leaves_nothing_behind) {
  Model model;
  for (int i = 0; i < 3000; ++i) model["default"]["key " + std::to_string(i)] = {"value"};
  ASSERT_TRUE(fill(*db_, model).is_ok());
  const std::string file = exported(model);
  write_file(*env_, kExport, file);
  const std::uint64_t before = hash_of(*db_).value();
  const std::vector<std::string> names = env_->names();
  const auto cancel = [](const Progress&) { return false; };
  EXPECT_EQ(db_->backup("/d/backup.vtr", cancel).status().code(), ErrorCode::Cancelled);
  EXPECT_EQ(db_->export_to("/d/export", cancel).status().code(), ErrorCode::Cancelled);
  EXPECT_EQ(db_->import_from(kExport, ImportMode::Replace, cancel).status().code(), ErrorCode::Cancelled);
  EXPECT_EQ(hash_of(*db_).value(), before);
  EXPECT_EQ(env_->names(), names);
}

}  // namespace
}  // namespace vitrine::testing
