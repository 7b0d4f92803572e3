// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tests/model_content.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "tests/engine_testing.hpp"

namespace vitrine::testing {
namespace {

constexpr std::size_t kTextSize = 4 * kPieceSizeMax;

const std::string& text() {
  static const std::string all = random_bytes(7, kTextSize);
  return all;
}

std::string number(std::uint64_t value) {
  std::string key(8, '\0');
  for (std::size_t i = 8; i-- > 0; value >>= 8) key[i] = static_cast<char>(value & 0xff);
  return key;
}

std::string prefixed_key(const std::vector<std::string>& prefixes, base::Prng& random) {
  std::string key = prefixes[random.below(prefixes.size())];
  if (random.one_in(50)) key.resize(random.between(1, key.size()));  // breaks the prefix of its neighbours
  return key + number(random.next() % 100'000).substr(5 + random.below(3));
}

std::string few_bytes_key(std::size_t size_max, base::Prng& random) {
  std::string key(random.between(1, random.one_in(20) ? size_max : std::min<std::size_t>(size_max, 9)), '\0');
  for (char& byte : key) byte = "\0\x01\x7f\xff"[random.below(4)];
  return key;
}

std::string make_key(KeyStyle style, std::size_t size_max, const std::vector<std::string>& prefixes,
                     base::Prng& random) {
  switch (style) {
    case KeyStyle::Numbers:
      return number(random.next() >> random.below(60));
    case KeyStyle::LongPrefixes:
      return prefixed_key(prefixes, random);
    case KeyStyle::AnyLength:
      return std::string(bytes_of({static_cast<std::uint32_t>(random.below(kPieceSizeMax)),
                                   static_cast<std::uint32_t>(random.between(1, random.one_in(8) ? size_max : 40))}));
    case KeyStyle::FewBytes:
      break;
  }
  return few_bytes_key(size_max, random);
}

void demand_entry(Cursor& cursor, const std::string& key, const PieceEntry& entry, Versions versions) {
  demand(cursor.key() == key, "the cursor stands on another key");
  const Bytes expected = bytes_of(entry.value);
  demand(cursor.value_size() == expected.size(), "the size of a value differs");
  if (versions == Versions::Compared) demand(cursor.version() == entry.version, "the version of an entry differs");
  demand(cursor.value().value() == expected, "a value differs");
}

template <typename Iterator>
std::uint64_t demand_entries(Cursor& cursor, Iterator begin, Iterator end, bool forwards, Versions versions) {
  std::uint64_t count = 0;
  for (; begin != end; ++begin, ++count) {
    demand(cursor.is_valid(), "entries are missing at the end");
    demand_entry(cursor, begin->first, begin->second, versions);
    demand_ok(forwards ? cursor.next() : cursor.prev(), "a step of a cursor");
  }
  demand(!cursor.is_valid(), "there are more entries than in the model");
  return count;
}

}  // namespace

void demand(bool agrees, std::string_view what) {
  if (!agrees) throw Error(test_failure(what));
}

void demand_ok(const Status& status, std::string_view what) {
  if (!status.is_ok()) throw Error(status.with("during", what));
}

void demand_code(const Status& status, ErrorCode code, std::string_view what) {
  if (status.code() != code) {
    throw Error(test_failure(what).with("expected", error_name(code)).with("found", status.to_string()));
  }
}

Bytes bytes_of(const Piece& piece) { return Bytes(text()).substr(piece.offset, piece.size); }

Piece random_piece(std::uint64_t size, base::Prng& random) {
  return {static_cast<std::uint32_t>(random.below(kTextSize - kPieceSizeMax)), static_cast<std::uint32_t>(size)};
}

std::uint64_t demand_content(const Transaction& txn, const PieceContent& content, base::Prng& random,
                             Versions versions) {
  const std::vector<KeyspaceInfo> keyspaces = txn.keyspaces().value();
  demand(keyspaces.size() == content.size(), "another number of keyspaces");
  std::uint64_t count = 0;
  for (const KeyspaceInfo& info : keyspaces) {
    const auto expected = content.find(info.name);
    demand(expected != content.end(), "a keyspace that should not be there");
    demand(info.keyspace.versions == expected->second.keyspace.versions, "a keyspace with other options");
    const PieceEntries& entries = expected->second.entries;
    Cursor cursor = txn.cursor(info.keyspace);
    const bool forwards = random.one_in(2);
    demand_ok(forwards ? cursor.seek_first() : cursor.seek_last(), "a step of a cursor");
    count += forwards ? demand_entries(cursor, entries.begin(), entries.end(), true, versions)
                      : demand_entries(cursor, entries.rbegin(), entries.rend(), false, versions);
  }
  return count;
}

std::vector<std::string> make_keys(KeyStyle style, std::size_t count, std::size_t size_max, base::Prng& random) {
  std::vector<std::string> prefixes;
  for (int i = 0; i < 4; ++i) {
    const std::size_t size = random.between(1, size_max - 8);
    prefixes.emplace_back(bytes_of(random_piece(size, random)));
  }
  std::set<std::string> seen;
  std::vector<std::string> keys;
  for (std::size_t tries = 0; keys.size() < count && tries < 2 * count; ++tries) {
    std::string key = make_key(style, size_max, prefixes, random);
    if (seen.insert(key).second) keys.push_back(std::move(key));
  }
  return keys;
}

// --- CheckedCursor ---------------------------------------------------------------------------------------------------

void CheckedCursor::stand_on(PieceEntries::const_iterator at) {
  at_ = at == entries_.end() ? std::nullopt : std::optional(at->first);
}

void CheckedCursor::stand_before(PieceEntries::const_iterator behind) {
  at_ = behind == entries_.begin() ? std::nullopt : std::optional(std::prev(behind)->first);
}

void CheckedCursor::seek_first() {
  demand_ok(cursor_.seek_first(), "seek_first");
  stand_on(entries_.begin());
}

void CheckedCursor::seek_last() {
  demand_ok(cursor_.seek_last(), "seek_last");
  stand_before(entries_.end());
}

void CheckedCursor::seek(Bytes key) {
  demand_ok(cursor_.seek(key), "seek");
  stand_on(entries_.lower_bound(key));
}

void CheckedCursor::seek_before(Bytes key) {
  demand_ok(cursor_.seek_before(key), "seek_before");
  stand_before(entries_.lower_bound(key));
}

// From a key that is gone, next() goes onto the one that took its place.
void CheckedCursor::next() {
  if (!at_) return demand_code(cursor_.next(), ErrorCode::Misuse, "next() of a cursor on no entry");
  demand_ok(cursor_.next(), "next");
  const auto from = entries_.lower_bound(*at_);
  stand_on(from != entries_.end() && from->first == *at_ ? std::next(from) : from);
}

void CheckedCursor::prev() {
  if (!at_) return demand_code(cursor_.prev(), ErrorCode::Misuse, "prev() of a cursor on no entry");
  demand_ok(cursor_.prev(), "prev");
  stand_before(entries_.lower_bound(*at_));
}

void CheckedCursor::look() {
  const auto at = at_ ? entries_.lower_bound(*at_) : entries_.end();
  demand(cursor_.is_valid() == (at != entries_.end()),
         "the cursor is valid where the model is not, or not where it is");
  stand_on(at);
  if (at_) demand_entry(cursor_, at->first, at->second, Versions::Compared);
}

}  // namespace vitrine::testing
