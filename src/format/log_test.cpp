// SPDX-License-Identifier: MIT OR Apache-2.0
#include "format/log.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <vector>

#include "base/codec.hpp"
#include "format/checksum.hpp"

namespace vitrine::format {
namespace {

constexpr FileId kFile{0x1122334455667788, 0x99aabbccddeeff00};
constexpr FileId kOther{0x1122334455667788, 0x99aabbccddeeff01};

using Block = std::array<std::byte, kLogBlockSize>;

std::span<const std::byte> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

Block file_header(std::uint32_t segment_size) {
  Block block;
  encode_log_file_header({segment_size, kFile}, block.data());
  return block;
}

// Makes the checksum of a block fit again after a change.
void reseal(Block& block) { base::store(block.data() + 4080, checksum(block.data(), 4080)); }

std::string one_frame(Bytes payload, Lsn lsn = 8192) {
  std::string frame;
  append_frame(frame, FrameType::Transaction, lsn, 7, 4160, 0x5555, payload, kFile);
  return frame;
}

TEST(LogFileHeader, has_the_documented_layout_and_reads_back) {
  const Block block = file_header(1u << 20);
  EXPECT_EQ(std::memcmp(block.data(), "VTRLOG\n\0", 8), 0);
  EXPECT_EQ(base::load<std::uint32_t>(block.data() + 8), 1u);
  EXPECT_EQ(base::load<std::uint32_t>(block.data() + 12), 1u << 20);
  EXPECT_EQ(base::load<FileId>(block.data() + 16), kFile);
  const LogFileHeader header = decode_log_file_header(block).value();
  EXPECT_EQ(header.segment_size, 1u << 20);
  EXPECT_EQ(header.file, kFile);
}

TEST(LogFileHeader, names_what_is_wrong_with_it) {
  Block block = file_header(1u << 20);
  EXPECT_EQ(decode_log_file_header({}).status().code(), ErrorCode::NotDatabase);
  EXPECT_EQ(decode_log_file_header(std::span(block).first(100)).status().code(), ErrorCode::LogMalformed);

  Block foreign = block;
  foreign[3] ^= std::byte{1};
  EXPECT_EQ(decode_log_file_header(foreign).status().code(), ErrorCode::NotDatabase);

  Block newer = block;
  newer[8] = std::byte{2};
  EXPECT_EQ(decode_log_file_header(newer).status().code(), ErrorCode::LogMalformed);
  reseal(newer);
  EXPECT_EQ(decode_log_file_header(newer).status().code(), ErrorCode::VersionUnsupported);

  for (const std::uint32_t size : {0u, 8u << 10, (1u << 20) + 1, 128u << 20}) {
    EXPECT_EQ(decode_log_file_header(file_header(size)).status().code(), ErrorCode::LogMalformed) << size;
  }
}

TEST(SegmentHeader, reads_back_only_whole_and_only_for_its_file) {
  Block block;
  encode_segment_header({42, 0xabcdef, kFile}, block.data());
  EXPECT_EQ(std::memcmp(block.data(), "VTRSEGM\n", 8), 0);
  const std::optional<SegmentHeader> header = decode_segment_header(block, kFile);
  ASSERT_TRUE(header);
  EXPECT_EQ(header->number, 42u);
  EXPECT_EQ(header->chain, 0xabcdefu);
  EXPECT_FALSE(decode_segment_header(block, kOther));
  EXPECT_FALSE(decode_segment_header(std::span(block).first(4095), kFile));
  for (std::size_t at = 0; at < block.size(); ++at) {
    block[at] ^= std::byte{0x10};
    EXPECT_FALSE(decode_segment_header(block, kFile)) << at;
    block[at] ^= std::byte{0x10};
  }
}

TEST(Frame, reads_back_at_its_place_with_any_payload_size) {
  for (const std::size_t size : {0u, 1u, 7u, 8u, 9u, 150u, 463u, 464u, 465u, 5000u, 100000u}) {
    const std::string payload(size, 'p');
    std::string log = "before";
    const std::uint64_t chain = append_frame(log, FrameType::Part, 65536, 9, 65528, 77, payload, kFile);
    log.erase(0, 6);
    ASSERT_EQ(log.size(), frame_size(size));
    EXPECT_EQ(log.size() % 8, 0u);
    const std::optional<FrameView> frame = decode_frame(bytes_of(log), 65536, kFile);
    ASSERT_TRUE(frame) << size;
    EXPECT_EQ(frame->payload, payload);
    EXPECT_EQ(frame->size, log.size());
    EXPECT_EQ(frame->header.type, FrameType::Part);
    EXPECT_EQ(frame->header.commit_seq, 9u);
    EXPECT_EQ(frame->header.durable, 65528u);
    EXPECT_EQ(frame->header.chain, 77u);
    EXPECT_EQ(frame->header.tag_low, chain);
    EXPECT_EQ(peek_frame(bytes_of(log)), Lsn{65536});
  }
}

TEST(Frame, is_searched_for_by_its_looks) {
  const std::string frame = one_frame("some payload");
  const std::string log = std::string(24, '\0') + frame + std::string(40, 'x') + frame;
  EXPECT_EQ(find_frame(bytes_of(log), 0), 24u);
  EXPECT_EQ(find_frame(bytes_of(log), 24), 24u);
  const std::size_t second = log.size() - frame.size();
  EXPECT_EQ(find_frame(bytes_of(log), 32), second);
  EXPECT_EQ(find_frame(bytes_of(log), second + kFrameAlignment), log.size());
  EXPECT_EQ(find_frame(bytes_of(log), log.size() + kFrameAlignment), log.size());
  // Its header must be there whole.
  EXPECT_EQ(find_frame(bytes_of(log).first(24 + kFrameHeaderSize - 1), 0), 24 + kFrameHeaderSize - 1);
}

TEST(Frame, tag_covers_header_and_payload_as_documented) {
  const std::string frame = one_frame("some payload");
  const std::string covered = frame.substr(0, 48) + "some payload";
  EXPECT_EQ(base::load<Checksum>(frame.data() + 48), checksum(covered.data(), covered.size(), checksum_seed(kFile)));
}

TEST(Frame, is_rejected_elsewhere_or_for_another_file_or_cut_short) {
  const std::string frame = one_frame("some payload");
  ASSERT_TRUE(decode_frame(bytes_of(frame), 8192, kFile));
  EXPECT_FALSE(decode_frame(bytes_of(frame), 8200, kFile));
  EXPECT_FALSE(decode_frame(bytes_of(frame), 8192, kOther));
  for (std::size_t size = 0; size < frame.size(); ++size) {
    EXPECT_FALSE(decode_frame(bytes_of(frame).first(size), 8192, kFile)) << size;
  }
}

TEST(Frame, is_rejected_after_any_flipped_bit) {
  for (const std::size_t size : {13u, 600u}) {
    std::string frame = one_frame(std::string(size, 'x'));
    for (std::size_t bit = 0; bit < (64 + size) * 8; ++bit) {
      frame[bit / 8] = static_cast<char>(frame[bit / 8] ^ (1 << (bit % 8)));
      EXPECT_FALSE(decode_frame(bytes_of(frame), 8192, kFile)) << bit;
      frame[bit / 8] = static_cast<char>(frame[bit / 8] ^ (1 << (bit % 8)));
    }
  }
}

TEST(Frame, cannot_vouch_for_bytes_behind_its_start) {
  std::string frame;
  append_frame(frame, FrameType::Seal, 8192, 7, 8200, 0, {}, kFile);
  EXPECT_FALSE(decode_frame(bytes_of(frame), 8192, kFile));
}

TEST(Operations, read_back_in_order) {
  std::string payload;
  base::append_varint(payload, 3);
  const std::string long_value(300, 'v');
  append_operation(payload, {OperationType::Put, "key", long_value});
  append_operation(payload, {OperationType::Erase, "gone", {}});
  append_operation(payload, {OperationType::EraseRange, "a", {}});
  OperationReader reader = OperationReader::open(payload).value();
  EXPECT_EQ(reader.remaining(), 3u);
  Operation operation = *reader.next().value();
  EXPECT_EQ(operation.type, OperationType::Put);
  EXPECT_EQ(operation.key, "key");
  EXPECT_EQ(operation.value, long_value);
  operation = *reader.next().value();
  EXPECT_EQ(operation.type, OperationType::Erase);
  EXPECT_EQ(operation.key, "gone");
  operation = *reader.next().value();
  EXPECT_EQ(operation.type, OperationType::EraseRange);
  EXPECT_EQ(operation.key, "a");
  EXPECT_EQ(operation.value, "");
  EXPECT_FALSE(reader.next().value());
}

// Reads to the end: ok, or the error on the way.
Status read_all(Bytes payload) {
  Result<OperationReader> reader = OperationReader::open(payload);
  if (!reader) return reader.status();
  for (;;) {
    Result<std::optional<Operation>> operation = reader->next();
    if (!operation) return operation.status();
    if (!*operation) return {};
  }
}

TEST(Operations, report_bytes_that_break_the_format) {
  std::string payload;
  base::append_varint(payload, 2);
  append_operation(payload, {OperationType::Put, "key", "value"});
  append_operation(payload, {OperationType::EraseRange, "a", "b"});
  EXPECT_TRUE(read_all(payload).is_ok());
  for (std::size_t size = 0; size < payload.size(); ++size) {
    EXPECT_EQ(read_all(Bytes(payload).substr(0, size)).code(), ErrorCode::LogMalformed) << size;
  }
  EXPECT_EQ(read_all(payload + "x").code(), ErrorCode::LogMalformed);
  for (const char type : {'\0', '\4', '\xff'}) {
    std::string unknown = payload;
    unknown[1] = type;
    EXPECT_EQ(read_all(unknown).code(), ErrorCode::LogMalformed);
  }
  std::string huge = payload;
  huge[2] = '\x7f';  // key size behind the end
  EXPECT_EQ(read_all(huge).code(), ErrorCode::LogMalformed);
  EXPECT_EQ(read_all("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01").code(), ErrorCode::LogMalformed);
}

}  // namespace
}  // namespace vitrine::format
