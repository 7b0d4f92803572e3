// SPDX-License-Identifier: MIT OR Apache-2.0
// Two processes on one database: readers beside a writer that commits, checkpoints, vacuums, closes, dies and comes
// back; a second writer; media that cannot be written. The writer is always a child, which is started before this
// process opens anything.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <string>
#include <thread>

#include "base/prng.hpp"
#include "base/try.hpp"
#include "os/testing.hpp"
#include "tests/child_process.hpp"
#include "tests/engine_testing.hpp"
#include "tests/kill_steps.hpp"
#include "tests/model_content.hpp"

namespace vitrine::testing {
namespace {

using Output = ChildProcess::Output;

constexpr uid_t kNobody = 65534;

Options writer_options() {
  Options options;
  options.page_size = 4096;
  options.cache_size = 1u << 20;
  options.log_size_max = 1u << 20;
  return options;
}

Options reader_options() {
  Options options = writer_options();
  options.access = Access::ReadOnly;
  return options;
}

int result_of(const Status& status) {
  if (!status.is_ok()) std::fprintf(stderr, "child process: %s\n", status.to_string().c_str());
  return status.is_ok() ? 0 : 1;
}

class ReaderProcessTest : public ::testing::Test {
 protected:
  std::string path(const std::string& name = "a.vtr") const { return directory_.path(name); }
  void create() { ASSERT_TRUE(Database::open(path(), OpenMode::CreateNew, writer_options()).has_value()); }
  Result<Database> open_reader() const { return Database::open(path(), OpenMode::MustExist, reader_options()); }

  // Steps up to `last`, each told, with maintenance in between. `close_one_in`: how often it closes and opens again.
  Status write_steps(std::uint64_t last, std::uint64_t close_one_in, const Output& output) const {
    base::Prng random(test_seed() + last);
    std::optional<Database> db;
    db.emplace(TRY(Database::open(path(), OpenMode::MustExist, writer_options())));
    for (std::uint64_t number = TRY(KillSteps::last_step(*db)) + 1; number <= last; ++number) {
      CHECK(steps_.perform(*db, number, path("import")));
      output.write(std::to_string(number) + "\n");
      if (random.one_in(6)) CHECK(db->checkpoint());
      if (random.one_in(30)) CHECK(db->vacuum().status());
      if (!random.one_in(close_one_in)) continue;
      CHECK(db->close());
      db.emplace(TRY(Database::open(path(), OpenMode::MustExist, writer_options())));
    }
    return db->close();
  }
  ChildProcess start_writer(std::uint64_t last, std::uint64_t close_one_in) const {
    return ChildProcess::run([&](const Output& output) { return result_of(write_steps(last, close_one_in, output)); });
  }
  // Holds the database open, with one entry beside what was there, until it is killed.
  ChildProcess start_owner() const {
    return ChildProcess::run([&](const Output& output) {
      Result<Database> db = Database::open(path(), OpenMode::MustExist, writer_options());
      if (!db.has_value() || !db->put("owner", "was here").is_ok()) return 1;
      output.write("open");
      for (;;) ::pause();
    });
  }

  os::testing::TemporaryDirectory directory_{os::testing::memory_directory()};
  KillSteps steps_{test_seed()};
};

// --- Beside a living writer ------------------------------------------------------------------------------------------

// What a reader has seen, and the model of it.
struct Seen {
  ReadTransaction txn;
  KillSteps::Model content;
};

void demand_seen(const Transaction& txn, const KillSteps::Model& expected) {
  for (const KeyspaceInfo& info : txn.keyspaces().value()) {
    const auto keyspace = expected.find(info.name);
    demand(keyspace != expected.end(), "a keyspace that should not be there");
    auto entry = keyspace->second.begin();
    const auto visit = [&](Bytes key, Bytes value) {
      demand(entry != keyspace->second.end() && key == entry->first, "another key");
      demand(value == (entry++)->second, "another value");
      return true;
    };
    demand_ok(txn.scan(info.keyspace, {}, visit).status(), "scan");
    demand(entry == keyspace->second.end(), "entries are missing");
  }
}

class Follower {
 public:
  Follower(Database& reader, const KillSteps& steps) : reader_(reader), steps_(steps) {}

