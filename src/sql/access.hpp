// SPDX-License-Identifier: MIT OR Apache-2.0
// What the tables of a session share: the transactions of the database behind SQLite's, the first error, and the
// documents that rows stand for.
//
// Reading begins a snapshot, which lasts as long as SQLite's transaction. Writing begins a write transaction, which
// must see the same state: if another one committed in between, that is a conflict. SQLite knows each table apart and
// calls each of them at its commit; the first call commits for all.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sql/plan.hpp"
#include "vitrine/database.hpp"
#include "vitrine/documents.hpp"

namespace vitrine::sql {

class Access {
 public:
  Access(Database* db, std::string path, const Options& options) : db_(db), path_(std::move(path)), options_(options) {}

  const std::string& path() const noexcept { return path_; }
  const Options& options() const noexcept { return options_; }
  Database* database() const noexcept { return db_; }

  // The transaction to read through. Errors: as begin_read.
  Result<const Transaction*> reader();
  // REQUIRES: begin_write() was successful.
  WriteTransaction& writer() noexcept { return *writer_; }
  bool is_writing() const noexcept { return writer_.has_value(); }

  // Errors: CommitConflict, and as Database::begin_write.
  Status begin_write();
  Status commit();
  void rollback() noexcept;
  // Ends the snapshot. Savepoints by SQLite's numbers, each set and undone once however many tables ask for it.
  void end_read() noexcept { reader_.reset(); }
  Status set_savepoint(std::size_t number);
  void release_savepoint(std::size_t number);
  Status rollback_to(std::size_t number);

  // The number by which a row with this document can be changed later in the statement.
  std::int64_t remember(const DocumentId& id);
  const DocumentId* remembered(std::int64_t number) const noexcept;
  // Plans by the number that SQLite keeps for them.
  std::vector<Plan>& plans() noexcept { return plans_; }
  void begin_statement() noexcept {
    documents_.clear();
    plans_.clear();
  }

  // The first failure counts: SQLite keeps only its text.
  void fail(const Status& status);
  Status take_failure() noexcept;

 private:
  Database* db_;
  std::string path_;
  Options options_;
  std::optional<ReadTransaction> reader_;
  std::optional<WriteTransaction> writer_;
  std::vector<Savepoint> savepoints_;
  std::vector<DocumentId> documents_;
  std::vector<Plan> plans_;
  Status failure_;
};

}  // namespace vitrine::sql
