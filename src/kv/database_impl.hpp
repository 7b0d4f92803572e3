// SPDX-License-Identifier: MIT OR Apache-2.0
// What stands behind the public Database class.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>

#include "engine/engine.hpp"
#include "kv/memo.hpp"
#include "kv/operations.hpp"
#include "kv/transaction_impl.hpp"
#include "os/env.hpp"
#include "vitrine/database.hpp"

namespace vitrine {

namespace kv {

// The keyspace that readers found last. In the same state it need not be looked up again. Thread safety: any thread.
class LastKeyspace {
 public:
  std::optional<Keyspace> find(Bytes name, std::uint64_t state) const {
    std::lock_guard lock(mutex_);
    return state == state_ && name == name_ ? std::optional(keyspace_) : std::nullopt;
  }
  void keep(Bytes name, std::uint64_t state, Keyspace keyspace) {
    std::lock_guard lock(mutex_);
    if (name != name_) name_ = name;
    keyspace_ = keyspace;
    state_ = state;
  }

 private:
  mutable std::mutex mutex_;
  ByteString name_;  // empty, as no name is: there is none yet
  std::uint64_t state_ = 0;
  Keyspace keyspace_;
};

}  // namespace kv

struct DatabaseImpl : std::enable_shared_from_this<DatabaseImpl> {
  ~DatabaseImpl() { (void)close(); }

  void adopt(std::shared_ptr<engine::Engine> opened) noexcept {
    engine = std::move(opened);
    if (!engine->is_read_only()) lasting = engine.get();
  }
  // The engine transactions begin on. Read-only handles change it when they move on to a newer checkpoint.
  std::shared_ptr<engine::Engine> current() const {
    if (lasting != nullptr) return engine;
    std::lock_guard lock(mutex);
    return engine;
  }
  void enroll(TransactionImpl* txn) noexcept {
    std::lock_guard lock(mutex);
    txn->next = open_transactions;
    if (txn->next != nullptr) txn->next->previous = txn;
    open_transactions = txn;
  }
  void dismiss(TransactionImpl* txn) noexcept {
    std::lock_guard lock(mutex);
    (txn->previous != nullptr ? txn->previous->next : open_transactions) = txn->next;
    if (txn->next != nullptr) txn->next->previous = txn->previous;
  }
  // Whether the keyspace exists, looked up once. REQUIRES: `session` has changed nothing, so that what it finds is
  // committed. Errors: KeyspaceNotFound.
  Status check_known(Keyspace keyspace, engine::WriteSession& session);
  Status close();
  void end_transactions();
  // Where backups and exports go and imports come from: for in-memory databases, too, the world outside.
  os::Env& outside() const { return own_env ? *outer_env : current()->env(); }

  // The machine's time, but never less than before in this handle.
  std::uint64_t clock_ms(os::Env& env) noexcept {
    const std::uint64_t now = env.wall_ms();
    std::uint64_t latest = latest_ms.load(std::memory_order_relaxed);
    while (latest < now && !latest_ms.compare_exchange_weak(latest, now, std::memory_order_relaxed)) {
    }
    return latest < now ? now : latest;
  }

  mutable std::mutex mutex;
  std::unique_ptr<os::Env> own_env;  // in-memory databases
  os::Env* outer_env = nullptr;      // theirs
  std::shared_ptr<engine::Engine> engine;
  engine::Engine* lasting = nullptr;             // the engine of a handle that writes: it never changes
  TransactionImpl* open_transactions = nullptr;  // a list through TransactionImpl::next
  std::atomic<std::uint64_t> latest_ms{0};
  std::uint32_t known_keyspace = kv::kDefaultId;  // one that exists; for the one who may write
  kv::OperationCounters operations;
  kv::Memo memo;
  kv::LastKeyspace last_keyspace;
};

}  // namespace vitrine
