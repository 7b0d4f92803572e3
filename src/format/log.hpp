// SPDX-License-Identifier: MIT OR Apache-2.0
// Layout of the write-ahead log: file header, segment header, frame header. Knows one block or frame; must not know
// where it lies.
//
// The log is an endless byte string addressed by log sequence numbers (LSN). It is cut into segments of S bytes:
// segment k covers [k * S, (k + 1) * S). The file holds a ring of slots, each with room for one segment; which segment
// a slot holds is said by the segment header in its first 4 KiB. Frames follow, 8-byte aligned, never across a segment
// end.
//
// FILE HEADER (4096 bytes at offset 0, written once)     OWNER BLOCK (4096 bytes at 4096, informational, never synced)
// OFFSET SIZE FIELD                                      OFFSET SIZE FIELD
//      0    8 magic "VTRLOG\n\0"                              0    8 process id of the writer, 0 when closed
//      8    4 format version, 1                               8    8 wall clock at open, milliseconds since 1970
//     12    4 segment size S
//     16   16 file id of the database
//   4080   16 XXH3-128 of bytes [0, 4080)
//
// SEGMENT HEADER (4096 bytes at 8192 + slot * S)
// OFFSET SIZE FIELD
//      0    8 magic "VTRSEGM\n"
//      8    8 segment number k
//     16    8 chain at the first frame of the segment
//     24    8 0
//     32   16 file id
//   4080   16 XXH3-128 of bytes [0, 4080)
//
// FRAME (64-byte header, then payload, then zeros to a multiple of 8)
// OFFSET SIZE FIELD
//      0    4 magic "VFRM"
//      4    1 type (FrameType)
//      5    3 0
//      8    4 payload length
//     12    4 0
//     16    8 LSN of this frame
//     24    8 commit sequence number of the transaction (part frames: of the transaction they belong to)
//     32    8 durable watermark: end of the last frame known durable when this one was made, unpadded
//     40    8 chain: low half of the tag of the frame before
//     48   16 tag: XXH3-128 of bytes [0, 48) and the payload, seeded with the file id
//           (checksum.hpp); encrypted: of the seal
//
// In an encrypted file 16 bytes stand between header and payload, which the payload length does not count: the salt of
// the session that wrote the frame (log_seal.hpp). The payload is encrypted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "format/page.hpp"
#include "vitrine/bytes.hpp"
#include "vitrine/status.hpp"

