// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/modify.hpp"

#include <map>

#include "base/try.hpp"
#include "doc/compare.hpp"
#include "doc/draft.hpp"

namespace vitrine::doc {
namespace {

Status exhausted_by_change(std::string_view what) { return Status::error(ErrorCode::BudgetExhausted, what); }

// As {"_id": ...} each.
Result<std::vector<ByteString>> find_ids(const kv::StoreReader& txn, const Collection& collection,
                                         const Target& target) {
  if (target.many && target.expected) {
    return Status::error(ErrorCode::ArgumentInvalid, "a version is expected of one document, not of many");
  }
  Query query = TRY(Query::compile(target.filter));
  query.order = target.order;
  query.limit = target.many ? ~std::uint64_t{0} : 1;
  query.steps_max = target.steps_max;
  query.bytes_max = target.bytes_max;
  std::vector<ByteString> ids;
  std::uint64_t bytes = 0;
  TRY(run_query(txn, collection, query, [&](Bytes bson, std::uint64_t) {
    ids.push_back(Builder().add(kIdName, find_member(bson, kIdName).value_or(kNull)).finish());
    bytes += sizeof(ByteString) + ids.back().size();
    return bytes <= target.bytes_max;
  }));
  if (bytes > target.bytes_max) return exhausted_by_change("the ids of what matches need more memory than allowed");
  return ids;
}

// The document of an id that was just found.
Result<Record> read_found(const kv::StoreReader& txn, const Collection& collection, Bytes id) {
  std::optional<Record> record = TRY(read_document(txn, collection, find_member(id, kIdName).value_or(kNull)));
  if (!record) return Status::error(ErrorCode::InternalBug, "a document that was found is not there");
  return *std::move(record);
}

Result<Change> update_one(kv::StoreWriter& txn, const Collection& collection, Record before, const Update& update,
                          const UpdateMoment& moment) {
  const ByteString updated = TRY(update.apply(before.bson, moment));
  if (updated == before.bson) return Change{before, before};
  ByteString storable = TRY(storable_document(updated));
  TRY(write_document(txn, collection, storable,
                     {.may_exist = true, .may_be_missing = true, .version = {}, .expires_ms = std::nullopt}));
  Record after{std::move(storable), txn.read_version() + 1};
  return Change{std::move(before), std::move(after)};
}

Result<Change> insert_described(kv::StoreWriter& txn, const Collection& collection, Bytes filter, const Update& update,
                                UpdateMoment moment) {
  moment.is_insert = true;
  const ByteString described = TRY(document_of_filter(filter));
  const ByteString updated = TRY(update.apply(described, moment));
  ByteString storable = TRY(storable_document(updated));
  TRY(write_document(txn, collection, storable, {.may_exist = false, .may_be_missing = true, .version = {}}));
  Record after{std::move(storable), txn.read_version() + 1};
  return Change{std::nullopt, std::move(after)};
}

// {"a": 1, "b": {"$eq": 2}, "$and": [...]}
void collect_equalities(Bytes filter, std::vector<std::pair<Path, Value>>& found) {
  for (Elements walk(filter); const auto element = walk.next();) {
    const Value& value = element->value;
    if (element->name == "$and") {
      for (Elements parts(value.bytes); const auto part = parts.next();) collect_equalities(part->value.bytes, found);
    } else if (!element->name.starts_with('$')) {
      std::optional<Value> wanted = value;
      if (value.type == Type::Regex) wanted.reset();
      if (is_operators(value)) wanted = find_member(value.bytes, "$eq");
      std::optional<Path> path = parse_path(element->name);
      if (wanted && path) found.emplace_back(*std::move(path), *wanted);
    }
  }
}

}  // namespace

Result<ByteString> document_of_filter(Bytes filter) {
  std::vector<std::pair<Path, Value>> wanted;
  collect_equalities(filter, wanted);
  const ByteString empty = Builder().finish();
  Draft draft(empty);
  for (const auto& [path, value] : wanted) {
    Result<Draft::Made> made = draft.make(path);
    if (made.has_value() && made->is_new) {
      made->node->assign(value);
      continue;
    }
    return Status::error(ErrorCode::UpdatePathConflict, "the filter asks for two values in one place");
  }
  ByteString document = draft.finish();
  CHECK(check_document(document));
  return document;
}

Status update_documents(kv::StoreWriter& txn, const Collection& collection, const Target& target,
                        const Modification& modification, const ChangeFunction& seen) {
  StepBudget budget(target.steps_max);
  const UpdateMoment moment{.now_ms = modification.now_ms, .is_insert = false, .budget = &budget};
  const std::vector<ByteString> ids = TRY(find_ids(txn, collection, target));
  for (const ByteString& id : ids) {
    Record before = TRY(read_found(txn, collection, id));
    CHECK(check_version(target.expected, before.version));
    seen(TRY(update_one(txn, collection, std::move(before), modification.update, moment)));
  }
  if (!ids.empty()) return {};
  CHECK(check_version(target.expected, 0));
  if (modification.upsert) seen(TRY(insert_described(txn, collection, target.filter, modification.update, moment)));
  return {};
}

Status remove_documents(kv::StoreWriter& txn, const Collection& collection, const Target& target,
                        const ChangeFunction& seen) {
  const std::vector<ByteString> ids = TRY(find_ids(txn, collection, target));
  if (ids.empty()) CHECK(check_version(target.expected, 0));
  for (const ByteString& id : ids) {
    Record before = TRY(read_found(txn, collection, id));
    TRY(remove_document(txn, collection, find_member(id, kIdName).value_or(kNull), target.expected));
    seen({std::move(before), std::nullopt});
  }
  return {};
}

Result<ByteString> distinct_values(const kv::StoreReader& txn, const Collection& collection, const Query& query,
                                   Bytes path_text) {
  const std::optional<Path> path = parse_path(path_text);
  if (!path) return Status::error(ErrorCode::FilterMalformed, "a path is names with dots between them");
  std::map<ByteString, std::pair<Type, ByteString>> values;
  std::uint64_t bytes = 0;
  const auto add = [&](const Value& value) {
    ByteString key = encoded_key(value);
    const std::size_t size = key.size() + value.bytes.size() + sizeof(ByteString) * 4;
    if (values.try_emplace(std::move(key), value.type, value.bytes).second) bytes += size;
  };
  TRY(run_query(txn, collection, query, [&](Bytes bson, std::uint64_t) {
    visit_path(bson, *path, [&](const Value* value) {
      if (value != nullptr && value->type == Type::Array) {
        for (Elements walk(value->bytes); const auto element = walk.next();) add(element->value);
      } else if (value != nullptr) {
        add(*value);
      }
      return bytes > query.bytes_max;
    });
    return bytes <= query.bytes_max;
  }));
  if (bytes > query.bytes_max) return exhausted_by_change("the different values need more memory than allowed");
  Builder builder;
  builder.open_member("values", Type::Array);
  std::size_t position = 0;
  for (const auto& [key, value] : values) builder.add(std::to_string(position++), {value.first, value.second});
  builder.close_member();
  ByteString document = builder.finish();
  if (document.size() > kDocumentSizeMax) return Status::error(ErrorCode::DocumentTooLarge);
  return document;
}

}  // namespace vitrine::doc
