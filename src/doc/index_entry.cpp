// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/index_entry.hpp"

#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "doc/catalog.hpp"
#include "doc/store_documents.hpp"

namespace vitrine::doc {
namespace {

constexpr std::uint8_t kIsCut = 1, kIsInexact = 2;

struct Key {
  ByteString bytes;
  bool is_exact = false;
};

void append_hash(ByteString& to, Bytes key) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(key.data(), key.size()));
  to.append(reinterpret_cast<const char*>(canonical.digest), kIndexHashSize);
}

// The values of one path: of an array its elements, null where there is nothing.
class PathKeys {
 public:
  explicit PathKeys(const IndexPart& part) : part_(part) {}

  void collect(Bytes document) {
    visit_path(document, part_.path, [&](const Value* value) {
      ++visits_;
      if (value == nullptr) {
        add(kNull, false);
      } else if (value->type == Type::Array) {
        has_value_ = true;
        add_elements(*value);
      } else {
        has_value_ = true;
        add(*value, decodes_exactly(*value));
      }
      return false;
    });
    if (keys_.empty()) add(kNull, false);
    if (keys_.size() == 1 && visits_ == 1) return;
    for (Key& key : keys_) key.is_exact = false;
    std::sort(keys_.begin(), keys_.end(), [](const Key& a, const Key& b) { return a.bytes < b.bytes; });
    const auto is_same = [](const Key& a, const Key& b) { return a.bytes == b.bytes; };
    keys_.erase(std::unique(keys_.begin(), keys_.end(), is_same), keys_.end());
  }

  std::vector<Key>& keys() noexcept { return keys_; }
  bool has_value() const noexcept { return has_value_; }

 private:
  void add(const Value& value, bool is_exact) {
    keys_.push_back({{}, is_exact});
    append_key(keys_.back().bytes, value, part_.direction);
  }
  void add_elements(const Value& array) {
    const std::size_t before = keys_.size();
    for (Elements walk(array.bytes); const auto element = walk.next();) add(element->value, false);
    if (keys_.size() == before) add(kNull, false);
  }

  const IndexPart& part_;
  std::vector<Key> keys_;
  std::size_t visits_ = 0;
  bool has_value_ = false;
};

// Do the members that the paths without dots name stand in this order?
bool parts_are_in_order(const Index& index, Bytes document) {
  if (index.parts.size() == 1) return true;
  std::size_t at = 0;
  for (Elements walk(document); const auto element = walk.next();) {
    const auto is_named = [&](const IndexPart& part) { return part.name == element->name; };
    const auto found = std::find_if(index.parts.begin(), index.parts.end(), is_named);
    if (found == index.parts.end() || element->name == kIdName) continue;
    const auto position = static_cast<std::size_t>(found - index.parts.begin());
    if (position < at) return false;
    at = position;
  }
  return true;
}

// Each head with each tail. False when that is too much.
bool combine(std::vector<Key>& heads, std::vector<Key> tails) {
  if (heads.size() * tails.size() > kIndexEntriesMax) return false;
  if (heads.size() == 1 && tails.size() == 1) {
    heads.front().bytes.append(tails.front().bytes);
    heads.front().is_exact &= tails.front().is_exact;
    return heads.front().bytes.size() <= kIndexEntriesBytesMax;
  }
  std::vector<Key> keys;
  keys.reserve(heads.size() * tails.size());
  std::size_t size = 0;
  for (const Key& head : heads) {
    for (const Key& tail : tails) {
      size += head.bytes.size() + tail.bytes.size();
      if (size > kIndexEntriesBytesMax) return false;
      keys.push_back({head.bytes + tail.bytes, head.is_exact && tail.is_exact});
    }
  }
  heads = std::move(keys);
  return true;
}

void append_flags(ByteString& to, bool is_cut, bool is_exact, std::size_t key_size) {
  to.push_back(static_cast<char>((is_cut ? kIsCut : 0) | (is_exact ? 0 : kIsInexact)));
  base::append_varint(to, key_size);
}

void append_entry(std::vector<IndexEntry>& to, const Index& index, const Key& key, Bytes id) {
  const bool is_cut = key.bytes.size() > kIndexHeadMax;
  IndexEntry entry;
  entry.key.reserve(kIndexPrefixSize + std::min(key.bytes.size(), kIndexHeadMax) + kIndexHashSize + id.size());
  entry.key.append(entry_prefix(index, key.bytes)).append(id);
  append_flags(entry.value, is_cut, key.is_exact, key.bytes.size());
  if (is_cut) entry.value.append(key.bytes);
  to.push_back(std::move(entry));
}

