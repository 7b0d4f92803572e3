// SPDX-License-Identifier: MIT OR Apache-2.0
// The language of the shell: from text to statements as data. It knows no database and prints nothing, so that whatever
// else takes statements, such as a server, can use it.
//
//   db.users.find({age: {$gt: 30}}).sort({age: -1}).limit(5)     values are relaxed JSON (vitrine/relaxed_json.hpp)
//   db["odd name"].insert({a: 1}); db.createCollection("x")     `;` or a new line ends a statement
//   use other        begin, commit, rollback        help        exit        explain db.users.find()
//   SET key {a: 1}        SET key {a: 1} EX 60        GET key        DELETE key        KEYS        COUNT
//   INDEX field        FIND field 5
//
// Names of methods are as they are written here, words such as SET and begin in any case. A line that begins with `//`
// is a comment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/status.hpp"

namespace vitrine::cli {

enum class ShellVerb : std::uint8_t {
  // On the session
  Use,
  Help,
  Exit,
  Begin,
  Commit,
  Rollback,
  // On the database
  CreateCollection,
  DropCollection,
  RenameCollection,
  Collections,
  Stats,
  Compact,
  KeepChanges,
  Watch,
  Flush,
  // On a collection
  Insert,
  Get,
  Find,
  FindOne,
  Update,
  UpdateMany,
  Upsert,
  Replace,
  Delete,
  Count,
  Distinct,
  CreateIndex,
  DropIndex,
  Indexes,
  Query,
  QueryRange,
  Resolve,
  ResolveDeep,
  CollectionStats,
  WatchCollection,
  Drop,
  // On keys and values
  Set,
  GetKey,
  DeleteKey,
  Keys,
  CountKeys,
  IndexField,
  FindField,
};

struct ShellArgument {
  std::string json;          // one value
  std::size_t position = 0;  // in the text of the statements
};

// A call behind the first one: .sort({age: 1})
struct ShellCall {
  std::string name;  // one of shell_chain_names()
  std::vector<ShellArgument> arguments;
  std::size_t position = 0;
};

struct ShellStatement {
  ShellVerb verb = ShellVerb::Help;
  std::string collection;
  std::vector<ShellArgument> arguments;
  std::vector<ShellCall> chain;
  bool explains = false;     // the plan is wanted, not the result
  std::size_t position = 0;  // in the text of the statements
};

// Takes statements from a text one after the other.
class ShellParser {
 public:
  // `first_line`: the number of the line that the text begins with.
  explicit ShellParser(std::string_view text, std::uint64_t first_line = 1) noexcept
      : text_(text), first_line_(first_line) {}

  // Nothing at the end. Errors: ArgumentInvalid and those of relaxed JSON, with the details "line" and "column" (both
  // from 1, columns in bytes); "ends" when the text ends too early, so that more of it may make the statement whole.
  // After an error there is no next statement.
  Result<std::optional<ShellStatement>> next();
  // The error with the place of `statement`, as next() gives it.
  Status placed(const Status& status, const ShellStatement& statement) const {
    return placed(status, statement.position);
  }

 private:
  Result<ShellStatement> statement();
  Result<ShellStatement> database_statement(std::size_t start);
  Result<ShellStatement> word_statement(std::string_view word, std::size_t start);
  Result<ShellStatement> key_statement(ShellVerb verb, std::size_t start);
  Status take_chain(ShellStatement& statement);
  Status take_arguments(std::vector<ShellArgument>& arguments);
  Result<std::vector<std::string>> take_path();
  Result<std::string> take_bracketed_name();
  Result<ShellArgument> take_value();
  Result<ShellArgument> take_key();
  Status check_end();

  std::string_view take_name() noexcept;
  bool take(char expected) noexcept;
  bool take_word(std::string_view expected) noexcept;
  void skip_blanks() noexcept;  // within a line
  void skip_all_blanks() noexcept;
  Status wrong(std::string_view why, std::size_t at) const;
  Status placed(const Status& status, std::size_t at) const;

  std::string_view text_;
  std::uint64_t first_line_;
  std::size_t at_ = 0;
};

// The text that a value of JSON is; nothing when it is no text.
std::optional<std::string> text_of_json(std::string_view json);

// For completion.
std::vector<std::string_view> shell_words();               // use, begin, SET, ...
std::vector<std::string_view> shell_database_methods();    // createCollection, ...
std::vector<std::string_view> shell_collection_methods();  // insert, ...
std::vector<std::string_view> shell_chain_names();         // sort, ...

}  // namespace vitrine::cli
