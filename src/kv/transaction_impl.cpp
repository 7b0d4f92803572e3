// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kv/transaction_impl.hpp"

#include <array>
#include <new>

#include "base/try.hpp"
#include "kv/database_impl.hpp"

namespace vitrine {
namespace kv {

Status check_key(const engine::Engine& engine, Bytes key) {
  if (key.empty()) return Status::error(ErrorCode::KeyEmpty);
  const std::size_t key_max = engine.key_size_max() - engine::kKeyspacePrefixMax;
  if (key.size() > key_max) {
    return Status::error(ErrorCode::KeyTooLong).with("size", key.size()).with("largest", key_max);
  }
  return {};
}

Status check_entry(const engine::Engine& engine, Bytes key, Bytes value) {
  CHECK(check_key(engine, key));
  if (value.size() > kValueMax) return Status::error(ErrorCode::ValueTooLarge).with("size", value.size());
  return {};
}

Status check_keyspace(pool::Pool& pool, const tree::TreeRoot& root, Keyspace keyspace, std::uint32_t& known) {
  if (keyspace.id == known || keyspace.id == kDefaultId) return {};
  std::string name;
  make_tree_key(kCatalog, catalog_id_key(keyspace.id), name);
  const bool exists = TRY(tree::find(pool, root, name)).has_value();
  if (!exists) return Status::error(ErrorCode::KeyspaceNotFound).with("id", keyspace.id);
  known = keyspace.id;
  return {};
}

Result<Record> view_record(pool::Pool& pool, Keyspace keyspace, const tree::Found& found, std::string& large) {
  if (!found.large) return split_record(keyspace, found.value);
  CHECK(tree::read_value(pool, found.value, true, large));
  return split_record(keyspace, large);
}

Result<std::uint64_t> read_record(pool::Pool& pool, Keyspace keyspace, const tree::Found& found, std::string& value) {
  const Record record = TRY(view_record(pool, keyspace, found, value));
  if (found.large) {
    value.erase(0, value.size() - record.value.size());
  } else {
    value.assign(record.value);
  }
  return record.version;
}

std::optional<bool> glimpse_record(pool::Pool& pool, const tree::TreeRoot& root, Keyspace keyspace, Bytes tree_key,
                                   std::string& value) {
  const tree::Glimpse seen = tree::glimpse(pool, root, tree_key);
  if (!seen.is_known) return std::nullopt;
  if (!seen.value) return false;
  const Result<Record> record = split_record(keyspace, *seen.value);
  if (!record.has_value()) return std::nullopt;
  value.assign(record->value);
  return true;
}

}  // namespace kv

TransactionImpl::TransactionImpl(std::shared_ptr<DatabaseImpl> of, std::shared_ptr<engine::Engine> on)
    : database(std::move(of)), engine(std::move(on)), snapshot(engine->pin_snapshot()), meter(database->operations) {
  database->enroll(this);
}

TransactionImpl::TransactionImpl(std::shared_ptr<DatabaseImpl> of, std::shared_ptr<engine::Engine> on,
                                 std::unique_ptr<engine::WriteSession> of_session)
    : database(std::move(of)), engine(std::move(on)), session(std::move(of_session)), meter(database->operations) {
  snapshot.commit_seq = session->commit_seq() - 1;
  database->enroll(this);
}

// Cursors may be made of a transaction that has ended; they must not keep a way back to one that is gone.
TransactionImpl::~TransactionImpl() {
  end();
  for (Cursor::Impl* cursor : cursors) cursor->cut_off();
}

void TransactionImpl::cut_writers(const Status& why) noexcept {
  for (ValueWriter::Impl* writer : writers) {
    writer->writer.reset();  // gives its pages back to the transaction
    writer->txn = nullptr;
    writer->ended = why;
  }
  writers.clear();
}

void TransactionImpl::end() noexcept {
  if (!is_open_) return;
  is_open_ = false;
  held.clear();
  for (Cursor::Impl* cursor : cursors) cursor->cut_off();
  cursors.clear();
  for (ValueReader::Impl* reader : readers) reader->txn = nullptr;
  readers.clear();
  const bool is_forked = !engine->check_process().is_ok();
  if (is_forked) {  // pages and latch are the parent's
    for (ValueWriter::Impl* writer : writers) (void)writer->writer.release();
    (void)session.release();
  }
  cut_writers(Status::error(ErrorCode::TransactionFinished));
  if (is_forked) return;
  if (session) {
    session->rollback();
    session.reset();
  } else {
    engine->unpin_snapshot(snapshot);
  }
  database->dismiss(this);
}

Status TransactionImpl::usable() const {
  if (!is_open_) return Status::error(ErrorCode::TransactionFinished);
  CHECK(engine->check_process());
  if (!held.empty()) CHECK(place_held());
  if (session && session->has_failed()) return Status::error(ErrorCode::TransactionFailed);
  return {};
}

Status TransactionImpl::writable() const {
  CHECK(usable());
  return session ? Status{} : Status::error(ErrorCode::Misuse, "a read transaction cannot write");
}

Result<tree::Found> TransactionImpl::find(Keyspace keyspace, Bytes key) const {
  kv::make_tree_key(keyspace, key, tree_key);
  return tree::find(pool(), root(), tree_key);
}

std::optional<bool> TransactionImpl::glimpse(Keyspace keyspace, Bytes key, std::string& value) const {
  const pool::Visits::Visit visit = pool().visits().enter(pool::Visits::kNone);
  if (!visit) return std::nullopt;
  kv::make_tree_key(keyspace, key, tree_key);
  return kv::glimpse_record(pool(), root(), keyspace, tree_key, value);
}

Status TransactionImpl::find_many(Keyspace keyspace, std::span<const Bytes> keys, std::span<tree::Found> found) const {
  std::array<Bytes, tree::kFindLanes> tree_keys;
  std::string all;
  std::size_t size = keys.size() * engine::kKeyspacePrefixMax;
  for (const Bytes key : keys) size += key.size();
  all.reserve(size);  // so that the views into it stay valid
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::size_t begin = all.size();
    kv::append_tree_key(keyspace, keys[i], all);
    tree_keys[i] = Bytes(all).substr(begin);
  }
  return tree::find_many(pool(), root(), std::span(tree_keys).first(keys.size()), found);
}

