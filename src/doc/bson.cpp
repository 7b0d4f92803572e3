// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/bson.hpp"

#include <algorithm>
#include <limits>

#include "base/try.hpp"
#include "base/utf8.hpp"
#include "doc/names.hpp"

namespace vitrine::doc {
namespace {

constexpr std::uint8_t kOldBinarySubtype = 2;  // has a second length inside

Status malformed(std::string_view why) { return Status::error(ErrorCode::DocumentMalformed, why); }

Status check_value(const Value& value, std::size_t level);

// `level` is that of the document itself.
Status check_elements(Bytes document, Type type, std::size_t level) {
  if (level > kDocumentDepthMax) return Status::error(ErrorCode::DocumentTooDeep);
  Names names;
  ElementName position;
  Elements walk(document);
  while (const auto element = walk.next()) {
    if (type == Type::Array) {
      if (element->name != position.get()) return malformed("the elements of an array are not numbered 0, 1, 2...");
      position.next();
    } else {
      if (!base::is_utf8(element->name)) return malformed("a member's name is not UTF-8");
      if (!names.add(element->name)) return repeated_name();
    }
    CHECK(check_value(element->value, level));
  }
  if (!walk.is_well_formed()) return malformed("the bytes are not BSON, or hold a type that is not supported");
  return names.all_differ() ? Status{} : repeated_name();
}

Status check_value(const Value& value, std::size_t level) {
  switch (value.type) {
    case Type::String:
      if (value.bytes.back() != '\0') return malformed("a string does not end where it says");
      return base::is_utf8(value.as_string()) ? Status{} : malformed("a string is not UTF-8");
    case Type::Regex: {
      const bool is_text = base::is_utf8(value.regex_pattern()) && base::is_utf8(value.regex_options());
      if (!is_text) return malformed("a regular expression is not UTF-8");
      const Bytes options = value.regex_options();
      const bool is_sorted = std::is_sorted(options.begin(), options.end());
      return is_sorted ? Status{} : malformed("the options of a regular expression are not in order");
    }
    case Type::Bool:
      return value.fixed<std::uint8_t>() <= 1 ? Status{} : malformed("a boolean is neither 0 nor 1");
    case Type::Object:
    case Type::Array:
      return check_elements(value.bytes, value.type, level + 1);
    case Type::Binary:
      if (value.binary_subtype() != kOldBinarySubtype) return {};
      return malformed("binary of the deprecated subtype 2 is not supported");
    default:
      return {};
  }
}

}  // namespace

std::size_t regex_size(Bytes bytes) noexcept {
  const std::size_t pattern = bytes.find('\0');
  const std::size_t options = pattern == Bytes::npos ? Bytes::npos : bytes.find('\0', pattern + 1);
  return options == Bytes::npos ? kNoSize : options + 1;
}

Bytes Value::regex_options() const noexcept {
  const std::size_t end = bytes.find('\0');
  return end == Bytes::npos || bytes.size() < end + 2 ? Bytes{} : bytes.substr(end + 1, bytes.size() - end - 2);
}

std::optional<Value> find_member(Bytes document, Bytes name) noexcept {
  for (Elements walk(document); const auto element = walk.next();) {
    if (element->name == name) return element->value;
  }
  return std::nullopt;
}

std::size_t count_members(Bytes document) noexcept {
  std::size_t count = 0;
  for (Elements walk(document); walk.next();) ++count;
  return count;
}

Status check_structure(Bytes document) {
  return all_names(document, [](Bytes) { return true; }) ? Status{} : malformed("the bytes of a document are damaged");
}

Status check_document(Bytes document) {
  if (document.size() > kDocumentSizeMax) {
    return Status::error(ErrorCode::DocumentTooLarge).with("size", document.size());
  }
  return check_elements(document, Type::Object, 1);
}

// --- Building --------------------------------------------------------------------------------------------------------

void Builder::head(Type type, Bytes name) {
  char* const at = extend(name.size() + 2);
  *at = static_cast<char>(type);
  std::copy(name.begin(), name.end(), at + 1);
}

void Builder::open() {
  if (depth_ < starts_.size()) {
    starts_[depth_] = bytes_.size();
  } else {
    more_starts_.push_back(bytes_.size());
  }
  ++depth_;
  bytes_.append(4, '\0');
}

Builder& Builder::add(Bytes name, Value value) {
  head(value.type, name);
  bytes_.append(value.bytes);
  return *this;
}

Builder& Builder::add_integer(Bytes name, std::int64_t value) {
  const auto narrow = static_cast<std::int32_t>(value);
  return narrow == value ? add_int32(name, narrow) : add_int64(name, value);
}

Builder& Builder::add_string(Bytes name, Bytes value) {
  head(Type::String, name);
  char* const at = extend(value.size() + 5);
  base::store(at, static_cast<std::uint32_t>(value.size() + 1));
  std::copy(value.begin(), value.end(), at + 4);
  return *this;
}

Builder& Builder::add_binary(Bytes name, Bytes value, std::uint8_t subtype) {
  add_fixed(Type::Binary, name, static_cast<std::uint32_t>(value.size()));
  bytes_.push_back(static_cast<char>(subtype));
  bytes_.append(value);
  return *this;
}

Builder& Builder::add_regex(Bytes name, Bytes pattern, Bytes options) {
  head(Type::Regex, name);
  bytes_.append(pattern).push_back('\0');
  bytes_.append(options).push_back('\0');
  return *this;
}

Builder& Builder::open_member(Bytes name, Type object_or_array) {
  head(object_or_array, name);
  open();
  return *this;
}

Builder& Builder::close_member() {
  bytes_.push_back('\0');
  --depth_;
  std::size_t start = 0;
  if (depth_ < starts_.size()) {
    start = starts_[depth_];
  } else {
    start = more_starts_.back();
    more_starts_.pop_back();
  }
  base::store(bytes_.data() + start, static_cast<std::uint32_t>(bytes_.size() - start));
  return *this;
}

ByteString Builder::finish() {
  close_member();
  return std::move(bytes_);
}

}  // namespace vitrine::doc
