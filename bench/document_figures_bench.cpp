// SPDX-License-Identifier: MIT OR Apache-2.0
// Documents beside SQLite doing the same work: a table of JSON text with an index on an expression for each index of
// ours, prepared statements, WAL, the same durability. Both answer with whole documents, both are asked for the same
// things in turn, and a row in which they disagree ends the program.
//
//   document_figures_bench FILE.ndjson [DIRECTORY [ROW]]      prints JSON for bench/bench.py
//
// FILE: package documents of tools/package_documents.sh. A row is the median of some rounds, processor time of the
// whole process and time of the clock, in microseconds for each step.
#include <sqlite3.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "vitrine/vitrine.hpp"

namespace {

using namespace vitrine;

constexpr int kRounds = 5;
constexpr std::size_t kBatch = 1000;  // documents of an import that are inserted at once
constexpr std::int64_t kCache = std::int64_t{256} << 20;

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "document_figures_bench: %s\n", why.c_str());
  std::exit(1);
}
void require(const Status& status) {
  if (!status.is_ok()) fail(status.to_string());
}

// What a row asks of both; answers count documents, and their bytes are looked at.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual void import(const std::string& text) = 0;    // into an empty database, all in one commit
  virtual void insert(const std::string& line) = 0;    // one durable commit
  virtual std::uint64_t get(std::size_t query) = 0;    // by id
  virtual std::uint64_t equal(std::size_t query) = 0;  // size = ..., by index
  virtual std::uint64_t equal_direct(std::size_t query) { return equal(query); }    // by the call made for it
  virtual std::uint64_t sorted_direct(std::size_t query) { return sorted(query); }  // the same
  virtual std::uint64_t range(std::size_t query) = 0;                               // two sizes, by index, in any order
  virtual std::uint64_t sorted(std::size_t query) = 0;                              // the same, by size
  virtual std::uint64_t scan() = 0;                                                 // no index helps
  virtual void increment(std::size_t from, std::size_t to) = 0;                     // by id, all in one commit
  virtual void reopen() = 0;                                                        // and one document
};

// The values that are asked for, the same for both.
struct Question {
  std::string id;
  std::int64_t low = 0, high = 0;
};

// --- Vitrine ---------------------------------------------------------------------------------------------------------

class Ours final : public Subject {
 public:
  Ours(std::string path, const std::vector<Question>& questions) : path_(std::move(path)) {
    for (const Question& question : questions) {
      ids_.emplace_back(question.id);
      by_id_.push_back(document(R"({"_id": ")" + question.id + R"("})"));
      equal_.push_back(document(R"({"size": )" + std::to_string(question.low) + "}"));
      end_.push_back(document(R"({"size": )" + std::to_string(question.high) + "}"));
      range_.push_back(document(R"({"size": {"$gte": )" + std::to_string(question.low) + R"(, "$lt": )" +
                                std::to_string(question.high) + "}}"));
    }
  }
  ~Ours() override {
    require(db_->close());
    std::filesystem::remove(path_);
  }

