// SPDX-License-Identifier: MIT OR Apache-2.0
// Three ways to run a plan: read the documents in the order of their ids; follow an index and read each document that
// it names; or, when the order of the index is of no use, collect the ids first, sort them and then read.
#include "doc/query.hpp"

#include <algorithm>
#include <array>
#include <unordered_set>

#include "base/try.hpp"
#include "doc/covering.hpp"
#include "doc/id_list.hpp"
#include "doc/sorter.hpp"
#include "os/env.hpp"

namespace vitrine::doc {
namespace {

constexpr std::size_t kManyIds = 2048;                  // before asking whether a scan would be better
constexpr std::size_t kBatchFirst = 4, kBatchMax = 32;  // documents fetched at once

Status exhausted(std::string_view what) { return Status::error(ErrorCode::BudgetExhausted, what); }

class Runner {
 public:
  Runner(const kv::StoreReader& txn, const Collection& collection, const Query& query, RecordFunction visit,
         QueryRun& run)
      : txn_(txn),
        collection_(collection),
        query_(query),
        visit_(visit),
        run_(run),
        prefix_(document_prefix(collection)),
        budget_(query.steps_max, deadline_of(query)),
        sorter_(query) {}

  Result<std::uint64_t> run() {
    run_.plan = TRY(choose_plan(txn_, collection_, {query_.filter_bson, &query_.order, query_.hint}));
    if (query_.limit == 0) return std::uint64_t{0};
    run_.sorts = query_.order.is_given() && !plan().gives_order;
    if (plan().is_by_id()) {
      CHECK(read_by_id());
    } else if (plan().reads.size() == 1 && plan().reads.front().index != nullptr && follows_index()) {
      CHECK(follow_index());
    } else {
      CHECK(collect_and_read());
    }
    return run_.sorts ? sorter_.visit(visit_) : count_;
  }

  // By the index that the plan names already, as it gives the documents.
  Result<std::uint64_t> run_along() {
    CHECK(follow_index());
    return count_;
  }

 private:
  static std::optional<std::uint64_t> deadline_of(const Query& query) {
    if (!query.time_max_ns) return std::nullopt;
    return os::system_env().monotonic_ns() + *query.time_max_ns;
  }

  const Plan& plan() const noexcept { return run_.plan; }

  // Can the documents be taken as the index gives them, and is that better than to collect them first? Without an order
  // it is when some are enough, or the documents need not be read.
  bool follows_index() {
    const bool is_ordered = query_.order.is_given();
    const bool counts = query_.only_counts && !is_ordered && !query_.after && !plan().needs_filter;
    const bool any_order = query_.any_order && !is_ordered && !query_.after;
    // Whether a document has expired only the document can tell.
    run_.is_covered =
        !collection_.may_expire && (counts || (is_covering() && (plan().gives_order || run_.sorts || any_order)));
    const bool has_limit = query_.limit != ~std::uint64_t{0};
    return run_.is_covered || any_order || (plan().gives_order && (is_ordered || has_limit));
  }

  // False to stop, with or without an error in failed_.
  bool fail(Status status) {
    failed_ = std::move(status);
    return false;
  }
  bool take_step() {
    if (budget_.take()) return true;
    return fail(exhausted(budget_.is_late() ? "the query needs more time than allowed"
                                            : "the query needs more steps than allowed"));
  }

  const Filter& filter() {
    if (query_.filter) return *query_.filter;
    if (!late_filter_) late_filter_ = *Filter::compile(query_.filter_bson);  // plain, so it compiles
    return *late_filter_;
  }

  // A document of the collection: does it belong to the answer, and where?
  bool offer(Bytes id, const RecordView& record) {
    if (!take_step()) return false;
    if (plan().needs_filter) {
      const bool matches = filter().matches(record.bson, budget_);
      if (budget_.is_exhausted()) return take_step();
      if (!matches) return true;
    }
    if (query_.after || run_.sorts) {
      ByteString key = query_.order.key_of(record.bson);
      if (query_.after && !is_behind(*query_.after, key, id)) return true;
      if (run_.sorts) {
        failed_ = sorter_.add(std::move(key), id, record.bson, record.version);
        return failed_.is_ok();
      }
    }
    return take(record);
  }

