// SPDX-License-Identifier: MIT OR Apache-2.0
#include "vitrine/value_stream.hpp"

#include <algorithm>
#include <cstring>

#include "base/try.hpp"
#include "kv/safely.hpp"
#include "kv/transaction_impl.hpp"

namespace vitrine {

// --- Reading ---------------------------------------------------------------------------------------------------------

ValueReader::Impl::Impl(TransactionImpl& owner) : txn(&owner) { txn->readers.push_back(this); }

ValueReader::Impl::~Impl() {
  if (txn != nullptr) std::erase(txn->readers, this);
}

ValueReader::ValueReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ValueReader::~ValueReader() = default;
ValueReader::ValueReader(ValueReader&&) noexcept = default;
ValueReader& ValueReader::operator=(ValueReader&&) noexcept = default;

std::uint64_t ValueReader::size() const noexcept {
  return impl_->large ? impl_->large->size() - impl_->header : impl_->inline_value.size();
}

Result<std::size_t> ValueReader::read_at(std::uint64_t offset, char* to, std::size_t size) {
  return kv::safely([&]() -> Result<std::size_t> {
    if (impl_->txn == nullptr) return Status::error(ErrorCode::TransactionFinished);
    CHECK(impl_->txn->usable());
    if (offset >= this->size()) return std::size_t{0};
    if (impl_->large) return impl_->large->read_at(offset + impl_->header, to, size);
    const std::string& value = impl_->inline_value;
    const std::size_t take = std::min<std::size_t>(size, value.size() - static_cast<std::size_t>(offset));
    std::memcpy(to, value.data() + offset, take);
    return take;
  });
}

Result<ValueReader> Transaction::open_value(Keyspace keyspace, Bytes key) const {
  return kv::safely([&]() -> Result<ValueReader> {
    const kv::Operating measured = impl_->operating(kv::Operation::Get);
    CHECK(impl_->usable());
    CHECK(impl_->check_key(key));
    const tree::Found found = TRY(impl_->find(keyspace, key));
    if (!found.has_value()) return Status::error(ErrorCode::KeyNotFound);
    auto impl = std::make_unique<ValueReader::Impl>(*impl_);
    if (!found.large) {
      TRY(impl_->read(keyspace, found, impl->inline_value));
      return ValueReader(std::move(impl));
    }
    impl->large.emplace(TRY(tree::LargeValueReader::open(impl_->pool(), found.value)));
    char first[10];
    const std::size_t got = TRY(impl->large->read_at(0, first, sizeof first));
    const kv::Record record = TRY(kv::split_record(keyspace, {first, got}));
    impl->header = got - record.value.size();
    return ValueReader(std::move(impl));
  });
}

// --- Writing ---------------------------------------------------------------------------------------------------------

ValueWriter::Impl::Impl(TransactionImpl& owner, Keyspace of, Bytes key_bytes)
    : txn(&owner),
      keyspace(of),
      key(key_bytes),
      writer(std::make_unique<tree::LargeValueWriter>(owner.session->workspace())) {
  txn->writers.push_back(this);
}

ValueWriter::Impl::~Impl() {
  if (txn == nullptr) return;
  writer.reset();
  std::erase(txn->writers, this);
}

Status ValueWriter::Impl::usable() const { return txn == nullptr ? ended : txn->writable(); }

ValueWriter::ValueWriter(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ValueWriter::~ValueWriter() = default;
ValueWriter::ValueWriter(ValueWriter&&) noexcept = default;
ValueWriter& ValueWriter::operator=(ValueWriter&&) noexcept = default;

Result<ValueWriter> WriteTransaction::write_value(Keyspace keyspace, Bytes key) {
  return kv::safely([&]() -> Result<ValueWriter> {
    CHECK(impl_->writable());
    CHECK(impl_->check_key(key));
    CHECK(impl_->prepare_change(keyspace));
    auto impl = std::make_unique<ValueWriter::Impl>(*impl_, keyspace, key);
    CHECK(impl->writer->append(kv::record_header(keyspace, impl_->session->commit_seq())));
    return ValueWriter(std::move(impl));
  });
}

Status ValueWriter::append(Bytes piece) {
  return kv::safely([&]() -> Status {
    CHECK(impl_->usable());
    if (impl_->size + piece.size() > kv::kValueMax) return Status::error(ErrorCode::ValueTooLarge);
    CHECK(impl_->writer->append(piece));
    impl_->size += piece.size();
    return {};
  });
}

Status ValueWriter::finish() {
  return kv::safely([&]() -> Status {
    CHECK(impl_->usable());
    TransactionImpl& txn = *impl_->txn;
    const kv::Operating measured = txn.operating(kv::Operation::Put);
    CHECK(txn.prepare_change(impl_->keyspace));
    kv::make_tree_key(impl_->keyspace, impl_->key, txn.tree_key);
    const std::string tree_key = txn.tree_key;
    CHECK(txn.session->put_large(tree_key, *impl_->writer));
    impl_->writer.reset();
    std::erase(txn.writers, impl_.get());
    impl_->txn = nullptr;
    impl_->ended = Status::error(ErrorCode::Misuse, "the value is finished");
    return {};
  });
}

}  // namespace vitrine