  void import(const std::string& text) override {
    if (db_) require(db_->close());
    std::filesystem::remove(path_);
    open(OpenMode::CreateNew);
    require(db_->write([&](WriteTransaction& txn) -> Status {
      DocumentWriter writer(txn);
      require(writer.create_collection("packages"));
      for (const char* path : {"section", "size", "maintainer"}) {
        require(writer.create_index("packages", {path, document(std::string("{\"") + path + "\": 1}")}));
      }
      DocumentDecoder decoder({.format = DocumentFormat::JsonLines});
      require(decoder.feed(text));
      decoder.end();
      for (std::vector<Document> documents;; documents.clear()) {
        while (documents.size() < kBatch) {
          std::optional<Document> next = decoder.next().value();
          if (!next) break;
          documents.push_back(*std::move(next));
        }
        if (documents.empty()) return {};
        require(writer.insert_many("packages", documents).status());
      }
    }));
  }
  void insert(const std::string& line) override {
    require(db_->write(
        [&](WriteTransaction& txn) { return DocumentWriter(txn).insert("packages", document(line)).status(); }));
  }
  std::uint64_t get(std::size_t query) override {
    const ReadTransaction txn = db_->begin_read().value();
    const auto found = DocumentReader(txn).get("packages", ids_[query]).value();
    return found && look(found->document.bson()) ? 1 : 0;
  }
  std::uint64_t equal(std::size_t query) override { return find(equal_[query], any_order_); }
  std::uint64_t range(std::size_t query) override { return find(range_[query], any_order_); }
  std::uint64_t sorted(std::size_t query) override { return find(range_[query], by_size_); }
  std::uint64_t equal_direct(std::size_t query) override {
    const ReadTransaction txn = db_->begin_read().value();
    return DocumentReader(txn).query("packages", "size", equal_[query], look_at_).value();
  }
  std::uint64_t sorted_direct(std::size_t query) override {
    const ReadTransaction txn = db_->begin_read().value();
    return DocumentReader(txn).query_range("packages", "size", equal_[query], end_[query], look_at_).value();
  }
  std::uint64_t scan() override { return find(scan_, any_order_); }
  void increment(std::size_t from, std::size_t to) override {
    require(db_->write([&](WriteTransaction& txn) -> Status {
      for (std::size_t i = from; i < to; ++i) {
        require(DocumentWriter(txn).update("packages", by_id_[i], increment_).status());
      }
      return {};
    }));
  }
  void reopen() override {
    require(db_->close());
    open(OpenMode::MustExist);
    if (get(0) != 1) fail("a document is gone");
  }

 private:
  static Document document(const std::string& json) { return Document::from_json(json).value(); }
  static bool look(Bytes bytes) { return bytes.back() == '\0'; }

  void open(OpenMode mode) {
    Options options;
    options.cache_size = kCache;
    db_.emplace(Database::open(path_, mode, std::move(options)).value());
  }
  std::uint64_t find(const Document& filter, const FindOptions& options) {
    const ReadTransaction txn = db_->begin_read().value();
    return DocumentReader(txn).find("packages", filter, options, look_at_).value();
  }

  const std::string path_;
  std::optional<Database> db_;
  std::vector<DocumentId> ids_;
  std::vector<Document> by_id_, equal_, end_, range_;
  const DocumentFunction look_at_ = [](const StoredDocument& found) { return look(found.document.bson()); };
  const FindOptions any_order_{.any_order = true}, by_size_{.sort = document(R"({"size": 1})")};
  const Document scan_ = document(R"({"installed_size": {"$lt": 50}})"),
                 increment_ = document(R"({"$inc": {"seen": 1}})");
};

// --- SQLite ----------------------------------------------------------------------------------------------------------

class Sqlite final : public Subject {
 public:
  Sqlite(std::string path, const std::vector<Question>& questions) : path_(std::move(path)), questions_(questions) {}
  ~Sqlite() override {
    close();
    remove_files();
  }

