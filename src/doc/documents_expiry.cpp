// SPDX-License-Identifier: MIT OR Apache-2.0
// The public interface: options of collections, and documents that expire.
#include <limits>
#include <mutex>

#include "doc/documents_access.hpp"
#include "doc/expiry.hpp"
#include "os/worker.hpp"

namespace vitrine {
namespace {

// Never 0, which would mean never.
Result<std::uint64_t> time_of(const kv::StoreReader& store, const Expiry& expiry) {
  if (!expiry.is_relative) return expiry.ms;
  const std::uint64_t now = TRY(doc::current_ms(store));
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  return expiry.ms > kMost - now ? kMost : now + expiry.ms;
}

}  // namespace

Result<CollectionOptions> DocumentReader::collection_options(Bytes collection) const {
  return doc::on_collection(
      *txn_, collection,
      [](const kv::StoreReader&, const doc::Collection& in) -> Result<CollectionOptions> { return in.options; });
}

Status DocumentWriter::set_collection_options(Bytes collection, const CollectionOptions& options) {
  return doc::on_collection(*txn_, collection, [&](kv::StoreWriter& store, const doc::Collection& in) {
    return doc::set_options(store, in.name, options);
  });
}

Result<std::optional<std::uint64_t>> DocumentReader::expires_ms(Bytes collection, const DocumentId& id) const {
  using Time = std::optional<std::uint64_t>;
  return doc::on_collection(*txn_, collection,
                            [&](const kv::StoreReader& store, const doc::Collection& in) -> Result<Time> {
                              const doc::Value value = TRY(doc::checked_value_of(id));
                              if (!TRY(doc::read_document(store, in, value))) return Time();
                              return doc::read_expiry(store, in, doc::encoded_key(value));
                            });
}

Result<bool> DocumentWriter::set_ex(Bytes collection, const Document& document, Expiry expiry,
                                    std::optional<std::uint64_t> expected) {
  return doc::on_collection(*txn_, collection, [&](kv::StoreWriter& store, const doc::Collection& in) -> Result<bool> {
    doc::Expectation expectation{.may_exist = true, .may_be_missing = true, .version = expected};
    expectation.expires_ms = TRY(time_of(store, expiry));
    const ByteString storable = TRY(doc::storable_document(document.bson()));
    return TRY(doc::write_document(store, in, storable, expectation)).was_there;
  });
}

Result<bool> DocumentWriter::set_expiry(Bytes collection, const DocumentId& id, Expiry expiry,
                                        std::optional<std::uint64_t> expected) {
  return doc::on_collection(*txn_, collection, [&](kv::StoreWriter& store, const doc::Collection& in) -> Result<bool> {
    const std::optional<doc::Record> record = TRY(doc::read_document(store, in, TRY(doc::checked_value_of(id))));
    CHECK(doc::check_version(expected, record ? record->version : 0));
    if (!record) return false;
    doc::Expectation expectation{.may_exist = true, .may_be_missing = false, .version = expected};
    expectation.expires_ms = TRY(time_of(store, expiry));
    return TRY(doc::write_document(store, in, record->bson, expectation)).is_done;
  });
}

Result<SweepResult> DocumentWriter::sweep_expired(std::uint64_t documents_max) {
  return kv::safely([&]() -> Result<SweepResult> {
    kv::NativeWriter store = TRY(kv::NativeWriter::attach(*txn_, doc::kKeyspace));
    const doc::Sweep sweep = TRY(doc::sweep_expired(store, documents_max));
    return SweepResult{sweep.removed, sweep.is_done};
  });
}

// --- The sweeper -----------------------------------------------------------------------------------------------------

struct DocumentSweeper::Impl {
  Impl(Database& database, std::chrono::milliseconds every) : db(database), period(every) {}

  // One step. Writers of the application go first: who does not get its turn at once tries again later.
  Result<bool> step() {
    const ReadTransaction view = TRY(db.begin_read());
    const kv::NativeReader store = TRY(kv::NativeReader::attach(view, doc::kKeyspace));
    if (!TRY(doc::is_sweep_due(store))) return true;
    WriteTransaction txn = TRY(db.begin_write(kWait));
    const SweepResult swept = TRY(DocumentWriter(txn).sweep_expired(kStep));
    CHECK(txn.commit().status);
    return swept.is_done;
  }

  std::chrono::milliseconds run() {
    const Result<bool> is_done = kv::safely([&] { return step(); });
    std::lock_guard lock(mutex);
    const bool is_busy = is_done.status().code() == ErrorCode::Timeout;
    if (!is_busy) status = is_done.status();
    return is_done.has_value() && !*is_done ? std::chrono::milliseconds(0) : period;
  }

  static constexpr std::chrono::milliseconds kWait{100};
  static constexpr std::uint64_t kStep = 1000;  // documents in one transaction
  Database& db;
  std::chrono::milliseconds period;
  std::mutex mutex;
  Status status;                       // of the last step; under `mutex`
  std::unique_ptr<os::Worker> worker;  // last: its thread uses the others
};

DocumentSweeper::DocumentSweeper(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DocumentSweeper::~DocumentSweeper() = default;
DocumentSweeper::DocumentSweeper(DocumentSweeper&&) noexcept = default;
DocumentSweeper& DocumentSweeper::operator=(DocumentSweeper&&) noexcept = default;

Result<DocumentSweeper> DocumentSweeper::start(Database& db, std::chrono::milliseconds period) {
  auto impl = std::make_unique<Impl>(db, period);
  Impl* shared = impl.get();
  impl->worker = TRY(os::Worker::start([shared] { return shared->run(); }));
  return DocumentSweeper(std::move(impl));
}

Status DocumentSweeper::status() const {
  std::lock_guard lock(impl_->mutex);
  return impl_->status;
}

}  // namespace vitrine
