// SPDX-License-Identifier: MIT OR Apache-2.0
#include "sql/plan.hpp"

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>

#include "doc/json.hpp"

namespace vitrine::sql {
namespace {

// A value of SQL as a bound.
struct Bound {
  int type = SQLITE_NULL;
  double number = 0;
  std::string bytes;  // of text and blobs
};

Bound bound_of(sqlite3_value* value) {
  Bound bound;
  bound.type = sqlite3_value_type(value);
  if (bound.type == SQLITE_INTEGER || bound.type == SQLITE_FLOAT) {
    bound.number = sqlite3_value_double(value);
  } else if (bound.type != SQLITE_NULL) {
    const auto* bytes = static_cast<const char*>(sqlite3_value_blob(value));
    if (bytes != nullptr) bound.bytes.assign(bytes, static_cast<std::size_t>(sqlite3_value_bytes(value)));
  }
  return bound;
}

// All that is asked of one column.
struct Range {
  std::optional<Bound> low, high, equal;  // with their ends, because SQLite looks again
  bool is_null = false;
};

bool is_number(const Bound& bound) noexcept { return bound.type == SQLITE_INTEGER || bound.type == SQLITE_FLOAT; }

// Decimals become doubles in SQL, also those close to an integer, so a bound leaves room for their rounding.
void add_number_bound(doc::Builder& to, Bytes op, const Bound& bound, double direction) {
  to.add_double(op, std::nextafter(bound.number, direction));
}

bool may_hold(const Range& range, double number) noexcept {
  return !(range.low && is_number(*range.low) && range.low->number > number) &&
         !(range.high && is_number(*range.high) && range.high->number < number);
}

// Conditions on one path, of which one must hold: BSON as {"$gte": 1}.
class Alternatives {
 public:
  void numbers(const Range& range) {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    const bool has_low = range.low && is_number(*range.low), has_high = range.high && is_number(*range.high);
    doc::Builder condition;
    if (has_low) add_number_bound(condition, "$gte", *range.low, -kInfinity);
    if (has_high) add_number_bound(condition, "$lte", *range.high, kInfinity);
    if (!has_low && !has_high) condition.add_double("$gte", -kInfinity);
    conditions_.push_back(condition.finish());
    if (may_hold(range, 0) || may_hold(range, 1)) truths();
  }

  void truths() {
    doc::Builder condition;
    condition.open_member("$in", doc::Type::Array).add_bool("0", false).add_bool("1", true).close_member();
    conditions_.push_back(condition.finish());
  }

  void strings(const Range& range) {
    doc::Builder condition;
    const bool has_low = range.low && range.low->type == SQLITE_TEXT;
    condition.add_string("$gte", has_low ? Bytes(range.low->bytes) : Bytes());
    if (range.high && range.high->type == SQLITE_TEXT) condition.add_string("$lte", range.high->bytes);
    conditions_.push_back(condition.finish());
  }

  // Everything that is neither null nor a number nor a truth value nor a string.
  void others() {
    static constexpr const char* kNames[] = {"object",    "array", "binData", "objectId", "date",
                                             "timestamp", "regex", "minKey",  "maxKey"};
    doc::Builder condition;
    condition.open_member("$type", doc::Type::Array);
    std::size_t i = 0;
    for (const char* name : kNames) condition.add_string(std::to_string(i++), name);
    conditions_.push_back(condition.close_member().finish());
  }

  void equal_number(const Bound& bound) {
    Range range;
    range.low = range.high = bound;
    numbers(range);
  }

  // A string, and whatever else SQL shows as this text.
  void equal_text(const std::string& text) {
    if (!text.empty() && (text[0] == '{' || text[0] == '[')) return others();
    doc::Builder condition;
    condition.open_member("$in", doc::Type::Array);
    condition.add_string("0", text);
    const char* const wrapper = text.size() == 24 ? "$oid" : text.size() == 36 ? "$uuid" : nullptr;
    const std::optional<std::int64_t> ms = doc::date_from_text(text);
    if (ms) {
      condition.add_date("1", *ms);
    } else if (wrapper != nullptr) {
      const Result<ByteString> holder =
          doc::bson_from_json(std::string("{\"v\":{\"") + wrapper + "\":\"" + text + "\"}}");
      if (holder.has_value()) condition.add("1", *doc::find_member(*holder, "v"));  // else it is no such text
    }
    conditions_.push_back(condition.close_member().finish());
  }

