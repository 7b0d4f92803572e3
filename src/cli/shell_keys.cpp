// SPDX-License-Identifier: MIT OR Apache-2.0
// Keys and JSON values: documents {"_id": key, "value": value} of the collection "default".
#include "base/try.hpp"
#include "cli/document_access.hpp"
#include "cli/shell_write.hpp"
#include "cli/terminal.hpp"
#include "vitrine/relaxed_json.hpp"

namespace vitrine::cli {
namespace {

constexpr Bytes kCollection = "default";
constexpr std::uint64_t kSecondsMax = std::uint64_t{1} << 31;

Status no_such_key() { return Status::error(ErrorCode::KeyNotFound); }

// The value in {"_id":...,"value":...}; another document whole.
std::string value_of(const Document& document, const DocumentId& id) {
  const std::string json = document.to_json();
  const std::string head = "{\"_id\":" + id.to_json() + ",\"value\":";
  if (!json.starts_with(head)) return json;
  std::string value = json.substr(head.size(), json.size() - head.size() - 1);
  const Result<JsonValueText> taken = take_relaxed_json(value);
  return taken.has_value() && taken->size == value.size() ? value : json;
}

}  // namespace

Status ShellSession::run_on_keys(const ShellStatement& statement) {
  switch (statement.verb) {
    case ShellVerb::Set:
      return set_key(statement);
    case ShellVerb::GetKey:
      return get_key(statement);
    case ShellVerb::DeleteKey: {
      const DocumentId id(TRY(text_argument(statement.arguments.front())));
      bool was_there = false;
      const Status written = write([&](DocumentWriter& documents) -> Status {
        const Result<bool> removed = documents.remove(kCollection, id);
        if (removed.status().code() == ErrorCode::CollectionNotFound) return {};
        was_there = TRY(removed);
        return {};
      });
      CHECK(written);
      if (!was_there) return no_such_key();
      return say("OK", "{\"deleted\":1}");
    }
    case ShellVerb::Keys:
      return print_keys();
    case ShellVerb::CountKeys:
      return read([&](const DocumentReader& documents) -> Status {
        const Result<std::uint64_t> count = documents.count(kCollection);
        const bool is_empty = count.status().code() == ErrorCode::CollectionNotFound;
        return print_json(std::to_string(is_empty ? 0 : TRY(count)));
      });
    case ShellVerb::IndexField: {
      IndexDefinition definition;
      definition.name = TRY(text_argument(statement.arguments.front()));
      definition.key = TRY(Document::from_json("{" + quoted_json("value." + definition.name) + ":1}"));
      CHECK(write([&](DocumentWriter& documents) { return documents.ensure_collection(kCollection); }));
      return create_index(std::string(kCollection), definition);
    }
    default:
      return find_field(statement);
  }
}

Status ShellSession::set_key(const ShellStatement& statement) {
  const ShellArgument& key = statement.arguments[0];
  const std::string& value = statement.arguments[1].json;
  const Document document = TRY(Document::from_json("{\"_id\":" + key.json + ",\"value\":" + value + "}"));
  Expiry expiry = Expiry::never();
  if (statement.arguments.size() > 2) {
    const std::uint64_t seconds = TRY(number_argument(statement.arguments[2]));
    if (seconds == 0 || seconds > kSecondsMax) return usage_error("EX takes 1 to 2^31 seconds");
    expiry = Expiry::after(std::chrono::seconds(seconds));
  }
  const Status written = write([&](DocumentWriter& documents) -> Status {
    CHECK(documents.ensure_collection(kCollection));
    return documents.set_ex(kCollection, document, expiry).status();
  });
  CHECK(written);
  return say("OK", "{\"set\":" + key.json + "}");
}

Status ShellSession::get_key(const ShellStatement& statement) {
  const DocumentId id(TRY(text_argument(statement.arguments.front())));
  return read([&](const DocumentReader& documents) -> Status {
    const auto found = documents.get(kCollection, id);
    if (found.status().code() == ErrorCode::CollectionNotFound) return no_such_key();
    const std::optional<StoredDocument> document = TRY(found);
    return document ? print_json(value_of(document->document, id)) : no_such_key();
  });
}

Status ShellSession::print_keys() {
  return read([&](const DocumentReader& documents) -> Status {
    Status failed;
    const Result<std::uint64_t> scanned = documents.scan(kCollection, [&](const StoredDocument& found) {
      const Result<DocumentId> id = DocumentId::of(found.document);
      failed = interrupt_requested() ? Status::error(ErrorCode::Cancelled) : id.status();
      if (failed.is_ok()) failed = print_json(id_json(*id));
      return failed.is_ok();
    });
    if (scanned.status().code() == ErrorCode::CollectionNotFound) return {};
    CHECK(scanned.status());
    return failed;
  });
}

// FIND field value: the keys and values whose field has the value.
Status ShellSession::find_field(const ShellStatement& statement) {
  const std::string path = "value." + TRY(text_argument(statement.arguments[0]));
  const Document filter =
      TRY(Document::from_json("{" + quoted_json(path) + ":{\"$eq\":" + statement.arguments[1].json + "}}"));
  return read([&](const DocumentReader& documents) -> Status {
    Status failed;
    const auto visit = [&](const StoredDocument& found) {
      failed = interrupt_requested() ? Status::error(ErrorCode::Cancelled) : print_json(found.document.to_json());
      return failed.is_ok();
    };
    const Result<std::uint64_t> scanned = documents.find(kCollection, filter, {}, visit);
    if (scanned.status().code() == ErrorCode::CollectionNotFound) return {};
    CHECK(scanned.status());
    return failed;
  });
}

}  // namespace vitrine::cli
