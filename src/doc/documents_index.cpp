// SPDX-License-Identifier: MIT OR Apache-2.0
// The public interface to building and checking indexes.
#include "base/try.hpp"
#include "doc/index_build.hpp"
#include "doc/index_verify.hpp"
#include "doc/documents_access.hpp"

namespace vitrine {

Status build_index(Database& db, Bytes collection, const IndexDefinition& definition,
                   const ProgressFunction& progress) {
  return kv::safely([&]() -> Status {
    kv::NativeStore store(db, doc::kKeyspace);
    return doc::build_index(store, collection, definition, progress);
  });
}

Status verify_documents(const Transaction& txn, VerifyReport& report) {
  return kv::safely([&]() -> Status {
    return doc::verify_indexes(TRY(kv::NativeReader::attach(txn, doc::kKeyspace)), report.findings);
  });
}

}  // namespace vitrine
