// SPDX-License-Identifier: MIT OR Apache-2.0
// Runs the statements of the shell on a database. Each statement is a transaction of its own, unless `begin` has opened
// one; then a statement that fails leaves the transaction as it was before the statement.
//
// Results are strict JSON, one value a line, or for people at a terminal a sentence where that says more.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "cli/arguments.hpp"
#include "cli/console.hpp"
#include "cli/document_access.hpp"
#include "cli/shell_grammar.hpp"
#include "vitrine/database.hpp"
#include "vitrine/documents.hpp"

namespace vitrine::cli {

enum class ShellStyle : bool { Json, People };

class ShellSession {
 public:
  ShellSession(Database db, const Arguments& arguments, ShellStyle style, Console& console)
      : db_(std::move(db)), arguments_(arguments), path_(arguments.database()), style_(style), console_(console) {}

  Status run(const ShellStatement& statement);
  // Rolls back what is open.
  Status close();

  bool is_over() const noexcept { return is_over_; }
  bool in_transaction() const noexcept { return txn_.has_value(); }
  const std::string& path() const noexcept { return path_; }
  bool is_encrypted() const;

  // For completion; empty when they cannot be read.
  std::vector<std::string> collection_names() const;
  std::vector<std::string> field_names(const std::string& collection) const;

 private:
  Status run_on_session(const ShellStatement& statement);
  Status run_on_database(const ShellStatement& statement);
  Status run_on_collection(const ShellStatement& statement);
  Status change_collection(const ShellStatement& statement);
  Status watch(const ShellStatement& statement);
  Status run_on_keys(const ShellStatement& statement);

  Status use(const ShellStatement& statement);
  Status begin();
  Status commit();
  Status rollback();

  Status insert(const ShellStatement& statement);
  Status get(const ShellStatement& statement);
  Status find(const ShellStatement& statement);
  Status update(const ShellStatement& statement);
  Status replace(const ShellStatement& statement);
  Status remove(const ShellStatement& statement);
  Status count(const ShellStatement& statement);
  Status distinct(const ShellStatement& statement);
  Status resolve(const ShellStatement& statement);

  Status run_on_indexes(const ShellStatement& statement);
  Status create_index(const std::string& collection, const IndexDefinition& definition);
  Status query_index(const ShellStatement& statement);

  Status set_key(const ShellStatement& statement);
  Status get_key(const ShellStatement& statement);
  Status print_keys();
  Status find_field(const ShellStatement& statement);

  template <typename Body>
  Status read(Body&& body) const {
    if (txn_) return body(DocumentReader(*txn_));
    return db_.read([&](const ReadTransaction& txn) { return body(DocumentReader(txn)); });
  }
  // `body` gets a DocumentWriter&.
  template <typename Body>
  Status write(Body&& body);

  // What is said: a sentence to people, JSON to programs.
  Status say(std::string_view sentence, std::string_view json);
  Status print_json(std::string_view json) { return console_.write(std::string(json).append("\n")); }

  Database db_;
  const Arguments& arguments_;
  std::string path_;
  const ShellStyle style_;
  Console& console_;
  std::optional<WriteTransaction> txn_;
  std::map<std::string, std::string> watched_;  // tokens, by collection; "": of the database
  bool is_over_ = false;
};

// --- Values of arguments

Result<std::string> text_argument(const ShellArgument& argument);
Result<std::uint64_t> number_argument(const ShellArgument& argument);
Result<Document> document_argument(const ShellArgument& argument);  // an object
bool is_object(const ShellArgument& argument) noexcept;

// The id that an argument means in a collection: the value itself, or a text that a UUID or a text among the ids begins
// with, if only one does. Nothing when there is no such document. Errors: ArgumentInvalid when there are several.
Result<std::optional<DocumentId>> find_id(const DocumentReader& documents, Bytes collection,
                                          const ShellArgument& argument);

std::string_view shell_help() noexcept;

}  // namespace vitrine::cli
