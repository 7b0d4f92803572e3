// SPDX-License-Identifier: MIT OR Apache-2.0
// The rows by which FerrumDB, a store of JSON documents that keeps its index in memory, shows what it does, for
// Vitrine's documents: nothing is synced, every set is a transaction of its own unless the row says otherwise.
//
//   documents_bench [directory]      prints JSON for bench/bench.py
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "vitrine/vitrine.hpp"

namespace {

using namespace vitrine;
using Clock = std::chrono::steady_clock;

constexpr int kRounds = 5;
constexpr int kUsers = 100'000;

void require(const Status& status) {
  if (status.is_ok()) return;
  std::fprintf(stderr, "documents_bench: %s\n", status.to_string().c_str());
  std::exit(1);
}

Document user(int number) {
  const std::string role = number % 100 == 0 ? "admin" : "user";
  return Document::from_json(R"({"_id": "user:)" + std::to_string(number) + R"(", "name": "name )" +
                             std::to_string(number) + R"(", "role": ")" + role + R"(", "score": )" +
                             std::to_string(number % 1000) + "}")
      .value();
}

class DocumentsBench {
 public:
  explicit DocumentsBench(const std::string& path) : path_(path), db_(open(path)) {
    require(db_.write([](WriteTransaction& txn) { return DocumentWriter(txn).create_collection("users"); }));
  }
  ~DocumentsBench() {
    require(db_.close());
    std::filesystem::remove(path_);
  }

  void run() {
    fill(0, kUsers);
    print("single set", 10'000, "1 to 3", [&](int i) { set(kUsers + i); });
    print("single get", 100'000, "below 1", [&](int i) { get(i * 7919 % kUsers); });
    print("1,000 sets, one by one", 1, "2,000 to 5,000", [&](int) { set_thousand(); });
    print("100 sets by 4 threads", 10, "3,000 to 8,000", [&](int) { set_in_threads(); });
    print("1,000 sets in a transaction", 1, "-", [&](int) { fill(2 * kUsers, 2 * kUsers + 1000); });
    std::printf("]\n");
  }

 private:
  static Database open(const std::string& path) {
    std::filesystem::remove(path);
    Options options;
    options.durability = Durability::None;
    options.cache_size = 256ull << 20;
    return Database::open(path, OpenMode::CreateNew, std::move(options)).value();
  }

  void fill(int from, int to) {
    require(db_.write([&](WriteTransaction& txn) -> Status {
      DocumentWriter writer(txn);
      for (int i = from; i < to; ++i) {
        if (Status put = writer.upsert("users", user(i)).status(); !put.is_ok()) return put;
      }
      return {};
    }));
  }
  void set(int number) { fill(number, number + 1); }
  void set_thousand() {
    for (int i = 0; i < 1000; ++i) set(i);
  }
  void set_in_threads() {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([this, thread] {
        for (int i = 0; i < 25; ++i) set(thread * 25 + i);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  void get(int number) {
    const ReadTransaction txn = db_.begin_read().value();
    const auto found = DocumentReader(txn).get("users", DocumentId("user:" + std::to_string(number)));
    require(found.status());
    if (!found->has_value()) require(Status::error(ErrorCode::InternalBug, "a document that was put is not there"));
  }

  // The median of some rounds, in microseconds for each step.
  template <typename Step>
  void print(const char* what, int steps, const char* elsewhere, const Step& step) {
    std::vector<double> rounds;
    for (int round = 0; round < kRounds; ++round) {
      const Clock::time_point start = Clock::now();
      for (int i = 0; i < steps; ++i) step(i);
      rounds.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count() / steps);
    }
    std::sort(rounds.begin(), rounds.end());
    std::printf(R"(%s{"what": "%s", "microseconds": %.3f, "elsewhere": "%s"})", is_first_ ? "[" : ",\n", what,
                rounds[kRounds / 2], elsewhere);
    is_first_ = false;
  }

  const std::string path_;
  Database db_;
  bool is_first_ = true;
};

}  // namespace

int main(int argument_count, char** arguments) {
  const std::string directory = argument_count > 1 ? arguments[1] : ".";
  DocumentsBench(directory + "/documents_bench.vtr").run();
}
