// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/plan.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "doc/store_documents.hpp"

namespace vitrine::doc {
namespace {

constexpr Bytes kScanHint = "$scan";
constexpr std::size_t kRangesMax = 100'000;
constexpr std::size_t kAlternativesMax = 64;
constexpr std::uint64_t kProbeFirst = 16, kProbeLast = 1024;
constexpr std::size_t kSampleSize = 64;

// One way to read, and what it is good for.
struct Candidate {
  Plan::Read read;
  std::size_t used = 0, points = 0;  // leading paths
  bool gives_order = false;
  bool may_repeat = false;
  bool is_exact = false;   // the ranges say all that the filter does
  std::uint64_t keys = 0;  // in its ranges, as far as counted
};

// The set of keys of one path. Where documents can have several values, different ones may meet different conditions,
// and only one condition can be used.
struct PathRanges {
  KeyRanges ranges = all_keys();
  bool is_exact = true;
};

PathRanges ranges_of_path(const Conditions& conditions, Bytes path, bool is_multikey) {
  PathRanges result;
  const auto width = [](const KeyRanges& ranges) {
    const bool has_points = std::all_of(ranges.begin(), ranges.end(), [](const KeyRange& r) { return r.is_point; });
    return has_points ? ranges.size() : kRangesMax;
  };
  for (const Condition& condition : conditions.all) {
    if (condition.path != path || is_all(condition.ranges)) continue;
    if (is_all(result.ranges)) {
      result.ranges = condition.ranges;
    } else if (!is_multikey) {
      result.ranges = intersect(result.ranges, condition.ranges);
    } else {
      result.is_exact = false;
      if (width(condition.ranges) < width(result.ranges)) result.ranges = condition.ranges;
    }
  }
  return result;
}

// Is every condition one that the ranges of the leading `used` paths say exactly?
bool says_all(const Index& index, const Conditions& conditions, std::size_t used) {
  if (!conditions.is_whole) return false;
  return std::all_of(conditions.all.begin(), conditions.all.end(), [&](const Condition& condition) {
    const auto end = index.parts.begin() + static_cast<std::ptrdiff_t>(used);
    const bool is_used =
        std::any_of(index.parts.begin(), end, [&](const IndexPart& part) { return part.name == condition.path; });
    return condition.is_exact && is_used;
  });
}

bool may_use(const Index& index, const Conditions& conditions) {
  if (index.is_building) return false;
  if (!index.partial.empty() && !implies(conditions, index.partial)) return false;
  if (!index.sparse) return true;
  return std::any_of(conditions.all.begin(), conditions.all.end(), [&](const Condition& condition) {
    return condition.needs_value && std::any_of(index.parts.begin(), index.parts.end(),
                                                [&](const IndexPart& part) { return part.name == condition.path; });
  });
}

enum class Given : std::uint8_t { No, Up, Down };

// Do the entries come in this order? Leading paths with one value are passed over; behind the order nothing may follow
// that would put equal documents in another order than that of their ids.
Given order_given(const Index& index, const std::vector<KeyRanges>& parts, const IndexRanges& ranges,
                  const SortOrder& order) {
  const auto is_constant = [&](std::size_t part) {
    return part < ranges.points && parts[part].size() == 1 && !index.is_multikey(part);
  };
  std::size_t at = 0;
  Given given = Given::No;
  for (const SortOrder::Part& wanted : order.parts()) {
    const auto is_wanted = [&](const IndexPart& part) { return part.name == wanted.name; };
    while (at < index.parts.size() && is_constant(at) && !is_wanted(index.parts[at])) ++at;
    if (at == index.parts.size()) {
      const bool is_id = wanted.name == kIdName && wanted.direction == Direction::Ascending;
      if (is_id && &wanted == &order.parts().back()) break;
      return Given::No;
    }
    if (!is_wanted(index.parts[at])) {
      // A path that has one value everywhere orders nothing.
      const auto named = std::find_if(index.parts.begin(), index.parts.end(), is_wanted);
      if (named != index.parts.end() && is_constant(static_cast<std::size_t>(named - index.parts.begin()))) continue;
      return Given::No;
    }
    if (index.is_multikey(at) && !is_all(parts[at])) return Given::No;
    if (!is_constant(at)) {
      const Given here = wanted.direction == index.parts[at].direction ? Given::Up : Given::Down;
      if (given != Given::No && given != here) return Given::No;
      given = here;
    }
    ++at;
  }
  while (at < index.parts.size() && is_constant(at)) ++at;
  if (at < index.parts.size()) return Given::No;
  return given == Given::No ? Given::Up : given;
}

Candidate candidate_for(const Index& index, const Conditions& conditions, const SortOrder& order) {
  std::vector<KeyRanges> parts;
  bool is_exact = true;
  for (std::size_t i = 0; i < index.parts.size(); ++i) {
    PathRanges path = ranges_of_path(conditions, index.parts[i].name, index.is_multikey(i));
    is_exact &= path.is_exact;
    parts.push_back(std::move(path.ranges));
  }
  IndexRanges ranges = index_ranges(index, parts, kRangesMax);
  Candidate candidate;
  candidate.used = ranges.used;
  candidate.points = ranges.points;
  candidate.may_repeat = index.multikey != 0;
  candidate.is_exact = is_exact && says_all(index, conditions, ranges.used);
  const Given given = order.is_given() ? order_given(index, parts, ranges, order) : Given::No;
  candidate.gives_order = given != Given::No;
  candidate.read = {&index, {}};
  candidate.read.scan.is_equality = ranges.points == index.parts.size();
  // Equal keys lie in the order of ids.
  candidate.gives_order |= !order.is_given() && candidate.read.scan.is_equality && ranges.ranges.size() == 1;
  candidate.read.scan.reverse = given == Given::Down;
  candidate.read.scan.ranges = std::move(ranges.ranges);
  return candidate;
}

// The documents by id, as a candidate like the others.
Candidate candidate_by_id(const Conditions& conditions, const SortOrder& order) {
  Candidate candidate;
  candidate.read.scan.ranges = ranges_of_path(conditions, kIdName, false).ranges;
  candidate.used = is_all(candidate.read.scan.ranges) ? 0 : 1;
  const bool is_by_id = !order.is_given() || order.parts().front().name == kIdName;
  candidate.gives_order = is_by_id;
  candidate.read.scan.reverse =
      is_by_id && order.is_given() && order.parts().front().direction == Direction::Descending;
  const bool is_point = std::all_of(candidate.read.scan.ranges.begin(), candidate.read.scan.ranges.end(),
                                    [](const KeyRange& range) { return range.is_point; });
  candidate.points = candidate.used == 1 && is_point ? 1 : 0;
  candidate.is_exact = conditions.all.empty() && conditions.is_whole;
  return candidate;
}

bool has_entry_in(const std::vector<IndexEntry>& entries, const KeyRanges& ranges) {
  return std::any_of(entries.begin(), entries.end(), [&](const IndexEntry& entry) {
    const Result<IndexEntryView> view = read_entry(entry.key, entry.value);
    if (!view.has_value()) return false;
    const auto after = std::upper_bound(ranges.begin(), ranges.end(), view->key,
                                        [](Bytes key, const KeyRange& range) { return key < range.low; });
    return after != ranges.begin() && view->key < std::prev(after)->high;
  });
}

Plan plan_of_point(const Index* index, const Value& value, Direction direction) {
  ByteString key;
  append_key(key, value, direction);
  ByteString after = after_prefix(key);
  Plan plan;
  plan.gives_order = true;
  plan.needs_filter = false;
  plan.may_repeat = index != nullptr && index->multikey != 0;
  plan.reads.push_back({index, {}});
  plan.reads.front().scan.ranges.push_back({std::move(key), std::move(after), true});
  plan.reads.front().scan.is_equality = true;
  return plan;
}

// What the planner would come to for the simplest and most frequent of filters where there is nothing to choose.
std::optional<Plan> plan_of_equality(const Collection& collection, const PlanRequest& request) {
  if (request.order->is_given() || !request.hint.empty()) return std::nullopt;
  const std::optional<Element> wanted = plain_equality(request.filter);
  if (!wanted) return std::nullopt;
  if (wanted->name == kIdName) return plan_of_point(nullptr, wanted->value, Direction::Ascending);
  const auto begins_so = [&](const Index& index) { return index.parts.front().name == wanted->name; };
  const auto end = collection.indexes.end();
  const auto index = std::find_if(collection.indexes.begin(), end, begins_so);
  if (index == end || std::any_of(index + 1, end, begins_so)) return std::nullopt;
  if (index->parts.size() != 1 || index->is_building || !index->partial.empty()) return std::nullopt;
  return plan_of_point(&*index, wanted->value, index->parts.front().direction);
}

class Planner {
 public:
  Planner(const kv::StoreReader& txn, const Collection& collection, const PlanRequest& request)
      : txn_(txn), collection_(collection), request_(request), conditions_(Conditions::of(request.filter)) {}

