// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/document_access.hpp"

#include <algorithm>
#include <vector>

#include "base/try.hpp"
#include "base/uuid_text.hpp"
#include "cli/encoding.hpp"
#include "cli/terminal.hpp"
#include "vitrine/relaxed_json.hpp"

namespace vitrine::cli {
namespace {

constexpr std::uint64_t kRemovedAtOnce = 100'000;  // ids held in memory

// The 16 bytes of a UUID; empty for other ids. BSON of {"_id": UUID}: size (4), type, name (4), length (4), subtype,
// bytes, end.
Bytes uuid_of(const DocumentId& id) noexcept {
  constexpr std::size_t kSize = 31, kTypeAt = 4, kSubtypeAt = 13, kBytesAt = 14;
  const Bytes bson = id.bson();
  const bool is_uuid = bson.size() == kSize && bson[kTypeAt] == 5 && bson[kSubtypeAt] == 4;
  return is_uuid ? bson.substr(kBytesAt, 16) : Bytes{};
}

Result<Document> parsed(std::optional<std::string_view> text, std::string_view kind, std::string_view name) {
  if (!text) return Document();
  Result<Document> document = document_from_relaxed_json(*text);
  return document.has_value() ? document : document.status().with(kind, name);
}

}  // namespace

std::string collection_argument(const Arguments& arguments) {
  return std::string(arguments.positional("COLLECTION").value_or(""));
}

Result<Document> document_argument(const Arguments& arguments, std::string_view positional) {
  return parsed(arguments.positional(positional), "argument", positional);
}

Result<Document> document_option(const Arguments& arguments, std::string_view option) {
  return parsed(arguments.value(option), "option", option);
}

std::string id_text(const DocumentId& id) {
  const Bytes uuid = uuid_of(id);
  if (uuid.empty()) return id.to_json();
  return base::dashed_uuid(encoded(uuid, Encoding::Hex));
}

std::string id_json(const DocumentId& id) {
  return uuid_of(id).empty() ? id.to_json() : "{\"$uuid\":\"" + id_text(id) + "\"}";
}

Result<std::uint64_t> remove_matching(DocumentWriter& documents, Bytes collection, const Document& filter,
                                      std::uint64_t limit) {
  std::uint64_t removed = 0;
  for (;;) {
    std::vector<DocumentId> ids;
    Status failed;
    FindOptions options;
    options.limit = std::min(limit - removed, kRemovedAtOnce);
    TRY(documents.find(collection, filter, options, [&](const StoredDocument& found) {
      Result<DocumentId> id = DocumentId::of(found.document);
      failed = interrupt_requested() ? Status::error(ErrorCode::Cancelled) : id.status();
      if (id.has_value()) ids.push_back(*std::move(id));
      return failed.is_ok();
    }));
    CHECK(failed);
    for (const DocumentId& id : ids) TRY(documents.remove(collection, id));
    removed += ids.size();
    if (ids.size() < kRemovedAtOnce || removed == limit) return removed;
  }
}

}  // namespace vitrine::cli
