// SPDX-License-Identifier: MIT OR Apache-2.0
// The public interface: changing what a filter finds. After an error the transaction goes back to where the call began.
#include "doc/documents_access.hpp"
#include "doc/modify.hpp"
#include "os/env.hpp"

namespace vitrine {
namespace {

Status undo_on_error(WriteTransaction& txn, const std::function<Status()>& body) {
  const Savepoint before = TRY(txn.savepoint());
  const Status status = body();
  // When going back fails, the transaction is unusable, and says so itself.
  if (!status.is_ok()) (void)txn.rollback_to(before);
  return status;
}

Result<doc::Target> target_of(const Document& filter, const UpdateOptions& options) {
  doc::Target target;
  target.order = TRY(doc::SortOrder::compile(options.sort.bson()));
  target.filter = filter.bson();
  target.many = options.many;
  target.expected = options.expected;
  target.steps_max = options.steps_max;
  target.bytes_max = options.bytes_max;
  return target;
}

// Runs `body(store, collection, target)`.
template <typename Body>
Status on_target(WriteTransaction& txn, Bytes collection, const Document& filter, const UpdateOptions& options,
                 const Body& body) {
  return doc::on_collection(txn, collection, [&](kv::StoreWriter& store, const doc::Collection& in) -> Status {
    const doc::Target target = TRY(target_of(filter, options));
    return undo_on_error(txn, [&] { return body(store, in, target); });
  });
}

Status update_target(WriteTransaction& txn, Bytes collection, const Document& filter, const Document& update,
                     const UpdateOptions& options, const doc::ChangeFunction& seen) {
  using doc::Collection, doc::Target;
  return on_target(txn, collection, filter, options,
                   [&](kv::StoreWriter& store, const Collection& in, const Target& target) -> Status {
                     const doc::Update compiled = TRY(doc::Update::compile(update.bson()));
                     const doc::Modification modification{compiled, options.upsert, os::system_env().wall_ms()};
                     return doc::update_documents(store, in, target, modification, seen);
                   });
}

Status remove_target(WriteTransaction& txn, Bytes collection, const Document& filter, const UpdateOptions& options,
                     const doc::ChangeFunction& seen) {
  return on_target(txn, collection, filter, options,
                   [&](kv::StoreWriter& store, const doc::Collection& in, const doc::Target& target) {
                     return doc::remove_documents(store, in, target, seen);
                   });
}

Status only_one() { return Status::error(ErrorCode::ArgumentInvalid, "this call changes one document, not many"); }

}  // namespace

Result<std::optional<StoredDocument>> DocumentWriter::exchange(Bytes collection, const Document& document,
                                                               std::optional<std::uint64_t> expected) {
  using Found = Result<std::optional<StoredDocument>>;
  return doc::on_collection(*txn_, collection, [&](kv::StoreWriter& store, const doc::Collection& in) -> Found {
    const doc::Expectation expectation{.may_exist = true, .may_be_missing = true, .version = expected};
    const ByteString storable = TRY(doc::storable_document(document.bson()));
    const doc::Value id = doc::find_member(storable, doc::kIdName).value_or(doc::kNull);
    std::optional<StoredDocument> before = TRY(doc::stored(TRY(doc::read_document(store, in, id))));
    TRY(doc::write_document(store, in, storable, expectation));
    return before;
  });
}

Result<UpdateResult> DocumentWriter::update(Bytes collection, const Document& filter, const Document& update,
                                            const UpdateOptions& options) {
  UpdateResult result;
  std::optional<ByteString> inserted;
  CHECK(update_target(*txn_, collection, filter, update, options, [&](const doc::Change& change) {
    if (!change.before) {
      inserted = change.after->bson;
      return;
    }
    ++result.matched;
    if (change.is_modified()) ++result.modified;
  }));
  if (inserted) result.upserted = TRY(DocumentId::of(TRY(Document::from_bson(*inserted))));
  return result;
}

Result<std::optional<StoredDocument>> DocumentWriter::find_and_modify(Bytes collection, const Document& filter,
                                                                      const Document& update, Returned returned,
                                                                      const UpdateOptions& options) {
  if (options.many) return only_one();
  std::optional<doc::Record> answer;
  CHECK(update_target(*txn_, collection, filter, update, options, [&](const doc::Change& change) {
    answer = returned == Returned::Old ? change.before : change.after;
  }));
  return doc::stored(answer);
}

Result<std::optional<StoredDocument>> DocumentWriter::find_and_remove(Bytes collection, const Document& filter,
                                                                      const UpdateOptions& options) {
  if (options.many) return only_one();
  std::optional<doc::Record> answer;
  CHECK(remove_target(*txn_, collection, filter, options, [&](const doc::Change& change) { answer = change.before; }));
  return doc::stored(answer);
}

Result<std::uint64_t> DocumentWriter::remove(Bytes collection, const Document& filter, const UpdateOptions& options) {
  std::uint64_t count = 0;
  CHECK(remove_target(*txn_, collection, filter, options, [&](const doc::Change&) { ++count; }));
  return count;
}

}  // namespace vitrine
