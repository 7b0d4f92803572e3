// SPDX-License-Identifier: MIT OR Apache-2.0
// BSON as bytes: views of values, walking a document, building one, and the rules that a stored document keeps
// (docs/DOCUMENTS.md). Reading looks at the bytes in place, allocates nothing and stays inside them even when they are
// not well-formed; who needs more than that calls check_document first. Building is ours and not libbson's, because
// that ends the process when memory does.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/codec.hpp"
#include "vitrine/bytes.hpp"
#include "vitrine/status.hpp"

namespace vitrine::doc {

// Limits of a stored document.
inline constexpr std::size_t kDocumentSizeMax = std::size_t{16} << 20;
inline constexpr std::size_t kDocumentDepthMax = 100;  // the document itself is level 1

// The types that a document may hold, by their number in BSON. The deprecated ones are refused on the way in.
enum class Type : std::uint8_t {
  Double = 0x01,
  String = 0x02,
  Object = 0x03,
  Array = 0x04,
  Binary = 0x05,
  ObjectId = 0x07,
  Bool = 0x08,
  Date = 0x09,
  Null = 0x0a,
  Regex = 0x0b,
  Int32 = 0x10,
  Timestamp = 0x11,
  Int64 = 0x12,
  Decimal128 = 0x13,
  MaxKey = 0x7f,
  MinKey = 0xff,
};

inline constexpr std::uint8_t kUuidSubtype = 4;
inline constexpr std::size_t kEmptySize = 5;  // of a document without elements

struct Decimal128 {
  std::uint64_t low = 0, high = 0;
};

// One value: a view of its bytes as BSON has them. The accessors REQUIRE the type that they are named after, and answer
// with zero or nothing when the bytes are too few.
struct Value {
  Type type = Type::Null;
  Bytes bytes;

  template <typename T>
  T fixed(std::size_t at = 0) const noexcept {
    return at + sizeof(T) <= bytes.size() ? base::load<T>(bytes.data() + at) : T{};
  }
  bool is_number() const noexcept {
    return type == Type::Double || type == Type::Int32 || type == Type::Int64 || type == Type::Decimal128;
  }
  bool is_container() const noexcept { return type == Type::Object || type == Type::Array; }

  double as_double() const noexcept { return fixed<double>(); }
  // Of Int32 and Int64.
  std::int64_t as_integer() const noexcept {
    return type == Type::Int32 ? fixed<std::int32_t>() : fixed<std::int64_t>();
  }
  std::int64_t as_date() const noexcept { return fixed<std::int64_t>(); }  // milliseconds since 1970
  std::uint64_t as_timestamp() const noexcept { return fixed<std::uint64_t>(); }
  bool as_bool() const noexcept { return fixed<std::uint8_t>() != 0; }
  Decimal128 as_decimal() const noexcept { return {fixed<std::uint64_t>(0), fixed<std::uint64_t>(8)}; }
  Bytes as_string() const noexcept { return bytes.size() < 5 ? Bytes{} : bytes.substr(4, bytes.size() - 5); }
  Bytes as_document() const noexcept { return bytes; }  // of Object and Array
  Bytes as_binary() const noexcept { return bytes.size() < 5 ? Bytes{} : bytes.substr(5); }
  std::uint8_t binary_subtype() const noexcept { return fixed<std::uint8_t>(4); }
  Bytes regex_pattern() const noexcept { return bytes.substr(0, bytes.find('\0')); }
  Bytes regex_options() const noexcept;
};

// Values for comparisons and bounds.
inline constexpr Value kNull{Type::Null, {}};

struct Element {
  Bytes name;
  Value value;
};

// The names of the elements of an array, one after the other: "0", "1", "2"...
class ElementName {
 public:
  ElementName() noexcept { digits_.fill('0'); }
  Bytes get() const noexcept { return {digits_.data() + begin_, digits_.size() - begin_}; }
  void next() noexcept {
    std::size_t at = digits_.size() - 1;
    while (digits_[at] == '9') {
      digits_[at] = '0';
      if (at == begin_) digits_[--begin_] = '0';
      --at;
    }
    ++digits_[at];
  }