  std::uint64_t reached() const { return reached_; }

  // One refresh. `told`: the last step the writer told of before it.
  void refresh(std::uint64_t told) {
    const bool is_newer = reader_.refresh().value();
    ReadTransaction txn = reader_.begin_read().value();
    const auto last = txn.get("last step").value();
    const std::uint64_t found = last ? std::stoull(*last) : 0;
    demand(found >= told, "a refresh does not see what was committed before it");
    demand(is_newer || found == reached_, "a refresh that says that nothing is newer shows something newer");
    while (reached_ < found) steps_.apply(model_, ++reached_);
    demand_seen(txn, model_);
    seen_.push_back({std::move(txn), model_});
    if (seen_.size() > 4) {
      demand_seen(seen_.front().txn, seen_.front().content);
      seen_.pop_front();
    }
  }
  void finish() {
    for (const Seen& seen : seen_) demand_seen(seen.txn, seen.content);
    demand_ok(verify_clean(reader_), "verify");
  }

 private:
  Database& reader_;
  const KillSteps& steps_;
  KillSteps::Model model_ = KillSteps::empty();
  std::uint64_t reached_ = 0;
  std::deque<Seen> seen_;
};

std::uint64_t last_told(const std::string& output) {
  const std::size_t end = output.rfind('\n');
  if (end == std::string::npos) return 0;
  const std::size_t begin = end == 0 ? std::string::npos : output.rfind('\n', end - 1);
  return std::stoull(output.substr(begin == std::string::npos ? 0 : begin + 1));
}

class ReaderBesideWriter : public ReaderProcessTest, public ::testing::WithParamInterface<std::uint64_t> {};

TEST_P(ReaderBesideWriter, follows_every_state_and_keeps_those_it_holds) {
  create();
  const std::uint64_t last = scaled(150, 6000, 60'000);
  ChildProcess writer = start_writer(last, GetParam());
  {
    Database reader = open_reader().value();
    Follower follower(reader, steps_);
    while (follower.reached() < last) {
      follower.refresh(last_told(writer.read_for(std::chrono::milliseconds(1))));
    }
    EXPECT_EQ(writer.wait(), 0) << "the reader disturbed the writer";
    follower.refresh(last);
    follower.finish();
  }
  const Database db = Database::open(path(), OpenMode::MustExist, writer_options()).value();
  EXPECT_TRUE(db.info().value().was_clean);
  EXPECT_TRUE(verify_clean(db).is_ok());
}

INSTANTIATE_TEST_SUITE_P(Writer, ReaderBesideWriter, ::testing::Values(1'000'000'000, 20), [](const auto& chosen) {
  return chosen.param == 20 ? "that_opens_anew_now_and_then" : "that_stays";
});

TEST_F(ReaderProcessTest, a_reader_may_open_whenever_the_writer_cuts_the_file) {
  create();
  ChildProcess writer = ChildProcess::run([&](const Output& output) -> int {
    Database db = Database::open(path(), OpenMode::MustExist, writer_options()).value();
    for (bool is_first = true;; is_first = false) {
      demand_ok(db.put("stays", "here"), "put");
      demand_ok(db.put("comes and goes", std::string(1u << 20, 'x')), "put");
      demand_ok(db.checkpoint(), "checkpoint");
      demand(db.erase("comes and goes").value(), "erase");
      demand_ok(db.vacuum().status(), "vacuum");
      if (is_first) output.write("ready");
    }
  });
  ASSERT_TRUE(writer.read_until("ready"));
  const std::uint64_t opens = scaled(300, 2000, 30'000);
  for (std::uint64_t i = 0; i < opens; ++i) {
    const Result<Database> reader = open_reader();
    ASSERT_TRUE(reader.has_value()) << reader.status().to_string();
    ASSERT_EQ(reader->get("stays").value(), "here");
    if (i % 10 != 0) continue;
    const Status clean = verify_clean(*reader);
    ASSERT_TRUE(clean.is_ok()) << clean.to_string();
  }
  ASSERT_TRUE(writer.kill()) << "the readers disturbed the writer";
  EXPECT_TRUE(verify_clean(open_reader().value()).is_ok());
}

TEST_F(ReaderProcessTest, a_pinned_reader_outlives_a_killed_writer_and_its_successor) {
  create();
  ASSERT_EQ(start_writer(60, 1'000'000'000).wait(), 0);
  ChildProcess owner = start_owner();
  ASSERT_TRUE(owner.read_until("open"));
  Result<Database> reader = open_reader();
  ASSERT_TRUE(reader.has_value()) << reader.status().to_string();
  const ReadTransaction pinned = reader->begin_read().value();
  const std::uint64_t before = hash_of(static_cast<const Transaction&>(pinned)).value();
  ASSERT_TRUE(owner.kill());
  // The program, because no function can be started while a database is open here.
  for (const char* command : {"vacuum", "compact", "checkpoint", "vacuum"}) {
    EXPECT_EQ(ChildProcess::start({VITRINE_PROGRAM, command, path()}).wait(), 0) << command;
    EXPECT_EQ(ChildProcess::start({VITRINE_PROGRAM, "put", path(), command, "x"}).wait(), 0) << command;
    EXPECT_EQ(hash_of(static_cast<const Transaction&>(pinned)).value(), before) << command;
  }
  EXPECT_TRUE(reader->refresh().value());
  EXPECT_EQ(reader->get("vacuum").value(), "x");
  EXPECT_EQ(reader->get("owner").value(), "was here");
  EXPECT_EQ(hash_of(static_cast<const Transaction&>(pinned)).value(), before);
  EXPECT_TRUE(verify_clean(*reader).is_ok());
}

TEST_F(ReaderProcessTest, a_killed_reader_keeps_nothing_from_the_writer) {
  create();
  ASSERT_TRUE(
      Database::open(path(), OpenMode::MustExist, writer_options())->put("key", std::string(500'000, 'x')).is_ok());
  ChildProcess reader = ChildProcess::run([&](const Output& output) {
    const Result<Database> db = open_reader();
    if (!db.has_value()) return 1;
    const Result<ReadTransaction> txn = db->begin_read();
    output.write("open");
    for (;;) ::pause();
  });
  ASSERT_TRUE(reader.read_until("open"));
  Database db = Database::open(path(), OpenMode::MustExist, writer_options()).value();
  ASSERT_TRUE(db.erase("key").value());
  ASSERT_TRUE(db.vacuum().has_value());
  const std::uint64_t while_it_lives = db.vacuum().value().pages_after;
  EXPECT_GT(while_it_lives, 500'000u / 4096);
  ASSERT_TRUE(reader.kill());
  ASSERT_TRUE(db.checkpoint().is_ok());
  ASSERT_TRUE(db.vacuum().has_value());
  EXPECT_LT(db.vacuum().value().pages_after, 50u);
  EXPECT_TRUE(verify_clean(db).is_ok());
}

TEST_F(ReaderProcessTest, the_program_reads_beside_a_living_writer) {
  create();
  ChildProcess owner = start_owner();
  ASSERT_TRUE(owner.read_until("open"));
  const auto output_of = [](const std::vector<std::string>& words) {
    ChildProcess program = ChildProcess::start(words);
    EXPECT_EQ(program.wait(), 0) << words[1];
    return program.output();
  };
  EXPECT_EQ(output_of({VITRINE_PROGRAM, "get", path(), "owner"}), "was here\n");
  EXPECT_EQ(output_of({VITRINE_PROGRAM, "list", path()}), "owner\twas here\n");
  output_of({VITRINE_PROGRAM, "verify", path()});
  output_of({VITRINE_PROGRAM, "stats", path()});
  output_of({VITRINE_PROGRAM, "backup", path(), path("copy.vtr")});
  EXPECT_EQ(output_of({VITRINE_PROGRAM, "get", path("copy.vtr"), "owner"}), "was here\n");
}

// --- A second writer -------------------------------------------------------------------------------------------------

TEST_F(ReaderProcessTest, a_second_writer_is_told_who_the_first_is_until_that_one_goes) {
  create();
  ChildProcess owner = start_owner();
  ASSERT_TRUE(owner.read_until("open"));
  const auto open = [&] { return Database::open(path(), OpenMode::MustExist, writer_options()); };
  const Status refused = open().status();
  EXPECT_EQ(refused.code(), ErrorCode::FileLocked);
  EXPECT_EQ(refused.detail("owner"), std::to_string(owner.id()));
  EXPECT_EQ(open_reader().value().get("owner").value(), "was here") << "the refusal took nothing along";
  ASSERT_TRUE(owner.kill());
  const Result<Database> now = open();
  ASSERT_TRUE(now.has_value()) << now.status().to_string();
  EXPECT_FALSE(now->info().value().was_clean);
  EXPECT_EQ(now->get("owner").value(), "was here");
}

TEST_F(ReaderProcessTest, a_second_writer_waits_as_long_as_it_was_told_to) {
  create();
  ChildProcess owner = ChildProcess::run([&](const Output& output) {
    Result<Database> db = Database::open(path(), OpenMode::MustExist, writer_options());
    if (!db.has_value() || !db->put("first", "1").is_ok()) return 1;
    output.write("open");
    std::this_thread::sleep_for(std::chrono::milliseconds(150));
    return result_of(db->close());
  });
  ASSERT_TRUE(owner.read_until("open"));
  Options patient = writer_options();
  patient.lock_timeout = std::chrono::milliseconds(10);
  EXPECT_EQ(Database::open(path(), OpenMode::MustExist, patient).status().code(), ErrorCode::FileLocked);
  patient.lock_timeout = std::chrono::minutes(1);
  const Result<Database> db = Database::open(path(), OpenMode::MustExist, patient);
  ASSERT_TRUE(db.has_value()) << db.status().to_string();
  EXPECT_TRUE(db->info().value().was_clean);
  EXPECT_EQ(db->get("first").value(), "1");
  EXPECT_EQ(owner.wait(), 0);
}

// --- Media that cannot be written ------------------------------------------------------------------------------------

class ReadOnlyMedia : public ReaderProcessTest {
 protected:
  // In a child that may not write here, whoever runs the tests.
  bool holds_without_rights(const std::function<bool()>& body) {
    const std::filesystem::path folder = std::filesystem::path(path()).parent_path();
    for (const auto& file : std::filesystem::directory_iterator(folder)) ::chmod(file.path().c_str(), 0444);
    ::chmod(folder.c_str(), 0555);
    const int result = ChildProcess::run([&](const Output&) {
                         if (::getuid() == 0 && ::setuid(kNobody) != 0) return 2;
                         return body() ? 0 : 1;
                       }).wait();
    ::chmod(folder.c_str(), 0700);
    return result == 0;
  }
  static bool reads(const Result<Database>& db) {
    if (!db.has_value()) return false;
    return db->get("owner").value() == "was here" && verify_clean(*db).is_ok();
  }
};

TEST_F(ReadOnlyMedia, a_closed_database_is_read_and_not_written) {
  create();
  ASSERT_TRUE(Database::open(path(), OpenMode::MustExist, writer_options())->put("owner", "was here").is_ok());
  EXPECT_TRUE(holds_without_rights([&] { return reads(open_reader()); }));
  EXPECT_TRUE(holds_without_rights([&] {
    const Result<Database> writer = Database::open(path(), OpenMode::MustExist, writer_options());
    return writer.status().kind() == ErrorKind::PermissionDenied;
  }));
  EXPECT_TRUE(holds_without_rights([&] {
    Database db = open_reader().value();
    return db.put("a", "b").code() == ErrorCode::ReadOnly && db.checkpoint().code() == ErrorCode::ReadOnly &&
           !db.refresh().value();
  }));
}

TEST_F(ReadOnlyMedia, a_database_whose_writer_died_is_read_with_its_log) {
  create();
  ChildProcess owner = start_owner();
  ASSERT_TRUE(owner.read_until("open"));
  ASSERT_TRUE(owner.kill());
  EXPECT_TRUE(holds_without_rights([&] { return reads(open_reader()); }));
}

}  // namespace
}  // namespace vitrine::testing
