// SPDX-License-Identifier: MIT OR Apache-2.0
// kill -9 of real processes that write, checkpoint, vacuum, import, close and recover, again and again on the same
// database. After each kill every page is checked, every acknowledged step must be there, and of the others at most the
// one that was under way.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/prng.hpp"
#include "base/try.hpp"
#include "os/testing.hpp"
#include "tests/child_process.hpp"
#include "tests/engine_testing.hpp"
#include "tests/kill_steps.hpp"

namespace vitrine::testing {
namespace {

using Output = ChildProcess::Output;

Options small_log_and_cache(std::uint32_t page_size = 0) {
  Options options;
  options.page_size = page_size;
  options.cache_size = 1u << 20;
  options.log_size_max = 1u << 20;
  options.sync_period = std::chrono::milliseconds(5);
  return options;
}

int result_of(const Status& status) {
  if (!status.is_ok()) std::fprintf(stderr, "child process: %s\n", status.to_string().c_str());
  return status.is_ok() ? 0 : 1;
}

std::chrono::microseconds random_moment(base::Prng& random) {
  return std::chrono::microseconds(random.below(random.one_in(3) ? 4'000 : 40'000));
}

// The number in the last whole line.
std::uint64_t last_number(const std::string& lines) {
  const std::size_t end = lines.rfind('\n');
  if (end == std::string::npos) return 0;
  const std::size_t begin = end == 0 ? std::string::npos : lines.rfind('\n', end - 1);
  return std::strtoull(lines.c_str() + (begin == std::string::npos ? 0 : begin + 1), nullptr, 10);
}

class KillTest : public ::testing::TestWithParam<std::uint32_t> {
 protected:
  std::string path(const std::string& name) const { return directory_.path(name); }

  // Looks at what the kill left: often without touching it, so that the next process finds it as it is.
  template <typename Judge>
  void look(base::Prng& random, const Options& options, Judge&& judge) {
    Options here = options;
    if (!random.one_in(4)) here.access = Access::ReadOnly;
    const Result<Database> db = Database::open(path("a.vtr"), OpenMode::MustExist, here);
    ASSERT_TRUE(db.has_value()) << db.status().to_string();
    const Status clean = verify_clean(*db);
    ASSERT_TRUE(clean.is_ok()) << clean.to_string();
    judge(*db);
  }

  os::testing::TemporaryDirectory directory_{os::testing::memory_directory()};
};

// --- One writer that does everything ---------------------------------------------------------------------------------

class Writer {
 public:
  Writer(const KillSteps& steps, std::string path, const Options& options, std::uint64_t seed)
      : steps_(steps), path_(std::move(path)), options_(options), random_(seed) {}

  // Never ends by itself but with an error.
  Status run(const Output& output) {
    std::optional<Database> db;
    db.emplace(TRY(Database::open(path_, OpenMode::MustExist, options_)));
    for (std::uint64_t number = TRY(KillSteps::last_step(*db)) + 1;; ++number) {
      CHECK(steps_.perform(*db, number, path_ + ".import"));
      output.write(std::to_string(number) + "\n");
      if (!random_.one_in(12)) continue;
      if (random_.one_in(4)) {
        CHECK(db->close());
        db.emplace(TRY(Database::open(path_, OpenMode::MustExist, options_)));
      }
      CHECK(care(*db));
    }
  }

 private:
  Status care(Database& db) {
    switch (random_.below(4)) {
      case 0:
        return db.vacuum().status();
      case 1:
        return db.compact().status();
      case 2: {
        std::filesystem::remove(path_ + ".backup");
        return db.backup(path_ + ".backup").status();
      }
      default:
        return db.checkpoint();
    }
  }