 private:
  std::array<char, 20> digits_;
  std::size_t begin_ = 19;
};

inline constexpr std::size_t kNoSize = ~std::size_t{0};
std::size_t regex_size(Bytes bytes) noexcept;

// Size of the value of type `type` at the front of `bytes`, or kNoSize. Inline, because it is asked for each element of
// each document that is looked at.
inline std::size_t value_size(std::uint8_t type, Bytes bytes) noexcept {
  const auto counted = [&](std::size_t extra, std::size_t least) {
    if (bytes.size() < 4) return kNoSize;
    const auto count = base::load<std::int32_t>(bytes.data());
    if (count < 0 || static_cast<std::size_t>(count) < least) return kNoSize;
    return static_cast<std::size_t>(count) + extra;
  };
  std::size_t size = kNoSize;
  switch (static_cast<Type>(type)) {
    case Type::Null:
    case Type::MinKey:
    case Type::MaxKey:
      return 0;
    case Type::Bool:
      size = 1;
      break;
    case Type::Int32:
      size = 4;
      break;
    case Type::Double:
    case Type::Date:
    case Type::Int64:
    case Type::Timestamp:
      size = 8;
      break;
    case Type::ObjectId:
      size = 12;
      break;
    case Type::Decimal128:
      size = 16;
      break;
    case Type::String:
      size = counted(4, 1);
      break;
    case Type::Object:
    case Type::Array:
      size = counted(0, kEmptySize);
      break;
    case Type::Binary:
      size = counted(5, 0);
      break;
    case Type::Regex:
      return regex_size(bytes);
  }
  return size <= bytes.size() ? size : kNoSize;
}

// Where the name at 1 ends, or npos. Names are short: eight bytes are looked at at once, without a call.
inline std::size_t name_end_of(Bytes element) noexcept {
  constexpr std::uint64_t kLows = 0x0101010101010101, kHighs = 0x8080808080808080;
  if (element.size() <= sizeof(std::uint64_t)) return element.find('\0', 1);
  const auto word = base::load<std::uint64_t>(element.data() + 1);
  const std::uint64_t zeros = (word - kLows) & ~word & kHighs;  // the lowest mark is right, those above it may not be
  if (zeros == 0) return element.find('\0', 1 + sizeof word);
  return 1 + static_cast<std::size_t>(std::countr_zero(zeros)) / 8;
}

// Walks the elements of a document or array. Stops early where the bytes are not well-formed.
//   for (Elements walk(document); const auto element = walk.next();) use(*element);
class Elements {
 public:
  explicit Elements(Bytes document) noexcept {
    if (document.size() < kEmptySize || document.back() != '\0') return;
    if (base::load<std::uint32_t>(document.data()) != document.size()) return;
    rest_ = document.substr(4, document.size() - kEmptySize);
    is_well_formed_ = true;
  }
  std::optional<Element> next() noexcept {
    if (rest_.empty()) return std::nullopt;
    const auto type = static_cast<std::uint8_t>(rest_.front());
    const std::size_t name_end = name_end_of(rest_);
    if (name_end != Bytes::npos) {
      const Bytes name(rest_.data() + 1, name_end - 1), after(rest_.data() + name_end + 1, rest_.size() - name_end - 1);
      if (const std::size_t size = value_size(type, after); size != kNoSize) {
        rest_ = {after.data() + size, after.size() - size};
        return Element{name, {static_cast<Type>(type), {after.data(), size}}};
      }
    }
    is_well_formed_ = false;
    rest_ = {};
    return std::nullopt;
  }
  // After the last next(): everything was consumed as the format says.
  bool is_well_formed() const noexcept { return is_well_formed_; }