namespace vitrine::format {

using Lsn = std::uint64_t;

inline constexpr std::size_t kLogBlockSize = 4096;  // unit in which durable parts of the log end
inline constexpr std::size_t kLogFileHeaderSize = 4096;
inline constexpr std::size_t kLogSlotsOffset = 8192;
inline constexpr std::size_t kSegmentHeaderSize = 4096;
inline constexpr std::size_t kFrameHeaderSize = 64;
inline constexpr std::size_t kFrameSaltSize = 16;  // behind the header, in encrypted files
inline constexpr std::size_t kFrameAlignment = 8;
inline constexpr std::uint32_t kSegmentSizeMin = 16u << 10;
inline constexpr std::uint32_t kSegmentSizeMax = 64u << 20;
inline constexpr std::size_t kFramePayloadMax = kSegmentSizeMax - kSegmentHeaderSize - kFrameHeaderSize;

inline constexpr bool is_segment_size(std::uint64_t size) noexcept {
  return size >= kSegmentSizeMin && size <= kSegmentSizeMax && (size & (size - 1)) == 0;
}

// Bytes a frame takes in the log, padding to the frame alignment included.
inline constexpr std::size_t frame_size(std::size_t payload_size) noexcept {
  return (kFrameHeaderSize + payload_size + kFrameAlignment - 1) / kFrameAlignment * kFrameAlignment;
}

enum class FrameType : std::uint8_t {  // part of the file format
  Open = 1,         // first frame of a session: 16 random bytes and the open count, so that no sessions share a chain
  Transaction = 2,  // a whole transaction, or the last part of one
  Part = 3,         // a part of a transaction that more frames complete
  Seal = 4,         // nothing; carries the durable watermark over the last group
};

struct LogFileHeader {
  std::uint32_t segment_size = 0;
  FileId file;
};

struct SegmentHeader {
  std::uint64_t number = 0;
  std::uint64_t chain = 0;
  FileId file;
};

struct FrameHeader {
  std::uint32_t magic;
  FrameType type;
  std::uint8_t zero[3];
  std::uint32_t payload_size;
  std::uint32_t zero2;
  Lsn lsn;
  std::uint64_t commit_seq;
  Lsn durable;
  std::uint64_t chain;
  std::uint64_t tag_low;
  std::uint64_t tag_high;
};
static_assert(sizeof(FrameHeader) == kFrameHeaderSize && offsetof(FrameHeader, lsn) == 16 &&
              offsetof(FrameHeader, commit_seq) == 24 && offsetof(FrameHeader, durable) == 32 &&
              offsetof(FrameHeader, chain) == 40 && offsetof(FrameHeader, tag_low) == 48);

// Errors of the decoders: NotDatabase (no magic), VersionUnsupported, LogMalformed (checksum or range).
void encode_log_file_header(const LogFileHeader& header, std::byte* block) noexcept;  // fills 4096 bytes
Result<LogFileHeader> decode_log_file_header(std::span<const std::byte> block);
void encode_segment_header(const SegmentHeader& header, std::byte* block) noexcept;  // fills 4096 bytes
std::optional<SegmentHeader> decode_segment_header(std::span<const std::byte> block, FileId file) noexcept;

class LogSeal;  // log_seal.hpp; where a pointer to one is null, the file is not encrypted

// What the writer of a frame decides.
struct FrameFields {
  FrameType type = FrameType::Transaction;
  Lsn lsn = 0;
  std::uint64_t commit_seq = 0;
  Lsn durable = 0;
  std::uint64_t chain = 0;
};

// Writes one frame, padding included, into the frame_size(payload.size()) bytes at `to`. Returns the chain after it.
std::uint64_t write_frame(std::byte* to, const FrameFields& fields, Bytes payload, FileId file) noexcept;

// The same, appended to `to`.
std::uint64_t append_frame(std::string& to, FrameType type, Lsn lsn, std::uint64_t commit_seq, Lsn durable,
                           std::uint64_t chain, Bytes payload, FileId file);

// The same for an encrypted file: fills the frame_size(payload.size() + kFrameSaltSize) bytes at `to`. REQUIRES: no
// other frame at this LSN was ever given to `seal`. Errors: CryptoFailed.
Result<std::uint64_t> write_sealed_frame(std::byte* to, const FrameFields& fields, Bytes payload, const LogSeal& seal);

// The frame at the start of `bytes`, which lies at `lsn`, if its bytes verify; its chain is not judged here.
struct FrameView {
  FrameHeader header;
  Bytes payload;                   // into `bytes`, or into `opened`
  std::size_t size = 0;            // with padding
  std::shared_ptr<char[]> opened;  // what was decrypted; null when the file is not encrypted
};
std::optional<FrameView> decode_frame(std::span<const std::byte> bytes, Lsn lsn, FileId file,
                                      const LogSeal* seal = nullptr);

// The LSN that the start of `bytes` claims if it looks like a frame; nothing is verified.
std::optional<Lsn> peek_frame(std::span<const std::byte> bytes) noexcept;

// Where the next thing that looks like a frame stands, at `at` or a multiple of kFrameAlignment behind it; the size of
// `bytes` when there is none.
std::size_t find_frame(std::span<const std::byte> bytes, std::size_t at) noexcept;

// --- Payload of a Transaction: operations on the tree in order -------------------------------------------------------
// varint operation count, then each operation: 1 byte OperationType, then
//   Put         varint key size, key, varint value size, value
//   Erase       varint key size, key
//   EraseRange  varint begin size, begin, varint end size, end    (half open; an empty end means no upper bound)
enum class OperationType : std::uint8_t { Put = 1, Erase = 2, EraseRange = 3 };  // part of the file format

struct Operation {
  OperationType type = OperationType::Put;
  Bytes key;    // begin of a range
  Bytes value;  // end of a range
};

// Appends one encoded operation (without the leading count, which is a count of operations kept by the caller).
void append_operation(std::string& to, const Operation& operation);
// A Put of `first` and `rest` in one, without joining them first.
void append_put(std::string& to, Bytes key, Bytes first, Bytes rest);

// Walks the operations of one complete payload. next(): nothing at the end; LogMalformed on bytes that break the
// format.
class OperationReader {
 public:
  static Result<OperationReader> open(Bytes payload);
  std::uint64_t remaining() const noexcept { return remaining_; }
  Result<std::optional<Operation>> next();

 private:
  Bytes rest_;
  std::uint64_t remaining_ = 0;
};

}  // namespace vitrine::format
