// SPDX-License-Identifier: MIT OR Apache-2.0
// The public interface: references.
#include <algorithm>

#include "doc/documents_access.hpp"
#include "doc/reference.hpp"

namespace vitrine {

Result<std::optional<StoredDocument>> DocumentReader::resolve(const Document& reference) const {
  using Found = std::optional<StoredDocument>;
  const std::optional<doc::Reference> parsed = doc::reference_of({doc::Type::Object, reference.bson()});
  if (!parsed) return Status::error(ErrorCode::DocumentMalformed, "a reference is {\"$ref\": ..., \"$id\": ...}");
  return kv::safely([&]() -> Result<Found> {
    const kv::NativeReader store = TRY(kv::NativeReader::attach(*txn_, doc::kKeyspace));
    return doc::stored(TRY(doc::resolve(store, *parsed)));
  });
}

Result<std::optional<Resolved>> DocumentReader::resolve_deep(Bytes collection, const DocumentId& id,
                                                             const ResolveOptions& options) const {
  using Found = std::optional<Resolved>;
  return doc::on_collection(
      *txn_, collection, [&](const kv::StoreReader& store, const doc::Collection& in) -> Result<Found> {
        const std::optional<doc::Record> root = TRY(doc::read_document(store, in, TRY(doc::checked_value_of(id))));
        if (!root) return Found();
        const std::uint64_t bytes_max = std::min<std::uint64_t>(options.bytes_max, doc::kDocumentSizeMax);
        doc::ResolvedDocument deep =
            TRY(doc::resolve_deep(store, collection, root->bson, {options.depth, options.documents_max, bytes_max}));
        Document document = TRY(Document::from_bson(deep.bson));
        return Found({{std::move(document), root->version}, std::move(deep.unresolved)});
      });
}

Result<std::uint64_t> DocumentReader::referrers(Bytes collection, const DocumentId& id, const ReferrerFunction& visit,
                                                std::uint64_t steps_max) const {
  return kv::safely([&]() -> Result<std::uint64_t> {
    const kv::NativeReader store = TRY(kv::NativeReader::attach(*txn_, doc::kKeyspace));
    const doc::Reference target{collection, TRY(doc::checked_value_of(id))};
    doc::StepBudget budget(steps_max);
    std::uint64_t count = 0;
    bool goes_on = true;
    const std::vector<ByteString> names = TRY(doc::list_collections(store));
    for (const ByteString& name : names) {
      if (!goes_on) break;
      const doc::Collection in = TRY(doc::open_collection(store, name));
      Status failed;
      const auto pass_on = [&](Bytes bson, std::uint64_t version, std::vector<std::string> paths) {
        Result<Document> document = doc::DocumentMaker::from_store(ByteString(bson));
        failed = document.status();
        goes_on = document.has_value() && visit({name, {*std::move(document), version}, std::move(paths)});
        return goes_on;
      };
      count += TRY(doc::find_referrers(store, in, target, budget, pass_on));
      CHECK(failed);
    }
    return count;
  });
}

}  // namespace vitrine
