// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/index_verify.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "doc/index_entry.hpp"
#include "doc/store_documents.hpp"

namespace vitrine::doc {
namespace {

constexpr std::size_t kFindingsMax = 100;  // of one index

class IndexCheck {
 public:
  IndexCheck(const kv::StoreReader& txn, const Collection& collection, const Index& index,
             std::vector<Finding>& findings)
      : txn_(txn), collection_(collection), index_(index), findings_(findings) {}

  Status run() {
    CHECK(look_up_expected());
    const ByteString prefix = index_prefix(index_);
    const std::uint64_t entries = TRY(txn_.scan(prefix, after_prefix(prefix), {}, [](Bytes, Bytes) { return true; }));
    return entries == found_ ? Status{} : judge_all_entries();
  }

 private:
  bool note(std::string code, const std::string& message) {
    if (++noted_ > kFindingsMax) return false;
    const std::string where = "collection " + std::string(collection_.name) + ", index " + std::string(index_.name);
    findings_.push_back({FindingSeverity::Damage, std::move(code), 0, where + ": " + message});
    return true;
  }

  Status look_up_expected() {
    Status failed;
    std::uint64_t multikey = 0;
    CHECK(scan_documents_after(txn_, collection_, {}, [&](Bytes id, Bytes bson) {
      failed = look_up(id, bson, multikey);
      return failed.is_ok() && noted_ <= kFindingsMax;
    }));
    CHECK(failed);
    if ((multikey & ~index_.multikey) != 0 && !index_.is_building) {
      note("INDEX_CHECK_MULTIKEY", "the catalog does not know that a document has several values in one path");
    }
    return {};
  }

  Status look_up(Bytes id, Bytes bson, std::uint64_t& multikey) {
    for (const IndexEntry& entry : TRY(make_entries(index_, bson, id, multikey))) {
      const std::optional<ByteString> there = TRY(txn_.get(entry.key));
      if (there == entry.value) {
        ++found_;
      } else if (there) {
        note("INDEX_CHECK_ENTRY", "an entry does not say what its document does");
      } else if (!index_.is_building) {
        note("INDEX_CHECK_MISSING", "a document lacks an entry");
      }
    }
    return {};
  }

  // There are more entries than the documents ask for.
  Status judge_all_entries() {
    const ByteString prefix = index_prefix(index_);
    Status failed;
    TRY(txn_.scan(prefix, after_prefix(prefix), {}, [&](Bytes key, Bytes value) {
      const Result<bool> is_right = belongs(key, value);
      failed = is_right.status();
      return failed.is_ok() && (*is_right || note("INDEX_CHECK_ORPHAN", "an entry belongs to no document"));
    }));
    return failed;
  }

  Result<bool> belongs(Bytes key, Bytes value) {
    const Result<IndexEntryView> view = read_entry(key, value);
    if (!view.has_value()) return false;
    const std::optional<ByteString> record = TRY(txn_.get(document_prefix(collection_).append(view->id)));
    if (!record) return false;
    std::uint64_t ignored = 0;
    const RecordView document = TRY(view_record(*record));
    const std::vector<IndexEntry> entries = TRY(make_entries(index_, document.bson, view->id, ignored));
    return std::any_of(entries.begin(), entries.end(), [&](const IndexEntry& entry) { return entry.key == key; });
  }

  const kv::StoreReader& txn_;
  const Collection& collection_;
  const Index& index_;
  std::vector<Finding>& findings_;
  std::uint64_t found_ = 0;
  std::size_t noted_ = 0;
};

}  // namespace

Status verify_index(const kv::StoreReader& txn, const Collection& collection, const Index& index,
                    std::vector<Finding>& findings) {
  return IndexCheck(txn, collection, index, findings).run();
}

Status verify_indexes(const kv::StoreReader& txn, std::vector<Finding>& findings) {
  for (const ByteString& name : TRY(list_collections(txn))) {
    const Collection collection = TRY(open_collection(txn, name));
    for (const Index& index : collection.indexes) CHECK(verify_index(txn, collection, index, findings));
  }
  return {};
}

}  // namespace vitrine::doc
