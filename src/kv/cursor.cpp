// SPDX-License-Identifier: MIT OR Apache-2.0
#include "vitrine/cursor.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "base/try.hpp"
#include "kv/safely.hpp"
#include "kv/transaction_impl.hpp"

namespace vitrine {

Cursor::Impl::Impl(TransactionImpl& owner, Keyspace of)
    : txn(&owner), keyspace(of), cursor(owner.pool(), owner.root()) {
  kv::make_tree_key(of, {}, prefix);
  txn->cursors.push_back(this);
}

Cursor::Impl::~Impl() {
  if (txn == nullptr) return;
  std::erase(txn->cursors, this);
}

void Cursor::Impl::suspend() noexcept {
  if (!cursor.is_valid()) return;
  suspended = true;
  cursor.release();
}

void Cursor::Impl::cut_off() noexcept {
  cursor.release();
  suspended = false;
  txn = nullptr;
}

Status Cursor::Impl::usable() const {
  if (txn == nullptr) return Status::error(ErrorCode::TransactionFinished);
  return txn->usable();
}

bool Cursor::Impl::in_keyspace() const noexcept {
  return cursor.is_valid() && cursor.key().substr(0, prefix.size()) == prefix;
}

Result<bool> Cursor::Impl::resume() {
  if (!suspended) return true;
  suspended = false;
  const std::string before(cursor.key());
  cursor.set_root(txn->root());
  CHECK(cursor.seek(before));
  return cursor.is_valid() && cursor.key() == before;
}

Status Cursor::Impl::next() {
  // Where the key went away the cursor stands on the next one already.
  if (suspended && !TRY(resume())) return {};
  return cursor.next();
}

Status Cursor::Impl::prev() {
  if (!suspended) return cursor.prev();
  suspended = false;
  const std::string before(cursor.key());
  cursor.set_root(txn->root());
  return cursor.seek_before(before);
}

// Runs one move; what ends outside the keyspace is no entry.
template <typename Move>
Status Cursor::Impl::move(Move&& step) {
  return kv::safely([&]() -> Status {
    CHECK(usable());
    CHECK(std::exchange(deferred, {}));
    Status status = step();
    if (!status.is_ok() || !in_keyspace()) cursor.release();
    return status;
  });
}

Cursor::Cursor(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Cursor::~Cursor() = default;
Cursor::Cursor(Cursor&&) noexcept = default;
Cursor& Cursor::operator=(Cursor&&) noexcept = default;

Status Cursor::seek(Bytes key) {
  return impl_->move([&]() -> Status {
    const kv::Operating measured = impl_->txn->operating(kv::Operation::Scan);
    impl_->suspended = false;
    impl_->cursor.set_root(impl_->txn->root());
    return impl_->cursor.seek(impl_->prefix + std::string(key));
  });
}

Status Cursor::seek_first() { return seek({}); }

Status Cursor::seek_before(Bytes key) {
  return impl_->move([&]() -> Status {
    const kv::Operating measured = impl_->txn->operating(kv::Operation::Scan);
    impl_->suspended = false;
    impl_->cursor.set_root(impl_->txn->root());
    return impl_->cursor.seek_before(impl_->prefix + std::string(key));
  });
}

Status Cursor::seek_last() {
  return impl_->move([&]() -> Status {
    const kv::Operating measured = impl_->txn->operating(kv::Operation::Scan);
    impl_->suspended = false;
    impl_->cursor.set_root(impl_->txn->root());
    return impl_->cursor.seek_before(kv::keyspace_end(impl_->keyspace));
  });
}

Status Cursor::next() {
  return impl_->move([&]() -> Status {
    if (!impl_->suspended && !impl_->cursor.is_valid())
      return Status::error(ErrorCode::Misuse, "the cursor is on no entry");
    return impl_->next();
  });
}

Status Cursor::prev() {
  return impl_->move([&]() -> Status {
    if (!impl_->suspended && !impl_->cursor.is_valid())
      return Status::error(ErrorCode::Misuse, "the cursor is on no entry");
    return impl_->prev();
  });
}

// A suspended cursor finds its place again here; a failure is kept for the next call that can return it.
bool Cursor::is_valid() const noexcept {
  if (impl_->txn == nullptr) return false;
  if (impl_->suspended) {
    const Status status = kv::safely([&]() -> Status { return impl_->resume().status(); });
    if (!status.is_ok() || !impl_->in_keyspace()) impl_->cursor.release();
    impl_->deferred = status;
  }
  return impl_->cursor.is_valid();
}

Bytes Cursor::key() const noexcept {
  VITRINE_ASSERT(is_valid());
  return impl_->cursor.key().substr(impl_->prefix.size());
}

Result<Bytes> Cursor::value() {
  return kv::safely([&]() -> Result<Bytes> {
    CHECK(impl_->usable());
    CHECK(std::exchange(impl_->deferred, {}));
    if (!is_valid()) {
      CHECK(std::exchange(impl_->deferred, {}));
      return Status::error(ErrorCode::Misuse, "the cursor is on no entry");
    }
    Bytes record = impl_->cursor.value();
    if (impl_->cursor.is_large()) {
      CHECK(tree::read_value(impl_->txn->pool(), record, true, impl_->value));
      record = impl_->value;
    }
    return TRY(kv::split_record(impl_->keyspace, record)).value;
  });
}

namespace {

// What stands before the value of the entry the cursor is on.
Result<std::uint64_t> read_version(const Cursor::Impl& at) {
  if (!at.keyspace.versions) return std::uint64_t{0};
  Bytes record = at.cursor.value();
  char first[10];
  if (at.cursor.is_large()) {
    tree::LargeValueReader reader = TRY(tree::LargeValueReader::open(at.txn->pool(), record));
    record = {first, TRY(reader.read_at(0, first, sizeof first))};
  }
  return TRY(kv::split_record(at.keyspace, record)).version;
}

Result<std::uint64_t> read_value_size(const Cursor::Impl& at) {
  const Bytes record = at.cursor.value();
  if (!at.cursor.is_large()) return std::uint64_t{TRY(kv::split_record(at.keyspace, record)).value.size()};
  const std::uint64_t size = TRY(tree::decode_large_value(record)).size;
  return size - kv::record_header(at.keyspace, TRY(read_version(at))).size();
}

// The number, or 0 and a failure for the next call that can return it.
template <typename Read>
std::uint64_t number_or_later(Cursor::Impl& at, Read&& read) noexcept {
  const Result<std::uint64_t> number = kv::safely([&]() -> Result<std::uint64_t> { return read(at); });
  if (number.has_value()) return *number;
  at.deferred = number.status();
  return 0;
}

}  // namespace

std::uint64_t Cursor::value_size() const noexcept {
  VITRINE_ASSERT(is_valid());
  return number_or_later(*impl_, read_value_size);
}

std::uint64_t Cursor::version() const noexcept {
  VITRINE_ASSERT(is_valid());
  return number_or_later(*impl_, read_version);
}

// --- Scans -----------------------------------------------------------------------------------------------------------

namespace {

// The range of a scan as tree keys: what the prefix and both bounds leave of the keyspace.
struct Range {
  std::string from;
  std::string to;
};

Range range_of(Keyspace keyspace, const ScanOptions& options) {
  Range range{{}, kv::keyspace_end(keyspace)};
  kv::make_tree_key(keyspace, options.from ? std::max(*options.from, options.prefix) : options.prefix, range.from);
  std::optional<std::string> to = kv::prefix_end(options.prefix);
  if (options.to && (!to || *options.to < *to)) to = *options.to;
  if (to) kv::make_tree_key(keyspace, *to, range.to);
  return range;
}

// Walks the range; `visit` says whether to go on. The bounds are compared with whole tree keys, so that nothing else
// has to be asked for each entry, and in a snapshot going forward once for a leaf.
template <typename Visit>
Result<std::uint64_t> walk(TransactionImpl& txn, Keyspace keyspace, const ScanOptions& options, Visit&& visit) {
  CHECK(txn.usable());
  const Range range = range_of(keyspace, options);
  Cursor::Impl at(txn, keyspace);
  {
    const kv::Operating measured = txn.operating(kv::Operation::Scan);  // without what the visitor takes
    CHECK(options.reverse ? at.cursor.seek_before(range.to) : at.cursor.seek(range.from));
  }
  std::uint64_t visited = 0;
  unsigned inside = 0;  // entries from here on that are known to be in the range
  while (visited < options.limit && at.cursor.is_valid()) {
    if (inside == 0) {
      if (options.reverse ? at.cursor.key() < Bytes(range.from) : at.cursor.key() >= Bytes(range.to)) break;
      const bool stays = !options.reverse && !txn.session;
      inside = stays ? at.cursor.count_before(range.to) : 1;
    }
    --inside;
    ++visited;
    if (!TRY(visit(at))) break;
    // The visitor may have written, and even have ended the transaction.
    if (at.txn == nullptr || txn.session) CHECK(at.usable());
    if (inside > 0 && at.cursor.next_in_leaf()) continue;
    CHECK(options.reverse ? at.prev() : at.next());
  }
  return visited;
}

}  // namespace

Result<std::uint64_t> Transaction::scan(Keyspace keyspace, const ScanOptions& options,
                                        const ScanFunction& visit) const {
  return kv::safely([&]() -> Result<std::uint64_t> {
    return walk(*impl_, keyspace, options, [&](Cursor::Impl& at) -> Result<bool> {
      Bytes record = at.cursor.value();
      if (at.cursor.is_large()) {
        CHECK(tree::read_value(at.txn->pool(), record, true, at.value));
        record = at.value;
      }
      if (keyspace.versions) record = TRY(kv::split_record(keyspace, record)).value;
      return visit(at.cursor.key().substr(at.prefix.size()), record);
    });
  });
}

Result<std::uint64_t> Transaction::count(Keyspace keyspace, const ScanOptions& options) const {
  return kv::safely([&]() -> Result<std::uint64_t> {
    return walk(*impl_, keyspace, options, [](Cursor::Impl&) -> Result<bool> { return true; });
  });
}

}  // namespace vitrine
