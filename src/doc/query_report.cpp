// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/query_report.hpp"

#include "base/try.hpp"
#include "doc/json.hpp"
#include "os/env.hpp"

namespace vitrine::doc {
namespace {

constexpr std::uint64_t kNsInUs = 1000;
constexpr std::size_t kRangesShown = 8, kBytesShown = 40;

void append_hex_key(std::string& to, Bytes bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (const char byte : bytes.substr(0, kBytesShown)) {
    to.push_back(kDigits[static_cast<unsigned char>(byte) >> 4]);
    to.push_back(kDigits[static_cast<unsigned char>(byte) & 15]);
  }
  if (bytes.size() > kBytesShown) to.append("...");
}

std::string bounds_of(const Plan::Read& read) {
  const KeyRanges& ranges = read.scan.ranges;
  if (is_all(ranges)) return "all";
  if (ranges.empty()) return "none";
  std::string text;
  for (std::size_t i = 0; i < ranges.size() && i < kRangesShown; ++i) {
    if (i > 0) text.append(", ");
    text.push_back('[');
    append_hex_key(text, ranges[i].low);
    if (!ranges[i].is_point) append_hex_key(text.append(", "), ranges[i].high);
    text.append(ranges[i].is_point ? "]" : ")");
  }
  if (ranges.size() > kRangesShown)
    text.append(", and ").append(std::to_string(ranges.size() - kRangesShown)).append(" more");
  return text;
}

void add_list(Builder& to, Bytes name, const std::vector<std::string>& texts) {
  to.open_member(name, Type::Array);
  for (std::size_t i = 0; i < texts.size(); ++i) to.add_string(std::to_string(i), texts[i]);
  to.close_member();
}

std::string plan_name(const Plan& plan) {
  if (plan.reads.size() > 1) return "index union";
  if (!plan.is_by_id()) return "index";
  return is_all(plan.reads.front().scan.ranges) ? "scan" : "ids";
}

}  // namespace

Result<Explanation> explain_query(const kv::StoreReader& txn, const Collection& collection, const Query& query) {
  QueryRun run;
  const std::optional<kv::StoreCounters> before = txn.counters();
  const std::uint64_t started = os::system_env().monotonic_ns();
  Explanation told;
  told.documents_returned = TRY(run_query(
      txn, collection, query, [](Bytes, std::uint64_t) { return true; }, &run));
  told.elapsed_us = (os::system_env().monotonic_ns() - started) / kNsInUs;
  const std::optional<kv::StoreCounters> after = txn.counters();
  if (before && after) {
    told.pages_read = after->pages_read - before->pages_read;
    told.cache_misses = after->cache_misses - before->cache_misses;
  }
  told.plan = plan_name(run.plan);
  for (const Plan::Read& read : run.plan.reads) {
    if (read.index != nullptr) told.indexes.push_back(read.index->name);
    told.bounds.push_back(bounds_of(read));
  }
  told.sorts = run.sorts;
  told.is_covered = run.is_covered;
  told.keys_examined = run.keys_examined;
  told.documents_examined = run.documents_examined;
  told.planning_keys = run.plan.planning_keys;
  return told;
}

Result<const Index*> open_index(const Collection& collection, Bytes name) {
  const Index* const index = collection.find_index(name);
  if (index == nullptr || index->is_building) return Status::error(ErrorCode::IndexNotFound).with("index", name);
  return index;
}

Result<ByteString> index_position(const Index& index, Bytes values) {
  ByteString key;
  std::size_t part = 0;
  for (Elements walk(values); const auto element = walk.next(); ++part) {
    if (part >= index.parts.size()) return Status::error(ErrorCode::ArgumentInvalid, "more values than paths");
    append_key(key, element->value, index.parts[part].direction);
  }
  return key;
}

Result<ByteString> index_end_position(const Index& index, Bytes values) {
  ByteString key = TRY(index_position(index, values));
  return key.empty() ? all_keys().front().high : std::move(key);
}

}  // namespace vitrine::doc

namespace vitrine {

Document Explanation::to_document() const {
  doc::Builder told;
  const auto add_count = [&](Bytes name, std::uint64_t count) {
    told.add_integer(name, static_cast<std::int64_t>(count));
  };
  told.add_string("plan", plan);
  doc::add_list(told, "indexes", indexes);
  doc::add_list(told, "bounds", bounds);
  told.add_bool("sorts", sorts).add_bool("covered", is_covered);
  add_count("keys_examined", keys_examined);
  add_count("documents_examined", documents_examined);
  add_count("documents_returned", documents_returned);
  add_count("planning_keys", planning_keys);
  if (pages_read) add_count("pages_read", *pages_read);
  if (cache_misses) add_count("cache_misses", *cache_misses);
  add_count("elapsed_us", elapsed_us);
  return Document::from_bson(told.finish()).value();
}

}  // namespace vitrine
