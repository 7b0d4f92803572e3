// SPDX-License-Identifier: MIT OR Apache-2.0
// How keyspaces share one tree. Knows key prefixes, the catalog and record headers; must not know pages.
//
// TREE KEY   varint keyspace id, then the user's key. LEB128 is prefix-free, so keyspaces never mix.
// RECORD     in a keyspace with versions: varint commit sequence number, then the value; else the value alone.
// CATALOG    keyspace id 0, records without versions:
//              name                      -> varint id, varint flags (bit 0: versions)
//              0x01, varint id           -> name
//              0x02                      -> varint next id
//            Names have no control characters, so the second and third kind are no names.
// The keyspace "default" has id 1 and versions; it exists without being in the catalog.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "vitrine/transaction.hpp"

namespace vitrine::kv {

inline constexpr std::uint32_t kCatalogId = 0;
inline constexpr std::uint32_t kDefaultId = 1;
inline constexpr std::uint32_t kFirstFreeId = 2;
inline constexpr std::string_view kDefaultName = "default";
inline constexpr std::size_t kNameMax = 255;
inline constexpr std::uint64_t kValueMax = 1ull << 30;
inline constexpr Keyspace kCatalog{kCatalogId, false};

// The tree key of `key`; replaces `to`.
void make_tree_key(Keyspace keyspace, Bytes key, std::string& to);
void append_tree_key(Keyspace keyspace, Bytes key, std::string& to);
// The same for one look-up: short ones take no memory but this.
class TreeKey {
 public:
  TreeKey(Keyspace keyspace, Bytes key);
  TreeKey(const TreeKey&) = delete;
  TreeKey& operator=(const TreeKey&) = delete;
  Bytes bytes() const noexcept { return bytes_; }

 private:
  std::array<char, 64> short_;
  std::string long_;
  Bytes bytes_;
};
// First tree key behind the keyspace.
std::string keyspace_end(Keyspace keyspace);
// Smallest key greater than every key that starts with `prefix`; nothing when there is none.
std::optional<std::string> prefix_end(Bytes prefix);

Status check_keyspace_name(Bytes name);

// A record without its header. Errors: PageMalformed.
struct Record {
  std::uint64_t version = 0;
  Bytes value;
};
Result<Record> split_record(Keyspace keyspace, Bytes record);
// Header of a record written by commit `seq`; empty in a keyspace without versions.
std::string record_header(Keyspace keyspace, std::uint64_t seq);

// Catalog entries.
std::string encode_catalog_entry(const Keyspace& keyspace);
Result<Keyspace> decode_catalog_entry(Bytes entry);
std::string catalog_id_key(std::uint32_t id);
inline constexpr std::string_view kNextIdKey = "\x02";

}  // namespace vitrine::kv
