// SPDX-License-Identifier: MIT OR Apache-2.0
// Statements on indexes: made, listed, dropped, and asked directly.
#include "base/try.hpp"
#include "cli/document_access.hpp"
#include "cli/shell_write.hpp"
#include "cli/terminal.hpp"

namespace vitrine::cli {
namespace {

// "age" or {age: 1, name: -1}.
Result<Document> key_of(const ShellArgument& argument) {
  if (is_object(argument)) return document_argument(argument);
  const std::string path = TRY(text_argument(argument));
  return Document::from_json("{" + quoted_json(path) + ":1}");
}

// "unique", "sparse", "unique sparse"
Status apply_words(std::string_view words, IndexDefinition& definition) {
  while (!words.empty()) {
    const std::size_t blank = std::min(words.find(' '), words.size());
    const std::string_view word = words.substr(0, blank);
    if (word != "unique" && word != "sparse" && !word.empty()) return usage_error("an index is unique or sparse");
    definition.unique = definition.unique || word == "unique";
    definition.sparse = definition.sparse || word == "sparse";
    words.remove_prefix(std::min(blank + 1, words.size()));
  }
  return {};
}

Result<Document> holder_of(const ShellArgument& argument) {
  return Document::from_json("{\"v\":" + argument.json + "}");
}

}  // namespace

Status ShellSession::create_index(const std::string& collection, const IndexDefinition& definition) {
  if (txn_) {
    CHECK(write([&](DocumentWriter& documents) { return documents.create_index(collection, definition); }));
  } else {
    CHECK(build_index(db_, collection, definition, [](const Progress&) { return !interrupt_requested(); }));
  }
  const std::string name = quoted_json(definition.name);
  return say("Index " + name + " created on " + definition.key.to_json(), "{\"created\":" + name + "}");
}

Status ShellSession::run_on_indexes(const ShellStatement& statement) {
  switch (statement.verb) {
    case ShellVerb::CreateIndex: {
      IndexDefinition definition;
      definition.name = TRY(text_argument(statement.arguments[0]));
      definition.key = TRY(key_of(statement.arguments[1]));
      if (statement.arguments.size() > 2) CHECK(apply_words(TRY(text_argument(statement.arguments[2])), definition));
      return create_index(statement.collection, definition);
    }
    case ShellVerb::DropIndex: {
      const std::string name = TRY(text_argument(statement.arguments[0]));
      CHECK(write([&](DocumentWriter& documents) { return documents.drop_index(statement.collection, name); }));
      return say("Index " + quoted_json(name) + " dropped", "{\"dropped\":" + quoted_json(name) + "}");
    }
    case ShellVerb::Indexes:
      return read([&](const DocumentReader& documents) -> Status {
        for (const IndexInfo& info : TRY(documents.list_indexes(statement.collection))) {
          CHECK(print_json(index_json(info)));
        }
        return {};
      });
    default:
      return query_index(statement);
  }
}

// query(index, value), queryRange(index, from, before)
Status ShellSession::query_index(const ShellStatement& statement) {
  const std::string name = TRY(text_argument(statement.arguments[0]));
  const Document from = TRY(holder_of(statement.arguments[1]));
  return read([&](const DocumentReader& documents) -> Status {
    Status failed;
    const auto visit = [&](const StoredDocument& found) {
      failed = interrupt_requested() ? Status::error(ErrorCode::Cancelled) : print_json(found.document.to_json());
      return failed.is_ok();
    };
    if (statement.verb == ShellVerb::Query) {
      TRY(documents.query(statement.collection, name, from, visit));
    } else {
      TRY(documents.query_range(statement.collection, name, from, TRY(holder_of(statement.arguments[2])), visit));
    }
    return failed;
  });
}

}  // namespace vitrine::cli