  void import(const std::string& text) override {
    close();
    remove_files();
    open();
    run("BEGIN");
    run("CREATE TABLE packages (id TEXT PRIMARY KEY, doc TEXT NOT NULL) WITHOUT ROWID");
    for (const char* path : {"section", "size", "maintainer"}) {
      run(std::string("CREATE INDEX by_") + path + " ON packages (json_extract(doc, '$." + path + "'))");
    }
    prepare();
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) add(line);
    run("COMMIT");
  }
  void insert(const std::string& line) override { add(line); }
  std::uint64_t get(std::size_t query) override {
    bind(get_, questions_[query].id);
    return rows(get_);
  }
  std::uint64_t equal(std::size_t query) override {
    sqlite3_bind_int64(equal_, 1, questions_[query].low);
    return rows(equal_);
  }
  std::uint64_t range(std::size_t query) override { return between(range_, query); }
  std::uint64_t sorted(std::size_t query) override { return between(sorted_, query); }
  std::uint64_t scan() override { return rows(scan_); }
  void increment(std::size_t from, std::size_t to) override {
    run("BEGIN");
    for (std::size_t i = from; i < to; ++i) {
      bind(increment_, questions_[i].id);
      rows(increment_);
    }
    run("COMMIT");
  }
  void reopen() override {
    close();
    open();
    prepare();
    if (get(0) != 1) fail("a row is gone");
  }

 private:
  void check(int result) const {
    if (result != SQLITE_OK) fail(sqlite3_errmsg(db_));
  }
  void run(const std::string& sql) const { check(sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr)); }

  void open() {
    check(sqlite3_open(path_.c_str(), &db_));
    run("PRAGMA page_size = 4096");
    run("PRAGMA journal_mode = WAL");
    run("PRAGMA synchronous = FULL");
    run("PRAGMA cache_size = -" + std::to_string(kCache >> 10));
    run("PRAGMA mmap_size = " + std::to_string(4 * kCache));
  }
  void remove_files() const {
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end);
  }
  void close() {
    for (sqlite3_stmt* statement : statements_) sqlite3_finalize(statement);
    statements_.clear();
    sqlite3_close(std::exchange(db_, nullptr));
  }
  sqlite3_stmt* prepared(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    check(sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr));
    statements_.push_back(statement);
    return statement;
  }
  void prepare() {
    const char* const kRange =
        "SELECT doc FROM packages WHERE json_extract(doc, '$.size') >= ?1 AND json_extract(doc, '$.size') < ?2";
    add_ = prepared("INSERT INTO packages VALUES (json_extract(?1, '$._id'), ?1)");
    get_ = prepared("SELECT doc FROM packages WHERE id = ?1");
    equal_ = prepared("SELECT doc FROM packages WHERE json_extract(doc, '$.size') = ?1");
    range_ = prepared(kRange);
    sorted_ = prepared((std::string(kRange) + " ORDER BY json_extract(doc, '$.size')").c_str());
    scan_ = prepared("SELECT doc FROM packages WHERE json_extract(doc, '$.installed_size') < 50");
    increment_ = prepared(
        "UPDATE packages SET doc = json_set(doc, '$.seen', coalesce(json_extract(doc, '$.seen'), 0) + 1) WHERE id = "
        "?1");
  }
  void bind(sqlite3_stmt* statement, const std::string& text) const {
    check(sqlite3_bind_text(statement, 1, text.data(), static_cast<int>(text.size()), SQLITE_STATIC));
  }
  std::uint64_t rows(sqlite3_stmt* statement) const {
    std::uint64_t count = 0;
    int result = SQLITE_ROW;
    while ((result = sqlite3_step(statement)) == SQLITE_ROW) count += sqlite3_column_bytes(statement, 0) > 0 ? 1 : 0;
    if (result != SQLITE_DONE) fail(sqlite3_errmsg(db_));
    sqlite3_reset(statement);
    return count;
  }
  std::uint64_t between(sqlite3_stmt* statement, std::size_t query) const {
    sqlite3_bind_int64(statement, 1, questions_[query].low);
    sqlite3_bind_int64(statement, 2, questions_[query].high);
    return rows(statement);
  }
  void add(const std::string& line) const {
    bind(add_, line);
    rows(add_);
  }

  const std::string path_;
  const std::vector<Question>& questions_;
  sqlite3* db_ = nullptr;
  std::vector<sqlite3_stmt*> statements_;
  sqlite3_stmt *add_ = nullptr, *get_ = nullptr, *equal_ = nullptr, *range_ = nullptr, *sorted_ = nullptr,
               *scan_ = nullptr, *increment_ = nullptr;
};

// --- Rows ------------------------------------------------------------------------------------------------------------

struct Time {
  double processor = 0, clock = 0;  // microseconds
};

