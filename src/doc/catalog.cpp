// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/catalog.hpp"

#include <algorithm>
#include <limits>

#include "base/try.hpp"
#include "base/utf8.hpp"
#include "doc/bson.hpp"
#include "doc/change_log.hpp"
#include "doc/collection_options.hpp"
#include "doc/expiry.hpp"
#include "doc/key_encoding.hpp"
#include "doc/schema.hpp"

namespace vitrine::doc {
namespace {

constexpr char kCatalog = 0x01, kNextId = 0x02, kProgress = 0x03, kDocuments = 0x10, kEntries = 0x11;
constexpr std::size_t kNameMax = 255;
constexpr Bytes kIndexes = "indexes";
constexpr Bytes kOptions = "options", kExpires = "expires";
constexpr Value kTrue{Type::Bool, Bytes("\1", 1)};

ByteString catalog_key(Bytes name) { return ByteString(1, kCatalog).append(name); }

Status damaged_record() {
  return Status::error(ErrorCode::DocumentMalformed, "a damaged entry of the catalog of collections");
}

// The entry of a collection that must be there.
Result<ByteString> read_entry(const kv::StoreReader& txn, Bytes name) {
  CHECK(check_name(name));
  std::optional<ByteString> entry = TRY(txn.get(catalog_key(name)));
  if (!entry) return Status::error(ErrorCode::CollectionNotFound).with("name", name);
  return *std::move(entry);
}

Status check_is_free(const kv::StoreReader& txn, Bytes name) {
  CHECK(check_name(name));
  const bool is_taken = TRY(txn.get(catalog_key(name))).has_value();
  return is_taken ? Status::error(ErrorCode::CollectionExists).with("name", name) : Status{};
}

ByteString with_number(char kind, std::uint32_t number) {
  ByteString key(1, kind);
  for (int shift = 24; shift >= 0; shift -= 8) key.push_back(static_cast<char>(number >> shift));
  return key;
}

Result<std::vector<Index>> decode_indexes(Bytes entry) {
  std::vector<Index> indexes;
  const std::optional<Value> list = find_member(entry, kIndexes);
  if (!list) return indexes;
  for (Elements walk(list->bytes); const auto element = walk.next();) {
    indexes.push_back(TRY(decode_index(element->value.bytes)));
  }
  return indexes;
}

}  // namespace

Status check_name(Bytes name) {
  const bool has_control = std::any_of(name.begin(), name.end(), [](char character) {
    return static_cast<unsigned char>(character) < 0x20 || character == 0x7f;
  });
  const bool is_good = !name.empty() && name.size() <= kNameMax && !has_control && base::is_utf8(name);
  return is_good && name.front() != '$' ? Status{} : Status::error(ErrorCode::CollectionName);
}

Result<std::uint32_t> take_id(kv::StoreWriter& txn) {
  const Bytes key(&kNextId, 1);
  const std::optional<ByteString> stored = TRY(txn.get(key));
  Bytes bytes = stored ? Bytes(*stored) : Bytes("\x01");
  const std::optional<std::uint64_t> id = base::take_varint(bytes);
  if (!id || *id == 0) return damaged_record();
  if (*id > std::numeric_limits<std::uint32_t>::max() - 1) {
    return Status::error(ErrorCode::SpaceExhausted, "collection ids are used up");
  }
  ByteString next;
  base::append_varint(next, *id + 1);
  CHECK(txn.put(key, next));
  return static_cast<std::uint32_t>(*id);
}

// The other members of the entry stay as they are.
static Status replace_member(kv::StoreWriter& txn, Bytes name, Bytes member, const Value& value) {
  const ByteString entry = TRY(read_entry(txn, name));
  Builder builder;
  for (Elements walk(entry); const auto element = walk.next();) {
    if (element->name != member) builder.add(element->name, element->value);
  }
  builder.add(member, value);
  return txn.put(catalog_key(name), builder.finish());
}

static Result<Collection> parse_entry(Bytes name, Bytes entry) {
  const std::optional<Value> id = find_member(entry, "id");
  if (!id || id->type != Type::Int64 || id->as_integer() <= 0) return damaged_record();
  Collection collection{static_cast<std::uint32_t>(id->as_integer()), ByteString(name), {}, {}, false, 0, {}};
  collection.indexes = TRY(decode_indexes(entry));
  if (const std::optional<Value> options = find_member(entry, kOptions)) {
    collection.options = TRY(decode_options(options->bytes));
  }
  if (const Document& validator = collection.options.validator; count_members(validator.bson()) > 0) {
    collection.schema = std::make_shared<const Schema>(TRY(Schema::compile(validator.bson())));
  }
  collection.may_expire = find_member(entry, kExpires).has_value() ||
                          std::any_of(collection.indexes.begin(), collection.indexes.end(),
                                      [](const Index& index) { return index.expire_after_s.has_value(); });
  return collection;
}

using CollectionPtr = std::shared_ptr<const Collection>;

// What the memo has of a collection, or what is made of its entry now.
static Result<CollectionPtr> recall_collection(const kv::StoreReader& txn, Bytes name) {
  kv::Memo* const memo = txn.memo();
  if (memo == nullptr)
    return CollectionPtr(std::make_shared<Collection>(TRY(parse_entry(name, TRY(read_entry(txn, name))))));
  const ByteString key = catalog_key(name);
  const kv::Memo::State state = txn.is_snapshot() ? kv::Memo::State(txn.read_version()) : std::nullopt;
  if (state) {
    if (auto known = memo->find_in(*state, key)) return std::static_pointer_cast<const Collection>(std::move(known));
  }
  const ByteString entry = TRY(read_entry(txn, name));
  if (auto known = memo->find(key, entry, state)) return std::static_pointer_cast<const Collection>(std::move(known));
  CollectionPtr collection = std::make_shared<const Collection>(TRY(parse_entry(name, entry)));
  memo->keep(key, entry, state, collection);
  return collection;
}

Result<std::shared_ptr<const Collection>> find_collection(const kv::StoreReader& txn, Bytes name) {
  CollectionPtr collection = TRY(recall_collection(txn, name));
  if (!collection->may_expire) return collection;
  auto timed = std::make_shared<Collection>(*collection);
  timed->now_ms = TRY(current_ms(txn));
  return std::shared_ptr<const Collection>(std::move(timed));
}

Result<Collection> open_collection(const kv::StoreReader& txn, Bytes name) { return *TRY(find_collection(txn, name)); }

Result<std::vector<ByteString>> list_collections(const kv::StoreReader& txn) {
  std::vector<ByteString> names;
  TRY(txn.scan(Bytes(&kCatalog, 1), Bytes(&kNextId, 1), {}, [&](Bytes key, Bytes) {
    names.emplace_back(key.substr(1));
    return true;
  }));
  return names;
}

Result<Collection> create_collection(kv::StoreWriter& txn, Bytes name) {
  CHECK(check_is_free(txn, name));
  const Collection collection{TRY(take_id(txn)), ByteString(name), {}, {}, false, 0, {}};
  CHECK(txn.put(catalog_key(name), Builder().add_int64("id", collection.id).finish()));
  CHECK(log_change(txn, ChangeKind::Create, name, {}));
  return collection;
}

Status drop_collection(kv::StoreWriter& txn, Bytes name) {
  const Collection collection = TRY(open_collection(txn, name));
  const ByteString prefix = document_prefix(collection);
  CHECK(txn.erase_range(prefix, after_prefix(prefix)));
  for (const Index& index : collection.indexes) {
    const ByteString entries = index_prefix(index);
    CHECK(txn.erase_range(entries, after_prefix(entries)));
    CHECK(txn.erase(index_progress_key(index)));
  }
  CHECK(log_change(txn, ChangeKind::Drop, name, {}));
  return txn.erase(catalog_key(name));
}

Status rename_collection(kv::StoreWriter& txn, Bytes from, Bytes to) {
  const ByteString entry = TRY(read_entry(txn, from));
  CHECK(check_is_free(txn, to));
  CHECK(txn.erase(catalog_key(from)));
  CHECK(log_change(txn, ChangeKind::Rename, from, Builder().add_string("to", to).finish()));
  return txn.put(catalog_key(to), entry);
}

Status set_options(kv::StoreWriter& txn, Bytes name, const CollectionOptions& options) {
  const ByteString encoded = TRY(encode_options(options));
  CHECK(replace_member(txn, name, kOptions, {Type::Object, encoded}));
  if (!options.expire_after_s && !TRY(open_collection(txn, name)).may_expire) return {};
  CHECK(replace_member(txn, name, kExpires, kTrue));
  return rebuild_expiry(txn, TRY(open_collection(txn, name)));
}

Status mark_expiring(kv::StoreWriter& txn, const Collection& collection) {
  if (collection.may_expire) return {};
  return replace_member(txn, collection.name, kExpires, kTrue);
}

// The other members of the entry stay as they are.
Status save_indexes(kv::StoreWriter& txn, const Collection& collection) {
  const ByteString entry = TRY(read_entry(txn, collection.name));
  Builder builder;
  for (Elements walk(entry); const auto element = walk.next();) {
    if (element->name != kIndexes) builder.add(element->name, element->value);
  }
  builder.open_member(kIndexes, Type::Array);
  for (std::size_t i = 0; i < collection.indexes.size(); ++i) {
    const ByteString index = encode_index(collection.indexes[i]);
    builder.add(std::to_string(i), {Type::Object, index});
  }
  builder.close_member();
  return txn.put(catalog_key(collection.name), builder.finish());
}

// Jumps from number to number.
static Result<std::set<std::uint32_t>> numbers_of(const kv::StoreReader& txn, char kind) {
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint32_t>::max();
  std::set<std::uint32_t> numbers;
  for (std::uint64_t next = 0; next <= kMax;) {
    std::optional<std::uint32_t> found;
    TRY(txn.scan(with_number(kind, static_cast<std::uint32_t>(next)), after_prefix(Bytes(&kind, 1)), {.limit = 1},
                 [&](Bytes key, Bytes) {
                   if (key.size() < 5) return false;
                   std::uint32_t number = 0;
                   for (const char byte : key.substr(1, 4)) number = number << 8 | static_cast<unsigned char>(byte);
                   found = number;
                   return false;
                 }));
    if (!found) break;
    numbers.insert(*found);
    next = std::uint64_t{*found} + 1;
  }
  return numbers;
}

Result<Numbers> numbers_in_use(const kv::StoreReader& txn) {
  std::set<std::uint32_t> collections = TRY(numbers_of(txn, kDocuments));
  std::set<std::uint32_t> indexes = TRY(numbers_of(txn, kEntries));
  return Numbers{std::move(collections), std::move(indexes)};
}

Status adopt_collection(kv::StoreWriter& txn, Bytes name, std::uint32_t number) {
  // Some of its documents may expire; saying so costs little.
  return txn.put(catalog_key(name), Builder().add_int64("id", number).add_bool(kExpires, true).finish());
}

Status erase_index_entries(kv::StoreWriter& txn, std::uint32_t number) {
  const ByteString entries = with_number(kEntries, number);
  CHECK(txn.erase_range(entries, after_prefix(entries)));
  return txn.erase(with_number(kProgress, number));
}

Status reserve_numbers(kv::StoreWriter& txn, std::uint32_t last) {
  const Bytes key(&kNextId, 1);
  const std::optional<ByteString> stored = TRY(txn.get(key));
  Bytes bytes = stored ? Bytes(*stored) : Bytes("\x01");
  if (base::take_varint(bytes).value_or(0) > last) return {};
  ByteString next;
  base::append_varint(next, std::uint64_t{last} + 1);
  return txn.put(key, next);
}

const Index* Collection::find_index(Bytes index) const noexcept {
  const auto found =
      std::find_if(indexes.begin(), indexes.end(), [&](const Index& candidate) { return candidate.name == index; });
  return found == indexes.end() ? nullptr : &*found;
}

ByteString document_prefix(const Collection& collection) { return with_number(kDocuments, collection.id); }
ByteString index_prefix(const Index& index) { return with_number(kEntries, index.id); }
ByteString index_progress_key(const Index& index) { return with_number(kProgress, index.id); }

}  // namespace vitrine::doc
