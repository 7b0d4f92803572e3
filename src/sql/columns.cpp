// SPDX-License-Identifier: MIT OR Apache-2.0
#include "sql/columns.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "base/try.hpp"
#include "base/uuid_text.hpp"
#include "doc/decimal.hpp"
#include "doc/json.hpp"
#include "sql/table.hpp"

namespace vitrine::sql {
namespace {

constexpr std::uint64_t kSampledDocuments = 256;
constexpr std::size_t kColumnsMax = 500;  // what is beyond is in _doc
constexpr std::int64_t kDayMs = 24 * 60 * 60 * 1000;

Kind kind_of(doc::Type type) noexcept {
  switch (type) {
    case doc::Type::Bool:
      return Kind::Bool;
    case doc::Type::Date:
      return Kind::Date;
    case doc::Type::Object:
    case doc::Type::Array:
      return Kind::Json;
    default:
      return Kind::Any;
  }
}

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return result;
}

// SQL names differ in more than case: a second "Name" beside "name" becomes "Name_2".
std::string free_name(const std::map<std::string, std::size_t>& taken, const std::string& name) {
  std::string candidate = name;
  for (int i = 2; taken.contains(lower(candidate)); ++i) candidate = name + "_" + std::to_string(i);
  return candidate;
}

std::string hex(Bytes bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<std::uint8_t>(c);
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

void give_json(sqlite3_context* to, const doc::Value& value) {
  std::string json;
  doc::append_json(json, value, JsonForm::Relaxed);
  give_text(to, json);
}

// "2024-02-29T11:04:56.700Z", which SQLite's date functions read; as JSON when the year has no four digits.
void give_date(sqlite3_context* to, const doc::Value& value) {
  using std::chrono::sys_days;
  const std::int64_t ms = value.as_date();
  const std::int64_t day = ms >= 0 ? ms / kDayMs : -((-(ms + 1)) / kDayMs) - 1;
  constexpr std::int64_t kFirstDay = -719528, kLastDay = 2932896;  // of the years 0 and 9999
  if (day < kFirstDay || day > kLastDay) return give_json(to, value);
  const std::chrono::year_month_day date{sys_days(std::chrono::days(static_cast<int>(day)))};
  const auto rest = static_cast<int>(ms - day * kDayMs);
  char text[40];
  const int size =
      std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), rest / 3'600'000,
                    rest / 60'000 % 60, rest / 1000 % 60, rest % 1000);
  give_text(to, Bytes(text, static_cast<std::size_t>(size)));
}

void give_binary(sqlite3_context* to, const doc::Value& value) {
  const Bytes bytes = value.as_binary();
  if (value.binary_subtype() == doc::kUuidSubtype && bytes.size() == 16)
    return give_text(to, base::dashed_uuid(hex(bytes)));
  sqlite3_result_blob64(to, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
}

Status misfit(std::string_view what) { return Status::error(ErrorCode::SqlRejected, what); }

Status append_text(doc::Builder& to, Bytes name, Bytes text, Kind kind) {
  if (kind == Kind::Date) {
    const std::optional<std::int64_t> ms = doc::date_from_text(text);
    if (!ms) return misfit("the column holds dates, and the text is not one in ISO 8601");
    to.add_date(name, *ms);
    return {};
  }
  if (kind == Kind::Json) {
    const ByteString holder = TRY(doc::bson_from_json("{\"v\":" + std::string(text) + "}"));
    if (doc::count_members(holder) != 1) return misfit("the text holds more than one JSON value");
    to.add(name, *doc::find_member(holder, "v"));
    return {};
  }
  to.add_string(name, text);
  return {};
}

}  // namespace

std::string quoted_name(Bytes name) {
  std::string quoted = "\"";
  for (const char c : name) quoted.append(c == '"' ? 2 : 1, c);
  return quoted.append("\"");
}

Result<std::vector<Column>> infer_columns(const DocumentReader& documents, Bytes collection) {
  std::vector<Column> columns{{"_id", "_id", Kind::Any}};
  std::map<std::string, std::size_t> taken{{"_id", 0}, {"_doc", 0}};
  std::map<std::string, std::size_t, std::less<>> places{{"_id", 0}};
  FindOptions options;
  options.limit = kSampledDocuments;
  options.any_order = true;
  TRY(documents.find(collection, Document(), options, [&](const StoredDocument& found) {
    for (doc::Elements walk(found.document.bson()); const auto element = walk.next();) {
      const auto place = places.find(element->name);
      const Kind kind = kind_of(element->value.type);
      if (place != places.end()) {
        Column& column = columns[place->second];
        if (element->value.type != doc::Type::Null && column.kind != kind) column.kind = Kind::Any;
      } else if (columns.size() < kColumnsMax && element->name.find('.') == Bytes::npos && !element->name.empty()) {
        std::string name = free_name(taken, std::string(element->name));
        taken.emplace(lower(name), columns.size());
        places.emplace(element->name, columns.size());
        columns.push_back({std::move(name), std::string(element->name), kind});
      }
    }
    return true;
  }));
  return columns;
}

std::optional<doc::Value> value_at(Bytes document, std::string_view path) noexcept {
  for (;;) {
    const std::size_t dot = path.find('.');
    const std::optional<doc::Value> value = doc::find_member(document, path.substr(0, dot));
    if (dot == std::string_view::npos || !value) return value;
    if (value->type != doc::Type::Object) return std::nullopt;
    document = value->bytes;
    path.remove_prefix(dot + 1);
  }
}

void give_value(sqlite3_context* to, const doc::Value& value) {
  switch (value.type) {
    case doc::Type::Null:
      return sqlite3_result_null(to);
    case doc::Type::Bool:
      return sqlite3_result_int(to, value.as_bool() ? 1 : 0);
    case doc::Type::Int32:
    case doc::Type::Int64:
      return sqlite3_result_int64(to, value.as_integer());
    case doc::Type::Double:
      return sqlite3_result_double(to, value.as_double());
    case doc::Type::Decimal128:
      return sqlite3_result_double(to, std::strtod(doc::decimal128_to_text(value.as_decimal()).c_str(), nullptr));
    case doc::Type::String:
      return give_text(to, value.as_string());
    case doc::Type::Date:
      return give_date(to, value);
    case doc::Type::ObjectId:
      return give_text(to, hex(value.bytes));
    case doc::Type::Binary:
      return give_binary(to, value);
    default:
      return give_json(to, value);
  }
}

Status append_value(doc::Builder& to, Bytes name, sqlite3_value* value, Kind kind) {
  const auto size = static_cast<std::size_t>(sqlite3_value_bytes(value));
  switch (sqlite3_value_type(value)) {
    case SQLITE_NULL:
      to.add_null(name);
      return {};
    case SQLITE_FLOAT:
      to.add_double(name, sqlite3_value_double(value));
      return {};
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const char*>(sqlite3_value_blob(value));
      to.add_binary(name, Bytes(bytes, bytes == nullptr ? 0 : size), 0);
      return {};
    }
    case SQLITE_INTEGER: {
      const std::int64_t number = sqlite3_value_int64(value);
      if (kind == Kind::Bool && (number == 0 || number == 1)) {
        to.add_bool(name, number == 1);
      } else {
        to.add_integer(name, number);
      }
      return {};
    }
    default:
      break;
  }
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  if (text == nullptr) return Status::out_of_memory();
  return append_text(to, name, Bytes(text, static_cast<std::size_t>(sqlite3_value_bytes(value))), kind);
}

}  // namespace vitrine::sql