void TransactionImpl::suspend_cursors() noexcept {
  for (Cursor::Impl* cursor : cursors) cursor->suspend();
}

Status TransactionImpl::prepare_change(Keyspace keyspace) {
  suspend_cursors();
  return kv::check_keyspace(pool(), root(), keyspace, known_keyspace);
}

// Small, and nothing looks at the tree without asking usable(): a cursor would, and so would a value that is written.
// Of keys that come in order only the first.
bool TransactionImpl::may_hold(Bytes key, Bytes value) const noexcept {
  constexpr std::size_t kCountMax = 1024, kBytesMax = 256u << 10;
  if (session == nullptr || !is_open_ || !cursors.empty() || !writers.empty() || !session->is_untouched()) return false;
  if (key.size() + value.size() >= tree::cell_max(pool().page_size())) return false;
  if (held.empty()) return true;
  return !session->tree().is_in_run() && held.size() < kCountMax &&
         held_bytes.size() + key.size() + value.size() < kBytesMax;
}

Status TransactionImpl::hold(Keyspace keyspace, Bytes key, Bytes value) {
  CHECK(engine->check_process());
  CHECK(session->usable());
  CHECK(database->check_known(keyspace, *session));
  known_keyspace = keyspace.id;
  held_bytes.resize(held.empty() ? 0 : held.back().value_end);  // more when memory ended half-way
  HeldPut put;
  kv::append_tree_key(keyspace, key, held_bytes);
  put.key_end = held_bytes.size();
  held_bytes.append(kv::record_header(keyspace, session->commit_seq()));
  put.header_end = held_bytes.size();
  held_bytes.append(value);
  put.value_end = held_bytes.size();
  held.push_back(put);
  return {};
}

// Views of held_bytes.
std::vector<tree::Put> TransactionImpl::held_puts() const {
  std::vector<tree::Put> puts;
  puts.reserve(held.size());
  const Bytes bytes = held_bytes;
  std::size_t begin = 0;
  for (const HeldPut& put : held) {
    puts.push_back({bytes.substr(begin, put.key_end - begin), bytes.substr(put.key_end, put.header_end - put.key_end),
                    bytes.substr(put.header_end, put.value_end - put.header_end)});
    begin = put.value_end;
  }
  return puts;
}

Status TransactionImpl::place_held() const {
  const std::vector<tree::Put> puts = held_puts();
  held.clear();
  for (const tree::Put& put : puts) CHECK(session->put(put.key, put.first, put.rest));
  return {};
}

Commit TransactionImpl::commit(Durability durability) {
  if (held.empty()) return session->commit(durability);
  std::vector<tree::Put> puts;
  try {
    puts = held_puts();
  } catch (const std::bad_alloc&) {
    session->rollback();
    return {CommitOutcome::NotCommitted, 0, Status::out_of_memory()};
  }
  return session->put_alone(puts, durability);
}

Status TransactionImpl::put(Keyspace keyspace, Bytes key, Bytes value) {
  const kv::Operating measured = operating(kv::Operation::Put);
  if (may_hold(key, value)) {
    CHECK(kv::check_entry(*engine, key, value));
    return hold(keyspace, key, value);
  }
  CHECK(writable());
  CHECK(kv::check_entry(*engine, key, value));
  // The views may point into a page that a cursor is about to let go.
  std::string kept_value;
  if (!cursors.empty()) value = kept_value.assign(value);
  kv::make_tree_key(keyspace, key, put_key);
  CHECK(prepare_change(keyspace));
  return session->put(put_key, kv::record_header(keyspace, session->commit_seq()), value);
}

Status TransactionImpl::put_catalog(Bytes key, Bytes value) {
  suspend_cursors();
  kv::make_tree_key(kv::kCatalog, key, tree_key);
  return session->put(tree_key, {}, value);
}

}  // namespace vitrine
