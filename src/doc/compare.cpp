// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/compare.hpp"

#include <cmath>

#include "doc/decimal.hpp"

namespace vitrine::doc {
namespace {

template <typename T>
int order(const T& a, const T& b) noexcept {
  return a < b ? -1 : b < a ? 1 : 0;
}

int compare_doubles(double a, double b) noexcept {
  if (std::isnan(a) || std::isnan(b)) return static_cast<int>(std::isnan(b)) - static_cast<int>(std::isnan(a));
  return order(a, b);
}

bool is_exact_double(std::int64_t value) noexcept {
  constexpr std::int64_t kBound = std::int64_t{1} << 53;
  return -kBound <= value && value <= kBound;
}

int compare_numbers(const Value& a, const Value& b) {
  const bool a_is_integer = a.type == Type::Int32 || a.type == Type::Int64;
  const bool b_is_integer = b.type == Type::Int32 || b.type == Type::Int64;
  if (a_is_integer && b_is_integer) return order(a.as_integer(), b.as_integer());
  if (a.type == Type::Double && b.type == Type::Double) return compare_doubles(a.as_double(), b.as_double());
  if (a_is_integer && b.type == Type::Double && is_exact_double(a.as_integer())) {
    return compare_doubles(static_cast<double>(a.as_integer()), b.as_double());
  }
  if (a.type == Type::Double && b_is_integer) return -compare_numbers(b, a);
  return compare_decimals(exact_decimal(a), exact_decimal(b));
}

int compare_at(const Value& a, const Value& b, std::size_t depth);

// What nests deeper than documents may is passed over: a damaged file could hold it.
int compare_elements(Bytes a, Bytes b, bool with_names, std::size_t depth) {
  if (depth > kDocumentDepthMax) return 0;
  Elements walk_a(a), walk_b(b);
  for (;;) {
    const auto x = walk_a.next(), y = walk_b.next();
    if (!x || !y) return static_cast<int>(x.has_value()) - static_cast<int>(y.has_value());
    if (with_names) {
      if (const int kinds = order(kind_of(x->value.type), kind_of(y->value.type))) return kinds;
      if (const int names = order(x->name, y->name)) return names;
    }
    if (const int values = compare_at(x->value, y->value, depth + 1)) return values;
  }
}

int compare_binary(const Value& a, const Value& b) {
  if (const int sizes = order(a.bytes.size(), b.bytes.size())) return sizes;
  if (const int subtypes = order(a.binary_subtype(), b.binary_subtype())) return subtypes;
  return order(a.as_binary(), b.as_binary());
}

int compare_regex(const Value& a, const Value& b) {
  const int patterns = order(a.regex_pattern(), b.regex_pattern());
  return patterns != 0 ? patterns : order(a.regex_options(), b.regex_options());
}

int compare_at(const Value& a, const Value& b, std::size_t depth) {
  if (const int kinds = order(kind_of(a.type), kind_of(b.type))) return kinds;
  switch (kind_of(a.type)) {
    case Kind::MinKey:
    case Kind::Null:
    case Kind::MaxKey:
      return 0;
    case Kind::Number:
      return compare_numbers(a, b);
    case Kind::String:
      return order(a.as_string(), b.as_string());
    case Kind::Object:
    case Kind::Array:
      return compare_elements(a.bytes, b.bytes, a.type == Type::Object, depth);
    case Kind::Binary:
      return compare_binary(a, b);
    case Kind::ObjectId:
      return order(a.bytes, b.bytes);
    case Kind::Bool:
      return order(a.as_bool(), b.as_bool());
    case Kind::Date:
      return order(a.as_date(), b.as_date());
    case Kind::Timestamp:
      return order(a.as_timestamp(), b.as_timestamp());
    case Kind::Regex:
      return compare_regex(a, b);
  }
  return 0;
}

}  // namespace

Kind kind_of(Type type) noexcept {
  switch (type) {
    case Type::MinKey:
      return Kind::MinKey;
    case Type::Null:
      return Kind::Null;
    case Type::Double:
    case Type::Int32:
    case Type::Int64:
    case Type::Decimal128:
      return Kind::Number;
    case Type::String:
      return Kind::String;
    case Type::Object:
      return Kind::Object;
    case Type::Array:
      return Kind::Array;
    case Type::Binary:
      return Kind::Binary;
    case Type::ObjectId:
      return Kind::ObjectId;
    case Type::Bool:
      return Kind::Bool;
    case Type::Date:
      return Kind::Date;
    case Type::Timestamp:
      return Kind::Timestamp;
    case Type::Regex:
      return Kind::Regex;
    case Type::MaxKey:
      break;
  }
  return Kind::MaxKey;
}

int compare_values(const Value& a, const Value& b) { return compare_at(a, b, 0); }

int compare_documents(Bytes a, Bytes b) { return compare_elements(a, b, true, 0); }

}  // namespace vitrine::doc
