// SPDX-License-Identifier: MIT OR Apache-2.0
// Vitrine itself, through its public interface only. Default page size, cache as given; versions of entries are off,
// because no other store keeps any.
#include <optional>

#include "peers/peer.hpp"
#include "vitrine/vitrine.hpp"

namespace vitrine::bench {
namespace {

void require_ok(const Status& status, const char* what) {
  if (!status.is_ok()) throw PeerFailure(std::string(what) + ": " + status.to_string());
}

template <typename T>
T take(Result<T> result, const char* what) {
  require_ok(result.status(), what);
  return std::move(*result);
}

class VitrineSession final : public Session {
 public:
  VitrineSession(Database& db, Keyspace keyspace) : db_(db), keyspace_(keyspace) {}

  void begin_snapshot() override { read_.emplace(take(db_.begin_read(), "begin_read")); }
  void end_snapshot() override { read_.reset(); }

  bool get(std::string_view key, std::string_view& value) override {
    if (!take(transaction().get(keyspace_, key, buffer_), "get")) return false;
    value = buffer_;
    return true;
  }
  bool get_alone(std::string_view key, std::string_view& value) override {
    if (!take(db_.get(keyspace_, key, buffer_), "get")) return false;
    value = buffer_;
    return true;
  }
  std::uint64_t get_all(std::span<const std::string_view> keys, ScanSum& sum) override {
    std::uint64_t found = 0;
    const auto tell = [&](std::size_t place, std::optional<Bytes> value) {
      if (!value) return;
      sum.add(keys[place], *value);
      ++found;
    };
    require_ok(transaction().multi_get(keyspace_, keys, tell), "multi_get");
    return found;
  }
  void scan(std::string_view from, std::uint64_t limit, ScanSum& sum) override {
    ScanOptions options;
    options.from = from;
    options.limit = limit;
    const auto visit = [&sum](Bytes key, Bytes value) {
      sum.add(key, value);
      return true;
    };
    take(transaction().scan(keyspace_, options, visit), "scan");
  }

  void begin_write() override { write_.emplace(take(db_.begin_write(), "begin_write")); }
  void put(std::string_view key, std::string_view value) override {
    require_ok(write_->put(keyspace_, key, value), "put");
  }
  void put_alone(std::string_view key, std::string_view value) override {
    require_ok(db_.put(keyspace_, key, value), "put");
  }
  void erase(std::string_view key) override { take(write_->erase(keyspace_, key), "erase"); }
  void commit() override {
    const Commit commit = write_->commit();
    write_.reset();
    require_ok(commit.status, "commit");
    require(commit.is_applied(), "commit", "not applied");
  }

 private:
  const Transaction& transaction() const {
    if (write_) return *write_;
    return *read_;
  }

  Database& db_;
  const Keyspace keyspace_;
  std::optional<ReadTransaction> read_;
  std::optional<WriteTransaction> write_;
  std::string buffer_;
};

class VitrinePeer final : public Peer {
 public:
  explicit VitrinePeer(const PeerOptions& options) : db_(open(options)) {
    WriteTransaction txn = take(db_.begin_write(), "begin_write");
    keyspace_ = take(txn.ensure_keyspace("bench", {.versions = false}), "ensure_keyspace");
    require_ok(txn.commit(Durability::Full).status, "commit");
  }

  std::unique_ptr<Session> session() override { return std::make_unique<VitrineSession>(db_, keyspace_); }
  void checkpoint() override { require_ok(db_.checkpoint(), "checkpoint"); }
  bool compact() override {
    take(db_.compact(), "compact");
    return true;
  }

 private:
  static Database open(const PeerOptions& options) {
    Options wanted;
    wanted.cache_size = options.cache_size;
    wanted.durability = options.survives == Survives::Power ? Durability::Full : Durability::None;
    if (options.encrypted) wanted.secret = take(Secret::raw_key(std::string(32, 'k')), "key");
    return take(Database::open(options.directory + "/bench.vtr", OpenMode::CreateIfMissing, std::move(wanted)), "open");
  }

  Database db_;
  Keyspace keyspace_;
};

std::unique_ptr<Peer> open_vitrine(const PeerOptions& options) { return std::make_unique<VitrinePeer>(options); }

}  // namespace
}  // namespace vitrine::bench

VITRINE_BENCH_PEER("vitrine", VITRINE_BENCH_VERSION, "default options, keyspace without versions", true, true,
                   vitrine::bench::open_vitrine);
