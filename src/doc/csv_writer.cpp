// SPDX-License-Identifier: MIT OR Apache-2.0
// Documents to rows.
#include "doc/csv.hpp"
#include "doc/json.hpp"

namespace vitrine::doc {
namespace {

constexpr std::size_t kUuidSize = 16;

std::string uuid_text(Bytes bytes) {
  constexpr std::string_view kHexDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    text.append({kHexDigits[byte >> 4], kHexDigits[byte & 15]});
  }
  return text;
}

// Relaxed JSON; of what Extended JSON writes as {"$type":"text"}, such as a date, the text alone.
std::string cell_text(const Value& value) {
  if (value.type == Type::String) return std::string(value.as_string());
  if (value.type == Type::Binary && value.binary_subtype() == kUuidSubtype && value.as_binary().size() == kUuidSize) {
    return uuid_text(value.as_binary());
  }
  std::string json;
  append_json(json, value, JsonForm::Relaxed);
  const std::size_t colon = json.find("\":\"");
  const bool is_wrapped = !value.is_container() && json.starts_with("{\"$") && colon != std::string::npos;
  return is_wrapped ? json.substr(colon + 3, json.size() - colon - 5) : json;
}

void visit_members(Bytes document, std::string& path, const LeafVisitor& visit) {
  const std::size_t size = path.size();
  for (Elements walk(document); const auto element = walk.next(); path.resize(size)) {
    path.append(size == 0 ? "" : ".").append(element->name);
    const bool may_open = element->value.type == Type::Object && count_members(element->value.bytes) > 0;
    if (!visit(path, element->value) && may_open) visit_members(element->value.bytes, path, visit);
  }
}

}  // namespace

void visit_leaves(Bytes document, const LeafVisitor& visit) {
  std::string path;
  visit_members(document, path, visit);
}

CsvWriter::CsvWriter(char separator, std::vector<std::string> columns)
    : separator_(separator), columns_(std::move(columns)) {
  for (std::size_t i = 0; i < columns_.size(); ++i) places_.emplace(columns_[i], i);
}

void CsvWriter::append_names(std::string& to) const {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (i > 0) to.push_back(separator_);
    append_csv_cell(to, columns_[i], false, separator_);
  }
  to.append("\r\n");
}

void CsvWriter::append(std::string& to, Bytes document) const {
  std::vector<std::string> cells(columns_.size());
  visit_leaves(document, [&](const std::string& path, const Value& value) {
    const auto place = places_.find(path);
    if (place == places_.end()) return false;
    append_csv_cell(cells[place->second], cell_text(value), value.type == Type::String, separator_);
    return true;
  });
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i > 0) to.push_back(separator_);
    to.append(cells[i]);
  }
  to.append("\r\n");
}

}  // namespace vitrine::doc
