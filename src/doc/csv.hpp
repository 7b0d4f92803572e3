// SPDX-License-Identifier: MIT OR Apache-2.0
// CSV (RFC 4180) to documents and back; the rules are in vitrine/document_files.hpp.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "doc/bson.hpp"
#include "vitrine/document_files.hpp"

namespace vitrine::doc {

inline constexpr std::size_t kCsvColumnsMax = 10'000;

struct CsvCell {
  ByteString text;
  bool is_quoted = false;
};

// One row, without its newline; a carriage return at its end is none of it. Errors: DocumentMalformed.
Status split_csv_row(Bytes row, char separator, std::vector<CsvCell>& cells);
void append_csv_cell(std::string& to, Bytes text, bool is_text, char separator);

// Makes documents of rows.
class CsvReader {
 public:
  CsvReader(char separator, CellTypes types) noexcept : separator_(separator), types_(types) {}

  bool has_names() const noexcept { return !root_.children.empty(); }
  // The first row. Errors: DocumentMalformed.
  Status take_names(Bytes row);
  // Any other row. Errors: DocumentMalformed, those of check_document.
  Result<Document> read(Bytes row);

 private:
  struct Node {
    std::string name;
    std::size_t column = ~std::size_t{0};  // of a node without children
    std::vector<Node> children;
  };

  static Status add_column(Node& root, Bytes name, std::size_t column);
  void add_members(Builder& to, const Node& node) const;
  void add_cell(Builder& to, Bytes name, const CsvCell& cell) const;
  bool has_cells(const Node& node) const noexcept;
  bool has_cell(std::size_t column) const noexcept;

  const char separator_;
  const CellTypes types_;
  Node root_;
  std::size_t columns_ = 0;
  std::vector<CsvCell> cells_;
};

// Visits what a document spreads over columns: every value by its path, objects opened unless they are empty.
// `visit(path, value)` answers true when the value shall not be opened.
using LeafVisitor = std::function<bool(const std::string& path, const Value& value)>;
void visit_leaves(Bytes document, const LeafVisitor& visit);

class CsvWriter {
 public:
  CsvWriter(char separator, std::vector<std::string> columns);

  void append_names(std::string& to) const;
  void append(std::string& to, Bytes document) const;

 private:
  const char separator_;
  const std::vector<std::string> columns_;
  std::map<std::string, std::size_t, std::less<>> places_;
};

}  // namespace vitrine::doc
