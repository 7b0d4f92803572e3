// SPDX-License-Identifier: MIT OR Apache-2.0
// Groups of lines as transactions. A group is read, put and committed before the next one begins.
#include "cli/put_batch.hpp"

#include "base/try.hpp"
#include "cli/database_access.hpp"
#include "cli/file_stream.hpp"
#include "cli/terminal.hpp"
#include "cli/values.hpp"
#include "cli/secrets.hpp"

namespace vitrine::cli {
namespace {

// Longer values go through `put --file`, which streams.
constexpr std::size_t kLineSizeMax = std::size_t{64} << 20;
constexpr std::uint64_t kCommitEvery = 1000;

class Batch {
 public:
  Batch(const Arguments& arguments, Encoding encoding, Console& console, InputFile input, std::uint64_t commit_every)
      : arguments_(arguments),
        encoding_(encoding),
        console_(console),
        input_(std::move(input)),
        input_size_(input_.size()),
        commit_every_(commit_every),
        bar_("put", console.progress()) {}

  // Reads and commits until the input ends. On failure the open group is rolled back and the error says how many
  // entries were committed before it.
  Status run(Database& db) {
    bool is_more = true;
    while (is_more) {
      Result<bool> group = put_group(db);
      if (!group.has_value()) return group.status().with("committed_entries", committed_);
      is_more = *group;
    }
    bar_.finish();
    return {};
  }

  Status print_summary() {
    if (!console_.json()) {
      console_.talk(format_count(committed_) + " entries in " + format_count(commits_) + " commits");
      return {};
    }
    Record record;
    record.add("entries", committed_).add("commits", commits_);
    return console_.print(add_commit(record, last_));
  }

 private:
  // One transaction. False when the input has ended. The first line is read before the transaction begins, so that
  // waiting for input keeps nobody else waiting.
  Result<bool> put_group(Database& db) {
    if (!TRY(next_line())) return false;
    WriteTransaction txn = TRY(db.begin_write());
    const Keyspace keyspace = TRY(ensure_keyspace(txn, arguments_));
    std::uint64_t count = 0;
    bool is_more = true;
    acks_.clear();
    do {
      Status put = put_line(txn, keyspace);
      if (!put.is_ok()) return put.with("line", line_number_);
      ++count;
      if (count < commit_every_) is_more = TRY(next_line());
    } while (count < commit_every_ && is_more);

    const Commit commit = txn.commit();
    CHECK(commit_status(commit));
    last_ = commit;
    committed_ += count;
    ++commits_;
    if (arguments_.has("--ack")) CHECK(acknowledge(db, commit, acks_, console_));
    return is_more;
  }

  Result<bool> next_line() {
    if (interrupt_requested()) return cancelled();
    Result<bool> read = input_.read_line(line_, kLineSizeMax);
    ++line_number_;
    if (!read.has_value()) return read.status().with("line", line_number_);
    bytes_read_ += line_.size() + 1;
    bar_.update(input_size_ ? Progress{bytes_read_, *input_size_, "bytes"} : Progress{line_number_, 0, "entries"});
    return read;
  }

  Status put_line(WriteTransaction& txn, Keyspace keyspace) {
    const Bytes line = line_;
    const std::size_t tab = line.find('\t');
    if (tab == Bytes::npos) return usage_error("a line is KEY<TAB>VALUE, and this one has no TAB");
    const std::string key = TRY(decoded(line.substr(0, tab), encoding_));
    const std::string value = TRY(decoded(line.substr(tab + 1), encoding_));
    CHECK(txn.put(keyspace, key, value));
    if (arguments_.has("--ack")) acks_.append(ack_line(key, encoding_, console_));
    return {};
  }

  const Arguments& arguments_;
  const Encoding encoding_;
  Console& console_;
  InputFile input_;
  const std::optional<std::uint64_t> input_size_;  // of a file; of a pipe nobody knows
  const std::uint64_t commit_every_;
  ProgressBar bar_;
  std::string line_;
  std::string acks_;
  std::uint64_t line_number_ = 0;
  std::uint64_t bytes_read_ = 0;
  std::uint64_t committed_ = 0, commits_ = 0;
  Commit last_;
};

}  // namespace

Result<Database> open_for_put(const Arguments& arguments, Secret secret) {
  const OpenMode mode = arguments.has("--create") ? OpenMode::CreateIfMissing : OpenMode::MustExist;
  return open_database_as(arguments, mode, std::move(secret));
}

std::string ack_line(Bytes key, Encoding encoding, const Console& console) {
  const std::string line = console.json() ? to_json(Record{}.add_bytes("key", key, encoding)) : encoded(key, encoding);
  return line + "\n";
}

Status acknowledge(Database& db, const Commit& commit, std::string_view lines, Console& console) {
  if (commit.outcome == CommitOutcome::Pending) CHECK(db.sync());
  CHECK(console.write(lines));
  return console.flush();
}

Status put_batch(const Arguments& arguments, Encoding encoding, Console& console) {
  if (arguments.positional("KEY")) return usage_error("put --stdin takes its keys from standard input");
  for (const std::string_view option : {"--file", "--if-absent", "--if-version"}) {
    CHECK(arguments.at_most_one_of({"--stdin", option}));
  }
  const std::uint64_t otherwise = arguments.has("--ack") ? 1 : kCommitEvery;
  const std::uint64_t commit_every = TRY(arguments.number("--commit-every")).value_or(otherwise);
  if (commit_every == 0) return usage_error("--commit-every is at least 1");

  Database db = TRY(open_for_put(arguments, TRY(secret_argument(arguments))));
  Batch batch(arguments, encoding, console, TRY(InputFile::open("-")), commit_every);
  CHECK(batch.run(db));
  CHECK(db.close());
  return batch.print_summary();
}

}  // namespace vitrine::cli
