// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/query.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "doc/compare.hpp"
#include "doc/predicate.hpp"

namespace vitrine::doc {
namespace {

constexpr std::size_t kSortPartsMax = 32;

Status exhausted(std::string_view what) { return Status::error(ErrorCode::BudgetExhausted, what); }

// The first `skip + limit` of the documents given so far, with their keys.
class Sorter {
 public:
  Sorter(const Query& query) : query_(query) {
    const std::uint64_t room = ~std::uint64_t{0} - query.skip;
    wanted_ = query.skip + std::min(query.limit, room);
  }

  Status add(Bytes bson, std::uint64_t version) {
    rows_.push_back({query_.order.key_of(bson), rows_seen_++, ByteString(bson), version});
    bytes_ += size_of(rows_.back());
    // Half of them go at a time, so that the work stays in proportion.
    if (rows_.size() / 2 > wanted_) keep_wanted();
    if (bytes_ > query_.bytes_max) keep_wanted();
    return bytes_ > query_.bytes_max ? exhausted("the documents to sort need more memory than allowed") : Status{};
  }

  std::uint64_t visit(const RecordFunction& visit) {
    std::sort(rows_.begin(), rows_.end(), before);
    std::uint64_t count = 0;
    for (std::uint64_t i = query_.skip; i < rows_.size() && i < wanted_; ++i) {
      ++count;
      if (!visit(rows_[i].bson, rows_[i].version)) break;
    }
    return count;
  }

 private:
  struct Row {
    ByteString key;
    std::uint64_t position;  // in the order of ids, which decides between equal keys
    ByteString bson;
    std::uint64_t version;
  };

  static bool before(const Row& a, const Row& b) {
    const int keys = a.key.compare(b.key);
    return keys != 0 ? keys < 0 : a.position < b.position;
  }
  static std::uint64_t size_of(const Row& row) noexcept { return sizeof(Row) + row.key.size() + row.bson.size(); }

  void keep_wanted() {
    if (rows_.size() <= wanted_) return;
    const auto end = rows_.begin() + static_cast<std::ptrdiff_t>(wanted_);
    std::nth_element(rows_.begin(), end, rows_.end(), before);
    rows_.erase(end, rows_.end());
    bytes_ = 0;
    for (const Row& row : rows_) bytes_ += size_of(row);
  }

  const Query& query_;
  std::uint64_t wanted_ = 0;
  std::vector<Row> rows_;
  std::uint64_t rows_seen_ = 0;
  std::uint64_t bytes_ = 0;
};

}  // namespace

Result<SortOrder> SortOrder::compile(Bytes bson) {
  SortOrder order;
  for (Elements walk(bson); const auto element = walk.next();) {
    std::optional<Path> path = parse_path(element->name);
    const Value& value = element->value;
    const bool is_integer = value.type == Type::Int32 || value.type == Type::Int64;
    const std::int64_t sign = is_integer ? value.as_integer() : 0;
    if (!path || (sign != 1 && sign != -1)) return bad_filter("a sort order is paths with 1 or -1");
    order.parts_.push_back({*std::move(path), sign == 1 ? Direction::Ascending : Direction::Descending});
  }
  if (order.parts_.size() > kSortPartsMax) return bad_filter("a sort order has at most 32 paths");
  return order;
}

ByteString SortOrder::key_of(Bytes document) const {
  ByteString key;
  for (const Part& part : parts_) {
    std::optional<Value> best;
    const auto consider = [&](const Value& value) {
      const int order = best ? compare_values(value, *best) : -1;
      const bool is_better = !best || (part.direction == Direction::Ascending ? order < 0 : order > 0);
      if (is_better) best = value;
    };
    visit_path(document, part.path, [&](const Value* value) {
      if (value == nullptr || value->type != Type::Array) {
        consider(value != nullptr ? *value : kNull);
        return false;
      }
      for (Elements walk(value->bytes); const auto element = walk.next();) consider(element->value);
      return false;
    });
    append_key(key, best.value_or(kNull), part.direction);
  }
  return key;
}

Result<std::uint64_t> run_query(const kv::StoreReader& txn, const Collection& collection, const Query& query,
                                const RecordFunction& visit) {
  if (query.limit == 0) return std::uint64_t{0};
  StepBudget budget(query.steps_max);
  Sorter sorter(query);
  Status failed;
  std::uint64_t skipped = 0, count = 0;
  const auto take = [&](Bytes bson, std::uint64_t version) {
    if (query.order.is_given()) {
      failed = sorter.add(bson, version);
      return failed.is_ok();
    }
    if (skipped < query.skip) {
      ++skipped;
      return true;
    }
    ++count;
    return visit(bson, version) && count < query.limit;
  };
  TRY(scan_documents(txn, collection, [&](Bytes bson, std::uint64_t version) {
    const bool matches = query.filter.matches(bson, budget);
    if (budget.is_exhausted()) failed = exhausted("the query needs more steps than allowed");
    if (!failed.is_ok()) return false;
    return !matches || take(bson, version);
  }));
  CHECK(failed);
  return query.order.is_given() ? sorter.visit(visit) : count;
}

}  // namespace vitrine::doc
