// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/mend.hpp"

#include <algorithm>
#include <set>

#include "base/try.hpp"
#include "doc/catalog.hpp"
#include "doc/change_log.hpp"
#include "doc/expiry.hpp"
#include "doc/index_verify.hpp"
#include "doc/indexes.hpp"

namespace vitrine::doc {
namespace {

// Names that are free: the number tells them apart, but somebody may have given one before.
Result<ByteString> name_for(const kv::StoreReader& txn, std::uint32_t number) {
  const std::vector<ByteString> taken = TRY(list_collections(txn));
  ByteString name = "recovered-" + std::to_string(number);
  while (std::find(taken.begin(), taken.end(), name) != taken.end()) name.push_back('+');
  return name;
}

Status mend_names(kv::StoreWriter& txn, const LostFunction& lost) {
  const Numbers used = TRY(numbers_in_use(txn));
  Numbers named;
  for (const ByteString& name : TRY(list_collections(txn))) {
    const Collection collection = TRY(open_collection(txn, name));
    named.collections.insert(collection.id);
    for (const Index& index : collection.indexes) named.indexes.insert(index.id);
  }
  std::uint32_t last = 0;
  for (const Numbers* numbers : {&used, static_cast<const Numbers*>(&named)}) {
    if (!numbers->collections.empty()) last = std::max(last, *numbers->collections.rbegin());
    if (!numbers->indexes.empty()) last = std::max(last, *numbers->indexes.rbegin());
  }
  CHECK(reserve_numbers(txn, last));
  for (const std::uint32_t number : used.collections) {
    if (named.collections.count(number) != 0) continue;
    const ByteString name = TRY(name_for(txn, number));
    CHECK(adopt_collection(txn, name, number));
    lost("SALVAGE_COLLECTION_NAME", "name, rules and indexes of a collection are lost; its documents are in " + name);
  }
  for (const std::uint32_t number : used.indexes) {
    if (named.indexes.count(number) == 0) CHECK(erase_index_entries(txn, number));
  }
  return {};
}

Status make_again(kv::StoreWriter& txn, Bytes name, const Index& index, const LostFunction& lost) {
  const IndexDefinition definition = TRY(definition_of(index));
  CHECK(drop_index(txn, TRY(open_collection(txn, name)), index.name));
  const Status made = create_index(txn, TRY(open_collection(txn, name)), definition);
  if (made.code() != ErrorCode::IndexDuplicate && made.code() != ErrorCode::IndexTooManyKeys) return made;
  lost("SALVAGE_INDEX", "index " + std::string(index.name) + " of collection " + std::string(name) +
                            " does not fit the documents that were saved: " + std::string(made.message()));
  return {};
}

Status mend_collection(kv::StoreWriter& txn, Bytes name, const LostFunction& lost) {
  const Collection collection = TRY(open_collection(txn, name));
  for (const Index& index : collection.indexes) {
    std::vector<Finding> findings;
    CHECK(verify_index(txn, collection, index, findings));
    if (!findings.empty()) CHECK(make_again(txn, name, index, lost));
  }
  return collection.may_expire ? rebuild_expiry(txn, TRY(open_collection(txn, name))) : Status{};
}

}  // namespace

Status mend(kv::StoreWriter& txn, const LostFunction& lost) {
  CHECK(mend_names(txn, lost));
  for (const ByteString& name : TRY(list_collections(txn))) CHECK(mend_collection(txn, name, lost));
  if (TRY(give_up_changes(txn))) {
    lost("SALVAGE_CHANGES", "the log of changes begins anew, because changes may be missing in it");
  }
  return {};
}

}  // namespace vitrine::doc
