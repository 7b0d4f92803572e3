// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/expiry.hpp"

#include <algorithm>
#include <limits>
#include <map>

#include "base/try.hpp"
#include "doc/key_encoding.hpp"
#include "doc/path.hpp"

namespace vitrine::doc {
namespace {

constexpr char kSweptAt = 0x05, kExpiry = 0x20;
constexpr std::size_t kRebuiltAtOnce = 1000;
constexpr std::size_t kKeyHead = 1 + 8 + 4;  // before the id

ByteString expiry_prefix(std::uint64_t time) {
  ByteString key(1, kExpiry);
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>(time >> shift));
  return key;
}

// The key of a document begins with its own mark and goes on with collection and id.
ByteString expiry_key(const Collection& collection, Bytes id, std::uint64_t time) {
  return expiry_prefix(time).append(document_prefix(collection).substr(1)).append(id);
}

struct Due {
  ByteString key;
  std::uint64_t time = 0;
  std::uint32_t collection = 0;
  Bytes id() const noexcept { return Bytes(key).substr(kKeyHead); }
};

std::optional<Due> parse_key(Bytes key) {
  if (key.size() <= kKeyHead) return std::nullopt;
  Due due{ByteString(key), 0, 0};
  const auto byte = [&](std::size_t at) { return static_cast<std::uint8_t>(key[at]); };
  for (std::size_t i = 1; i <= 8; ++i) due.time = due.time << 8 | byte(i);
  for (std::size_t i = 9; i < kKeyHead; ++i) due.collection = due.collection << 8 | byte(i);
  return due;
}

// A date plus a lifetime; dates before 1970 count as 1970. Never 0.
std::uint64_t add_lifetime(std::int64_t date_ms, std::uint64_t seconds) {
  const std::uint64_t from = date_ms > 0 ? static_cast<std::uint64_t>(date_ms) : 0;
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::uint64_t lifetime = seconds > kMost / 1000 ? kMost : seconds * 1000;
  return std::max<std::uint64_t>(1, from > kMost - lifetime ? kMost : from + lifetime);
}

// Of `earliest` (0: never) and what the dates at `path` say.
void take_earlier(std::uint64_t& earliest, Bytes bson, const Path& path, std::uint64_t seconds) {
  const auto consider = [&](const Value& value) {
    if (value.type != Type::Date) return;
    const std::uint64_t time = add_lifetime(value.as_date(), seconds);
    earliest = earliest == 0 ? time : std::min(earliest, time);
  };
  visit_path(bson, path, [&](const Value* value) {
    if (value == nullptr) return false;
    consider(*value);
    if (value->type != Type::Array) return false;
    for (Elements walk(value->bytes); const auto element = walk.next();) consider(element->value);
    return false;
  });
}

Result<std::vector<Due>> find_due(const kv::StoreReader& txn, std::uint64_t now, std::uint64_t limit) {
  std::vector<Due> found;
  bool is_damaged = false;
  TRY(txn.scan(expiry_prefix(0), expiry_prefix(now + 1), {.limit = limit}, [&](Bytes key, Bytes) {
    std::optional<Due> due = parse_key(key);
    is_damaged = !due;
    if (due) found.push_back(*std::move(due));
    return !is_damaged;
  }));
  if (is_damaged) return Status::error(ErrorCode::DocumentMalformed, "a damaged entry of what expires");
  return found;
}

Result<std::map<std::uint32_t, Collection>> open_all(const kv::StoreReader& txn) {
  std::map<std::uint32_t, Collection> collections;
  const std::vector<ByteString> names = TRY(list_collections(txn));
  for (const ByteString& name : names) {
    Collection collection = TRY(open_collection(txn, name));
    const std::uint32_t id = collection.id;
    collections.emplace(id, std::move(collection));
  }
  return collections;
}

Status remember_time(kv::StoreWriter& txn, std::uint64_t now) {
  ByteString value;
  base::append_varint(value, now);
  return txn.put(Bytes(&kSweptAt, 1), value);
}

}  // namespace

std::uint64_t expires_ms(const Collection& collection, Bytes bson, std::uint64_t own) {
  std::uint64_t earliest = own;
  if (collection.options.expire_after_s) {
    const std::optional<Path> path = parse_path(collection.options.expire_path);
    if (path) take_earlier(earliest, bson, *path, *collection.options.expire_after_s);
  }
  for (const Index& index : collection.indexes) {
    if (index.expire_after_s) take_earlier(earliest, bson, index.parts.front().path, *index.expire_after_s);
  }
  return earliest;
}

Status move_expiry(kv::StoreWriter& txn, const Collection& collection, Bytes id, std::uint64_t from, std::uint64_t to) {
  if (from == to) return {};
  if (from != 0) CHECK(txn.erase(expiry_key(collection, id, from)));
  return to != 0 ? txn.put(expiry_key(collection, id, to), {}) : Status{};
}

Status rebuild_expiry(kv::StoreWriter& txn, const Collection& collection) {
  // Entries of other times stay, and are found to be wrong when they are due.
  for (ByteString after;;) {
    std::vector<std::pair<ByteString, std::uint64_t>> found;
    CHECK(scan_records(txn, collection, after, [&](Bytes id, const RecordView& record) {
      found.emplace_back(id, expires_ms(collection, record.bson, record.own_expires_ms));
      return found.size() < kRebuiltAtOnce;
    }));
    if (found.empty()) return {};
    for (const auto& [id, time] : found) CHECK(move_expiry(txn, collection, id, 0, time));
    after = found.back().first;
  }
}

Result<Sweep> sweep_expired(kv::StoreWriter& txn, std::uint64_t entries_max) {
  const std::uint64_t now = TRY(current_ms(txn));
  const std::vector<Due> found = TRY(find_due(txn, now, entries_max));
  Sweep sweep;
  if (found.empty()) return sweep;
  sweep.is_done = found.size() < entries_max;
  CHECK(remember_time(txn, now));
  const std::map<std::uint32_t, Collection> collections = TRY(open_all(txn));
  for (const Due& due : found) {
    const auto collection = collections.find(due.collection);
    const std::optional<std::uint64_t> time =
        collection == collections.end() ? std::nullopt : TRY(read_expiry(txn, collection->second, due.id()));
    if (time == due.time) {
      CHECK(remove_expired(txn, collection->second, due.id()));
      ++sweep.removed;
    } else {
      CHECK(txn.erase(due.key));
    }
  }
  return sweep;
}

Result<bool> is_sweep_due(const kv::StoreReader& txn) {
  const std::uint64_t now = TRY(current_ms(txn));
  return !TRY(find_due(txn, now, 1)).empty();
}

Result<std::uint64_t> current_ms(const kv::StoreReader& txn) {
  const std::optional<ByteString> swept = TRY(txn.get(Bytes(&kSweptAt, 1)));
  Bytes bytes = swept ? Bytes(*swept) : Bytes();
  return std::max(txn.clock_ms(), swept ? base::take_varint(bytes).value_or(0) : 0);
}

}  // namespace vitrine::doc
