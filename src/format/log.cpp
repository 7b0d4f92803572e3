// SPDX-License-Identifier: MIT OR Apache-2.0
#include "format/log.hpp"

#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/assert.hpp"
#include "base/codec.hpp"
#include "base/try.hpp"
#include "format/checksum.hpp"
#include "format/log_seal.hpp"

namespace vitrine::format {
namespace {

constexpr std::string_view kFileMagic{"VTRLOG\n\0", 8};
constexpr std::string_view kSegmentMagic{"VTRSEGM\n", 8};
constexpr std::uint32_t kFrameMagic = 0x4d524656;  // "VFRM"
constexpr std::uint32_t kLogVersion = 1;

constexpr std::size_t kTaggedHeaderSize = offsetof(FrameHeader, tag_low);
constexpr std::size_t kBlockTagOffset = kLogBlockSize - 16;

void seal_block(std::byte* block) noexcept { base::store(block + kBlockTagOffset, checksum(block, kBlockTagOffset)); }

bool is_block_intact(const std::byte* block) noexcept {
  return base::load<Checksum>(block + kBlockTagOffset) == checksum(block, kBlockTagOffset);
}

bool starts_with(std::span<const std::byte> block, std::string_view magic) noexcept {
  return block.size() >= magic.size() && std::memcmp(block.data(), magic.data(), magic.size()) == 0;
}

void store_file_id(std::byte* to, FileId file) noexcept {
  base::store(to, file.low);
  base::store(to + 8, file.high);
}

FileId load_file_id(const std::byte* from) noexcept {
  return {base::load<std::uint64_t>(from), base::load<std::uint64_t>(from + 8)};
}

// The tag that stands between the header and the payload is not part of what it covers. Short frames are put together
// on the stack, because starting a streaming hash costs more than hashing them.
Checksum frame_tag(const std::byte* frame, std::size_t payload_size, FileId file) noexcept {
  std::array<std::byte, 512> joined;
  if (kTaggedHeaderSize + payload_size <= joined.size()) {
    std::memcpy(joined.data(), frame, kTaggedHeaderSize);
    std::memcpy(joined.data() + kTaggedHeaderSize, frame + kFrameHeaderSize, payload_size);
    return checksum(joined.data(), kTaggedHeaderSize + payload_size, checksum_seed(file));
  }
  XXH3_state_t state;
  XXH3_INITSTATE(&state);
  XXH3_128bits_reset_withSeed(&state, checksum_seed(file));
  XXH3_128bits_update(&state, frame, kTaggedHeaderSize);
  XXH3_128bits_update(&state, frame + kFrameHeaderSize, payload_size);
  const XXH128_hash_t tag = XXH3_128bits_digest(&state);
  return {tag.low64, tag.high64};
}

Status malformed_operation() { return Status::error(ErrorCode::LogMalformed, "a logged operation breaks the format"); }

std::optional<Bytes> take_string(Bytes& from) noexcept {
  const std::optional<std::uint64_t> size = base::take_varint(from);
  if (!size || *size > from.size()) return std::nullopt;
  const Bytes taken = from.substr(0, *size);
  from.remove_prefix(*size);
  return taken;
}

void append_string(std::string& to, Bytes bytes) {
  base::append_varint(to, bytes.size());
  to.append(bytes);
}

FrameHeader header_of(const FrameFields& fields, Bytes payload) noexcept {
  VITRINE_ASSERT(payload.size() <= kFramePayloadMax);
  FrameHeader header{};
  header.magic = kFrameMagic;
  header.type = fields.type;
  header.payload_size = static_cast<std::uint32_t>(payload.size());
  header.lsn = fields.lsn;
  header.commit_seq = fields.commit_seq;
  header.durable = fields.durable;
  header.chain = fields.chain;
  return header;
}

// Decrypts a copy, because the same bytes may be looked at again.
std::optional<FrameView> open_sealed_frame(std::span<const std::byte> bytes, const FrameHeader& header,
                                           const LogSeal& seal) {
  const std::size_t size = frame_size(header.payload_size + kFrameSaltSize);
  if (size > bytes.size()) return std::nullopt;
  const std::byte* const salt = bytes.data() + kFrameHeaderSize;
  const std::shared_ptr<char[]> opened(new char[header.payload_size]);
  std::memcpy(opened.get(), salt + kFrameSaltSize, header.payload_size);
  crypto::Tag tag;
  std::memcpy(tag.data(), &header.tag_low, tag.size());
  const std::span<std::byte> payload(reinterpret_cast<std::byte*>(opened.get()), header.payload_size);
  if (!seal.open(std::span<const std::byte, kFrameSaltSize>(salt, kFrameSaltSize), header.lsn,
                 bytes.first(kTaggedHeaderSize), payload, tag)) {
    return std::nullopt;
  }
  return FrameView{header, Bytes(opened.get(), header.payload_size), size, opened};
}

}  // namespace

void encode_log_file_header(const LogFileHeader& header, std::byte* block) noexcept {
  std::memset(block, 0, kLogFileHeaderSize);
  std::memcpy(block, kFileMagic.data(), kFileMagic.size());
  base::store(block + 8, kLogVersion);
  base::store(block + 12, header.segment_size);
  store_file_id(block + 16, header.file);
  seal_block(block);
}

Result<LogFileHeader> decode_log_file_header(std::span<const std::byte> block) {
  if (!starts_with(block, kFileMagic)) return Status::error(ErrorCode::NotDatabase, "not a write-ahead log of Vitrine");
  if (block.size() < kLogFileHeaderSize || !is_block_intact(block.data())) {
    return Status::error(ErrorCode::LogMalformed, "the header of the write-ahead log is damaged");
  }
  if (const auto version = base::load<std::uint32_t>(block.data() + 8); version != kLogVersion) {
    return Status::error(ErrorCode::VersionUnsupported).with("version", version);
  }
  const LogFileHeader header{base::load<std::uint32_t>(block.data() + 12), load_file_id(block.data() + 16)};
  if (!is_segment_size(header.segment_size)) {
    return Status::error(ErrorCode::LogMalformed, "impossible segment size").with("segment_size", header.segment_size);
  }
  return header;
}

void encode_segment_header(const SegmentHeader& header, std::byte* block) noexcept {
  std::memset(block, 0, kSegmentHeaderSize);
  std::memcpy(block, kSegmentMagic.data(), kSegmentMagic.size());
  base::store(block + 8, header.number);
  base::store(block + 16, header.chain);
  store_file_id(block + 32, header.file);
  seal_block(block);
}

std::optional<SegmentHeader> decode_segment_header(std::span<const std::byte> block, FileId file) noexcept {
  if (block.size() < kSegmentHeaderSize || !starts_with(block, kSegmentMagic)) return std::nullopt;
  const SegmentHeader header{base::load<std::uint64_t>(block.data() + 8), base::load<std::uint64_t>(block.data() + 16),
                             load_file_id(block.data() + 32)};
  if (header.file != file || !is_block_intact(block.data())) return std::nullopt;
  return header;
}

std::uint64_t write_frame(std::byte* to, const FrameFields& fields, Bytes payload, FileId file) noexcept {
  FrameHeader header = header_of(fields, payload);
  // The tagged part of the header stands directly before the payload for a moment, so that one pass hashes both.
  std::memcpy(to + kFrameHeaderSize - kTaggedHeaderSize, &header, kTaggedHeaderSize);
  if (!payload.empty()) std::memcpy(to + kFrameHeaderSize, payload.data(), payload.size());
  const Checksum tag =
      checksum(to + kFrameHeaderSize - kTaggedHeaderSize, kTaggedHeaderSize + payload.size(), checksum_seed(file));
  header.tag_low = tag.low;
  header.tag_high = tag.high;
  std::memcpy(to, &header, kFrameHeaderSize);
  const std::size_t end = kFrameHeaderSize + payload.size();
  std::memset(to + end, 0, frame_size(payload.size()) - end);
  return header.tag_low;
}

std::uint64_t append_frame(std::string& to, FrameType type, Lsn lsn, std::uint64_t commit_seq, Lsn durable,
                           std::uint64_t chain, Bytes payload, FileId file) {
  const std::size_t at = to.size();
  to.resize(at + frame_size(payload.size()));
  return write_frame(reinterpret_cast<std::byte*>(to.data() + at), {type, lsn, commit_seq, durable, chain}, payload,
                     file);
}

Result<std::uint64_t> write_sealed_frame(std::byte* to, const FrameFields& fields, Bytes payload, const LogSeal& seal) {
  FrameHeader header = header_of(fields, payload);
  std::byte* const body = to + kFrameHeaderSize + kFrameSaltSize;
  if (!payload.empty()) std::memcpy(body, payload.data(), payload.size());
  std::memcpy(to, &header, kFrameHeaderSize);
  std::memcpy(to + kFrameHeaderSize, seal.salt().data(), kFrameSaltSize);
  crypto::Tag tag;
  CHECK(seal.seal(fields.lsn, {to, kTaggedHeaderSize}, {body, payload.size()}, tag));
  std::memcpy(to + kTaggedHeaderSize, tag.data(), tag.size());
  const std::size_t end = kFrameHeaderSize + kFrameSaltSize + payload.size();
  std::memset(to + end, 0, frame_size(kFrameSaltSize + payload.size()) - end);
  return base::load<std::uint64_t>(tag.data());
}

std::optional<FrameView> decode_frame(std::span<const std::byte> bytes, Lsn lsn, FileId file, const LogSeal* seal) {
  if (bytes.size() < kFrameHeaderSize) return std::nullopt;
  const auto header = base::load<FrameHeader>(bytes.data());
  if (header.magic != kFrameMagic || header.lsn != lsn || header.durable > lsn) return std::nullopt;
  if (header.payload_size > kFramePayloadMax || frame_size(header.payload_size) > bytes.size()) return std::nullopt;
  if (seal != nullptr) return open_sealed_frame(bytes, header, *seal);
  const Checksum tag = frame_tag(bytes.data(), header.payload_size, file);
  if (header.tag_low != tag.low || header.tag_high != tag.high) return std::nullopt;
  const Bytes payload(reinterpret_cast<const char*>(bytes.data()) + kFrameHeaderSize, header.payload_size);
  return FrameView{header, payload, frame_size(header.payload_size), nullptr};
}

std::optional<Lsn> peek_frame(std::span<const std::byte> bytes) noexcept {
  if (bytes.size() < kFrameHeaderSize) return std::nullopt;
  if (base::load<std::uint32_t>(bytes.data()) != kFrameMagic) return std::nullopt;
  return base::load<Lsn>(bytes.data() + offsetof(FrameHeader, lsn));
}

std::size_t find_frame(std::span<const std::byte> bytes, std::size_t at) noexcept {
  for (; at + kFrameHeaderSize <= bytes.size(); at += kFrameAlignment) {
    if (base::load<std::uint32_t>(bytes.data() + at) == kFrameMagic) return at;
  }
  return bytes.size();
}

void append_operation(std::string& to, const Operation& operation) {
  to.push_back(static_cast<char>(operation.type));
  append_string(to, operation.key);
  if (operation.type != OperationType::Erase) append_string(to, operation.value);
}

void append_put(std::string& to, Bytes key, Bytes first, Bytes rest) {
  constexpr std::size_t kAround = 16;  // type and both sizes
  const std::size_t wanted = to.size() + key.size() + first.size() + rest.size() + kAround;
  if (wanted > to.capacity()) to.reserve(std::max(wanted, 2 * to.capacity()));
  to.push_back(static_cast<char>(OperationType::Put));
  append_string(to, key);
  base::append_varint(to, first.size() + rest.size());
  to.append(first).append(rest);
}

Result<OperationReader> OperationReader::open(Bytes payload) {
  OperationReader reader;
  const std::optional<std::uint64_t> count = base::take_varint(payload);
  if (!count) return malformed_operation();
  reader.rest_ = payload;
  reader.remaining_ = *count;
  return reader;
}

Result<std::optional<Operation>> OperationReader::next() {
  if (remaining_ == 0) {
    if (!rest_.empty()) return malformed_operation();
    return std::optional<Operation>{};
  }
  if (rest_.empty()) return malformed_operation();
  const auto type = static_cast<OperationType>(rest_.front());
  if (type < OperationType::Put || type > OperationType::EraseRange) return malformed_operation();
  rest_.remove_prefix(1);
  Operation operation{type, {}, {}};
  const std::optional<Bytes> key = take_string(rest_);
  if (!key) return malformed_operation();
  operation.key = *key;
  if (type != OperationType::Erase) {
    const std::optional<Bytes> value = take_string(rest_);
    if (!value) return malformed_operation();
    operation.value = *value;
  }
  --remaining_;
  return std::optional<Operation>(operation);
}

}  // namespace vitrine::format