  static bool is_behind(const QueryPosition& position, Bytes key, Bytes id) {
    return key != position.sort_key ? key > position.sort_key : id > position.id;
  }

  bool take(const RecordView& record) {
    if (skipped_ < query_.skip) {
      ++skipped_;
      return true;
    }
    ++count_;
    return visit_(record.bson, record.version) && count_ < query_.limit;
  }

  bool offer_entry(Bytes id, Bytes entry) {
    ++run_.documents_examined;
    const Result<RecordView> record = view_record(entry);
    if (!record.has_value()) return fail(record.status());
    return !is_visible(collection_, *record) || offer(id, *record);
  }

  Status read_by_id() {
    const IndexScan& scan = plan().reads.front().scan;
    if (scan.is_equality) return read_one(prefix_ + scan.ranges.front().low);
    for (std::size_t i = 0; i < scan.ranges.size() && !is_stopped_; ++i) {
      const KeyRange& range = scan.ranges[scan.reverse ? scan.ranges.size() - 1 - i : i];
      ByteString begin = prefix_ + range.low;
      if (query_.after && !query_.order.is_given()) begin = std::max(begin, after_prefix(prefix_ + query_.after->id));
      TRY(txn_.scan(begin, prefix_ + range.high, {.reverse = scan.reverse}, [&](Bytes key, Bytes entry) {
        is_stopped_ = !offer_entry(key.substr(prefix_.size()), entry);
        return !is_stopped_;
      }));
      CHECK(failed_);
    }
    return {};
  }

  Status read_one(const ByteString& key) {
    if (key.size() > prefix_.size() + kIdSizeMax) return {};  // too long for an id
    if (TRY(txn_.read(key, entry_))) offer_entry(Bytes(key).substr(prefix_.size()), entry_);
    return failed_;
  }

  bool is_covering() const {
    if (query_.covered_by == nullptr || plan().reads.size() != 1) return false;
    return covers(*plan().reads.front().index, query_.filter_bson, query_.order, *query_.covered_by);
  }

  // In a plan that repeats, the first time counts.
  bool is_new(Bytes id) {
    if (!plan().may_repeat) return true;
    if (!seen_.insert(ByteString(id)).second) return false;
    seen_bytes_ += id.size() + 2 * sizeof(ByteString);
    if (seen_bytes_ > query_.bytes_max) fail(exhausted("the ids of the documents need more memory than allowed"));
    return true;
  }

  Status follow_index() {
    const Plan::Read& read = plan().reads.front();
    CHECK(scan_index(txn_, *read.index, read.scan, run_.keys_examined, [&](const IndexEntryView& entry) {
      if (!take_step()) return false;
      if (!is_new(entry.id)) return true;
      if (!failed_.is_ok()) return false;
      if (!run_.is_covered) return request(entry.id);
      if (query_.only_counts) return take({});
      const std::optional<ByteString> told = document_of(*read.index, entry);
      return told ? offer(entry.id, {*told, 0}) : request(entry.id) && fetch();
    }));
    CHECK(failed_);
    if (!is_stopped_) fetch();
    return failed_;
  }

  // Asks for a document. Some are fetched at once, more and more, because then they wait for memory together; but not
  // more than may be wanted.
  bool request(Bytes id) {
    const std::uint64_t wanted = query_.limit - count_ < kBatchMax ? query_.limit - count_ : kBatchMax;
    requests_[requested_++].assign(prefix_).append(id);
    return requested_ < std::min(batch_, wanted + query_.skip - skipped_) || fetch();
  }

  // Offers what was asked for; false to stop.
  bool fetch() {
    std::array<Bytes, kBatchMax> keys;
    const std::size_t count = std::exchange(requested_, 0);
    std::copy_n(requests_.begin(), count, keys.begin());
    batch_ = std::min(2 * batch_, kBatchMax);
    const Status read = txn_.multi_get(std::span(keys).first(count), [&](std::size_t i, std::optional<Bytes> entry) {
      if (is_stopped_) return;
      is_stopped_ = entry ? !offer_entry(keys[i].substr(prefix_.size()), *entry) : !fail(missing());
    });
    return read.is_ok() ? !is_stopped_ : fail(read);
  }

