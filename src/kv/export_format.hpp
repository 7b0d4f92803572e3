// SPDX-License-Identifier: MIT OR Apache-2.0
// The portable export format: a stream of checksummed blocks. Knows blocks and a stream; must not know transactions
// or encryption.
// Mirrored in docs/EXPORT.md.
//
// FILE HEADER (64 bytes)                               BLOCK (32-byte header, then payload)
// OFFSET SIZE FIELD                                    OFFSET SIZE FIELD
//      0    8 magic "VTREXPRT"                              0    1 type (ExportBlock)
//      8    4 format version, 1                             1    3 0
//     12    4 0                                             4    4 payload size, at most 1 MiB
//     16    8 commit sequence number of the snapshot        8    8 block number, from 0
//     24    8 wall clock, milliseconds since 1970          16   16 checksum, see below
//     32   16 0
//     48   16 XXH3-128 of bytes [0, 48)
//
// The checksum of a block is XXH3-128 over the block header's first 16 bytes and the XXH3-128 of the payload (low half,
// high half); both are seeded with the low half of the checksum before (the file header's for block 0), so blocks can
// be neither left out nor put in another order.
//
// PAYLOADS
//   Keyspace   varint flags (bit 0: versions), name. The entries that follow belong to it.
//   Entries    row of: varint key size, key, varint value size, value
//   Large      varint value size, key. Data blocks with that many bytes follow.
//   Data       bytes of a large value
//   End        varint number of keyspaces, varint number of entries, varint sum of key and value bytes
// Nothing may follow the End block.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "kv/export_stream.hpp"
#include "vitrine/bytes.hpp"
#include "vitrine/status.hpp"

namespace vitrine::kv {

enum class ExportBlock : std::uint8_t { Keyspace = 1, Entries = 2, Large = 3, Data = 4, End = 5 };  // of the format

inline constexpr std::uint32_t kExportVersion = 1;
inline constexpr std::size_t kExportHeaderSize = 64;
inline constexpr std::size_t kExportBlockHeaderSize = 32;
inline constexpr std::size_t kExportPayloadMax = 1u << 20;

struct ExportHeader {
  std::uint64_t snapshot_seq = 0;
  std::uint64_t wall_ms = 0;
};

// Writes blocks one after the other through a buffer.
class ExportWriter {
 public:
  explicit ExportWriter(ExportSink& sink) : sink_(sink) {}
  Status begin(const ExportHeader& header);
  Status block(ExportBlock type, Bytes payload);
  Status finish();  // flushes and syncs

 private:
  Status flush();
  ExportSink& sink_;
  std::string buffer_;
  std::uint64_t number_ = 0;
  std::uint64_t chain_ = 0;
};

// Reads them back. Every error of content is ExportDamaged with the detail "offset"; ExportVersion for newer formats.
class ExportReader {
 public:
  explicit ExportReader(ExportSource& source) : source_(source) {}
  Result<ExportHeader> begin();
  // The next block; `payload` stays valid until the next call.
  Result<ExportBlock> next(Bytes& payload);
  // Nothing may be left.
  Status expect_end();
  std::uint64_t offset() const noexcept { return offset_; }
  Status damaged(const char* what) const;

 private:
  Result<Bytes> take(std::size_t size);
  ExportSource& source_;
  std::string buffer_;
  std::size_t used_ = 0;
  std::uint64_t offset_ = 0;  // of the next byte to take
  std::uint64_t number_ = 0;
  std::uint64_t chain_ = 0;
};

}  // namespace vitrine::kv
