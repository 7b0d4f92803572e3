// SPDX-License-Identifier: MIT OR Apache-2.0
#include "vitrine/transaction.hpp"

#include <algorithm>
#include <array>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "kv/database_impl.hpp"
#include "kv/safely.hpp"
#include "kv/transaction_impl.hpp"

namespace vitrine {

Transaction::Transaction(std::unique_ptr<TransactionImpl>&& impl) : impl_(std::move(impl)) {}
Transaction::~Transaction() = default;
Transaction::Transaction(Transaction&&) noexcept = default;
Transaction& Transaction::operator=(Transaction&&) noexcept = default;

std::uint64_t Transaction::snapshot_seq() const noexcept { return impl_->snapshot.commit_seq; }

Result<Keyspace> Transaction::keyspace(Bytes name) const {
  return kv::safely([&]() -> Result<Keyspace> {
    CHECK(impl_->usable());
    if (!name.empty() && impl_->named == name) return impl_->named_keyspace;
    CHECK(kv::check_keyspace_name(name));
    if (name == kv::kDefaultName) return Keyspace{};
    const tree::Found found = TRY(impl_->find(kv::kCatalog, name));
    if (!found.has_value()) return Status::error(ErrorCode::KeyspaceNotFound).with("name", name);
    const Keyspace keyspace = TRY(kv::decode_catalog_entry(found.value));
    impl_->named = name;
    impl_->named_keyspace = keyspace;
    return impl_->named_keyspace;
  });
}

Result<std::vector<KeyspaceInfo>> Transaction::keyspaces() const {
  return kv::safely([&]() -> Result<std::vector<KeyspaceInfo>> {
    std::vector<KeyspaceInfo> all{{ByteString(kv::kDefaultName), Keyspace{}}};
    Status damaged;
    // Names begin with a character above the control ones; the other kinds of catalog entries stand before.
    const ScanOptions names{.prefix = {}, .from = Bytes("\x20"), .to = std::nullopt};
    TRY(scan(kv::kCatalog, names, [&](Bytes name, Bytes entry) {
      const Result<Keyspace> keyspace = kv::decode_catalog_entry(entry);
      damaged = keyspace.status();
      if (keyspace.has_value()) all.push_back({ByteString(name), *keyspace});
      return damaged.is_ok();
    }));
    CHECK(damaged);
    return all;
  });
}

Result<bool> Transaction::get(Keyspace keyspace, Bytes key, ByteString& value) const {
  return kv::safely([&]() -> Result<bool> {
    const kv::Operating measured = impl_->operating(kv::Operation::Get);
    CHECK(impl_->usable());
    CHECK(impl_->check_key(key));
    if (const std::optional<bool> known = impl_->glimpse(keyspace, key, value)) return *known;
    const tree::Found found = TRY(impl_->find(keyspace, key));
    if (!found.has_value()) return false;
    TRY(impl_->read(keyspace, found, value));
    return true;
  });
}

Result<std::optional<ByteString>> Transaction::get(Keyspace keyspace, Bytes key) const {
  ByteString value;
  const Result<bool> found = get(keyspace, key, value);
  if (!found.has_value()) return found.status();
  if (!*found) return std::optional<ByteString>();
  return std::optional<ByteString>(std::move(value));
}

Status Transaction::multi_get(Keyspace keyspace, std::span<const Bytes> keys, const GetFunction& tell) const {
  return kv::safely([&]() -> Status {
    CHECK(impl_->usable());
    for (const Bytes key : keys) {
      (void)impl_->meter.count(kv::Operation::Get);  // never measured: their time is that of the whole
      CHECK(impl_->check_key(key));
    }
    std::array<tree::Found, tree::kFindLanes> found;
    std::string large;
    for (std::size_t done = 0; done < keys.size();) {
      const std::span<const Bytes> batch = keys.subspan(done, std::min(keys.size() - done, found.size()));
      if (batch.size() == 1) {
        found[0] = TRY(impl_->find(keyspace, batch[0]));
      } else {
        CHECK(impl_->find_many(keyspace, batch, found));
      }
      for (std::size_t i = 0; i < batch.size(); ++i, ++done) {
        if (found[i].has_value()) {
          tell(done, TRY(impl_->view(keyspace, found[i], large)).value);
        } else {
          tell(done, std::nullopt);
        }
      }
    }
    return {};
  });
}

Result<std::vector<std::optional<ByteString>>> Transaction::multi_get(Keyspace keyspace,
                                                                      std::span<const Bytes> keys) const {
  std::vector<std::optional<ByteString>> values;
  CHECK(kv::safely([&]() -> Status {
    values.reserve(keys.size());
    return multi_get(keyspace, keys, [&](std::size_t, std::optional<Bytes> value) { values.emplace_back(value); });
  }));
  return values;
}

Result<std::optional<Entry>> Transaction::get_entry(Keyspace keyspace, Bytes key) const {
  return kv::safely([&]() -> Result<std::optional<Entry>> {
    const kv::Operating measured = impl_->operating(kv::Operation::Get);
    CHECK(impl_->usable());
    CHECK(impl_->check_key(key));
    const tree::Found found = TRY(impl_->find(keyspace, key));
    if (!found.has_value()) return std::optional<Entry>();
    Entry entry;
    entry.version = TRY(impl_->read(keyspace, found, entry.value));
    return std::optional<Entry>(std::move(entry));
  });
}

Result<bool> Transaction::contains(Keyspace keyspace, Bytes key) const {
  return kv::safely([&]() -> Result<bool> {
    const kv::Operating measured = impl_->operating(kv::Operation::Get);
    CHECK(impl_->usable());
    CHECK(impl_->check_key(key));
    return TRY(impl_->find(keyspace, key)).has_value();
  });
}

Cursor Transaction::cursor(Keyspace keyspace) const { return Cursor(std::make_unique<Cursor::Impl>(*impl_, keyspace)); }

// --- Keyspaces -------------------------------------------------------------------------------------------------------

Result<Keyspace> WriteTransaction::create_keyspace(Bytes name, const KeyspaceOptions& options) {
  return kv::safely([&]() -> Result<Keyspace> {
    CHECK(impl_->writable());
    CHECK(kv::check_keyspace_name(name));
    const bool taken = name == kv::kDefaultName || TRY(impl_->find(kv::kCatalog, name)).has_value();
    if (taken) return Status::error(ErrorCode::KeyspaceExists).with("name", name);
    std::uint64_t id = kv::kFirstFreeId;
    if (const tree::Found next = TRY(impl_->find(kv::kCatalog, kv::kNextIdKey)); next.has_value()) {
      Bytes bytes = next.value;
      id = base::take_varint(bytes).value_or(0);
      if (id < kv::kFirstFreeId) return Status::error(ErrorCode::PageMalformed, "a damaged catalog entry");
    }
    if (id > ~std::uint32_t{0} - 1) return Status::error(ErrorCode::SpaceExhausted, "keyspace ids are used up");
    const Keyspace keyspace{static_cast<std::uint32_t>(id), options.versions};
    std::string next_id;
    base::append_varint(next_id, id + 1);
    CHECK(impl_->put_catalog(kv::kNextIdKey, next_id));
    CHECK(impl_->put_catalog(name, kv::encode_catalog_entry(keyspace)));
    CHECK(impl_->put_catalog(kv::catalog_id_key(keyspace.id), name));
    return keyspace;
  });
}

Result<Keyspace> WriteTransaction::ensure_keyspace(Bytes name, const KeyspaceOptions& options) {
  Result<Keyspace> there = keyspace(name);
  if (there.status().code() != ErrorCode::KeyspaceNotFound) return there;
  return create_keyspace(name, options);
}

Status WriteTransaction::drop_keyspace(Bytes name) {
  return kv::safely([&]() -> Status {
    CHECK(impl_->writable());
    if (name == kv::kDefaultName) return Status::error(ErrorCode::ArgumentInvalid, "the keyspace \"default\" stays");
    const Keyspace gone = TRY(keyspace(name));
    CHECK(impl_->prepare_change(gone));
    impl_->forget_keyspaces();
    impl_->database->known_keyspace = kv::kDefaultId;
    std::string begin;
    kv::make_tree_key(gone, {}, begin);
    TRY(impl_->session->erase_range(begin, kv::keyspace_end(gone)));
    std::string entry;
    kv::make_tree_key(kv::kCatalog, name, entry);
    TRY(impl_->session->erase(entry));
    kv::make_tree_key(kv::kCatalog, kv::catalog_id_key(gone.id), entry);
    TRY(impl_->session->erase(entry));
    return {};
  });
}

// --- Entries ---------------------------------------------------------------------------------------------------------

Status WriteTransaction::put(Keyspace keyspace, Bytes key, Bytes value) {
  return kv::safely([&] { return impl_->put(keyspace, key, value); });
}

Result<bool> WriteTransaction::put_if_absent(Keyspace keyspace, Bytes key, Bytes value) {
  return kv::safely([&]() -> Result<bool> {
    CHECK(impl_->writable());
    if (TRY(contains(keyspace, key))) return false;
    CHECK(impl_->put(keyspace, key, value));
    return true;
  });
}

Status WriteTransaction::compare_and_set(Keyspace keyspace, Bytes key, std::uint64_t expected, Bytes value) {
  return kv::safely([&]() -> Status {
    CHECK(impl_->writable());
    if (!keyspace.versions) return Status::error(ErrorCode::Unversioned);
    const std::optional<Entry> entry = TRY(get_entry(keyspace, key));
    const std::uint64_t found = entry ? entry->version : 0;
    if (found != expected) {
      return Status::error(ErrorCode::VersionDiffers).with("expected", expected).with("found", found);
    }
    return impl_->put(keyspace, key, value);
  });
}

Result<bool> WriteTransaction::erase(Keyspace keyspace, Bytes key) {
  return kv::safely([&]() -> Result<bool> {
    const kv::Operating measured = impl_->operating(kv::Operation::Erase);
    CHECK(impl_->writable());
    CHECK(impl_->check_key(key));
    kv::make_tree_key(keyspace, key, impl_->tree_key);
    const std::string full_key = impl_->tree_key;
    CHECK(impl_->prepare_change(keyspace));
    return impl_->session->erase(full_key);
  });
}

Result<std::uint64_t> WriteTransaction::erase_range(Keyspace keyspace, Bytes from, std::optional<Bytes> to) {
  return kv::safely([&]() -> Result<std::uint64_t> {
    const kv::Operating measured = impl_->operating(kv::Operation::Erase);
    CHECK(impl_->writable());
    std::string begin, end = kv::keyspace_end(keyspace);
    kv::make_tree_key(keyspace, from, begin);
    if (to) kv::make_tree_key(keyspace, *to, end);
    // Bounds need not be keys, but the log and the tree keep keys of bounded size; a longer bound separates the same
    // keys as its beginning does, from the next key on.
    const std::size_t key_max = impl_->engine->key_size_max();
    for (std::string* bound : {&begin, &end}) {
      if (bound->size() <= key_max) continue;
      bound->resize(key_max);
      // No key lies between the cut bound and the whole one except the cut bound itself, which is below the whole one.
      if (const auto next = kv::prefix_end(*bound)) *bound = *next;
    }
    CHECK(impl_->prepare_change(keyspace));
    return impl_->session->erase_range(begin, end);
  });
}

// --- Savepoints and the end ------------------------------------------------------------------------------------------

Result<Savepoint> WriteTransaction::savepoint() {
  return kv::safely([&]() -> Result<Savepoint> {
    CHECK(impl_->writable());
    if (!impl_->writers.empty()) return Status::error(ErrorCode::Misuse, "a value is being written");
    impl_->suspend_cursors();
    return Savepoint{TRY(impl_->session->savepoint())};
  });
}

Status WriteTransaction::rollback_to(Savepoint savepoint) {
  return kv::safely([&]() -> Status {
    if (!impl_->is_open()) return Status::error(ErrorCode::TransactionFinished);
    CHECK(impl_->engine->check_process());
    CHECK(impl_->session->check_savepoint(savepoint.id));
    impl_->suspend_cursors();
    impl_->cut_writers(Status::error(ErrorCode::Misuse, "the value was rolled back"));
    impl_->forget_keyspaces();
    return impl_->session->rollback_to(savepoint.id);
  });
}

Commit WriteTransaction::commit(std::optional<Durability> durability) {
  if (!impl_->is_open()) return {CommitOutcome::NotCommitted, 0, Status::error(ErrorCode::TransactionFinished)};
  if (Status forked = impl_->engine->check_process(); !forked.is_ok()) return {CommitOutcome::NotCommitted, 0, forked};
  impl_->suspend_cursors();  // their pins would stand in the way
  impl_->cut_writers(Status::error(ErrorCode::TransactionFinished));
  Commit commit = impl_->commit(durability.value_or(impl_->engine->options().durability));
  impl_->end();
  return commit;
}

void WriteTransaction::rollback() noexcept { impl_->end(); }

}  // namespace vitrine
