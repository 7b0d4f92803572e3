// SPDX-License-Identifier: MIT OR Apache-2.0
// What a session and its database are told. Collections are in shell_documents.cpp, keys in shell_keys.cpp.
#include "cli/shell_session.hpp"

#include "base/try.hpp"
#include "cli/database_access.hpp"
#include "cli/shell_write.hpp"
#include "cli/terminal.hpp"
#include "os/env.hpp"

namespace vitrine::cli {

Status ShellSession::say(std::string_view sentence, std::string_view json) {
  return print_json(style_ == ShellStyle::People ? sentence : json);
}

Status ShellSession::run(const ShellStatement& statement) {
  if (arguments_.has("--read-only") && !txn_) CHECK(db_.refresh().status());
  if (statement.verb <= ShellVerb::Rollback) return run_on_session(statement);
  if (statement.verb <= ShellVerb::Flush) return run_on_database(statement);
  if (statement.verb <= ShellVerb::Drop) return run_on_collection(statement);
  return run_on_keys(statement);
}

bool ShellSession::is_encrypted() const {
  const Result<DatabaseInfo> info = db_.info();
  return !info.has_value() || !info->cipher.empty();
}

Status ShellSession::close() {
  txn_.reset();
  return db_.close();
}

// --- Session ---------------------------------------------------------------------------------------------------------

Status ShellSession::run_on_session(const ShellStatement& statement) {
  switch (statement.verb) {
    case ShellVerb::Use:
      return use(statement);
    case ShellVerb::Begin:
      return begin();
    case ShellVerb::Commit:
      return commit();
    case ShellVerb::Rollback:
      return rollback();
    case ShellVerb::Exit:
      is_over_ = true;
      return {};
    default:
      return console_.write(shell_help());
  }
}

// A name stands for a file as it is, or for NAME.vtr beside the one that is open.
Status ShellSession::use(const ShellStatement& statement) {
  const std::string name = TRY(text_argument(statement.arguments.front()));
  if (txn_) return Status::error(ErrorCode::Misuse, "a transaction is open: commit or rollback");
  std::string path = name;
  if (!TRY(os::system_env().exists(path))) {
    const std::size_t slash = path_.rfind('/');
    path = (slash == std::string::npos ? std::string() : path_.substr(0, slash + 1)) + name + ".vtr";
  }
  if (path == path_) return say("Switched to " + path_, "{\"database\":" + quoted_json(path_) + "}");
  const Access access = arguments_.has("--read-only") ? Access::ReadOnly : Access::ReadWrite;
  Database next = TRY(open_database_at(arguments_, path, access));
  CHECK(db_.close());
  watched_.clear();
  db_ = std::move(next);
  path_ = path;
  return say("Switched to " + path_, "{\"database\":" + quoted_json(path_) + "}");
}

Status ShellSession::begin() {
  if (txn_) return Status::error(ErrorCode::Misuse, "a transaction is open already");
  txn_.emplace(TRY(db_.begin_write()));
  return say("Transaction begun", "{\"transaction\":\"begun\"}");
}

Status ShellSession::commit() {
  if (!txn_) return Status::error(ErrorCode::Misuse, "no transaction is open");
  const Commit commit = txn_->commit();
  txn_.reset();
  CHECK(commit_status(commit));
  const std::string outcome(outcome_name(commit.outcome));
  const std::string seq = std::to_string(commit.seq);
  return say("Transaction " + outcome, "{\"transaction\":\"" + outcome + "\",\"seq\":" + seq + "}");
}

Status ShellSession::rollback() {
  if (!txn_) return Status::error(ErrorCode::Misuse, "no transaction is open");
  txn_.reset();
  return say("Transaction rolled back", "{\"transaction\":\"rolled_back\"}");
}

// --- Database --------------------------------------------------------------------------------------------------------

Status ShellSession::run_on_database(const ShellStatement& statement) {
  switch (statement.verb) {
    case ShellVerb::CreateCollection:
    case ShellVerb::DropCollection:
    case ShellVerb::RenameCollection:
      return change_collection(statement);
    case ShellVerb::Collections:
      return read([&](const DocumentReader& documents) -> Status {
        for (const ByteString& name : TRY(documents.collections())) CHECK(print_json(quoted_json(name)));
        return {};
      });
    case ShellVerb::Stats: {
      const DatabaseInfo info = TRY(db_.info());
      Record record;
      record.add("path", std::string_view(info.path)).add("file_bytes", info.file_bytes);
      return style_ == ShellStyle::People ? console_.write(to_text(record)) : print_json(to_json(record));
    }
    case ShellVerb::KeepChanges: {
      const std::uint64_t most = TRY(number_argument(statement.arguments.front()));
      CHECK(write([&](DocumentWriter& documents) { return documents.keep_changes(most); }));
      return say(most == 0 ? "Changes are not kept" : "Changes are kept", "{\"kept\":" + std::to_string(most) + "}");
    }
    case ShellVerb::Watch:
      return watch(statement);
    case ShellVerb::Flush:
      if (txn_) return Status::error(ErrorCode::Misuse, "a transaction is open");
      CHECK(db_.checkpoint());
      return say("Flushed", "{\"flushed\":true}");
    default: {
      if (txn_) return Status::error(ErrorCode::Misuse, "a transaction is open");
      const CompactReport report = TRY(db_.compact());
      Record record;
      record.add("pages_before", report.pages_before).add("pages_after", report.pages_after);
      return print_json(to_json(record));
    }
  }
}

// What was committed since the session watched last, of the database or of one collection.
Status ShellSession::watch(const ShellStatement& statement) {
  if (txn_) return Status::error(ErrorCode::Misuse, "a transaction is open: commit or rollback");
  std::string& token = watched_[statement.collection];
  WatchOptions options;
  options.after = token;
  options.collection = statement.collection;
  if (!statement.arguments.empty()) options.filter = TRY(document_argument(statement.arguments.front()));
  return read([&](const DocumentReader& documents) -> Status {
    Status failed;
    std::string last = TRY(documents.watch(options, [&](const DocumentChange& change) {
      failed = interrupt_requested() ? Status::error(ErrorCode::Cancelled) : print_json(change_json(change));
      return failed.is_ok();
    }));
    CHECK(failed);
    token = std::move(last);
    return {};
  });
}

Status ShellSession::change_collection(const ShellStatement& statement) {
  const std::string name =
      statement.arguments.empty() ? statement.collection : TRY(text_argument(statement.arguments.front()));
  const std::string quoted = quoted_json(name);
  if (statement.verb == ShellVerb::CreateCollection) {
    CHECK(write([&](DocumentWriter& documents) { return documents.create_collection(name); }));
    return say("Collection " + quoted + " created", "{\"created\":" + quoted + "}");
  }
  if (statement.verb == ShellVerb::RenameCollection) {
    const std::string to = TRY(text_argument(statement.arguments.back()));
    CHECK(write([&](DocumentWriter& documents) { return documents.rename_collection(name, to); }));
    return say("Collection " + quoted + " renamed", "{\"renamed\":" + quoted + ",\"to\":" + quoted_json(to) + "}");
  }
  CHECK(write([&](DocumentWriter& documents) { return documents.drop_collection(name); }));
  return say("Collection " + quoted + " dropped", "{\"dropped\":" + quoted + "}");
}

// --- Completion ------------------------------------------------------------------------------------------------------

std::vector<std::string> ShellSession::collection_names() const {
  std::vector<std::string> names;
  const Status listed = read([&](const DocumentReader& documents) -> Status {
    names = TRY(documents.collections());
    return {};
  });
  if (!listed.is_ok()) names.clear();
  return names;
}

std::string_view shell_help() noexcept {
  return "Collections   db.createCollection(\"x\")  db.dropCollection(\"x\")  db.renameCollection(\"x\", \"y\")\n"
         "              db.collections()\n"
         "Documents     db.x.insert({name: 'Bob'})  db.x.get(\"id\")  db.x.find({age: {$gt: 30}})\n"
         "              ... .sort({age: -1}).skip(1).limit(5).project({age: 1})  .count()  .explain()\n"
         "              db.x.findOne({})  db.x.count({})  db.x.distinct(\"age\")\n"
         "              db.x.update(\"id\", {...})  db.x.update({age: 30}, {$set: {age: 31}})\n"
         "              db.x.updateMany({}, {$inc: {age: 1}})  db.x.upsert({_id: 1})  db.x.replace(\"id\", {...})\n"
         "              db.x.delete(\"id\")  db.x.delete({age: 30})  db.x.drop()\n"
         "Indexes       db.x.createIndex(\"name\", \"field\", \"unique\")  db.x.dropIndex(\"name\")  db.x.indexes()\n"
         "              db.x.query(\"name\", 30)  db.x.queryRange(\"name\", 20, 30)  explain db.x.find({age: 30})\n"
         "References    $ref(\"users\", 7)  db.x.resolve(\"id\")  db.x.resolveDeep(\"id\", 3)\n"
         "Keys          SET key {a: 1}  SET key {a: 1} EX 60  GET key  DELETE key  KEYS  COUNT\n"
         "              INDEX field  FIND field 5\n"
         "Changes       db.keepChanges(1000)  db.watch()  db.x.watch({age: 30})\n"
         "Session       use other  begin  commit  rollback  db.stats()  db.compact()  db.flush()  help  exit\n"
         "An id may be cut short where its beginning is enough. Statements end with ; or a new line.\n";
}

}  // namespace vitrine::cli