  Result<Plan> plan() {
    if (!request_.hint.empty()) return plan_hint();
    Candidate by_id = candidate_by_id(conditions_, *request_.order);
    if (by_id.points == 1 && by_id.read.scan.ranges.size() <= kProbeFirst) return plan_of(std::move(by_id));
    std::vector<Candidate> candidates = candidates_for(conditions_);
    if (by_id.used > 0) candidates.push_back(by_id);
    if (!candidates.empty()) {
      Candidate& best = candidates[candidates.size() == 1 ? 0 : TRY(pick(candidates))];
      if (best.used > 0 || !by_id.gives_order) return plan_of(std::move(best));
    }
    if (std::optional<Plan> joined = TRY(plan_union())) return *std::move(joined);
    return plan_of(std::move(by_id));
  }

 private:
  Result<Plan> plan_hint() {
    if (request_.hint == kScanHint)
      return plan_of(
          candidate_by_id(Conditions{{}, {}, conditions_.all.empty() && conditions_.is_whole}, *request_.order));
    const Index* const index = collection_.find_index(request_.hint);
    if (index == nullptr) return Status::error(ErrorCode::IndexNotFound).with("index", request_.hint);
    if (!may_use(*index, conditions_)) return Status::error(ErrorCode::HintUnusable).with("index", index->name);
    return plan_of(candidate_for(*index, conditions_, *request_.order));
  }

