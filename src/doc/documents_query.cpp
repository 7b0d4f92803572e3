// SPDX-License-Identifier: MIT OR Apache-2.0
// The public interface to queries.
#include "base/try.hpp"
#include "doc/documents_access.hpp"
#include "doc/projection.hpp"
#include "doc/query.hpp"
#include "doc/query_report.hpp"
#include "doc/query_token.hpp"
#include "os/env.hpp"
#include "vitrine/documents.hpp"

namespace vitrine {
namespace {

using doc::on_collection;
using Count = Result<std::uint64_t>;

constexpr std::uint64_t kNsInMs = 1'000'000;

Result<doc::Query> query_of(const Document& filter, const FindOptions& options) {
  doc::Query query = TRY(doc::Query::compile(filter.bson()));
  query.order = TRY(doc::SortOrder::compile(options.sort.bson()));
  query.skip = options.after.empty() ? options.skip : 0;
  query.limit = options.limit;
  query.steps_max = options.steps_max;
  query.bytes_max = options.bytes_max;
  query.any_order = options.any_order;
  query.hint = options.hint;
  if (options.time_max) {
    const std::int64_t ms = std::clamp<std::int64_t>(options.time_max->count(), 0, std::int64_t{1} << 40);
    query.time_max_ns = static_cast<std::uint64_t>(ms) * kNsInMs;
  }
  if (!options.after.empty()) {
    query.after = TRY(doc::read_token(options.after, filter.bson(), options.sort.bson()));
  }
  return query;
}

// Turns what is stored into what is handed on.
class Handover {
 public:
  Handover(const doc::Projection& projection, const DocumentFunction& visit, bool versions = true)
      : projection_(projection), visit_(visit), versions_(versions) {}

  bool operator()(Bytes bson, std::uint64_t version) {
    failed_ = projection_.is_all() ? doc::DocumentMaker::take_from_store(bson, found_.document)
                                   : doc::DocumentMaker::take_from_store(projection_.apply(bson), found_.document);
    found_.version = versions_ ? version : 0;
    return failed_.is_ok() && visit_(found_);
  }
  const Status& status() const noexcept { return failed_; }

 private:
  const doc::Projection& projection_;
  const DocumentFunction& visit_;
  bool versions_;
  StoredDocument found_{doc::DocumentMaker::from_checked({}), 0};
  Status failed_;
};

}  // namespace

Result<std::uint64_t> DocumentReader::find(Bytes collection, const Document& filter, const FindOptions& options,
                                           const DocumentFunction& visit) const {
  return on_collection(*txn_, collection, [&](const kv::StoreReader& store, const doc::Collection& in) -> Count {
    const doc::Projection projection = TRY(doc::Projection::compile(options.projection.bson()));
    doc::Query query = TRY(query_of(filter, options));
    if (!options.versions) query.covered_by = &projection;
    Handover handover(projection, visit, options.versions);
    const std::uint64_t count = TRY(doc::run_query(store, in, query, handover));
    CHECK(handover.status());
    return count;
  });
}

Result<Page> DocumentReader::find_page(Bytes collection, const Document& filter, const FindOptions& options) const {
  return on_collection(*txn_, collection, [&](const kv::StoreReader& store, const doc::Collection& in) -> Result<Page> {
    const doc::Projection projection = TRY(doc::Projection::compile(options.projection.bson()));
    const doc::Query query = TRY(query_of(filter, options));
    Page page;
    const DocumentFunction keep = [&](const StoredDocument& found) {
      page.documents.push_back(found);
      return true;
    };
    Handover handover(projection, keep);
    ByteString last;
    TRY(doc::run_query(store, in, query, [&](Bytes bson, std::uint64_t version) {
      last = ByteString(bson);
      return handover(bson, version);
    }));
    CHECK(handover.status());
    if (page.documents.size() < options.limit || page.documents.empty()) return page;
    const doc::QueryPosition position{query.order.key_of(last), doc::encoded_key(doc::id_of(last))};
    page.next = doc::make_token(position, filter.bson(), options.sort.bson());
    return page;
  });
}

Result<std::uint64_t> DocumentReader::count(Bytes collection, const Document& filter) const {
  return on_collection(*txn_, collection, [&](const kv::StoreReader& store, const doc::Collection& in) -> Count {
    doc::Query query = TRY(doc::Query::compile(filter.bson()));
    query.only_counts = true;
    return doc::run_query(store, in, query, [](Bytes, std::uint64_t) { return true; });
  });
}

Result<Explanation> DocumentReader::explain(Bytes collection, const Document& filter,
                                            const FindOptions& options) const {
  using Answer = Result<Explanation>;
  return on_collection(*txn_, collection, [&](const kv::StoreReader& store, const doc::Collection& in) -> Answer {
    const doc::Projection projection = TRY(doc::Projection::compile(options.projection.bson()));
    doc::Query query = TRY(query_of(filter, options));
    if (!options.versions) query.covered_by = &projection;
    return doc::explain_query(store, in, query);
  });
}

Result<std::uint64_t> DocumentReader::query(Bytes collection, Bytes index, const Document& values,
                                            const DocumentFunction& visit) const {
  return on_collection(*txn_, collection, [&](const kv::StoreReader& store, const doc::Collection& in) -> Count {
    const doc::Index* const found = TRY(doc::open_index(in, index));
    const ByteString key = TRY(doc::index_position(*found, values.bson()));
    const doc::Projection whole;
    Handover handover(whole, visit);
    const doc::KeyRange range = key.empty() ? doc::all_keys().front() : doc::KeyRange{key, doc::after_prefix(key)};
    const std::uint64_t count = TRY(doc::run_range(store, in, *found, range, handover));
    CHECK(handover.status());
    return count;
  });
}

Result<std::uint64_t> DocumentReader::query_range(Bytes collection, Bytes index, const Document& from,
                                                  const Document& to, const DocumentFunction& visit) const {
  return on_collection(*txn_, collection, [&](const kv::StoreReader& store, const doc::Collection& in) -> Count {
    const doc::Index* const found = TRY(doc::open_index(in, index));
    const ByteString low = TRY(doc::index_position(*found, from.bson()));
    const ByteString high = TRY(doc::index_end_position(*found, to.bson()));
    const doc::Projection whole;
    Handover handover(whole, visit);
    if (low >= high) return std::uint64_t{0};
    const std::uint64_t count = TRY(doc::run_range(store, in, *found, {low, high}, handover));
    CHECK(handover.status());
    return count;
  });
}

}  // namespace vitrine