// The entry of one value, which most indexes have of most documents, made in its place. False: it takes more than that.
bool add_only_entry(const Index& index, Bytes document, Bytes id, std::vector<IndexEntry>& to) {
  constexpr std::size_t kEncodedMore = 8;  // about that much more than the value
  const IndexPart& part = index.parts.front();
  if (index.parts.size() != 1 || part.path.size() != 1 || index.filter) return false;
  const std::optional<Value> value = find_member(document, part.path.front());
  if (value ? value->type == Type::Array : index.sparse) return false;
  IndexEntry entry;
  entry.key.reserve(kIndexPrefixSize + (value ? value->bytes.size() : 0) + kEncodedMore + id.size());
  entry.key.append(index_prefix(index));
  append_key(entry.key, value.value_or(kNull), part.direction);
  const std::size_t size = entry.key.size() - kIndexPrefixSize;
  if (size > kIndexHeadMax) return false;
  entry.key.append(id);
  append_flags(entry.value, false, value && decodes_exactly(*value) && decodes_exactly(id_of(document)), size);
  to.push_back(std::move(entry));
  return true;
}

}  // namespace

Result<std::vector<IndexEntry>> make_entries(const Index& index, Bytes document, Bytes id, std::uint64_t& multikey) {
  std::vector<IndexEntry> entries;
  CHECK(make_entries(index, document, id, multikey, entries));
  return entries;
}

bool have_same_entries(const Index& index, Bytes before, Bytes after) noexcept {
  const auto is_same = [](const std::optional<Value>& a, const std::optional<Value>& b) {
    return a.has_value() == b.has_value() && (!a || (a->type == b->type && a->bytes == b->bytes));
  };
  if (index.parts.size() != 1 || index.filter || !is_same(id_of(before), id_of(after))) return false;
  const std::string& member = index.parts.front().path.front();
  return is_same(find_member(before, member), find_member(after, member));
}

Status make_entries(const Index& index, Bytes document, Bytes id, std::uint64_t& multikey,
                    std::vector<IndexEntry>& to) {
  to.clear();
  if (add_only_entry(index, document, id, to)) return {};
  StepBudget unlimited(std::numeric_limits<std::uint64_t>::max());
  if (index.filter && !index.filter->matches(document, unlimited)) return {};
  const std::optional<Element> first = Elements(document).next();
  const bool is_exact = first && decodes_exactly(first->value) && parts_are_in_order(index, document);
  std::vector<Key> keys(1, {{}, is_exact});
  bool has_value = false;
  for (std::size_t i = 0; i < index.parts.size(); ++i) {
    PathKeys path(index.parts[i]);
    path.collect(document);
    has_value |= path.has_value();
    if (path.keys().size() > 1) multikey |= std::uint64_t{1} << i;
    if (!combine(keys, std::move(path.keys())))
      return Status::error(ErrorCode::IndexTooManyKeys).with("index", index.name);
  }
  if (index.sparse && !has_value) return {};
  to.reserve(keys.size());
  for (const Key& key : keys) append_entry(to, index, key, id);
  if (to.size() > 1) std::sort(to.begin(), to.end());
  return {};
}

Result<IndexEntryView> read_entry(Bytes key, Bytes value) {
  const auto damaged = [] { return Status::error(ErrorCode::DocumentMalformed, "a damaged entry of an index"); };
  if (key.size() < kIndexPrefixSize || value.empty()) return damaged();
  const auto flags = static_cast<std::uint8_t>(value.front());
  value.remove_prefix(1);
  const std::optional<std::uint64_t> size = base::take_varint(value);
  IndexEntryView entry;
  entry.is_cut = (flags & kIsCut) != 0;
  entry.is_exact = (flags & kIsInexact) == 0;
  key.remove_prefix(kIndexPrefixSize);
  const std::size_t head = entry.is_cut ? kIndexHeadMax + kIndexHashSize : size.value_or(0);
  const bool is_right = size && head <= key.size() && value.size() == (entry.is_cut ? *size : 0) && flags < 4 &&
                        entry.is_cut == (*size > kIndexHeadMax);
  if (!is_right) return damaged();
  entry.key = entry.is_cut ? value : key.substr(0, head);
  entry.id = key.substr(head);
  return entry;
}

ByteString entry_prefix(const Index& index, Bytes key) {
  ByteString prefix = index_prefix(index);
  prefix.append(key.substr(0, kIndexHeadMax));
  if (key.size() > kIndexHeadMax) append_hash(prefix, key);
  return prefix;
}

ByteString entry_position(const Index& index, Bytes bound) {
  return index_prefix(index).append(bound.substr(0, kIndexHeadMax));
}

ByteString entry_position_after(const Index& index, Bytes bound) {
  const ByteString position = entry_position(index, bound);
  return bound.size() > kIndexHeadMax ? after_prefix(position) : position;
}

}  // namespace vitrine::doc
