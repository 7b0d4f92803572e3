// SPDX-License-Identifier: MIT OR Apache-2.0
// Statements on a collection: documents in, out and changed.
#include <algorithm>

#include "base/try.hpp"
#include "cli/document_access.hpp"
#include "cli/shell_write.hpp"
#include "cli/terminal.hpp"
#include "cli/values.hpp"
#include "vitrine/document_files.hpp"
#include "vitrine/relaxed_json.hpp"

namespace vitrine::cli {
namespace {

constexpr std::uint64_t kFieldSample = 50;  // documents that completion looks at

Status no_such_document() { return Status::error(ErrorCode::KeyNotFound, "no document has this id"); }

Result<std::vector<Document>> documents_of(const ShellArgument& argument) {
  std::vector<Document> documents;
  if (!argument.json.starts_with('[')) {
    documents.push_back(TRY(document_argument(argument)));
    return documents;
  }
  // The argument is strict JSON with a comma or the end behind each element.
  for (std::size_t at = 1; argument.json[at] != ']'; at += argument.json[at] == ',' ? 1 : 0) {
    const JsonValueText element = TRY(take_relaxed_json(std::string_view(argument.json).substr(at)));
    documents.push_back(TRY(document_argument({element.json, argument.position})));
    at += element.size;
  }
  return documents;
}

// An object is a filter, anything else an id.
Result<Document> filter_of(const DocumentReader& documents, const std::string& collection,
                           const ShellArgument& argument) {
  if (is_object(argument) && !argument.json.starts_with("{\"$")) return document_argument(argument);
  if (is_object(argument)) {
    // {"$or": [...]} is a filter, {"$oid": "..."} an id.
    if (Result<Document> filter = document_argument(argument);
        filter.has_value() && !DocumentId::from_json(argument.json).has_value()) {
      return filter;
    }
  }
  const std::optional<DocumentId> id = TRY(find_id(documents, collection, argument));
  if (!id) return no_such_document();
  return Document::from_json("{\"_id\":" + id->to_json() + "}");
}

struct Finding {
  Document filter;
  FindOptions options;
  bool counts = false;
  bool explains = false;
};

Status apply_call(const ShellCall& call, Finding& finding) {
  if (call.name == "sort") finding.options.sort = TRY(document_argument(call.arguments.front()));
  if (call.name == "skip") finding.options.skip = TRY(number_argument(call.arguments.front()));
  if (call.name == "limit") finding.options.limit = TRY(number_argument(call.arguments.front()));
  if (call.name == "project") finding.options.projection = TRY(document_argument(call.arguments.front()));
  if (call.name == "count") finding.counts = true;
  if (call.name == "explain") finding.explains = true;
  return {};
}

Result<Finding> finding_of(const ShellStatement& statement) {
  Finding finding;
  finding.explains = statement.explains;
  if (!statement.arguments.empty()) finding.filter = TRY(document_argument(statement.arguments[0]));
  if (statement.arguments.size() > 1) finding.options.projection = TRY(document_argument(statement.arguments[1]));
  for (const ShellCall& call : statement.chain) CHECK(apply_call(call, finding));
  if (statement.verb == ShellVerb::FindOne) finding.options.limit = 1;
  return finding;
}

std::string json_of(const UpdateResult& result) {
  std::string json = "{\"matched\":" + std::to_string(result.matched);
  json.append(",\"modified\":").append(std::to_string(result.modified));
  if (result.upserted) json.append(",\"upserted\":").append(id_json(*result.upserted));
  return json.append("}");
}

}  // namespace

Status ShellSession::run_on_collection(const ShellStatement& statement) {
  switch (statement.verb) {
    case ShellVerb::Insert:
      return insert(statement);
    case ShellVerb::Get:
      return get(statement);
    case ShellVerb::Find:
    case ShellVerb::FindOne:
      return find(statement);
    case ShellVerb::Update:
    case ShellVerb::UpdateMany:
      return update(statement);
    case ShellVerb::Upsert:
    case ShellVerb::Replace:
      return replace(statement);
    case ShellVerb::Delete:
      return remove(statement);
    case ShellVerb::Count:
      return count(statement);
    case ShellVerb::Distinct:
      return distinct(statement);
    case ShellVerb::CreateIndex:
    case ShellVerb::DropIndex:
    case ShellVerb::Indexes:
    case ShellVerb::Query:
    case ShellVerb::QueryRange:
      return run_on_indexes(statement);
    case ShellVerb::Resolve:
    case ShellVerb::ResolveDeep:
      return resolve(statement);
    case ShellVerb::WatchCollection:
      return watch(statement);
    case ShellVerb::Drop:
      return change_collection(statement);
    default:
      return read([&](const DocumentReader& documents) -> Status {
        const std::uint64_t count = TRY(documents.count(statement.collection));
        return print_json("{\"documents\":" + std::to_string(count) + "}");
      });
  }
}

Status ShellSession::insert(const ShellStatement& statement) {
  const std::vector<Document> many = TRY(documents_of(statement.arguments.front()));
  std::string json, sentence = "Inserted:";
  const Status written = write([&](DocumentWriter& documents) -> Status {
    CHECK(documents.ensure_collection(statement.collection));
    for (const DocumentId& id : TRY(documents.insert_many(statement.collection, many))) {
      json.append(json.empty() ? "" : ",").append(id_json(id));
      sentence.append(" ").append(id_text(id));
    }
    return {};
  });
  CHECK(written);
  const bool is_list = statement.arguments.front().json.starts_with('[');
  return say(sentence, "{\"inserted\":" + (is_list ? "[" + json + "]" : json) + "}");
}

Status ShellSession::get(const ShellStatement& statement) {
  return read([&](const DocumentReader& documents) -> Status {
    const auto id = TRY(find_id(documents, statement.collection, statement.arguments.front()));
    if (!id) return no_such_document();
    const auto found = TRY(documents.get(statement.collection, *id));
    return found ? print_json(found->document.to_json()) : no_such_document();
  });
}

Status ShellSession::find(const ShellStatement& statement) {
  const Finding finding = TRY(finding_of(statement));
  return read([&](const DocumentReader& documents) -> Status {
    Status failed;
    const auto visit = [&](const StoredDocument& found) {
      failed = interrupt_requested() ? Status::error(ErrorCode::Cancelled) : Status();
      if (failed.is_ok() && !finding.counts) failed = print_json(found.document.to_json());
      return failed.is_ok();
    };
    if (finding.explains) {
      const Explanation plan = TRY(documents.explain(statement.collection, finding.filter, finding.options));
      return print_json(plan.to_document().to_json());
    }
    const std::uint64_t count = TRY(documents.find(statement.collection, finding.filter, finding.options, visit));
    CHECK(failed);
    return finding.counts ? print_json(std::to_string(count)) : Status{};
  });
}

Status ShellSession::update(const ShellStatement& statement) {
  const Document change = TRY(document_argument(statement.arguments[1]));
  if (!statement.arguments[1].json.starts_with("{\"$")) return replace(statement);
  UpdateOptions options;
  options.many = statement.verb == ShellVerb::UpdateMany;
  UpdateResult result;
  const Status written = write([&](DocumentWriter& documents) -> Status {
    const Document filter = TRY(filter_of(documents, statement.collection, statement.arguments[0]));
    result = TRY(documents.update(statement.collection, filter, change, options));
    return {};
  });
  CHECK(written);
  return print_json(json_of(result));
}

// replace(id, document), and update(id, document) without operators; upsert(document), upsert(filter, update).
Status ShellSession::replace(const ShellStatement& statement) {
  if (statement.verb == ShellVerb::UpdateMany) return usage_error("updateMany takes operators such as $set");
  const bool is_upsert = statement.verb == ShellVerb::Upsert;
  UpdateResult result;
  const Status written = write([&](DocumentWriter& documents) -> Status {
    if (is_upsert) CHECK(documents.ensure_collection(statement.collection));
    if (is_upsert && statement.arguments.size() == 1) {
      const Document document = TRY(document_argument(statement.arguments[0]));
      result.matched = result.modified = TRY(documents.upsert(statement.collection, document)) ? 1 : 0;
      return {};
    }
    if (is_upsert) {
      UpdateOptions options;
      options.upsert = true;
      const Document filter = TRY(document_argument(statement.arguments[0]));
      const Document change = TRY(document_argument(statement.arguments[1]));
      result = TRY(documents.update(statement.collection, filter, change, options));
      return {};
    }
    const auto id = TRY(find_id(documents, statement.collection, statement.arguments[0]));
    if (!id) return no_such_document();
    // The id goes first; a document that names another one is refused for naming `_id` twice.
    const std::string& json = statement.arguments[1].json;
    const std::string rest = json == "{}" ? "}" : "," + json.substr(1);
    const Document document = TRY(document_argument(statement.arguments[1]));
    const Result<DocumentId> own = DocumentId::of(document);
    const Document whole = own.has_value() ? document : TRY(Document::from_json("{\"_id\":" + id->to_json() + rest));
    if (own.has_value() && own->to_json() != id->to_json()) return Status::error(ErrorCode::DocumentIdChanged);
    result.matched = result.modified = TRY(documents.replace(statement.collection, whole)) ? 1 : 0;
    return {};
  });
  CHECK(written);
  return print_json(json_of(result));
}

Status ShellSession::remove(const ShellStatement& statement) {
  std::uint64_t removed = 0;
  const Status written = write([&](DocumentWriter& documents) -> Status {
    const Result<Document> filter = filter_of(documents, statement.collection, statement.arguments.front());
    if (filter.status().code() == ErrorCode::KeyNotFound) return {};
    removed = TRY(remove_matching(documents, statement.collection, TRY(filter), ~std::uint64_t{0}));
    return {};
  });
  CHECK(written);
  return print_json("{\"deleted\":" + std::to_string(removed) + "}");
}

Status ShellSession::count(const ShellStatement& statement) {
  const Document filter = statement.arguments.empty() ? Document() : TRY(document_argument(statement.arguments[0]));
  return read([&](const DocumentReader& documents) -> Status {
    return print_json(std::to_string(TRY(documents.count(statement.collection, filter))));
  });
}

Status ShellSession::distinct(const ShellStatement& statement) {
  const std::string path = TRY(text_argument(statement.arguments[0]));
  const Document filter = statement.arguments.size() < 2 ? Document() : TRY(document_argument(statement.arguments[1]));
  return read([&](const DocumentReader& documents) -> Status {
    // {"values":[...]}
    const std::string json = TRY(documents.distinct(statement.collection, path, filter)).to_json();
    return print_json(std::string_view(json).substr(10, json.size() - 11));
  });
}

// resolve: the document with the documents that it refers to directly; resolveDeep: further away.
Status ShellSession::resolve(const ShellStatement& statement) {
  ResolveOptions options;
  if (statement.verb == ShellVerb::Resolve) options.depth = 1;
  if (statement.arguments.size() > 1) {
    options.depth = static_cast<unsigned>(std::min<std::uint64_t>(TRY(number_argument(statement.arguments[1])), 100));
  }
  return read([&](const DocumentReader& documents) -> Status {
    const auto id = TRY(find_id(documents, statement.collection, statement.arguments.front()));
    if (!id) return no_such_document();
    const std::optional<Resolved> resolved = TRY(documents.resolve_deep(statement.collection, *id, options));
    if (!resolved) return no_such_document();
    CHECK(print_json(resolved->document.document.to_json()));
    for (const UnresolvedReference& reference : resolved->unresolved) {
      if (reference.reason == Unresolved::Dangling) console_.warn("a reference leads nowhere: " + reference.path);
    }
    return {};
  });
}

std::vector<std::string> ShellSession::field_names(const std::string& collection) const {
  DocumentColumns columns;
  FindOptions options;
  options.limit = kFieldSample;
  const Status sampled = read([&](const DocumentReader& documents) -> Status {
    return documents
        .find(collection, Document(), options,
              [&](const StoredDocument& found) { return columns.add(found.document).is_ok(); })
        .status();
  });
  return sampled.is_ok() ? columns.names() : std::vector<std::string>();
}

}  // namespace vitrine::cli
