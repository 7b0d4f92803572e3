// SPDX-License-Identifier: MIT OR Apache-2.0
// The envelope of an export of an encrypted database: the export as it would be without, sealed in chunks. Every secret
// that opens the database opens the envelope, because it has a copy of the key table. Knows chunks and a file; must not
// know what the export says. Mirrored in docs/EXPORT.md.
//
// ENVELOPE HEADER (2224 bytes)
// OFFSET SIZE FIELD
//      0    8 magic "VTRSEALD"
//      8    4 format version, 1
//     12    4 cipher of the chunks (Cipher)
//     16    4 size of a chunk without its tag, 65536
//     20   12 0
//     32   32 salt of the keys: random
//     64 2112 key table of the database (crypto/key_table.hpp)
//   2176   32 HMAC-SHA256 of bytes [0, 2176) under the header key
//   2208   16 XXH3-128 of bytes [0, 2208)
//   2224      chunks (crypto/sealed_stream.hpp), each followed by its tag of 16 bytes
//
// Header key and chunk key: HKDF-SHA256 of the master key with the salt, under the labels "vitrine 1 export header" and
// "vitrine 1 export chunks".
//
// Thread safety: none.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "crypto/key_table.hpp"
#include "crypto/sealed_stream.hpp"
#include "kv/export_stream.hpp"

namespace vitrine::kv {

inline constexpr std::uint32_t kEnvelopeVersion = 1;

struct EnvelopeHeader {
  std::array<char, 8> magic{};
  std::uint32_t version = 0;
  std::uint32_t cipher = 0;
  std::uint32_t chunk_size = 0;
  std::array<std::byte, 12> zero{};
  std::array<std::byte, 32> salt{};
  crypto::KeyTable keys;
  crypto::Mac mac{};
  std::array<std::uint64_t, 2> checksum{};
};
static_assert(sizeof(EnvelopeHeader) == 2224 && offsetof(EnvelopeHeader, salt) == 32);
static_assert(offsetof(EnvelopeHeader, keys) == 64 && offsetof(EnvelopeHeader, mac) == 2176);
static_assert(offsetof(EnvelopeHeader, checksum) == 2208 && crypto::SealedStream::kChunkSize == 65536);

// Whether the file begins as an envelope does.
Result<bool> is_sealed_export(os::File& file);

class SealedSink final : public ExportSink {
 public:
  // Writes the header. Errors: CryptoFailed, SystemFailed, those of writing.
  static Result<std::unique_ptr<ExportSink>> create(os::Env& env, os::File& file, const crypto::KeyTable& keys,
                                                    const crypto::MasterKey& master, Cipher cipher);
  Status append(Bytes bytes) override;
  Status finish() override;

 private:
  SealedSink(os::File& file, crypto::SealedStream stream);
  Status write_chunk(bool is_last);

  os::File& file_;
  crypto::SealedStream stream_;
  std::uint64_t offset_ = sizeof(EnvelopeHeader);
  std::vector<std::byte> chunk_;
};

// Whatever the file has, the source gives bytes of the stream as it was sealed, or ExportDamaged with "offset". The end
// is given only when the last chunk was.
class SealedSource final : public ExportSource {
 public:
  // `own`: tried when there is no secret; may be null. Errors: ExportDamaged, ExportVersion, KeyRequired, KeyMismatch,
  // OutOfMemory, CryptoFailed, those of reading.
  static Result<std::unique_ptr<ExportSource>> open(os::File& file, const Secret& secret, const crypto::MasterKey* own);
  Result<std::size_t> read(char* to, std::size_t size) override;

 private:
  SealedSource(os::File& file, std::uint64_t file_size, crypto::SealedStream stream);
  Status read_chunk();

  os::File& file_;
  const std::uint64_t file_size_;
  crypto::SealedStream stream_;
  std::uint64_t offset_ = sizeof(EnvelopeHeader);
  std::vector<std::byte> chunk_;
  std::size_t used_ = 0;
  bool is_over_ = false;
};

}  // namespace vitrine::kv
