// SPDX-License-Identifier: MIT OR Apache-2.0
// Tkrzw's TreeDBM: file mapped, cached pages as given, no compression. Changed pages stay in the cache of the process
// until they are synchronized, so without sync a commit does not survive the end of the process.
// It has neither snapshots nor transactions: a snapshot is the moment, a transaction is its operations one by one.
#include <tkrzw_dbm_tree.h>

#include "peers/peer.hpp"

namespace vitrine::bench {
namespace {

void check(const tkrzw::Status& status, const char* what) {
  if (!status.IsOK()) throw PeerFailure(std::string(what) + ": " + tkrzw::ToString(status));
}

class TkrzwSession final : public Session {
 public:
  TkrzwSession(tkrzw::TreeDBM& db, Survives survives) : db_(db), survives_(survives) {}

  void begin_snapshot() override {}
  void end_snapshot() override {}

  bool get(std::string_view key, std::string_view& value) override {
    const tkrzw::Status status = db_.Get(key, &value_);
    if (status == tkrzw::Status::NOT_FOUND_ERROR) return false;
    check(status, "get");
    value = value_;
    return true;
  }
  void scan(std::string_view from, std::uint64_t limit, ScanSum& sum) override {
    const std::unique_ptr<tkrzw::DBM::Iterator> iterator = db_.MakeIterator();
    std::string key;
    check(iterator->Jump(from), "jump");
    for (; limit > 0 && iterator->Get(&key, &value_).IsOK(); --limit) {
      sum.add(key, value_);
      check(iterator->Next(), "next");
    }
  }

  void begin_write() override {}
  void put(std::string_view key, std::string_view value) override { check(db_.Set(key, value), "set"); }
  void erase(std::string_view key) override {
    const tkrzw::Status status = db_.Remove(key);
    if (status != tkrzw::Status::NOT_FOUND_ERROR) check(status, "remove");
  }
  void commit() override {
    if (survives_ == Survives::Power) check(db_.Synchronize(true), "synchronize");
  }

 private:
  tkrzw::TreeDBM& db_;
  const Survives survives_;
  std::string value_;
};

class TkrzwPeer final : public Peer {
 public:
  explicit TkrzwPeer(const PeerOptions& options) : survives_(options.survives) {
    constexpr std::int32_t kPageSize = 8130;
    tkrzw::TreeDBM::TuningParameters tuning;
    tuning.max_page_size = kPageSize;
    tuning.max_cached_pages = static_cast<std::int32_t>(options.cache_size / kPageSize);
    tuning.num_buckets = static_cast<std::int64_t>(options.data_size_max / kPageSize * 2 + 131'101);
    check(db_.OpenAdvanced(options.directory + "/bench.tkt", true, tkrzw::File::OPEN_DEFAULT, tuning), "open");
  }
  ~TkrzwPeer() override { static_cast<void>(db_.Close()); }

  std::unique_ptr<Session> session() override { return std::make_unique<TkrzwSession>(db_, survives_); }
  void checkpoint() override { check(db_.Synchronize(true), "synchronize"); }
  bool compact() override {
    check(db_.Rebuild(), "rebuild");
    return true;
  }

 private:
  const Survives survives_;
  tkrzw::TreeDBM db_;
};

std::unique_ptr<Peer> open_tkrzw(const PeerOptions& options) { return std::make_unique<TkrzwPeer>(options); }

}  // namespace
}  // namespace vitrine::bench

VITRINE_BENCH_PEER("tkrzw", tkrzw::PACKAGE_VERSION, "TreeDBM, file mapped, cached pages as given, no transactions",
                   false, true, vitrine::bench::open_tkrzw);
