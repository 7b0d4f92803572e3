// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kv/keyspace.hpp"

#include "base/codec.hpp"
#include "base/try.hpp"
#include "base/utf8.hpp"

namespace vitrine::kv {

void make_tree_key(Keyspace keyspace, Bytes key, std::string& to) {
  to.clear();
  append_tree_key(keyspace, key, to);
}

void append_tree_key(Keyspace keyspace, Bytes key, std::string& to) {
  base::append_varint(to, keyspace.id);
  to.append(key);
}

TreeKey::TreeKey(Keyspace keyspace, Bytes key) {
  std::string prefix;  // a few bytes: no memory is taken for it
  base::append_varint(prefix, keyspace.id);
  if (prefix.size() + key.size() > short_.size()) {
    long_.append(prefix).append(key);
    bytes_ = long_;
    return;
  }
  prefix.copy(short_.data(), prefix.size());
  key.copy(short_.data() + prefix.size(), key.size());
  bytes_ = {short_.data(), prefix.size() + key.size()};
}

std::string keyspace_end(Keyspace keyspace) {
  std::string end;
  base::append_varint(end, keyspace.id);
  ++end.back();  // the last byte of a varint is below 0x80
  return end;
}

std::optional<std::string> prefix_end(Bytes prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xff') end.pop_back();
  if (end.empty()) return std::nullopt;
  end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

Status check_keyspace_name(Bytes name) {
  bool good = !name.empty() && name.size() <= kNameMax && base::is_utf8(name);
  for (const char c : name) good = good && static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
  return good ? Status{} : Status::error(ErrorCode::KeyspaceName).with("size", name.size());
}

Result<Record> split_record(Keyspace keyspace, Bytes record) {
  if (!keyspace.versions) return Record{0, record};
  const std::optional<std::uint64_t> version = base::take_varint(record);
  if (!version) return Status::error(ErrorCode::PageMalformed, "a record without its version");
  return Record{*version, record};
}

std::string record_header(Keyspace keyspace, std::uint64_t seq) {
  std::string header;
  if (keyspace.versions) base::append_varint(header, seq);
  return header;
}

std::string encode_catalog_entry(const Keyspace& keyspace) {
  std::string entry;
  base::append_varint(entry, keyspace.id);
  base::append_varint(entry, keyspace.versions ? 1 : 0);
  return entry;
}

Result<Keyspace> decode_catalog_entry(Bytes entry) {
  const std::optional<std::uint64_t> id = base::take_varint(entry);
  const std::optional<std::uint64_t> flags = base::take_varint(entry);
  if (!id || !flags || *id < kFirstFreeId || *id > ~std::uint32_t{0} || *flags > 1 || !entry.empty()) {
    return Status::error(ErrorCode::PageMalformed, "a damaged catalog entry");
  }
  return Keyspace{static_cast<std::uint32_t>(*id), *flags == 1};
}

std::string catalog_id_key(std::uint32_t id) {
  std::string key("\x01");
  base::append_varint(key, id);
  return key;
}

}  // namespace vitrine::kv
