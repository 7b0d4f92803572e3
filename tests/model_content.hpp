// SPDX-License-Identifier: MIT OR Apache-2.0
// The model that random operations on a database are compared with: std::map for every keyspace. A value is a piece of
// one long random text, so that a copy of the model costs little and a megabyte is compared without being kept.
//
// What does not agree is thrown as vitrine::Error, which ends the run at the first difference.
// Thread safety: none, but the text may be read by any thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/prng.hpp"
#include "vitrine/vitrine.hpp"

namespace vitrine::testing {

// --- Agreement
void demand(bool agrees, std::string_view what);
void demand_ok(const Status& status, std::string_view what);
void demand_code(const Status& status, ErrorCode code, std::string_view what);

// --- Values
struct Piece {
  std::uint32_t offset = 0;
  std::uint32_t size = 0;
};
inline constexpr std::uint32_t kPieceSizeMax = 1u << 20;
Bytes bytes_of(const Piece& piece);
Piece random_piece(std::uint64_t size, base::Prng& random);

struct PieceEntry {
  Piece value;
  std::uint64_t version = 0;
};

// --- Content
using PieceEntries = std::map<std::string, PieceEntry, std::less<>>;
struct PieceKeyspace {
  Keyspace keyspace;
  PieceEntries entries;
};
using PieceContent = std::map<std::string, PieceKeyspace>;

// Compares everything a transaction sees with the model, forwards or backwards; returns how many entries there were.
enum class Versions : std::uint8_t { Compared, Ignored };  // an import gives entries new versions
std::uint64_t demand_content(const Transaction& txn, const PieceContent& content, base::Prng& random,
                             Versions versions = Versions::Compared);

// --- Keys
enum class KeyStyle : std::uint8_t { Numbers, LongPrefixes, AnyLength, FewBytes };
inline constexpr std::uint64_t kKeyStyles = 4;
// Different keys of 1 to `size_max` bytes in no order; about `count`, fewer when the style has no more.
std::vector<std::string> make_keys(KeyStyle style, std::size_t count, std::size_t size_max, base::Prng& random);

// --- Cursors
// A cursor beside its place in the model. The model may change under it as the transaction writes.
class CheckedCursor {
 public:
  CheckedCursor(const Transaction& txn, const PieceKeyspace& keyspace)
      : cursor_(txn.cursor(keyspace.keyspace)), entries_(keyspace.entries) {}

  void seek_first();
  void seek_last();
  void seek(Bytes key);
  void seek_before(Bytes key);
  void next();
  void prev();
  // Where the cursor is: validity, key, value and version.
  void look();
  bool is_valid() const { return at_.has_value(); }

 private:
  void stand_on(PieceEntries::const_iterator at);
  void stand_before(PieceEntries::const_iterator behind);

  Cursor cursor_;
  const PieceEntries& entries_;
  std::optional<std::string> at_;  // the key the cursor was put on; it may be gone since
};

}  // namespace vitrine::testing
