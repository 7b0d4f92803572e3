// SPDX-License-Identifier: MIT OR Apache-2.0
// What a command has to say, as data: named fields in order. One record prints as aligned text for people or as one
// JSON object for programs, so both always say the same under the same stable names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "cli/encoding.hpp"
#include "vitrine/bytes.hpp"
#include "vitrine/inspect.hpp"

namespace vitrine::cli {

struct Field;

class Record {
 public:
  Record& add(std::string_view name, std::uint64_t value);
  Record& add(std::string_view name, bool value);
  Record& add(std::string_view name, double value);
  Record& add(std::string_view name, std::string_view value);
  Record& add(std::string_view name, const char* value) { return add(name, std::string_view(value)); }
  Record& add(std::string_view name, Record value);
  Record& add(std::string_view name, std::vector<Record> rows);  // all rows have the same fields

  // Bytes under `name` when they may be shown as text, else under `name`_hex or `name`_base64: as `encoding` says, and
  // base64 for what is not UTF-8. The name tells the reader how to get the bytes back.
  Record& add_bytes(std::string_view name, Bytes bytes, Encoding encoding);

  // Adds all fields of `other`.
  Record& append(const Record& other);

  const std::vector<Field>& fields() const noexcept { return fields_; }

 private:
  std::vector<Field> fields_;
};

struct Field {
  std::string name;
  std::variant<std::uint64_t, bool, double, std::string, Record, std::vector<Record>> value;
};

inspect::Value value_of(const Record& record);

// "name  value" lines; byte counts and times get a readable form in parentheses; rows become a table.
std::string to_text(const Record& record);
// One line, without a newline at its end. Text that is not UTF-8 has its bad bytes replaced.
std::string to_json(const Record& record);

}  // namespace vitrine::cli
