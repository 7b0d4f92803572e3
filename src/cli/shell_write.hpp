// SPDX-License-Identifier: MIT OR Apache-2.0
// The write of a ShellSession, for the files that implement its statements.
#pragma once

#include "base/try.hpp"
#include "cli/shell_session.hpp"

namespace vitrine::cli {

template <typename Body>
Status ShellSession::write(Body&& body) {
  if (!txn_) {
    return db_.write([&](WriteTransaction& txn) -> Status {
      DocumentWriter documents(txn);
      return body(documents);
    });
  }
  const Savepoint before = TRY(txn_->savepoint());
  DocumentWriter documents(*txn_);
  Status status = body(documents);
  if (!status.is_ok()) {
    if (Status undone = txn_->rollback_to(before); !undone.is_ok()) return undone;
  }
  return status;
}

}  // namespace vitrine::cli
