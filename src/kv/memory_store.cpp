// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kv/memory_store.hpp"

#include <algorithm>
#include <utility>

#include "base/try.hpp"
#include "kv/keyspace.hpp"
#include "kv/safely.hpp"
#include "os/env.hpp"

namespace vitrine::kv {
namespace {

MemoryStore::Range only(Bytes key) { return {ByteString(key), ByteString(key) + '\0'}; }

bool overlap(const MemoryStore::Range& a, const MemoryStore::Range& b) { return a.begin < b.end && b.begin < a.end; }

bool take(const MemoryStore::Map& map, Bytes key, ByteString& value) {
  const auto found = map.find(key);
  if (found != map.end()) value = found->second;
  return found != map.end();
}

Status get_one_by_one(const StoreReader& txn, std::span<const Bytes> keys, StoreTeller tell) {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::optional<ByteString> value = TRY(txn.get(keys[i]));
    tell(i, value ? std::optional<Bytes>(*value) : std::nullopt);
  }
  return {};
}

// Entries of [begin, end) in `map`, in either direction, until `visit` answers false.
template <typename Map>
std::uint64_t walk(const Map& map, Bytes begin, Bytes end, const StoreScan& options, StoreVisitor visit) {
  if (begin >= end) return 0;
  auto first = map.lower_bound(begin), last = map.lower_bound(end);
  std::uint64_t count = 0;
  while (first != last && count < options.limit) {
    const auto& [key, value] = options.reverse ? *--last : *first++;
    ++count;
    if (!visit(key, value)) break;
  }
  return count;
}

}  // namespace

class MemoryReader final : public StoreReader {
 public:
  MemoryReader(MemoryStore& store, std::shared_ptr<const MemoryStore::Map> state, std::uint64_t version)
      : store_(&store), state_(std::move(state)), version_(version) {}

  std::uint64_t read_version() const override { return version_; }
  std::uint64_t clock_ms() const override { return store_->clock_ms(); }

  Result<bool> read(Bytes key, ByteString& value) const override {
    CHECK(check_store_key(key));
    return take(*state_, key, value);
  }

  Status multi_get(std::span<const Bytes> keys, StoreTeller tell) const override {
    return get_one_by_one(*this, keys, tell);
  }
  bool is_snapshot() const override { return true; }
  Memo* memo() const override { return &store_->memo_; }

  Result<std::uint64_t> scan(Bytes begin, Bytes end, const StoreScan& options, StoreVisitor visit) const override {
    return walk(*state_, begin, end, options, visit);
  }

 private:
  MemoryStore* store_;
  std::shared_ptr<const MemoryStore::Map> state_;
  std::uint64_t version_;
};

// Works on a private copy of the state, and remembers what it read and wrote.
class MemoryWriter final : public StoreWriter {
 public:
  MemoryWriter(MemoryStore& store, MemoryStore::Map state, std::uint64_t version)
      : store_(&store), state_(std::move(state)), version_(version) {}

  std::uint64_t read_version() const override { return version_; }
  std::uint64_t clock_ms() const override { return store_->clock_ms(); }

  Result<bool> read(Bytes key, ByteString& value) const override {
    CHECK(usable());
    CHECK(check_store_key(key));
    reads_.push_back(only(key));
    return take(state_, key, value);
  }

  Status multi_get(std::span<const Bytes> keys, StoreTeller tell) const override {
    return get_one_by_one(*this, keys, tell);
  }
  Memo* memo() const override { return &store_->memo_; }

  Result<std::uint64_t> scan(Bytes begin, Bytes end, const StoreScan& options, StoreVisitor visit) const override {
    CHECK(usable());
    reads_.push_back({ByteString(begin), ByteString(end)});
    return walk(state_, begin, end, options, visit);
  }

  Status put(Bytes key, Bytes value) override {
    CHECK(usable());
    CHECK(check_store_key(key));
    if (value.size() > kValueMax) return Status::error(ErrorCode::ValueTooLarge);
    state_.insert_or_assign(ByteString(key), ByteString(value));
    writes_.push_back(only(key));
    return {};
  }

  Status erase(Bytes key) override {
    CHECK(usable());
    CHECK(check_store_key(key));
    if (const auto found = state_.find(key); found != state_.end()) state_.erase(found);
    writes_.push_back(only(key));
    return {};
  }

  Status erase_range(Bytes begin, Bytes end) override {
    CHECK(usable());
    if (begin >= end) return {};
    state_.erase(state_.lower_bound(begin), state_.lower_bound(end));
    writes_.push_back({ByteString(begin), ByteString(end)});
    return {};
  }

  Commit commit(std::optional<Durability>) override {
    if (Status status = usable(); !status.is_ok()) return {CommitOutcome::NotCommitted, 0, status};
    is_open_ = false;
    std::lock_guard lock(store_->mutex_);
    for (std::size_t i = version_; i < store_->commits_.size(); ++i) {
      if (touches_what_was_read(store_->commits_[i])) {
        return {CommitOutcome::NotCommitted, 0, Status::error(ErrorCode::CommitConflict)};
      }
    }
    apply(*store_);
    return {CommitOutcome::Committed, store_->commits_.size(), {}};
  }

 private:
  Status usable() const { return is_open_ ? Status{} : Status::error(ErrorCode::TransactionFinished); }

  bool touches_what_was_read(const std::vector<MemoryStore::Range>& written) const {
    return std::any_of(written.begin(), written.end(), [&](const MemoryStore::Range& write) {
      return std::any_of(reads_.begin(), reads_.end(), [&](const auto& read) { return overlap(write, read); });
    });
  }

  // What others committed since stays, where this transaction wrote nothing.
  void apply(MemoryStore& store) {
    auto next = std::make_shared<MemoryStore::Map>(*store.state_);
    for (const MemoryStore::Range& range : writes_) {
      next->erase(next->lower_bound(range.begin), next->lower_bound(range.end));
      next->insert(state_.lower_bound(range.begin), state_.lower_bound(range.end));
    }
    store.commits_.push_back(std::move(writes_));
    store.state_ = std::move(next);
  }

  MemoryStore* store_;
  MemoryStore::Map state_;
  std::uint64_t version_;
  bool is_open_ = true;
  mutable std::vector<MemoryStore::Range> reads_;
  std::vector<MemoryStore::Range> writes_;
};

std::uint64_t MemoryStore::clock_ms() const {
  std::lock_guard lock(mutex_);
  return clock_ms_ != 0 ? clock_ms_ : os::system_env().wall_ms();
}

Result<std::unique_ptr<StoreReader>> MemoryStore::begin_read() {
  return safely([&]() -> Result<std::unique_ptr<StoreReader>> {
    std::lock_guard lock(mutex_);
    return std::unique_ptr<StoreReader>(std::make_unique<MemoryReader>(*this, state_, commits_.size()));
  });
}

Result<std::unique_ptr<StoreWriter>> MemoryStore::begin_write() {
  return safely([&]() -> Result<std::unique_ptr<StoreWriter>> {
    std::lock_guard lock(mutex_);
    return std::unique_ptr<StoreWriter>(std::make_unique<MemoryWriter>(*this, *state_, commits_.size()));
  });
}

}  // namespace vitrine::kv