 private:
  Bytes rest_;
  bool is_well_formed_ = false;
};

// Is the structure sound that Elements relies on, on all levels, and is every name good? In one loop, because every
// document that is read comes by here.
template <typename IsGood>
bool all_names(Bytes document, const IsGood& is_good) noexcept {
  std::array<const char*, kDocumentDepthMax> ends;  // the last bytes of the documents that are open
  std::size_t depth = 0;
  const auto open = [&](Bytes bytes) {
    if (depth == ends.size() || bytes.size() < kEmptySize || bytes.back() != '\0') return false;
    if (base::load<std::uint32_t>(bytes.data()) != bytes.size()) return false;
    ends[depth++] = bytes.data() + bytes.size() - 1;
    return true;
  };
  if (!open(document)) return false;
  const char* at = document.data() + 4;
  while (depth > 0) {
    if (at == ends[depth - 1]) {
      --depth;
      ++at;
      continue;
    }
    const Bytes element(at, static_cast<std::size_t>(ends[depth - 1] - at));
    const std::size_t name_end = name_end_of(element);
    if (name_end == Bytes::npos || !is_good(Bytes(at + 1, name_end - 1))) return false;
    const auto type = static_cast<Type>(element.front());
    const Bytes after = element.substr(name_end + 1);
    const std::size_t size = value_size(static_cast<std::uint8_t>(type), after);
    if (size == kNoSize) return false;
    const bool is_container = type == Type::Object || type == Type::Array;
    if (is_container && !open(after.substr(0, size))) return false;
    at = after.data() + (is_container ? 4 : size);
  }
  return true;
}

// The names that begin with `$` and may be stored: those of a reference.
inline bool is_reference_name(Bytes name) noexcept { return name == "$ref" || name == "$id" || name == "$db"; }

// The value of the member `name`, or nothing.
std::optional<Value> find_member(Bytes document, Bytes name) noexcept;
std::size_t count_members(Bytes document) noexcept;

// What the readers here rely on, and no more: bounds, depth and known types. For documents of the store, which came in
// through check_document. Errors: DocumentMalformed.
Status check_structure(Bytes document);

// Is `document` exactly one BSON document that may be stored: bounds, size, depth, known types, UTF-8, array names
// 0, 1, 2..., no name twice? Errors: DocumentMalformed, DocumentTooLarge, DocumentTooDeep.
Status check_document(Bytes document);

// Appends elements to a document.
class Builder {
 public:
  Builder() { open(); }
  // For a document of about `size` bytes.
  explicit Builder(std::size_t size) {
    bytes_.reserve(size);
    open();
  }

  Builder& add(Bytes name, Value value);
  Builder& add_double(Bytes name, double value) { return add_fixed(Type::Double, name, value); }
  Builder& add_int32(Bytes name, std::int32_t value) { return add_fixed(Type::Int32, name, value); }
  Builder& add_int64(Bytes name, std::int64_t value) { return add_fixed(Type::Int64, name, value); }
  // Int32 when it fits, as JSON is read.
  Builder& add_integer(Bytes name, std::int64_t value);
  Builder& add_bool(Bytes name, bool value) { return add_fixed(Type::Bool, name, static_cast<std::uint8_t>(value)); }
  Builder& add_date(Bytes name, std::int64_t ms) { return add_fixed(Type::Date, name, ms); }
  Builder& add_timestamp(Bytes name, std::uint64_t value) { return add_fixed(Type::Timestamp, name, value); }
  Builder& add_decimal(Bytes name, Decimal128 value) { return add_fixed(Type::Decimal128, name, value); }
  Builder& add_string(Bytes name, Bytes value);
  Builder& add_binary(Bytes name, Bytes value, std::uint8_t subtype);
  Builder& add_object_id(Bytes name, Bytes twelve_bytes) { return add(name, {Type::ObjectId, twelve_bytes}); }
  Builder& add_regex(Bytes name, Bytes pattern, Bytes options);
  Builder& add_null(Bytes name) { return add(name, kNull); }

  // Between them, add() appends to the member.
  Builder& open_member(Bytes name, Type object_or_array);
  Builder& close_member();

  std::size_t size() const noexcept { return bytes_.size(); }
  std::size_t depth() const noexcept { return depth_; }

  // The document. Ends the use of the builder.
  ByteString finish();

 private:
  template <typename T>
  Builder& add_fixed(Type type, Bytes name, T value) {
    head(type, name);
    base::append_fixed(bytes_, value);
    return *this;
  }
  // Where `size` more bytes of the document go.
  char* extend(std::size_t size) {
    bytes_.resize(bytes_.size() + size);
    return bytes_.data() + bytes_.size() - size;
  }
  void head(Type type, Bytes name);
  void open();

  ByteString bytes_;
  std::size_t depth_ = 0;  // how many documents are open
  std::array<std::size_t, 8> starts_{};
  std::vector<std::size_t> more_starts_;  // of those that lie deeper
};

}  // namespace vitrine::doc
