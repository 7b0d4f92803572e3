// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kv/store.hpp"

#include "base/try.hpp"

namespace vitrine::kv {

Result<std::optional<ByteString>> StoreReader::get(Bytes key) const {
  ByteString value;
  const bool is_there = TRY(read(key, value));
  return is_there ? std::optional<ByteString>(std::move(value)) : std::nullopt;
}

Commit run_in_transaction(Store& store, const std::function<Status(StoreWriter&)>& body, unsigned attempts) {
  for (unsigned attempt = 1;; ++attempt) {
    Result<std::unique_ptr<StoreWriter>> txn = store.begin_write();
    if (!txn.has_value()) return {CommitOutcome::NotCommitted, 0, txn.status()};
    if (Status status = body(**txn); !status.is_ok()) return {CommitOutcome::NotCommitted, 0, status};
    Commit commit = (*txn)->commit(std::nullopt);
    if (commit.status.code() != ErrorCode::CommitConflict || attempt >= attempts) return commit;
  }
}

}  // namespace vitrine::kv
