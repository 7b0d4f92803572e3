// SPDX-License-Identifier: MIT OR Apache-2.0
#include "vitrine/database.hpp"

#include <vector>

#include "base/defer.hpp"
#include "base/try.hpp"
#include "kv/database_impl.hpp"
#include "kv/safely.hpp"
#include "kv/transaction_impl.hpp"
#include "os/memory_env.hpp"
#include "vitrine/metrics.hpp"

namespace vitrine {

Status DatabaseImpl::check_known(Keyspace keyspace, engine::WriteSession& session) {
  return kv::check_keyspace(session.engine().pool(), session.root(), keyspace, known_keyspace);
}

void DatabaseImpl::end_transactions() {
  for (;;) {
    TransactionImpl* txn = nullptr;
    {
      std::lock_guard lock(mutex);
      txn = open_transactions;
    }
    if (txn == nullptr) break;
    txn->end();
  }
}

Status DatabaseImpl::close() {
  if (engine && engine->check_process().code() == ErrorCode::Misuse) {
    // In a child after fork nothing may be taken apart: other threads of the parent may have held any lock.
    static auto& kept_for_ever = *new std::vector<std::shared_ptr<engine::Engine>>;
    kept_for_ever.push_back(engine);
    return engine->check_process();
  }
  end_transactions();
  return kv::safely([&]() -> Status { return engine ? engine->close() : Status{}; });
}

Database::Database(std::shared_ptr<DatabaseImpl> impl) : impl_(std::move(impl)) {}
Database::Database(Database&&) noexcept = default;

Database& Database::operator=(Database&& other) noexcept {
  if (impl_ && impl_ != other.impl_) (void)impl_->close();
  impl_ = std::move(other.impl_);
  return *this;
}

Database::~Database() {
  if (impl_) (void)impl_->close();
}

Result<Database> Database::open(const std::string& path, OpenMode mode, Options options) {
  return kv::safely([&]() -> Result<Database> {
    os::Env& env = options.env ? *options.env : os::system_env();
    const bool may_create = mode != OpenMode::MustExist;
    if (may_create && options.access == Access::ReadOnly) {
      return Status::error(ErrorCode::ArgumentInvalid, "a read-only handle creates nothing");
    }
    if (may_create) {
      const Status created = engine::Engine::create(env, path, options);
      const bool there = created.code() == ErrorCode::FileExists && mode == OpenMode::CreateIfMissing;
      if (!there) CHECK(created);
    }
    auto impl = std::make_shared<DatabaseImpl>();
    impl->adopt(TRY(engine::Engine::open(env, path, options)));
    return Database(std::move(impl));
  });
}

Result<Database> Database::open_in_memory(Options options) {
  return kv::safely([&]() -> Result<Database> {
    if (options.secret) return Status::error(ErrorCode::ArgumentInvalid, "a database in memory is not encrypted");
    auto impl = std::make_shared<DatabaseImpl>();
    impl->own_env = os::make_memory_env();
    impl->outer_env = options.env ? options.env : &os::system_env();
    options.access = Access::ReadWrite;
    const std::string path = "memory";
    CHECK(engine::Engine::create(*impl->own_env, path, options));
    impl->adopt(TRY(engine::Engine::open(*impl->own_env, path, options, engine::Backing::Memory)));
    return Database(std::move(impl));
  });
}

Status Database::close() { return impl_->close(); }

// --- Transactions ----------------------------------------------------------------------------------------------------

Result<ReadTransaction> Database::begin_read() const {
  return kv::safely([&]() -> Result<ReadTransaction> {
    std::shared_ptr<engine::Engine> engine = impl_->current();
    CHECK(engine->check_usable());
    return ReadTransaction(std::make_unique<TransactionImpl>(impl_, std::move(engine)));
  });
}

Result<WriteTransaction> Database::begin_write(std::optional<std::chrono::milliseconds> wait) {
  return kv::safely([&]() -> Result<WriteTransaction> {
    std::shared_ptr<engine::Engine> engine = impl_->current();
    std::unique_ptr<engine::WriteSession> session = TRY(engine->begin_write(wait));
    return WriteTransaction(std::make_unique<TransactionImpl>(impl_, std::move(engine), std::move(session)));
  });
}

Status Database::put(Bytes key, Bytes value) { return put(Keyspace{}, key, value); }

Status Database::put(Keyspace keyspace, Bytes key, Bytes value, std::optional<Durability> durability) {
  return kv::safely([&]() -> Status {
    std::shared_ptr<engine::Engine> engine = impl_->current();
    std::unique_ptr<engine::WriteSession> session = TRY(engine->begin_write(std::nullopt));
    const Durability wanted = durability.value_or(engine->options().durability);
    kv::OperationMeter meter(impl_->operations);
    const kv::Operating measured(meter, engine->env(), kv::Operation::Put);
    CHECK(kv::check_entry(*engine, key, value));
    CHECK(impl_->check_known(keyspace, *session));
    const kv::TreeKey tree_key(keyspace, key);
    const std::string header = kv::record_header(keyspace, session->commit_seq());
    const tree::Put put{tree_key.bytes(), header, value};
    return session->put_alone({&put, 1}, wanted).status;
  });
}

Result<std::optional<ByteString>> Database::get(Bytes key) const {
  ByteString value;
  if (!TRY(get(Keyspace{}, key, value))) return std::optional<ByteString>();
  return std::optional<ByteString>(std::move(value));
}

// A snapshot without a transaction around it: nothing can be done with it but this. While all of it is in memory, no
// lock is taken and nothing is pinned.
Result<bool> Database::get(Keyspace keyspace, Bytes key, ByteString& value) const {
  return kv::safely([&]() -> Result<bool> {
    const std::shared_ptr<engine::Engine> kept = impl_->lasting != nullptr ? nullptr : impl_->current();
    engine::Engine& engine = kept ? *kept : *impl_->lasting;
    kv::OperationMeter meter(impl_->operations);
    const kv::Operating measured(meter, engine.env(), kv::Operation::Get);
    CHECK(engine.check_usable());
    CHECK(kv::check_key(engine, key));
    const kv::TreeKey tree_key(keyspace, key);
    engine::State snapshot;
    if (const pool::Visits::Visit visit = engine.visit(snapshot)) {
      const std::optional<bool> known =
          kv::glimpse_record(engine.pool(), snapshot.root, keyspace, tree_key.bytes(), value);
      if (known) return *known;
    }
    snapshot = engine.pin_snapshot();
    const base::Defer unpin([&] { engine.unpin_snapshot(snapshot); });
    const tree::Found found = TRY(tree::find(engine.pool(), snapshot.root, tree_key.bytes()));
    if (found.has_value()) TRY(kv::read_record(engine.pool(), keyspace, found, value));
    return found.has_value();
  });
}

Result<bool> Database::erase(Bytes key) {
  bool existed = false;
  const Status status = write([&](WriteTransaction& txn) -> Status {
    existed = TRY(txn.erase(key));
    return {};
  });
  if (!status.is_ok()) return status;
  return existed;
}

Result<bool> Database::refresh() {
  return kv::safely([&]() -> Result<bool> {
    const std::shared_ptr<engine::Engine> now = impl_->current();
    const engine::Engine::Catchup caught_up = TRY(now->catch_up());
    if (caught_up != engine::Engine::Catchup::Reopen) return caught_up == engine::Engine::Catchup::Advanced;
    std::shared_ptr<engine::Engine> newer =
        TRY(engine::Engine::open(now->env(), now->path(), now->options(), engine::Backing::File, now->keys()));
    const bool advanced = newer->versions().latest().commit_seq > now->versions().latest().commit_seq;
    std::lock_guard lock(impl_->mutex);
    impl_->engine = std::move(newer);
    return advanced;
  });
}

// --- Care ------------------------------------------------------------------------------------------------------------

Status Database::sync() {
  return kv::safely([&] { return impl_->current()->sync(); });
}
Status Database::checkpoint() {
  return kv::safely([&] { return impl_->current()->checkpoint(); });
}
Result<CompactReport> Database::compact(const ProgressFunction& progress) {
  return kv::safely([&] { return impl_->current()->compact(progress); });
}
Result<CompactReport> Database::vacuum(const ProgressFunction& progress) {
  return kv::safely([&] { return impl_->current()->vacuum(progress); });
}
Result<VerifyReport> Database::verify(VerifyLevel level, const ProgressFunction& progress) const {
  return kv::safely([&] { return impl_->current()->verify(level, progress); });
}
Result<Stats> Database::stats() const {
  return kv::safely([&]() -> Result<Stats> {
    Stats stats = TRY(impl_->current()->stats());
    impl_->operations.read(stats);
    return stats;
  });
}
Result<std::vector<HealthWarning>> Database::warnings() const {
  return kv::safely([&]() -> Result<std::vector<HealthWarning>> {
    const Stats now = TRY(stats());
    const DatabaseInfo what = TRY(info());
    return warnings_of(now, what);
  });
}
Result<DatabaseInfo> Database::info() const {
  return kv::safely([&] { return impl_->current()->info(); });
}

}  // namespace vitrine