  // Can the index hold the documents to a range, or give the order?
  bool is_of_use(const Index& index, const Conditions& conditions) const {
    return request_.order->is_given() ||
           std::any_of(conditions.all.begin(), conditions.all.end(),
                       [&](const Condition& condition) { return condition.path == index.parts.front().name; });
  }

  // Those that do.
  std::vector<Candidate> candidates_for(const Conditions& conditions) const {
    std::vector<Candidate> candidates;
    for (const Index& index : collection_.indexes) {
      if (!is_of_use(index, conditions) || !may_use(index, conditions)) continue;
      Candidate candidate = candidate_for(index, conditions, *request_.order);
      if (candidate.used > 0 || candidate.gives_order) candidates.push_back(std::move(candidate));
    }
    return candidates;
  }

  Result<std::uint64_t> count(const Plan::Read& read, std::uint64_t limit) {
    std::uint64_t count = 0;
    if (read.index != nullptr) {
      count = TRY(count_entries(txn_, *read.index, read.scan.ranges, read.scan.is_equality, limit));
    } else {
      for (const KeyRange& range : read.scan.ranges) {
        if (count >= limit) break;
        const ByteString prefix = document_prefix(collection_);
        const kv::StoreScan options{.limit = limit - count};
        count += TRY(txn_.scan(prefix + range.low, prefix + range.high, options, [](Bytes, Bytes) { return true; }));
      }
    }
    planning_keys_ += count;
    return count;
  }

