// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tests/model_writer.hpp"

#include <iterator>

namespace vitrine::testing {
namespace {

constexpr const char* kNames[] = {"a", "b", "long names are allowed, too", "\xc3\xa4\xc3\xb6"};

}  // namespace

void ModelWriter::step() {
  const std::uint64_t dice = random_.below(1000);
  if (dice < 650) return change();
  if (dice < 900) return reader_.read_something();
  if (dice < 960) return move_cursor();
  rare();
}

void ModelWriter::change() {
  const std::uint64_t dice = random_.below(100);
  ++checked_;
  if (dice < 3) return put_if_absent();
  if (dice < 6) return compare_and_set();
  if (dice >= habits_.put_share) return erase();
  put();
}

void ModelWriter::rare() {
  const std::uint64_t dice = random_.below(100);
  if (dice < 20) return erase_range();
  if (dice < 45) return stream();
  if (dice < 65) return set_savepoint();
  if (dice < 80) return roll_back_to();
  if (dice < 82) return create_or_drop();
  refused();
}

// --- The model -------------------------------------------------------------------------------------------------------

ModelWriter::Place ModelWriter::any_place(bool known) {
  const std::string& name = reader_.any_keyspace().first;
  PieceKeyspace& in = content_.at(name);
  return {name, in, reader_.any_key(in, known)};
}

Piece ModelWriter::any_value() {
  std::uint64_t size = random_.below(habits_.value_size_max + 1);
  if (random_.one_in(20)) size = random_.below(3);
  if (habits_.large_one_in != 0 && random_.one_in(habits_.large_one_in)) size = kPieceSizeMax >> random_.below(10);
  return random_piece(size, random_);
}

std::uint64_t ModelWriter::new_version(const PieceKeyspace& keyspace) const {
  return keyspace.keyspace.versions ? txn_.snapshot_seq() + 1 : 0;
}

void ModelWriter::note_undo(const Place& place) {
  const auto at = place.in.entries.find(place.key);
  const std::optional<PieceEntry> before = at == place.in.entries.end() ? std::nullopt : std::optional(at->second);
  undo_.push_back([this, name = place.name, key = place.key, before] {
    PieceEntries& entries = content_.at(name).entries;
    if (before) {
      entries[key] = *before;
    } else {
      entries.erase(key);
    }
  });
}

void ModelWriter::set(const Place& place, const Piece& value) {
  note_undo(place);
  place.in.entries[place.key] = {value, new_version(place.in)};
}

void ModelWriter::forget(const Place& place) {
  note_undo(place);
  place.in.entries.erase(std::string(place.key));  // the key may be the entry's own
}

void ModelWriter::undo_to(std::size_t size) {
  for (; undo_.size() > size; undo_.pop_back()) undo_.back()();
}

// --- Changes ---------------------------------------------------------------------------------------------------------

void ModelWriter::put() {
  const Place place = any_place(random_.one_in(4));
  const Piece value = any_value();
  demand_ok(txn_.put(place.in.keyspace, place.key, bytes_of(value)), "put");
  set(place, value);
}

void ModelWriter::erase() {
  const Place place = any_place(!random_.one_in(8));
  demand(txn_.erase(place.in.keyspace, place.key).value() == place.exists(), "erase");
  if (place.exists()) forget(place);
}

void ModelWriter::put_if_absent() {
  const Place place = any_place(random_.one_in(4));
  const Piece value = any_value();
  const bool is_new = txn_.put_if_absent(place.in.keyspace, place.key, bytes_of(value)).value();
  demand(is_new != place.exists(), "put_if_absent");
  if (is_new) set(place, value);
}

void ModelWriter::compare_and_set() {
  const Place place = any_place(!random_.one_in(4));
  const Piece value = any_value();
  const std::uint64_t version = place.exists() ? place.in.entries.at(place.key).version : 0;
  const std::uint64_t expected = random_.one_in(4) ? random_.below(version + 2) : version;
  const Status status = txn_.compare_and_set(place.in.keyspace, place.key, expected, bytes_of(value));
  if (!place.in.keyspace.versions) return demand_code(status, ErrorCode::Unversioned, "compare_and_set");
  if (expected != version) return demand_code(status, ErrorCode::VersionDiffers, "compare_and_set");
  demand_ok(status, "compare_and_set");
  set(place, value);
}

// Usually a short range, sometimes any, now and then without an upper bound.
void ModelWriter::erase_range() {
  const Place place = any_place(random_.one_in(2));
  const std::string from = place.key;
  PieceEntries& entries = place.in.entries;
  auto end = entries.lower_bound(from);
  for (std::uint64_t i = random_.below(30); i > 0 && end != entries.end(); --i) ++end;
  std::optional<std::string> to = end == entries.end() ? std::nullopt : std::optional(end->first);
  if (random_.one_in(20)) to = keys_[random_.below(keys_.size())];
  if (!to && !random_.one_in(4)) return;
  ++checked_;
  const auto begin = entries.lower_bound(from);
  end = !to ? entries.end() : *to < from ? begin : entries.lower_bound(*to);
  const auto expected = static_cast<std::uint64_t>(std::distance(begin, end));
  demand(txn_.erase_range(place.in.keyspace, from, to).value() == expected, "erase_range");
  for (auto at = begin; at != end; ++at) {
    undo_.push_back([this, name = place.name, entry = *at] { content_.at(name).entries.insert(entry); });
  }
  entries.erase(begin, end);
}

void ModelWriter::refused() {
  ++checked_;
  const Place place = any_place(true);
  const Keyspace keyspace = place.in.keyspace;
  const std::string too_long(key_size_max_ + 1, '\xff');
  demand_code(txn_.put(keyspace, "", "value"), ErrorCode::KeyEmpty, "put of an empty key");
  demand_code(txn_.put(keyspace, too_long, "value"), ErrorCode::KeyTooLong, "put of a long key");
  demand_code(txn_.erase(keyspace, too_long).status(), ErrorCode::KeyTooLong, "erase of a long key");
  demand_code(txn_.get(keyspace, too_long).status(), ErrorCode::KeyTooLong, "get of a long key");
  demand_code(txn_.rollback_to({marks_.size() + 1}), ErrorCode::SavepointUnknown, "an unknown savepoint");
  demand_code(txn_.keyspace("no such").status(), ErrorCode::KeyspaceNotFound, "an unknown keyspace");
}

// One step in the life of a large value: it begins, grows, is handed over or abandoned, among the other steps.
void ModelWriter::stream() {
  ++checked_;
  if (!stream_) {
    const Place place = any_place(random_.one_in(2));
    Result<ValueWriter> writer = txn_.write_value(place.in.keyspace, place.key);
    stream_.emplace(Stream{std::move(writer).value(), place.name, place.key, any_value(), 0});
  }
  const bool ends = random_.one_in(3);
  const std::uint32_t rest = stream_->value.size - stream_->written;
  const auto take = static_cast<std::uint32_t>(ends ? rest : random_.below(rest + 1));
  const Piece piece{stream_->value.offset + stream_->written, take};
  demand_ok(stream_->writer.append(bytes_of(piece)), "append");
  stream_->written += take;
  if (!ends) return;
  if (!random_.one_in(4)) {
    demand_ok(stream_->writer.finish(), "finish");
    set({stream_->name, content_.at(stream_->name), stream_->key}, stream_->value);
  }
  stream_.reset();
}

// --- Savepoints, keyspaces -------------------------------------------------------------------------------------------

void ModelWriter::set_savepoint() {
  ++checked_;
  const Result<Savepoint> savepoint = txn_.savepoint();
  if (stream_) return demand_code(savepoint.status(), ErrorCode::Misuse, "a savepoint while a value is written");
  demand_ok(savepoint.status(), "savepoint");
  marks_.push_back({*savepoint, undo_.size(), keyspace_changes_});
}

void ModelWriter::roll_back_to() {
  if (marks_.empty()) return;
  ++checked_;
  const std::size_t chosen = random_.below(marks_.size());
  demand_ok(txn_.rollback_to(marks_[chosen].savepoint), "rollback_to");
  marks_.resize(chosen + 1);
  if (stream_) demand_code(stream_->writer.append("more"), ErrorCode::Misuse, "append after rollback_to");
  stream_.reset();
  if (marks_[chosen].keyspace_changes != keyspace_changes_) cursor_.reset();  // its keyspace may come or go
  undo_to(marks_[chosen].undo_size);
}

void ModelWriter::create_or_drop() {
  const std::string name = kNames[random_.below(std::size(kNames))];
  const bool exists = content_.contains(name);
  ++checked_;
  ++keyspace_changes_;
  cursor_.reset();
  if (exists && !random_.one_in(3)) return drop(name);
  const Result<Keyspace> created = txn_.create_keyspace(name, {.versions = !random_.one_in(3)});
  if (exists) return demand_code(created.status(), ErrorCode::KeyspaceExists, "create_keyspace");
  demand_ok(created.status(), "create_keyspace");
  content_[name].keyspace = *created;
  undo_.push_back([this, name] { content_.erase(name); });
}

void ModelWriter::drop(const std::string& name) {
  stream_.reset();
  demand_ok(txn_.drop_keyspace(name), "drop_keyspace");
  const auto gone = content_.find(name);
  undo_.push_back([this, name, before = std::move(gone->second)] { content_[name] = before; });
  content_.erase(gone);
}

// --- The cursor that stays -------------------------------------------------------------------------------------------

void ModelWriter::move_cursor() {
  if (!cursor_ || random_.one_in(20)) {
    const PieceKeyspace& keyspace = reader_.any_keyspace().second;
    cursor_.emplace(txn_, keyspace);
    cursor_->seek(reader_.any_key(keyspace, true));
  }
  ++checked_;
  switch (random_.below(cursor_->is_valid() ? 8 : 2)) {
    case 0:
      return cursor_->seek(keys_[random_.below(keys_.size())]);
    case 1:
      return cursor_->seek_before(keys_[random_.below(keys_.size())]);
    case 2:
    case 3:
      return cursor_->prev();
    case 4:
    case 5:
      return cursor_->next();
    default:
      return cursor_->look();
  }
}

}  // namespace vitrine::testing