  void null() {
    doc::Builder condition;
    condition.open_member("$in", doc::Type::Array).add_null("0");
    condition.add_double("1", std::numeric_limits<double>::quiet_NaN()).close_member();
    conditions_.push_back(condition.finish());
  }

  const std::vector<ByteString>& conditions() const noexcept { return conditions_; }
  // {path: condition}, or an $or of them.
  void append_to(doc::Builder& filter, const std::string& path) const {
    if (conditions_.size() == 1) {
      filter.add(path, {doc::Type::Object, conditions_[0]});
      return;
    }
    filter.open_member("$or", doc::Type::Array);
    for (std::size_t i = 0; i < conditions_.size(); ++i) {
      filter.open_member(std::to_string(i), doc::Type::Object);
      filter.add(path, {doc::Type::Object, conditions_[i]}).close_member();
    }
    filter.close_member();
  }

 private:
  std::vector<ByteString> conditions_;
};

void add_alternatives(Alternatives& to, const Range& range) {
  if (range.is_null) return to.null();
  if (range.equal) {
    if (range.equal->type == SQLITE_TEXT) return to.equal_text(range.equal->bytes);
    if (is_number(*range.equal)) return to.equal_number(*range.equal);
    return to.others();
  }
  const bool text_above = !range.high || !is_number(*range.high);
  if (!range.low || is_number(*range.low)) to.numbers(range);
  if (!text_above) return;
  if (!range.low || range.low->type != SQLITE_BLOB) to.strings(range);
  to.others();
}

void take(Range& range, unsigned char op, sqlite3_value* value) {
  if (op == SQLITE_INDEX_CONSTRAINT_ISNULL) {
    range.is_null = true;
    return;
  }
  Bound bound = bound_of(value);
  if (op == SQLITE_INDEX_CONSTRAINT_IS && bound.type == SQLITE_NULL) {
    range.is_null = true;
  } else if (op == SQLITE_INDEX_CONSTRAINT_EQ || op == SQLITE_INDEX_CONSTRAINT_IS) {
    range.equal = std::move(bound);
  } else if (op == SQLITE_INDEX_CONSTRAINT_GT || op == SQLITE_INDEX_CONSTRAINT_GE) {
    if (!range.low) range.low = std::move(bound);
  } else if (!range.high) {
    range.high = std::move(bound);
  }
}

}  // namespace

bool is_supported(unsigned char op) noexcept {
  switch (op) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
    case SQLITE_INDEX_CONSTRAINT_IS:
    case SQLITE_INDEX_CONSTRAINT_ISNULL:
    case SQLITE_INDEX_CONSTRAINT_GT:
    case SQLITE_INDEX_CONSTRAINT_GE:
    case SQLITE_INDEX_CONSTRAINT_LT:
    case SQLITE_INDEX_CONSTRAINT_LE:
      return true;
    default:
      return false;
  }
}

Document filter_of(const Plan& plan, const std::vector<Column>& columns, sqlite3_value** arguments) {
  std::map<std::size_t, Range> ranges;
  for (std::size_t i = 0; i < plan.conditions.size(); ++i) {
    take(ranges[plan.conditions[i].column], plan.conditions[i].op, arguments[i]);
  }
  if (ranges.empty()) return Document();
  doc::Builder filter;
  if (ranges.size() > 1) filter.open_member("$and", doc::Type::Array);
  std::size_t count = 0;
  for (const auto& [column, range] : ranges) {
    Alternatives alternatives;
    add_alternatives(alternatives, range);
    if (ranges.size() > 1) filter.open_member(std::to_string(count++), doc::Type::Object);
    alternatives.append_to(filter, columns[column].path);
    if (ranges.size() > 1) filter.close_member();
  }
  if (ranges.size() > 1) filter.close_member();
  return Document::from_bson(filter.finish()).value();
}

Document sorts_differently(const std::string& path) {
  Alternatives alternatives;
  alternatives.truths();
  alternatives.others();
  doc::Builder filter;
  alternatives.append_to(filter, path);
  return Document::from_bson(filter.finish()).value();
}

}  // namespace vitrine::sql
