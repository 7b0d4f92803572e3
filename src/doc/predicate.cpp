// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/predicate.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>

#include "base/try.hpp"
#include "doc/compare.hpp"
#include "doc/decimal.hpp"
#include "doc/key_encoding.hpp"

namespace vitrine::doc {
namespace {

constexpr std::size_t kRegexMax = 100;
constexpr std::int64_t kRegexMemory = std::int64_t{1} << 20;
constexpr std::size_t kBytesAStep = 64;

bool is_not_a_number(const Value& value) {
  if (value.type == Type::Double) return std::isnan(value.as_double());
  return value.type == Type::Decimal128 && exact_decimal(value).kind == NumberClass::NotANumber;
}

// Values of the same kind only: 5 is neither below nor above "a". Missing counts as null.
class ComparisonPredicate final : public Predicate {
 public:
  ComparisonPredicate(Comparison comparison, const Value& operand)
      : comparison_(comparison),
        type_(operand.type),
        bytes_(operand.bytes),
        is_not_a_number_(is_not_a_number(operand)),
        is_end_(operand.type == Type::MinKey || operand.type == Type::MaxKey) {}

  bool holds(const Value* value, StepBudget& budget) const override {
    const Value& asked = value != nullptr ? *value : kNull;
    budget.take(1 + std::min(bytes_.size(), asked.bytes.size()) / kBytesAStep);
    const Value operand{type_, bytes_};
    if (kind_of(asked.type) != kind_of(type_) && !(is_end_ && value != nullptr)) return false;
    const int order = compare_values(asked, operand);
    if (order != 0 && (is_not_a_number_ || is_not_a_number(asked))) return false;
    switch (comparison_) {
      case Comparison::Equal:
        return order == 0;
      case Comparison::Less:
        return order < 0;
      case Comparison::LessOrEqual:
        return order <= 0;
      case Comparison::Greater:
        return order > 0;
      case Comparison::GreaterOrEqual:
        return order >= 0;
    }
    return false;
  }

 private:
  Comparison comparison_;
  Type type_;
  ByteString bytes_;
  bool is_not_a_number_;
  bool is_end_;
};

class RegexPredicate final : public Predicate {
 public:
  RegexPredicate(const std::string& pattern, const re2::RE2::Options& options) : regex_(pattern, options) {}
  const re2::RE2& regex() const noexcept { return regex_; }

  bool holds(const Value* value, StepBudget& budget) const override {
    if (value == nullptr || value->type != Type::String) return false;
    const Bytes text = value->as_string();
    if (!budget.take(1 + text.size() / kBytesAStep)) return false;
    return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), regex_);
  }

 private:
  re2::RE2 regex_;
};

class InPredicate final : public Predicate {
 public:
  InPredicate(std::vector<ByteString> keys, std::vector<PredicatePtr> regexes)
      : keys_(std::move(keys)), regexes_(std::move(regexes)) {
    std::sort(keys_.begin(), keys_.end());
  }

  bool holds(const Value* value, StepBudget& budget) const override {
    const Value& asked = value != nullptr ? *value : kNull;
    if (!budget.take(1 + asked.bytes.size() / kBytesAStep)) return false;
    if (std::binary_search(keys_.begin(), keys_.end(), encoded_key(asked))) return true;
    return std::any_of(regexes_.begin(), regexes_.end(),
                       [&](const auto& regex) { return regex->holds(value, budget); });
  }

 private:
  std::vector<ByteString> keys_;
  std::vector<PredicatePtr> regexes_;
};

class ExistsPredicate final : public Predicate {
 public:
  bool holds(const Value* value, StepBudget& budget) const override { return budget.take() && value != nullptr; }
  bool is_about_whole() const noexcept override { return true; }
};

class TypePredicate final : public Predicate {
 public:
  explicit TypePredicate(std::vector<Type> types) : types_(std::move(types)) {}
  bool holds(const Value* value, StepBudget& budget) const override {
    if (!budget.take() || value == nullptr) return false;
    return std::find(types_.begin(), types_.end(), value->type) != types_.end();
  }

 private:
  std::vector<Type> types_;
};

class SizePredicate final : public Predicate {
 public:
  explicit SizePredicate(std::uint64_t size) : size_(size) {}
  bool holds(const Value* value, StepBudget& budget) const override {
    if (value == nullptr || value->type != Type::Array) return false;
    return budget.take(1 + value->bytes.size() / kBytesAStep) && count_members(value->bytes) == size_;
  }
  bool is_about_whole() const noexcept override { return true; }

 private:
  std::uint64_t size_;
};

