// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/change_log.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "doc/bson.hpp"
#include "doc/key_encoding.hpp"

namespace vitrine::doc {
namespace {

constexpr char kKept = 0x06, kGone = 0x07, kEntry = 0x30, kFormat = 0x01;
constexpr Bytes kKeptKey(&kKept, 1), kGoneKey(&kGone, 1), kLog(&kEntry, 1);
constexpr std::size_t kPositionSize = 12;
constexpr std::uint64_t kTrimAtOnce = 4;  // more than one, so that a lowered limit is reached
constexpr std::uint8_t kLastKind = static_cast<std::uint8_t>(ChangeKind::Create);

Status damaged_change() { return Status::error(ErrorCode::DocumentMalformed, "a damaged entry of the log of changes"); }

ByteString make_position(std::uint64_t version, std::uint32_t sequence) {
  ByteString position;
  for (int shift = 56; shift >= 0; shift -= 8) position.push_back(static_cast<char>(version >> shift));
  for (int shift = 24; shift >= 0; shift -= 8) position.push_back(static_cast<char>(sequence >> shift));
  return position;
}

// The big-endian number in `size` bytes.
std::uint64_t number_at(Bytes bytes, std::size_t at, std::size_t size) {
  std::uint64_t number = 0;
  for (std::size_t i = at; i < at + size; ++i) number = number << 8 | static_cast<std::uint8_t>(bytes[i]);
  return number;
}

struct Entry {
  ChangeView view;
  std::uint64_t number = 0;
};

std::optional<Entry> parse(Bytes key, Bytes value) {
  if (key.size() != 1 + kPositionSize || value.size() < 2 || value.front() != kFormat) return std::nullopt;
  Entry entry;
  const auto kind = static_cast<std::uint8_t>(value[1]);
  entry.view.kind = static_cast<ChangeKind>(kind);
  entry.view.position = key.substr(1);
  entry.view.version = number_at(key, 1, 8);
  value.remove_prefix(2);
  const std::optional<std::uint64_t> number = base::take_varint(value), size = base::take_varint(value);
  if (kind > kLastKind || !number || !size || *size > value.size()) return std::nullopt;
  entry.number = *number;
  entry.view.collection = value.substr(0, *size);
  entry.view.bson = value.substr(*size);
  const bool is_good = entry.view.bson.empty() || Elements(entry.view.bson).is_well_formed();
  return is_good ? std::optional(entry) : std::nullopt;
}

struct Mark {
  ByteString key;
  std::uint64_t number = 0;
};

// The first or last entries.
Result<std::vector<Mark>> marks(const kv::StoreReader& txn, const kv::StoreScan& options) {
  std::vector<Mark> found;
  bool is_damaged = false;
  TRY(txn.scan(kLog, after_prefix(kLog), options, [&](Bytes key, Bytes value) {
    const std::optional<Entry> entry = parse(key, value);
    is_damaged = !entry;
    if (entry) found.push_back({ByteString(key), entry->number});
    return !is_damaged;
  }));
  if (is_damaged) return damaged_change();
  return found;
}

Result<std::optional<std::uint64_t>> entries_max(const kv::StoreReader& txn) {
  const std::optional<ByteString> kept = TRY(txn.get(kKeptKey));
  if (!kept) return std::optional<std::uint64_t>();
  Bytes bytes(*kept);
  const std::optional<std::uint64_t> max = base::take_varint(bytes);
  return max ? Result<std::optional<std::uint64_t>>(max) : damaged_change();
}

// Gives up the oldest entries, so that with the newest one there are not more than `max`.
Status trim(kv::StoreWriter& txn, std::uint64_t newest, std::uint64_t max) {
  const std::vector<Mark> oldest = TRY(marks(txn, {.limit = kTrimAtOnce}));
  for (const Mark& mark : oldest) {
    if (newest - mark.number < max) break;
    CHECK(txn.erase(mark.key));
    CHECK(txn.put(kGoneKey, Bytes(mark.key).substr(1)));
  }
  return {};
}

}  // namespace

Result<bool> keeps_changes(const kv::StoreReader& txn) { return TRY(entries_max(txn)).has_value(); }

Status log_change(kv::StoreWriter& txn, ChangeKind kind, Bytes collection, Bytes bson) {
  const std::optional<std::uint64_t> max = TRY(entries_max(txn));
  if (!max) return {};
  const std::vector<Mark> last = TRY(marks(txn, {.limit = 1, .reverse = true}));
  const std::uint64_t version = txn.read_version() + 1;
  const bool goes_on = !last.empty() && number_at(last[0].key, 1, 8) == version;
  const auto sequence = goes_on ? static_cast<std::uint32_t>(number_at(last[0].key, 9, 4)) + 1 : 0;
  const std::uint64_t number = last.empty() ? 1 : last[0].number + 1;
  ByteString value{kFormat, static_cast<char>(kind)};
  base::append_varint(value, number);
  base::append_varint(value, collection.size());
  value.append(collection).append(bson);
  CHECK(txn.put(ByteString(kLog) + make_position(version, sequence), value));
  return trim(txn, number, *max);
}

Status keep_changes(kv::StoreWriter& txn, std::uint64_t max) {
  if (max != 0) {
    ByteString value;
    base::append_varint(value, max);
    return txn.put(kKeptKey, value);
  }
  const std::vector<Mark> last = TRY(marks(txn, {.limit = 1, .reverse = true}));
  if (!last.empty()) CHECK(txn.put(kGoneKey, Bytes(last[0].key).substr(1)));
  CHECK(txn.erase_range(kLog, after_prefix(kLog)));
  return txn.erase(kKeptKey);
}

Result<bool> give_up_changes(kv::StoreWriter& txn) {
  const bool is_kept = TRY(txn.get(kKeptKey)).has_value();
  CHECK(txn.erase_range(kLog, after_prefix(kLog)));
  CHECK(txn.put(kGoneKey, position_before(txn.read_version() + 1)));
  return is_kept;
}

Result<ByteString> read_changes(const kv::StoreReader& txn, Bytes position,
                                const std::function<bool(const ChangeView& change)>& visit) {
  if (!TRY(entries_max(txn))) return Status::error(ErrorCode::Misuse, "the database keeps no log of changes");
  ByteString last(position);
  ByteString begin(kLog);
  if (!position.empty()) {
    if (position.size() != kPositionSize) return Status::error(ErrorCode::ArgumentInvalid, "no position of the log");
    const ByteString gone = TRY(txn.get(kGoneKey)).value_or(ByteString());
    if (position < gone)
      return Status::error(ErrorCode::KeyNotFound, "the changes after this token are not held any more");
    begin.append(position).append(1, '\0');  // behind it
  }
  bool is_damaged = false;
  TRY(txn.scan(begin, after_prefix(kLog), {}, [&](Bytes key, Bytes value) {
    const std::optional<Entry> entry = parse(key, value);
    is_damaged = !entry;
    if (!entry) return false;
    last = entry->view.position;
    return visit(entry->view);
  }));
  if (is_damaged) return damaged_change();
  return last;
}

ByteString position_before(std::uint64_t version) {
  return version == 0 ? ByteString(kPositionSize, '\0') : make_position(version - 1, ~std::uint32_t{0});
}

Result<ByteString> last_position(const kv::StoreReader& txn) {
  const std::vector<Mark> last = TRY(marks(txn, {.limit = 1, .reverse = true}));
  if (!last.empty()) return last[0].key.substr(1);
  return TRY(txn.get(kGoneKey)).value_or(ByteString(kPositionSize, '\0'));
}

}  // namespace vitrine::doc