  const KillSteps& steps_;
  const std::string path_;
  const Options options_;
  base::Prng random_;
};

TEST_P(KillTest, leaves_every_acknowledged_step_and_at_most_one_more) {
  base::Prng random(test_seed() + GetParam());
  const KillSteps steps(random.next());
  const Options options = small_log_and_cache(GetParam());
  ASSERT_TRUE(Database::open(path("a.vtr"), OpenMode::CreateNew, options).has_value());
  KillSteps::Model model = KillSteps::empty();
  std::uint64_t reached = 0;
  const std::uint64_t kills = scaled(8, 160, 3000);
  for (std::uint64_t kill = 0; kill < kills; ++kill) {
    SCOPED_TRACE("kill " + std::to_string(kill));
    // Every third process dies before it has done much more than the recovery.
    const auto moment = random.one_in(3) ? std::chrono::microseconds(random.below(2000)) : random_moment(random);
    ChildProcess child = ChildProcess::run([&, seed = random.next()](const Output& output) {
      return result_of(Writer(steps, path("a.vtr"), options, seed).run(output));
    });
    if (kill % 4 == 0) {  // so that it comes somewhere, however slow it is
      ASSERT_TRUE(child.read_until("\n")) << "the writer came nowhere";
    }
    child.read_for(moment);
    ASSERT_TRUE(child.kill()) << "the writer failed";
    const std::uint64_t acknowledged = std::max(reached, last_number(child.output()));
    look(random, options, [&](const Database& db) {
      const std::uint64_t found = KillSteps::last_step(db).value();
      ASSERT_GE(found, acknowledged) << "an acknowledged step is lost";
      ASSERT_LE(found, acknowledged + 1) << "more than the step under way";
      while (reached < found) steps.apply(model, ++reached);
      Model found_model = model_of(db).value();
      Model expected;
      for (const auto& [name, entries] : model) {
        for (const auto& [key, value] : entries) expected[name][key] = {value, 0};
        expected[name];
      }
      for (auto& [name, entries] : found_model) {
        for (auto& [key, entry] : entries) entry.version = 0;
      }
      ASSERT_EQ(first_difference(expected, found_model), "");
    });
    if (HasFatalFailure()) return;
  }
  std::printf("%llu kills, %llu steps\n", static_cast<unsigned long long>(kills),
              static_cast<unsigned long long>(reached));
}

INSTANTIATE_TEST_SUITE_P(PageSizes, KillTest, ::testing::Values(4096u, 8192u, 65536u),
                         [](const auto& chosen) { return std::to_string(chosen.param); });

// --- Many threads that share their syncs -----------------------------------------------------------------------------

constexpr int kThreads = 6;

std::string thread_key(int thread) { return "thread " + std::to_string(thread); }

// Each thread counts up in an entry of its own, beside one of every number.
Status count_up(Database& db, int thread, const Output& output) {
  const std::optional<ByteString> last = TRY(db.get(thread_key(thread)));
  for (std::uint64_t number = last ? std::stoull(*last) + 1 : 1;; ++number) {
    const Status done = db.write([&](WriteTransaction& txn) -> Status {
      const std::string text = std::to_string(number);
      CHECK(txn.put(thread_key(thread), text));
      return txn.put(thread_key(thread) + " " + std::to_string(number % 100), text);
    });
    CHECK(done);
    output.write(std::to_string(thread) + " " + std::to_string(number) + "\n");
  }
}

Status count_up_in_threads(const std::string& path, const Output& output) {
  Database db = TRY(Database::open(path, OpenMode::MustExist, small_log_and_cache()));
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&db, &output, thread] {
      const Status status = count_up(db, thread, output);
      output.write("failed: " + status.to_string() + "\n");
    });
  }
  for (std::thread& thread : threads) thread.join();
  return test_failure("every thread has ended");
}

class KillOfThreads : public KillTest {};

