// SPDX-License-Identifier: MIT OR Apache-2.0
// Arguments of statements as values, and ids by their beginnings.
#include <algorithm>

#include "base/try.hpp"
#include "base/uuid_text.hpp"
#include "cli/record.hpp"
#include "cli/shell_session.hpp"
#include "cli/values.hpp"

namespace vitrine::cli {
namespace {

constexpr std::size_t kUuidDigits = 32;

// The hexadecimal digits of the beginning of a UUID; nothing for other text.
std::optional<std::string> uuid_digits(std::string_view text) {
  std::string digits;
  for (const char character : text) {
    const bool is_digit = (character >= '0' && character <= '9') || (character >= 'a' && character <= 'f') ||
                          (character >= 'A' && character <= 'F');
    if (!is_digit && character != '-') return std::nullopt;
    if (is_digit) digits.push_back(character);
  }
  if (digits.empty() || digits.size() > kUuidDigits) return std::nullopt;
  return digits;
}

// The first or last UUID that begins with `digits`, as JSON.
std::string uuid_bound(std::string digits, char fill) {
  digits.resize(kUuidDigits, fill);
  return "{\"$uuid\":\"" + base::dashed_uuid(std::move(digits)) + "\"}";
}

// Adds the ids in [from, to], at most two.
Status add_ids_between(const DocumentReader& documents, Bytes collection, const std::string& from,
                       const std::string& to, std::vector<DocumentId>& ids) {
  const Document filter =
      TRY(Document::from_json(std::string("{\"_id\":{\"$gte\":").append(from).append(",\"$lte\":") + to + "}}"));
  FindOptions options;
  options.limit = 2;
  Status failed;
  TRY(documents.find(collection, filter, options, [&](const StoredDocument& found) {
    Result<DocumentId> id = DocumentId::of(found.document);
    failed = id.status();
    if (id.has_value()) ids.push_back(*std::move(id));
    return failed.is_ok();
  }));
  return failed;
}

}  // namespace

std::string quoted_json(std::string_view text) {
  // A record's writer quotes what stands in it.
  const std::string object = to_json(Record{}.add("t", text));
  return object.substr(5, object.size() - 6);
}

bool is_object(const ShellArgument& argument) noexcept { return argument.json.starts_with('{'); }

Result<std::string> text_argument(const ShellArgument& argument) {
  std::optional<std::string> text = text_of_json(argument.json);
  if (!text) return usage_error("the argument must be a text");
  return *std::move(text);
}

Result<std::uint64_t> number_argument(const ShellArgument& argument) { return parse_number(argument.json); }

Result<Document> document_argument(const ShellArgument& argument) {
  if (!is_object(argument)) return usage_error("the argument must be an object");
  return Document::from_json(argument.json);
}

Result<std::optional<DocumentId>> find_id(const DocumentReader& documents, Bytes collection,
                                          const ShellArgument& argument) {
  const DocumentId exact = TRY(DocumentId::from_json(argument.json));
  if (TRY(documents.get(collection, exact))) return std::optional<DocumentId>(exact);
  const std::optional<std::string> text = text_of_json(argument.json);
  if (!text || text->empty()) return std::optional<DocumentId>();
  std::vector<DocumentId> ids;
  if (const auto digits = uuid_digits(*text)) {
    CHECK(add_ids_between(documents, collection, uuid_bound(*digits, '0'), uuid_bound(*digits, 'f'), ids));
  }
  // No character is above U+10FFFF.
  const std::string above = argument.json.substr(0, argument.json.size() - 1) + "\xf4\x8f\xbf\xbf\"";
  CHECK(add_ids_between(documents, collection, argument.json, above, ids));
  if (ids.size() > 1) return usage_error("the ids of several documents begin so");
  return ids.empty() ? std::optional<DocumentId>() : std::optional<DocumentId>(ids.front());
}

}  // namespace vitrine::cli
