// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/query_token.hpp"

#include <xxhash.h>

#include "base/base64.hpp"
#include "base/codec.hpp"
#include "base/try.hpp"

namespace vitrine::doc {
namespace {

constexpr char kTokenFormat = 0x01;

std::uint64_t hash_of(Bytes filter, Bytes sort) {
  return XXH3_64bits_withSeed(sort.data(), sort.size(), XXH3_64bits(filter.data(), filter.size()));
}

}  // namespace

ByteString make_token(const QueryPosition& position, Bytes filter, Bytes sort) {
  ByteString bytes(1, kTokenFormat), token;
  base::append_fixed(bytes, hash_of(filter, sort));
  base::append_varint(bytes, position.sort_key.size());
  bytes.append(position.sort_key).append(position.id);
  base::append_base64(token, bytes);
  return token;
}

Result<QueryPosition> read_token(Bytes token, Bytes filter, Bytes sort) {
  constexpr std::size_t kHeadSize = 1 + sizeof(std::uint64_t);
  const Result<std::string> decoded = base::decoded_base64(token);
  if (!decoded.has_value() || decoded->size() < kHeadSize) return Status::error(ErrorCode::TokenInvalid);
  Bytes bytes = *decoded;
  const bool is_ours =
      bytes.front() == kTokenFormat && base::load<std::uint64_t>(bytes.data() + 1) == hash_of(filter, sort);
  bytes.remove_prefix(kHeadSize);
  const std::optional<std::uint64_t> size = base::take_varint(bytes);
  if (!is_ours || !size || *size > bytes.size() || bytes.size() - *size > kIdSizeMax || bytes.size() == *size) {
    return Status::error(ErrorCode::TokenInvalid);
  }
  return QueryPosition{ByteString(bytes.substr(0, *size)), ByteString(bytes.substr(*size))};
}

}  // namespace vitrine::doc