Time now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return {static_cast<double>(std::clock()) * 1e6 / CLOCKS_PER_SEC,
          std::chrono::duration<double, std::micro>(since).count()};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class Figures {
 public:
  Figures(const std::string& file, const std::string& directory, std::string only) : only_(std::move(only)) {
    std::ifstream input(file);
    text_.assign(std::istreambuf_iterator<char>(input), {});
    std::vector<std::pair<std::int64_t, std::string>> packages;
    std::istringstream lines(text_);
    for (std::string line; std::getline(lines, line);) {
      const std::size_t size = line.find("\"size\":"), id = line.find("\"_id\":\"") + 7;
      if (size == std::string::npos) continue;
      std::int64_t number = 0;
      std::from_chars(line.data() + size + 7, line.data() + line.size(), number);
      packages.emplace_back(number, line.substr(id, line.find('"', id) - id));
    }
    if (packages.size() < 1000) fail("the file has less than 1000 packages");
    count_ = packages.size();
    std::sort(packages.begin(), packages.end());
    for (std::size_t i = 0; i < kQuestions; ++i) {
      const std::size_t at = i * 7919 % (packages.size() - kWidth);
      questions_.push_back({packages[at].second, packages[at].first, packages[at + kWidth].first});
    }
    subjects_[0] = std::make_unique<Ours>(directory + "/document_figures.vtr", questions_);
    subjects_[1] = std::make_unique<Sqlite>(directory + "/document_figures.sqlite", questions_);
  }

  void run() {
    std::printf("[");
    row(
        "import with three indexes, one commit", "a document", count_,
        [&](Subject& subject, std::size_t, int) {
          subject.import(text_);
          return std::uint64_t{0};
        },
        1);
    row(
        "get by id", "a get", 1, [](Subject& subject, std::size_t i, int) { return subject.get(i); }, kQuestions);
    row(
        "equality by index", "a query", 1, [](Subject& s, std::size_t i, int) { return s.equal(i); }, kQuestions);
    row(
        "equality by query()", "a query", 1, [](Subject& s, std::size_t i, int) { return s.equal_direct(i); },
        kQuestions);
    row(
        "range of about 100 by index", "a query", 1, [](Subject& s, std::size_t i, int) { return s.range(i); }, 500);
    row(
        "the same, sorted", "a query", 1, [](Subject& s, std::size_t i, int) { return s.sorted(i); }, 500);
    row(
        "range of about 100 by query_range()", "a query", 1,
        [](Subject& s, std::size_t i, int) { return s.sorted_direct(i); }, 500);
    row(
        "full scan with a filter", "a document", count_, [](Subject& s, std::size_t, int) { return s.scan(); }, 1);
    row(
        "$inc by id, 1000 a commit", "an update", 1000,
        [](Subject& subject, std::size_t i, int) {
          subject.increment(1000 * i, 1000 * i + 1000);
          return std::uint64_t{0};
        },
        2);
    row(
        "durable insert", "an insert", 1,
        [&](Subject& subject, std::size_t i, int round) {
          subject.insert(R"({"_id":"new-)" + std::to_string(round) + "-" + std::to_string(i) +
                         R"(","section":"new","size":1,"maintainer":"nobody","description":"a package"})");
          return std::uint64_t{0};
        },
        200);
    row(
        "open, and get one", "an opening", 1,
        [](Subject& subject, std::size_t, int) {
          subject.reopen();
          return std::uint64_t{0};
        },
        5);
    std::printf("]\n");
  }

 private:
  static constexpr std::size_t kQuestions = 2000, kWidth = 100;

  template <typename Step>
  void row(const char* what, const char* each, std::size_t parts, const Step& step, std::size_t steps) {
    const bool is_import = is_first_row_;
    is_first_row_ = false;
    if (!is_import && std::string(what).find(only_) == std::string::npos) return;
    std::vector<double> processor[2], clock[2];
    std::uint64_t answers[2] = {0, 0};
    for (int round = 0; round < (is_import && !only_.empty() ? 1 : kRounds); ++round) {
      for (int who = 0; who < 2; ++who) {
        const Time start = now();
        for (std::size_t i = 0; i < steps; ++i) answers[who] += step(*subjects_[who], i, round);
        const Time end = now();
        const auto all = static_cast<double>(steps * parts);
        processor[who].push_back((end.processor - start.processor) / all);
        clock[who].push_back((end.clock - start.clock) / all);
      }
    }
    if (answers[0] != answers[1]) fail(std::string(what) + ": the answers differ");
    std::printf("%s{\"what\": \"%s\", \"each\": \"%s\", \"vitrine\": [%.3f, %.3f], \"sqlite\": [%.3f, %.3f]}",
                is_import ? "" : ",\n", what, each, median(processor[0]), median(clock[0]), median(processor[1]),
                median(clock[1]));
    std::fflush(stdout);
  }

  const std::string only_;  // part of the name of a row; the import is always made
  std::string text_;
  std::size_t count_ = 0;
  std::vector<Question> questions_;
  std::unique_ptr<Subject> subjects_[2];
  bool is_first_row_ = true;
};

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count < 2) fail("FILE.ndjson [DIRECTORY [ROW]]");
  const std::string directory = argument_count > 2 ? arguments[2] : ".";
  Figures(arguments[1], directory, argument_count > 3 ? arguments[3] : "").run();
}
