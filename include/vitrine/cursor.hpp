// SPDX-License-Identifier: MIT OR Apache-2.0
// An ordered walk over a keyspace.
//
//   Cursor cursor = txn.cursor(keyspace);
//   for (Status s = cursor.seek("user:"); s.is_ok() && cursor.is_valid(); s = cursor.next()) use(cursor.key());
//
// A cursor belongs to the transaction that made it; after its end it answers TransactionFinished. On a write
// transaction it sees the transaction's own writes; after a write the cursor stays on its key, or on the next one if
// the key is gone. A next() right after the erase goes onto that next one, not past it, so a loop that erases as it
// walks skips nothing.
// Views returned by key() and value() stay valid until the cursor moves or the transaction writes. Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>

#include "vitrine/bytes.hpp"
#include "vitrine/status.hpp"

namespace vitrine {

class Cursor {
 public:
  struct Impl;
  explicit Cursor(std::unique_ptr<Impl> impl);
  ~Cursor();
  Cursor(Cursor&&) noexcept;
  Cursor& operator=(Cursor&&) noexcept;

  // Each moves the cursor, or leaves it not valid when there is no such entry. Errors: the page errors, ReadFailed.
  Status seek_first();
  Status seek_last();
  Status seek(Bytes key);         // first entry with a key >= `key`
  Status seek_before(Bytes key);  // last entry with a key < `key`
  Status next();                  // REQUIRES: is_valid()
  Status prev();                  // REQUIRES: is_valid()

  bool is_valid() const noexcept;

  // All of these REQUIRE is_valid(). A size or version of a large value that cannot be read is 0, and the next call
  // that returns a Status says why.
  Bytes key() const noexcept;
  Result<Bytes> value();  // a large value is read into the cursor
  std::uint64_t value_size() const noexcept;
  std::uint64_t version() const noexcept;  // 0 in a keyspace without versions

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitrine
