// SPDX-License-Identifier: MIT OR Apache-2.0
// Rows to documents.
#include <algorithm>

#include "base/try.hpp"
#include "doc/csv.hpp"
#include "doc/json.hpp"
#include "doc/path.hpp"

namespace vitrine::doc {
namespace {

Status malformed_row(std::string_view why) { return Status::error(ErrorCode::DocumentMalformed, why); }

bool is_typed(Bytes text) noexcept {
  return text == "null" || text == "true" || text == "false" || is_json_number(text);
}

}  // namespace

Status split_csv_row(Bytes row, char separator, std::vector<CsvCell>& cells) {
  if (row.ends_with('\r')) row.remove_suffix(1);
  cells.clear();
  for (std::size_t at = 0;;) {
    CsvCell& cell = cells.emplace_back();
    cell.is_quoted = at < row.size() && row[at] == '"';
    while (cell.is_quoted) {
      const std::size_t quote = row.find('"', at + 1);
      if (quote == Bytes::npos) return malformed_row("a quoted cell has no end");
      cell.text.append(row.substr(at + 1, quote - at - 1));
      at = quote + 1;
      if (at == row.size() || row[at] != '"') break;
      cell.text.push_back('"');
    }
    const std::size_t end = std::min(row.find(separator, at), row.size());
    if (cell.is_quoted && end != at) return malformed_row("there is more behind the end of a quoted cell");
    if (!cell.is_quoted) cell.text = row.substr(at, end - at);
    if (end == row.size()) return {};
    at = end + 1;
  }
}

Status CsvReader::take_names(Bytes row) {
  CHECK(split_csv_row(row, separator_, cells_));
  if (cells_.size() > kCsvColumnsMax) return malformed_row("more than 10000 columns");
  Node root;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const Status added = add_column(root, cells_[i].text, i);
    if (!added.is_ok()) return added.with("column", i + 1);
  }
  columns_ = cells_.size();
  root_ = std::move(root);
  return {};
}

Status CsvReader::add_column(Node& root, Bytes name, std::size_t column) {
  const std::optional<Path> path = parse_path(name);
  if (!path || name.find('\0') != Bytes::npos) return malformed_row("a column has no name, or a dot without one");
  if (path->size() >= kDocumentDepthMax) return malformed_row("the name of a column has too many dots");
  Node* node = &root;
  bool is_new = false;
  for (const std::string& part : *path) {
    // A node without children is a column, unless this very path has just made it.
    if (node != &root && !is_new && node->children.empty()) return malformed_row("a column is a value and an object");
    const auto child = std::find_if(node->children.begin(), node->children.end(),
                                    [&](const Node& candidate) { return candidate.name == part; });
    is_new = child == node->children.end();
    node = is_new ? &node->children.emplace_back(Node{part, column, {}}) : &*child;
  }
  return is_new ? Status{} : malformed_row("two columns have the same name");
}

bool CsvReader::has_cell(std::size_t column) const noexcept {
  return column < cells_.size() && (cells_[column].is_quoted || !cells_[column].text.empty());
}

bool CsvReader::has_cells(const Node& node) const noexcept {
  if (node.children.empty()) return has_cell(node.column);
  return std::any_of(node.children.begin(), node.children.end(), [&](const Node& child) { return has_cells(child); });
}

void CsvReader::add_cell(Builder& to, Bytes name, const CsvCell& cell) const {
  const bool may_be_typed = types_ == CellTypes::All || (types_ == CellTypes::Bare && !cell.is_quoted);
  if (!may_be_typed || !is_typed(cell.text)) {
    to.add_string(name, cell.text);
  } else if (cell.text == "null") {
    to.add_null(name);
  } else if (cell.text == "true" || cell.text == "false") {
    to.add_bool(name, cell.text == "true");
  } else if (!add_json_number(to, name, cell.text).is_ok()) {
    to.add_string(name, cell.text);  // a number that no type can keep
  }
}

void CsvReader::add_members(Builder& to, const Node& node) const {
  for (const Node& child : node.children) {
    if (!has_cells(child)) continue;
    if (child.children.empty()) {
      add_cell(to, child.name, cells_[child.column]);
    } else {
      to.open_member(child.name, Type::Object);
      add_members(to, child);
      to.close_member();
    }
  }
}

Result<Document> CsvReader::read(Bytes row) {
  CHECK(split_csv_row(row, separator_, cells_));
  if (cells_.size() > columns_) return malformed_row("a row has more cells than there are names");
  Builder builder;
  add_members(builder, root_);
  return Document::from_bson(builder.finish());
}

void append_csv_cell(std::string& to, Bytes text, bool is_text, char separator) {
  const bool is_plain = text.find_first_of("\"\r\n") == Bytes::npos && text.find(separator) == Bytes::npos;
  if (is_plain && !(is_text && (text.empty() || is_typed(text)))) {
    to.append(text);
    return;
  }
  to.push_back('"');
  for (const char character : text) to.append(character == '"' ? 2 : 1, character);
  to.push_back('"');
}

}  // namespace vitrine::doc
