// SPDX-License-Identifier: MIT OR Apache-2.0
// Records, and their form for people.
#include "cli/record.hpp"

#include <algorithm>

#include "cli/values.hpp"

namespace vitrine::cli {
namespace {

bool ends_with(std::string_view text, std::string_view end) noexcept {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

std::string number_text(std::string_view name, std::uint64_t value) {
  std::string text = std::to_string(value);
  if (ends_with(name, "_bytes") && value >= 1024) text.append(" (").append(format_size(value)).append(")");
  if (ends_with(name, "_wall_ms") && value != 0) text.append(" (").append(format_utc(value)).append(")");
  return text;
}

std::string scalar_text(const Field& field) {
  if (const auto* number = std::get_if<std::uint64_t>(&field.value)) return number_text(field.name, *number);
  if (const auto* flag = std::get_if<bool>(&field.value)) return *flag ? "yes" : "no";
  if (const auto* real = std::get_if<double>(&field.value)) return format_decimal(*real, 2);
  if (const auto* text = std::get_if<std::string>(&field.value)) return printable(*text);
  return {};
}

void append_padded(std::string& to, std::string_view text, std::size_t width) {
  to.append(text);
  if (text.size() < width) to.append(width - text.size(), ' ');
}

// A heading, a line of column names, and a line for each row; nothing when there are no rows.
void append_table(std::string& to, std::string_view name, const std::vector<Record>& rows) {
  if (rows.empty()) return;
  std::vector<std::vector<std::string>> lines(1);
  for (const Field& field : rows.front().fields()) lines.front().push_back(field.name);
  for (const Record& row : rows) {
    std::vector<std::string>& cells = lines.emplace_back();
    for (const Field& field : row.fields()) cells.push_back(scalar_text(field));
  }
  std::vector<std::size_t> widths(lines.front().size(), 0);
  for (const auto& cells : lines) {
    for (std::size_t i = 0; i < cells.size() && i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], cells[i].size());
    }
  }
  to.append(name).append("\n");
  for (const auto& cells : lines) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      to.append("  ");
      append_padded(to, cells[i], i + 1 < cells.size() ? widths[i] : 0);
    }
    to.push_back('\n');
  }
}

}  // namespace

Record& Record::add(std::string_view name, std::uint64_t value) {
  fields_.push_back({std::string(name), value});
  return *this;
}
Record& Record::add(std::string_view name, bool value) {
  fields_.push_back({std::string(name), value});
  return *this;
}
Record& Record::add(std::string_view name, double value) {
  fields_.push_back({std::string(name), value});
  return *this;
}
Record& Record::add(std::string_view name, std::string_view value) {
  fields_.push_back({std::string(name), std::string(value)});
  return *this;
}
Record& Record::add(std::string_view name, Record value) {
  fields_.push_back({std::string(name), std::move(value)});
  return *this;
}
Record& Record::add(std::string_view name, std::vector<Record> rows) {
  fields_.push_back({std::string(name), std::move(rows)});
  return *this;
}

Record& Record::add_bytes(std::string_view name, Bytes bytes, Encoding encoding) {
  if (encoding == Encoding::Text && is_utf8(bytes)) return add(name, bytes);
  const Encoding used = encoding == Encoding::Text ? Encoding::Base64 : encoding;
  return add(std::string(name).append("_").append(encoding_name(used)), encoded(bytes, used));
}

Record& Record::append(const Record& other) {
  fields_.insert(fields_.end(), other.fields_.begin(), other.fields_.end());
  return *this;
}

inspect::Value value_of(const Record& record) {
  inspect::Value value = inspect::Value::object();
  for (const Field& field : record.fields()) {
    if (const auto* rows = std::get_if<std::vector<Record>>(&field.value)) {
      inspect::Value::List list;
      for (const Record& row : *rows) list.push_back(value_of(row));
      value.add(field.name, std::move(list));
    } else if (const auto* inner = std::get_if<Record>(&field.value)) {
      value.add(field.name, value_of(*inner));
    } else if (const auto* text = std::get_if<std::string>(&field.value)) {
      value.add(field.name, *text);
    } else if (const auto* number = std::get_if<std::uint64_t>(&field.value)) {
      value.add(field.name, *number);
    } else if (const auto* real = std::get_if<double>(&field.value)) {
      value.add(field.name, *real);
    } else {
      value.add(field.name, std::get<bool>(field.value));
    }
  }
  return value;
}

std::string to_text(const Record& record) {
  std::size_t width = 0;
  for (const Field& field : record.fields()) width = std::max(width, field.name.size());
  std::string text;
  for (const Field& field : record.fields()) {
    if (const auto* rows = std::get_if<std::vector<Record>>(&field.value)) {
      append_table(text, field.name, *rows);
    } else if (const auto* inner = std::get_if<Record>(&field.value)) {
      text.append(field.name).append("\n").append(to_text(*inner));
    } else {
      append_padded(text, field.name, width + 2);
      text.append(scalar_text(field)).append("\n");
    }
  }
  return text;
}

}  // namespace vitrine::cli
