// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tests/model_reader.hpp"

#include <algorithm>
#include <iterator>

namespace vitrine::testing {

const PieceContent::value_type& ModelReader::any_keyspace() {
  return *std::next(content_.begin(), static_cast<std::ptrdiff_t>(random_.below(content_.size())));
}

const std::string& ModelReader::any_key(const PieceKeyspace& keyspace, bool known) {
  const std::string& key = keys_[random_.below(keys_.size())];
  if (!known || keyspace.entries.empty()) return key;
  const auto at = keyspace.entries.lower_bound(key);
  return at == keyspace.entries.end() ? keyspace.entries.begin()->first : at->first;
}

void ModelReader::read_something() {
  const std::uint64_t dice = random_.below(100);
  if (dice < 80) return get();
  if (dice < 95) return walk();
  scan();
}

void ModelReader::get() {
  const PieceKeyspace& keyspace = any_keyspace().second;
  const std::string& key = any_key(keyspace, !random_.one_in(4));
  const auto at = keyspace.entries.find(key);
  get_one(keyspace, key, at == keyspace.entries.end() ? nullptr : &at->second);
  ++checked_;
}

void ModelReader::get_one(const PieceKeyspace& keyspace, const std::string& key, const PieceEntry* entry) {
  switch (random_.below(6)) {
    case 0: {
      const std::optional<ByteString> value = txn_.get(keyspace.keyspace, key).value();
      demand(value.has_value() == (entry != nullptr), "get finds a key that is gone, or not one that is there");
      if (entry) demand(*value == bytes_of(entry->value), "get gives another value");
      return;
    }
    case 1: {
      const std::optional<Entry> found = txn_.get_entry(keyspace.keyspace, key).value();
      demand(found.has_value() == (entry != nullptr), "get_entry finds what is gone, or not what is there");
      if (!entry) return;
      demand(found->value == bytes_of(entry->value), "get_entry gives another value");
      demand(found->version == entry->version, "get_entry gives another version");
      return;
    }
    case 2:
      demand(txn_.contains(keyspace.keyspace, key).value() == (entry != nullptr), "contains");
      return;
    case 3:
      return stream(keyspace, key, entry);
    default:
      demand(txn_.get(keyspace.keyspace, key, buffer_).value() == (entry != nullptr), "get into a buffer");
      if (entry) demand(buffer_ == bytes_of(entry->value), "get into a buffer gives another value");
  }
}

void ModelReader::stream(const PieceKeyspace& keyspace, const std::string& key, const PieceEntry* entry) {
  Result<ValueReader> reader = txn_.open_value(keyspace.keyspace, key);
  if (!entry) return demand_code(reader.status(), ErrorCode::KeyNotFound, "open_value of a missing key");
  const Bytes expected = bytes_of(entry->value);
  demand(reader.value().size() == expected.size(), "open_value gives another size");
  for (int i = 0; i < 3; ++i) {
    const std::size_t from = random_.below(expected.size() + 10);
    const std::size_t wanted = random_.below(random_.one_in(2) ? 100 : expected.size() + 10);
    buffer_.resize(wanted);
    const std::size_t got = reader->read_at(from, buffer_.data(), wanted).value();
    const Bytes piece = from < expected.size() ? expected.substr(from, wanted) : Bytes();
    demand(Bytes(buffer_).substr(0, got) == piece, "read_at gives other bytes");
  }
}

void ModelReader::walk_from(CheckedCursor& cursor, const std::string& key) {
  switch (random_.below(8)) {
    case 0:
      return cursor.seek_first();
    case 1:
      return cursor.seek_last();
    case 2:
      return cursor.seek_before(key);
    default:
      return cursor.seek(key);
  }
}

void ModelReader::walk() {
  const PieceKeyspace& keyspace = any_keyspace().second;
  CheckedCursor cursor(txn_, keyspace);
  walk_from(cursor, any_key(keyspace, random_.one_in(2)));
  cursor.look();
  ++checked_;
  for (std::uint64_t i = random_.below(16); i > 0 && cursor.is_valid(); --i, ++checked_) {
    random_.one_in(2) ? cursor.next() : cursor.prev();
    cursor.look();
  }
}

ScanOptions ModelReader::any_range(std::string& prefix) {
  ScanOptions options;
  if (random_.one_in(3)) {
    prefix = keys_[random_.below(keys_.size())].substr(0, random_.between(1, 3));
    options.prefix = prefix;
  }
  if (random_.one_in(2)) options.from = keys_[random_.below(keys_.size())];
  if (random_.one_in(2)) options.to = keys_[random_.below(keys_.size())];
  options.limit = random_.one_in(8) ? ~std::uint64_t{0} : random_.below(50);
  options.reverse = random_.one_in(2);
  return options;
}

void ModelReader::scan() {
  const PieceKeyspace& keyspace = any_keyspace().second;
  std::string prefix;
  const ScanOptions options = any_range(prefix);
  std::vector<const PieceEntries::value_type*> expected;
  const auto first = keyspace.entries.lower_bound(std::max(options.from.value_or(Bytes()), options.prefix));
  for (auto at = first; at != keyspace.entries.end(); ++at) {
    if (options.to && at->first >= *options.to) break;
    if (Bytes(at->first).substr(0, prefix.size()) != prefix) break;
    expected.push_back(&*at);
  }
  if (options.reverse) std::reverse(expected.begin(), expected.end());
  if (expected.size() > options.limit) expected.resize(options.limit);
  if (random_.one_in(4)) {
    demand(txn_.count(keyspace.keyspace, options).value() == expected.size(), "count");
    ++checked_;
    return;
  }
  std::size_t seen = 0;
  const std::size_t stop_at = random_.one_in(10) ? random_.below(expected.size() + 1) : expected.size();
  const auto visit = [&](Bytes key, Bytes value) {
    demand(seen < expected.size(), "scan visits more than the model has");
    demand(key == expected[seen]->first, "scan visits another key");
    demand(value == bytes_of(expected[seen]->second.value), "scan gives another value");
    ++checked_;
    return ++seen != stop_at || stop_at == expected.size();
  };
  demand(txn_.scan(keyspace.keyspace, options, visit).value() == seen, "scan counts wrong");
  demand(seen == (stop_at == 0 ? expected.size() : stop_at), "scan visits too few");
}

}  // namespace vitrine::testing
