// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/reference.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "doc/compare.hpp"
#include "doc/key_encoding.hpp"

namespace vitrine::doc {
namespace {

std::size_t depth_of(Bytes document) {
  std::size_t deepest = 0;
  for (Elements walk(document); const auto element = walk.next();) {
    if (element->value.is_container()) deepest = std::max(deepest, depth_of(element->value.bytes));
  }
  return deepest + 1;
}

// What tells documents apart, over all collections.
ByteString identity(Bytes collection, const Value& id) {
  return ByteString(collection).append(1, '\0').append(encoded_key(id));
}

// Writes a document and what its references mean. The documents on the way from the root are `above_`: only a way back
// to one of them is a cycle, so that two members may mean the same document.
class Resolver {
 public:
  Resolver(const kv::StoreReader& txn, const ResolveLimits& limits) : txn_(txn), limits_(limits) {}

  Result<ResolvedDocument> run(Bytes collection, Bytes root) {
    above_.push_back(identity(collection, find_member(root, kIdName).value_or(kNull)));
    bytes_ = root.size();
    CHECK(copy_members(root));
    return ResolvedDocument{builder_.finish(), std::move(unresolved_)};
  }

 private:
  Status copy_members(Bytes document) {
    for (Elements walk(document); const auto element = walk.next();) {
      const std::size_t length = path_.size();
      path_.append(path_.empty() ? "" : ".").append(element->name);
      CHECK(copy(*element));
      path_.resize(length);
    }
    return {};
  }

  Status copy(const Element& element) {
    if (!element.value.is_container()) {
      builder_.add(element.name, element.value);
      return {};
    }
    if (const std::optional<Reference> reference = reference_of(element.value)) {
      return copy_reference(element, *reference);
    }
    builder_.open_member(element.name, element.value.type);
    CHECK(copy_members(element.value.bytes));
    builder_.close_member();
    return {};
  }

  Status copy_reference(const Element& element, const Reference& reference) {
    const ByteString target = identity(reference.collection, reference.id);
    if (std::find(above_.begin(), above_.end(), target) != above_.end()) return keep(element, Unresolved::Cycle);
    if (above_.size() > limits_.depth) return keep(element, Unresolved::Depth);
    if (documents_ >= limits_.documents_max) return keep(element, Unresolved::Budget);
    const std::optional<Record> record = TRY(resolve(txn_, reference));
    if (!record) return keep(element, Unresolved::Dangling);
    // What the rest of the document needs is counted in `bytes_` from the beginning.
    const bool fits = record->bson.size() <= limits_.bytes_max - std::min(bytes_, limits_.bytes_max) &&
                      builder_.depth() + depth_of(record->bson) <= kDocumentDepthMax;
    if (!fits) return keep(element, Unresolved::Budget);
    bytes_ += record->bson.size();
    ++documents_;
    above_.push_back(target);
    builder_.open_member(element.name, Type::Object);
    CHECK(copy_members(record->bson));
    builder_.close_member();
    above_.pop_back();
    return {};
  }

  Status keep(const Element& element, Unresolved reason) {
    builder_.add(element.name, element.value);
    unresolved_.push_back({path_, reason});
    return {};
  }

  const kv::StoreReader& txn_;
  const ResolveLimits& limits_;
  Builder builder_;
  std::vector<ByteString> above_;
  std::string path_;
  std::uint64_t bytes_ = 0, documents_ = 0;
  std::vector<UnresolvedReference> unresolved_;
};

void collect_references(Bytes document, const Reference& target, const std::string& path, StepBudget& budget,
                        std::vector<std::string>& found) {
  for (Elements walk(document); const auto element = walk.next();) {
    if (!budget.take()) return;
    if (!element->value.is_container()) continue;
    const std::string here = (path.empty() ? "" : path + ".").append(element->name);
    const std::optional<Reference> reference = reference_of(element->value);
    if (!reference) {
      collect_references(element->value.bytes, target, here, budget, found);
    } else if (!reference->is_elsewhere && reference->collection == target.collection &&
               compare_values(reference->id, target.id) == 0) {
      found.push_back(here);
    }
  }
}

}  // namespace

std::optional<Reference> reference_of(const Value& value) {
  if (value.type != Type::Object) return std::nullopt;
  const std::optional<Element> first = Elements(value.bytes).next();
  if (!first || first->name != "$ref" || first->value.type != Type::String) return std::nullopt;
  const std::optional<Value> id = find_member(value.bytes, "$id");
  if (!id) return std::nullopt;
  return Reference{first->value.as_string(), *id, find_member(value.bytes, "$db").has_value()};
}

Result<std::optional<Record>> resolve(const kv::StoreReader& txn, const Reference& reference) {
  const bool can_be = !reference.is_elsewhere && check_id(reference.id).is_ok();
  if (!can_be) return std::optional<Record>();
  const Result<std::shared_ptr<const Collection>> collection = find_collection(txn, reference.collection);
  const ErrorCode code = collection.status().code();
  if (code == ErrorCode::CollectionNotFound || code == ErrorCode::CollectionName) return std::optional<Record>();
  if (!collection.has_value()) return collection.status();
  return read_document(txn, **collection, reference.id);
}

Result<ResolvedDocument> resolve_deep(const kv::StoreReader& txn, Bytes collection, Bytes root,
                                      const ResolveLimits& limits) {
  return Resolver(txn, limits).run(collection, root);
}

Result<std::uint64_t> find_referrers(const kv::StoreReader& txn, const Collection& in, const Reference& target,
                                     StepBudget& budget, const ReferrerVisitor& visit) {
  std::uint64_t count = 0;
  TRY(scan_documents(txn, in, [&](Bytes bson, std::uint64_t version) {
    std::vector<std::string> paths;
    collect_references(bson, target, {}, budget, paths);
    if (!budget.take()) return false;
    if (paths.empty()) return true;
    ++count;
    return visit(bson, version, std::move(paths));
  }));
  if (budget.is_exhausted()) {
    return Status::error(ErrorCode::BudgetExhausted, "the search for references needs more steps than allowed");
  }
  return count;
}

}  // namespace vitrine::doc
