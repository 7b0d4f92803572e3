// SPDX-License-Identifier: MIT OR Apache-2.0
#include "cli/sql_output.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/try.hpp"

namespace vitrine::cli {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const sql::Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* number = std::get_if<double>(&value)) return std::isfinite(*number) ? Json(*number) : Json(nullptr);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* blob = std::get_if<sql::Blob>(&value)) return encoded(blob->bytes, Encoding::Hex);
  return nullptr;
}

std::string text_of(const sql::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* blob = std::get_if<sql::Blob>(&value)) return encoded(blob->bytes, Encoding::Hex);
  return std::holds_alternative<std::monostate>(value) ? std::string() : json_of(value).dump();
}

class JsonLines : public SqlOutput {
 public:
  explicit JsonLines(Console& console) : console_(console) {}
  Status add(const sql::Row& row) override {
    Json line = Json::object();
    for (std::size_t i = 0; i < row.columns.size(); ++i) {
      std::string name = row.columns[i];
      while (line.contains(name)) name.append("_");  // two columns of one name
      line[name] = json_of(row.values[i]);
    }
    return console_.write(line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
  }

 private:
  Console& console_;
};

class CsvLines : public SqlOutput {
 public:
  explicit CsvLines(Console& console) : console_(console) {}
  Status add(const sql::Row& row) override {
    if (row.columns != columns_) {
      columns_ = row.columns;
      CHECK(write_line(columns_));
    }
    std::vector<std::string> cells;
    for (const sql::Value& value : row.values) cells.push_back(text_of(value));
    return write_line(cells);
  }

 private:
  Status write_line(const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) line.append(i == 0 ? "" : ",").append(quoted(cells[i]));
    return console_.write(line.append("\r\n"));
  }
  static std::string quoted(const std::string& cell) {
    if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
    std::string text = "\"";
    for (const char c : cell) text.append(c == '"' ? 2 : 1, c);
    return text.append("\"");
  }

  Console& console_;
  std::vector<std::string> columns_;
};

// Columns as wide as the first rows need; later ones may be wider. Control characters are shown as escapes.
class TextTable : public SqlOutput {
 public:
  explicit TextTable(Console& console) : console_(console) {}

  Status add(const sql::Row& row) override {
    if (row.columns != columns_) {
      CHECK(finish());
      columns_ = row.columns;
      rows_.push_back(columns_);
    }
    std::vector<std::string> cells;
    for (const sql::Value& value : row.values) cells.push_back(encoded(text_of(value), Encoding::Text));
    rows_.push_back(std::move(cells));
    return rows_.size() < kRowsMeasured ? Status() : write_rows();
  }

  Status finish() override {
    CHECK(write_rows());
    columns_.clear();
    widths_.clear();
    return {};
  }

 private:
  static constexpr std::size_t kRowsMeasured = 200;

  Status write_rows() {
    const bool is_first = widths_.empty();
    if (is_first) {
      widths_.assign(columns_.size(), 0);
      for (const auto& cells : rows_) {
        for (std::size_t i = 0; i < cells.size(); ++i) widths_[i] = std::max(widths_[i], cells[i].size());
      }
    }
    for (const auto& cells : rows_) {
      std::string line;
      for (std::size_t i = 0; i < cells.size(); ++i) {
        line.append(cells[i]);
        if (i + 1 < cells.size()) line.append(std::max(widths_[i], cells[i].size()) - cells[i].size() + 2, ' ');
      }
      CHECK(console_.write(line.append("\n")));
    }
    rows_.clear();
    return {};
  }

  Console& console_;
  std::vector<std::string> columns_;
  std::vector<std::size_t> widths_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace

std::unique_ptr<SqlOutput> make_sql_output(Console& console, bool as_csv) {
  if (console.json()) return std::make_unique<JsonLines>(console);
  if (as_csv) return std::make_unique<CsvLines>(console);
  return std::make_unique<TextTable>(console);
}

}  // namespace vitrine::cli
