// SPDX-License-Identifier: MIT OR Apache-2.0
// Values of any size, a piece at a time. Memory use is bounded by one extent (at most 1 MiB), however long the value.
#pragma once

#include <cstdint>
#include <memory>

#include "vitrine/bytes.hpp"
#include "vitrine/status.hpp"

namespace vitrine {

// Reads one value. Belongs to the transaction that made it; after its end read_at() answers TransactionFinished. In a
// write transaction that changes the entry meanwhile, what is read afterwards is old or a page error. Not thread-safe.
class ValueReader {
 public:
  struct Impl;
  explicit ValueReader(std::unique_ptr<Impl> impl);
  ~ValueReader();
  ValueReader(ValueReader&&) noexcept;
  ValueReader& operator=(ValueReader&&) noexcept;

  std::uint64_t size() const noexcept;  // bytes of the whole value

  // Copies up to `size` bytes from `offset` to `to`; returns how many (fewer only at the end of the value). Errors:
  // the page errors of error_codes.def, ReadFailed.
  Result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t size);

 private:
  std::unique_ptr<Impl> impl_;
};

// Writes one value. The key has its new value once finish() returned ok; a writer destroyed before leaves the key as it
// was. The transaction takes no savepoint while a writer is alive (Misuse); when it ends or rolls back to an earlier
// savepoint, so does the writer. Not thread-safe.
class ValueWriter {
 public:
  struct Impl;
  explicit ValueWriter(std::unique_ptr<Impl> impl);
  ~ValueWriter();
  ValueWriter(ValueWriter&&) noexcept;
  ValueWriter& operator=(ValueWriter&&) noexcept;

  // Errors: ValueTooLarge, DiskFull, WriteFailed.
  Status append(Bytes piece);
  Status finish();

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace vitrine