  // The one with the fewest entries. Those that only give the order have them all, and win when no other has few.
  Result<std::size_t> pick(std::vector<Candidate>& candidates) {
    const auto rank = [](const Candidate& candidate) {
      return std::make_tuple(candidate.gives_order, candidate.points, candidate.used);
    };
    std::size_t best = 0;
    for (std::uint64_t limit = kProbeFirst; limit <= kProbeLast; limit *= 8) {
      bool is_found = false;
      for (std::size_t i = 0; i < candidates.size(); ++i) {
        Candidate& candidate = candidates[i];
        candidate.keys = candidate.used > 0 ? TRY(count(candidate.read, limit)) : limit;
        if (candidate.keys >= limit) continue;
        if (!is_found || candidate.keys < candidates[best].keys) best = i;
        is_found = true;
      }
      if (is_found) return best;
    }
    for (std::size_t i = 1; i < candidates.size(); ++i) {
      if (rank(candidates[best]) < rank(candidates[i])) best = i;
    }
    return best;
  }

  // An $or whose filters all have an index that holds them to a range.
  Result<std::optional<Plan>> plan_union() {
    for (const std::vector<Bytes>& filters : conditions_.alternatives) {
      if (filters.size() > kAlternativesMax) continue;
      Plan plan;
      for (const Bytes filter : filters) {
        Conditions both = Conditions::of(filter);
        both.all.insert(both.all.end(), conditions_.all.begin(), conditions_.all.end());
        std::vector<Candidate> candidates = candidates_for(both);
        if (Candidate by_id = candidate_by_id(both, *request_.order); by_id.used > 0) candidates.push_back(by_id);
        const auto is_free = [](const Candidate& candidate) { return candidate.used == 0; };
        candidates.erase(std::remove_if(candidates.begin(), candidates.end(), is_free), candidates.end());
        if (candidates.empty()) break;
        Candidate& best = candidates[candidates.size() == 1 ? 0 : TRY(pick(candidates))];
        best.read.scan.reverse = false;
        plan.reads.push_back(std::move(best.read));
      }
      if (plan.reads.size() != filters.size()) continue;
      plan.may_repeat = true;
      plan.planning_keys = planning_keys_;
      return std::optional<Plan>(std::move(plan));
    }
    return std::optional<Plan>();
  }

  Plan plan_of(Candidate candidate) const {
    Plan plan;
    if (!candidate.gives_order) candidate.read.scan.reverse = false;
    plan.gives_order = candidate.gives_order;
    plan.may_repeat = candidate.may_repeat;
    plan.needs_filter = !candidate.is_exact;
    plan.reads.push_back(std::move(candidate.read));
    plan.planning_keys = planning_keys_;
    return plan;
  }

  const kv::StoreReader& txn_;
  const Collection& collection_;
  const PlanRequest& request_;
  const Conditions conditions_;
  std::uint64_t planning_keys_ = 0;
};

}  // namespace

Result<Plan> choose_plan(const kv::StoreReader& txn, const Collection& collection, const PlanRequest& request) {
  if (std::optional<Plan> plan = plan_of_equality(collection, request)) return *std::move(plan);
  return Planner(txn, collection, request).plan();
}

Result<bool> prefers_scan(const kv::StoreReader& txn, const Collection& collection, const Plan& plan) {
  std::size_t seen = 0, inside = 0;
  CHECK(scan_documents_after(txn, collection, {}, [&](Bytes id, Bytes bson) {
    const bool is_inside = std::any_of(plan.reads.begin(), plan.reads.end(), [&](const Plan::Read& read) {
      if (read.index == nullptr) return false;
      std::uint64_t ignored = 0;
      const Result<std::vector<IndexEntry>> entries = make_entries(*read.index, bson, id, ignored);
      return entries.has_value() && has_entry_in(*entries, read.scan.ranges);
    });
    inside += is_inside ? 1 : 0;
    return ++seen < kSampleSize;
  }));
  return inside * 3 > seen;
}

Plan scan_plan() {
  Plan plan;
  plan.reads.push_back({nullptr, {}});
  plan.reads.front().scan.ranges = all_keys();
  return plan;
}

}  // namespace vitrine::doc