// The whole part of a number that fits 64 bits.
std::optional<std::int64_t> whole_part(const Value& value) {
  constexpr double kBound = 9223372036854775808.0;
  if (value.type == Type::Int32 || value.type == Type::Int64) return value.as_integer();
  if (value.type == Type::Double) {
    const double number = value.as_double();
    if (!(number >= -kBound && number < kBound)) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  if (value.type != Type::Decimal128) return std::nullopt;
  const Decimal number = exact_decimal(value);
  if (number.kind != NumberClass::Finite || number.exponent > 19) return std::nullopt;
  __extension__ __int128 whole = 0;
  for (std::int32_t i = 0; i < number.exponent; ++i) {
    const auto at = static_cast<std::size_t>(i);
    whole = whole * 10 + (at < number.digits.size() ? number.digits[at] - '0' : 0);
  }
  if (number.is_negative) whole = -whole;
  const auto narrow = static_cast<std::int64_t>(whole);
  return narrow == whole ? std::optional(narrow) : std::nullopt;
}

class ModPredicate final : public Predicate {
 public:
  ModPredicate(std::int64_t divisor, std::int64_t remainder) : divisor_(divisor), remainder_(remainder) {}
  bool holds(const Value* value, StepBudget& budget) const override {
    if (!budget.take() || value == nullptr) return false;
    const std::optional<std::int64_t> number = whole_part(*value);
    if (!number) return false;
    return divisor_ == -1 ? remainder_ == 0 : *number % divisor_ == remainder_;  // the least number / -1 overflows
  }

 private:
  std::int64_t divisor_, remainder_;
};

struct TypeName {
  Bytes name;
  Type type;
};

constexpr TypeName kTypeNames[] = {
    {"double", Type::Double},  {"string", Type::String},      {"object", Type::Object}, {"array", Type::Array},
    {"binData", Type::Binary}, {"objectId", Type::ObjectId},  {"bool", Type::Bool},     {"date", Type::Date},
    {"null", Type::Null},      {"regex", Type::Regex},        {"int", Type::Int32},     {"timestamp", Type::Timestamp},
    {"long", Type::Int64},     {"decimal", Type::Decimal128}, {"minKey", Type::MinKey}, {"maxKey", Type::MaxKey},
    {"number", Type::Double},  {"number", Type::Int32},       {"number", Type::Int64},  {"number", Type::Decimal128},
};

// Adds the types that a name or number stands for.
Status add_types(std::vector<Type>& types, const Value& value) {
  const std::size_t before = types.size();
  const std::optional<std::int64_t> number = value.is_number() ? whole_part(value) : std::nullopt;
  for (const TypeName& row : kTypeNames) {
    const auto code = row.type == Type::MinKey ? -1 : static_cast<std::int64_t>(row.type);
    const bool is_named = value.type == Type::String && value.as_string() == row.name;
    if (is_named || number == code) types.push_back(row.type);
  }
  return types.size() > before ? Status{} : bad_filter("$type takes names or numbers of types");
}

}  // namespace

Status bad_filter(std::string_view why) { return Status::error(ErrorCode::FilterMalformed, why); }

PredicatePtr make_comparison(Comparison comparison, const Value& operand) {
  return std::make_unique<ComparisonPredicate>(comparison, operand);
}

Result<PredicatePtr> make_in(const Value& operand, std::size_t& regex_count) {
  if (operand.type != Type::Array) return bad_filter("$in and $nin take an array");
  std::vector<ByteString> keys;
  std::vector<PredicatePtr> regexes;
  for (Elements walk(operand.bytes); const auto element = walk.next();) {
    const Value& value = element->value;
    keys.push_back(encoded_key(value));
    if (value.type == Type::Regex) {
      regexes.push_back(TRY(make_regex(value.regex_pattern(), value.regex_options(), regex_count)));
    }
  }
  return PredicatePtr(std::make_unique<InPredicate>(std::move(keys), std::move(regexes)));
}

Result<PredicatePtr> make_exists(const Value& operand, bool& is_negated) {
  const bool is_number = operand.is_number() && !is_not_a_number(operand);
  if (operand.type != Type::Bool && !is_number) return bad_filter("$exists takes true or false");
  const bool wants = operand.type == Type::Bool ? operand.as_bool() : !exact_decimal(operand).digits.empty();
  is_negated = !wants;
  return PredicatePtr(std::make_unique<ExistsPredicate>());
}

Result<PredicatePtr> make_type(const Value& operand) {
  std::vector<Type> types;
  if (operand.type == Type::Array) {
    for (Elements walk(operand.bytes); const auto element = walk.next();) CHECK(add_types(types, element->value));
    if (types.empty()) return bad_filter("$type takes at least one type");
  } else {
    CHECK(add_types(types, operand));
  }
  std::sort(types.begin(), types.end());
  types.erase(std::unique(types.begin(), types.end()), types.end());
  return PredicatePtr(std::make_unique<TypePredicate>(std::move(types)));
}

Result<PredicatePtr> make_size(const Value& operand) {
  const std::optional<std::int64_t> size = whole_part(operand);
  const bool is_whole =
      size && compare_decimals(exact_decimal(operand), exact_decimal(static_cast<double>(*size))) == 0;
  if (!is_whole || *size < 0) return bad_filter("$size takes a whole number that is not negative");
  return PredicatePtr(std::make_unique<SizePredicate>(static_cast<std::uint64_t>(*size)));
}

Result<PredicatePtr> make_mod(const Value& operand) {
  std::vector<std::int64_t> numbers;
  if (operand.type == Type::Array) {
    for (Elements walk(operand.bytes); const auto element = walk.next();) {
      const std::optional<std::int64_t> number = whole_part(element->value);
      if (number && numbers.size() < 3) numbers.push_back(*number);
    }
  }
  const bool is_pair = numbers.size() == 2 && count_members(operand.bytes) == 2;
  if (!is_pair || numbers[0] == 0) return bad_filter("$mod takes a divisor that is not zero and a remainder");
  return PredicatePtr(std::make_unique<ModPredicate>(numbers[0], numbers[1]));
}

Result<PredicatePtr> make_regex(Bytes pattern, Bytes options, std::size_t& regex_count) {
  if (++regex_count > kRegexMax) return bad_filter("a filter has at most 100 regular expressions");
  if (options.find_first_not_of("ims") != Bytes::npos) {
    return bad_filter("options of regular expressions are i, m and s");
  }
  re2::RE2::Options settings;
  settings.set_log_errors(false);
  settings.set_max_mem(kRegexMemory);
  const std::string flags = options.empty() ? "" : "(?" + std::string(options) + ")";
  auto predicate = std::make_unique<RegexPredicate>(flags + std::string(pattern), settings);
  if (!predicate->regex().ok()) {
    return bad_filter("the regular expression is not understood").with("reason", predicate->regex().error());
  }
  return PredicatePtr(std::move(predicate));
}

}  // namespace vitrine::doc