  static Status missing() {
    return Status::error(ErrorCode::DocumentMalformed, "an index names a document that is not there");
  }

  Status collect_and_read() {
    IdList ids;
    const bool is_whole = TRY(collect(ids));
    if (!is_whole) {
      // The answer is the same, and needs no memory for ids.
      run_.plan.reads = scan_plan().reads;
      run_.plan.needs_filter = true;
      run_.plan.gives_order = !query_.order.is_given();
      return read_by_id();
    }
    ids.sort_and_keep_one_each();
    return read_ids(ids);
  }

  // False when a scan is better.
  Result<bool> collect(IdList& ids) {
    bool is_whole = true;
    for (const Plan::Read& read : plan().reads) {
      const auto add = [&](Bytes id) {
        if (!take_step()) return false;
        ids.add(id);
        is_whole = ids.memory() <= query_.bytes_max;
        if (is_whole && ids.size() == kManyIds && query_.hint.empty()) {
          const Result<bool> prefers = prefers_scan(txn_, collection_, plan());
          if (!prefers.has_value()) return fail(prefers.status());
          is_whole = !*prefers;
        }
        return is_whole;
      };
      if (read.index != nullptr) {
        CHECK(scan_index(txn_, *read.index, read.scan, run_.keys_examined,
                         [&](const IndexEntryView& entry) { return add(entry.id); }));
      } else {
        for (const KeyRange& range : read.scan.ranges) {
          TRY(txn_.scan(prefix_ + range.low, prefix_ + range.high, {},
                        [&](Bytes key, Bytes) { return add(key.substr(prefix_.size())); }));
          if (!is_whole || !failed_.is_ok()) break;
        }
      }
      CHECK(failed_);
      if (!is_whole) return false;
    }
    return true;
  }

  Status read_ids(const IdList& ids) {
    for (std::size_t i = 0; i < ids.size() && request(ids[i]); ++i) {
    }
    if (!is_stopped_ && failed_.is_ok()) fetch();
    return failed_;
  }

  const kv::StoreReader& txn_;
  const Collection& collection_;
  const Query& query_;
  RecordFunction visit_;
  QueryRun& run_;
  const ByteString prefix_;
  StepBudget budget_;
  Sorter sorter_;
  std::unordered_set<ByteString> seen_;
  std::uint64_t seen_bytes_ = 0;
  std::uint64_t skipped_ = 0, count_ = 0;
  std::optional<Filter> late_filter_;  // where the query has none
  ByteString entry_;
  std::array<ByteString, kBatchMax> requests_;  // keys of documents
  std::size_t requested_ = 0, batch_ = kBatchFirst;
  bool is_stopped_ = false;
  Status failed_;
};

}  // namespace

Result<Query> Query::compile(Bytes filter_bson) {
  Query query{filter_bson, {}};
  if (!plain_equality(filter_bson)) query.filter = TRY(Filter::compile(filter_bson));
  return query;
}

Result<std::uint64_t> run_query(const kv::StoreReader& txn, const Collection& collection, const Query& query,
                                RecordFunction visit, QueryRun* run) {
  QueryRun own;
  return Runner(txn, collection, query, visit, run != nullptr ? *run : own).run();
}

Result<std::uint64_t> run_range(const kv::StoreReader& txn, const Collection& collection, const Index& index,
                                KeyRange range, RecordFunction visit) {
  Query query;
  query.bytes_max = query.steps_max = ~std::uint64_t{0};
  QueryRun run;
  run.plan.reads.push_back({&index, {}});
  run.plan.reads.front().scan.ranges = {std::move(range)};
  run.plan.may_repeat = index.multikey != 0;
  run.plan.gives_order = true;
  run.plan.needs_filter = false;
  return Runner(txn, collection, query, visit, run).run_along();
}

}  // namespace vitrine::doc