TEST_F(KillOfThreads, leaves_what_was_acknowledged_to_each) {
  base::Prng random(test_seed());
  ASSERT_TRUE(Database::open(path("a.vtr"), OpenMode::CreateNew).has_value());
  std::uint64_t reached[kThreads] = {};
  const std::uint64_t kills = scaled(4, 100, 2000);
  for (std::uint64_t kill = 0; kill < kills; ++kill) {
    SCOPED_TRACE("kill " + std::to_string(kill));
    ChildProcess child =
        ChildProcess::run([&](const Output& output) { return result_of(count_up_in_threads(path("a.vtr"), output)); });
    child.read_for(random_moment(random));
    ASSERT_TRUE(child.kill()) << "the writer failed";
    std::istringstream lines(child.output());
    for (std::string line; std::getline(lines, line) && !lines.eof();) {
      ASSERT_NE(line.substr(0, 6), "failed") << line;
      reached[line[0] - '0'] = std::stoull(line.substr(2));
    }
    look(random, small_log_and_cache(), [&](const Database& db) {
      for (int thread = 0; thread < kThreads; ++thread) {
        const std::uint64_t found = std::stoull(db.get(thread_key(thread)).value().value_or("0"));
        ASSERT_GE(found, reached[thread]) << "an acknowledged transaction of thread " << thread << " is lost";
        ASSERT_LE(found, reached[thread] + 1);
        reached[thread] = found;
        for (std::uint64_t number = found - std::min<std::uint64_t>(found, 99); number <= found && number > 0;
             ++number) {
          const std::string key = thread_key(thread) + " " + std::to_string(number % 100);
          ASSERT_EQ(db.get(key).value().value_or(""), std::to_string(number)) << "half of a transaction";
        }
      }
    });
    if (HasFatalFailure()) return;
  }
}

// --- The program -----------------------------------------------------------------------------------------------------

class KillOfProgram : public KillTest {
 protected:
  static std::string line_key(std::uint64_t number) {
    char key[16];
    std::snprintf(key, sizeof key, "key%08llu", static_cast<unsigned long long>(number));
    return key;
  }
  static std::string line_value(std::uint64_t number) { return std::string(number % 700, "abcdefgh"[number % 8]); }

  void write_lines(std::uint64_t from) {
    std::ofstream lines(path("lines"), std::ios::trunc);
    for (std::uint64_t number = from; number < from + kLines; ++number) {
      lines << line_key(number) << '\t' << line_value(number) << '\n';
    }
  }

  static constexpr std::uint64_t kLines = 4'000;
};

// Keys 0 to `found` - 1 and no others; returns `found`.
std::uint64_t demand_prefix(const Database& db, const std::function<std::string(std::uint64_t)>& key,
                            const std::function<std::string(std::uint64_t)>& value) {
  std::uint64_t found = 0;
  const ReadTransaction txn = db.begin_read().value();
  const auto visit = [&](Bytes found_key, Bytes found_value) {
    EXPECT_EQ(found_key, key(found));
    EXPECT_EQ(found_value, value(found));
    ++found;
    return !::testing::Test::HasFailure();
  };
  EXPECT_TRUE(txn.scan({}, {}, visit).has_value());
  return found;
}

TEST_F(KillOfProgram, leaves_every_acknowledged_line_and_at_most_one_group_more) {
  base::Prng random(test_seed());
  const Options options = small_log_and_cache();
  ASSERT_TRUE(Database::open(path("a.vtr"), OpenMode::CreateNew, options).has_value());
  std::uint64_t reached = 0;
  const std::uint64_t kills = scaled(5, 100, 2000);
  for (std::uint64_t kill = 0; kill < kills; ++kill) {
    SCOPED_TRACE("kill " + std::to_string(kill));
    const std::uint64_t group = random.one_in(3) ? 1 : random.between(2, 50);
    write_lines(reached);
    const char* durabilities[] = {"full", "periodic", "none"};
    ChildProcess child = ChildProcess::start(
        {VITRINE_PROGRAM, "put", path("a.vtr"), "--stdin", "--ack", "--commit-every", std::to_string(group),
         "--durability", durabilities[random.below(3)], "--cache-size", "1MiB", "--log-size", "1MiB"},
        path("lines"));
    if (kill % 4 == 0) {  // so that it comes somewhere, however slow it is
      ASSERT_TRUE(child.read_until("\n")) << "the program came nowhere";
    }
    child.read_for(random_moment(random));
    ASSERT_TRUE(child.kill()) << "the program failed";
    const auto lines = static_cast<std::uint64_t>(std::count(child.output().begin(), child.output().end(), '\n'));
    look(random, options, [&](const Database& db) {
      const std::uint64_t found = demand_prefix(db, line_key, line_value);
      const std::uint64_t acknowledged = reached + lines;
      ASSERT_TRUE(found == acknowledged || found == acknowledged + group || found == reached + kLines)
          << "acknowledged " << acknowledged << ", found " << found << ", group " << group;
      reached = found;
    });
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace vitrine::testing
