// SPDX-License-Identifier: MIT OR Apache-2.0
// The file header: four meta blocks of 4 KiB at the start of the file, two copies of each of two slots. Checkpoint n
// overwrites both copies of the slot that does not hold checkpoint n - 1, so at every moment one slot is whole.
//
// META BLOCK (4096 bytes, at offset (slot * 2 + copy) * 4096)
// OFFSET SIZE FIELD
//      0    8 magic "VITRINE\n"
//      8    4 format version, 1
//     12    4 feature flags that a reader must know (MetaFeature)
//     16    1 slot, 0 or 1       17  1 copy, 0 or 1      18  2 state flags (MetaState)
//     20    4 page size
//     24   16 file id
//     40    8 checkpoint number, from 1; the newest valid slot wins
//     48    8 open count: sessions that opened the file for writing
//     56    8 version of the tree at this checkpoint
//     64    8 commit sequence at this checkpoint
//     72   24 root of the tree (PageRef; null page: the tree is empty)
//     96   24 root of the free-space map (PageRef)
//    120    8 page count: pages of the file, header pages included
//    128    8 log position: first byte of the log that this checkpoint does not contain
//    136    8 log chain at that position
//    144    8 wall clock of the checkpoint, milliseconds since 1970
//    152    8 entries in the tree
//    160    8 high-water mark of the database clock, milliseconds since 1970
//    168    4 cipher of pages and log (Cipher), 0 when not encrypted
//    172    4 key epoch, 0 when not encrypted
//    176 2112 key table (crypto/key_table.hpp), 0 when not encrypted
//   2288 1728 sessions of writing (format/history.hpp)
//   4016    8 last version whose pages may be of the key epoch before, 0 when no rotation runs
//   4024   16 0
//   4040   32 HMAC-SHA256 of bytes [0, 4040) under the header key, 0 when not encrypted
//   4072    8 0
//   4080   16 XXH3-128 of bytes [0, 4080)
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "crypto/key_ring.hpp"
#include "crypto/key_table.hpp"
#include "format/history.hpp"
#include "format/page.hpp"

namespace vitrine::format {

inline constexpr std::size_t kMetaBlockSize = 4096;
inline constexpr std::size_t kMetaBlockCount = 4;
inline constexpr std::size_t kMetaAreaSize = kMetaBlockSize * kMetaBlockCount;
inline constexpr std::uint32_t kFormatVersion = 1;

// First page that is not part of the meta area.
inline constexpr PageNo first_page(std::uint32_t page_size) noexcept {
  return page_size >= kMetaAreaSize ? 1 : kMetaAreaSize / page_size;
}

enum MetaFeature : std::uint32_t {  // part of the file format
  kMetaEncrypted = 1,
  kMetaRotating = 2,  // pages of two key epochs; the key table holds the master key of before, too
};

enum MetaState : std::uint16_t {  // part of the file format
  kMetaClean = 1,                 // closed in order: the log is not needed and may be absent
};

struct Meta {
  std::uint32_t features = 0;
  std::uint16_t state = 0;
  std::uint32_t page_size = 0;
  FileId file;
  std::uint64_t checkpoint = 0;
  std::uint64_t open_count = 0;
  Version version = 0;
  std::uint64_t commit_seq = 0;
  PageRef tree_root;
  PageRef map_root;
  std::uint64_t page_count = 0;
  std::uint64_t log_position = 0;
  std::uint64_t log_chain = 0;
  std::uint64_t wall_ms = 0;
  std::uint64_t entry_count = 0;
  std::uint64_t clock_ms = 0;
  std::uint32_t cipher = 0;
  std::uint32_t key_epoch = 0;
  crypto::KeyTable keys = {};
  History history = {};
  Version previous_until = 0;

  bool is_encrypted() const noexcept { return (features & kMetaEncrypted) != 0; }
  bool is_rotating() const noexcept { return (features & kMetaRotating) != 0; }
  bool is_clean() const noexcept { return (state & kMetaClean) != 0; }
};

// Which slot checkpoint `number` is written to.
inline constexpr unsigned meta_slot(std::uint64_t checkpoint) noexcept { return checkpoint % 2; }

using MetaBlock = std::array<std::byte, kMetaBlockSize>;

// Without the authentication of an encrypted file.
MetaBlock encode_meta(const Meta& meta, unsigned copy) noexcept;

// The block as it is written; `keys` is null when the file is not encrypted. Errors: CryptoFailed.
Result<MetaBlock> seal_meta(const Meta& meta, unsigned copy, const crypto::KeyRing* keys);

// Why a block is not usable, or ok. Errors: NotDatabase (no magic), VersionUnsupported (magic and checksum hold, but a
// newer format or an unknown feature), HeaderDamaged (checksum, wrong slot or copy, values out of range).
// With `keys` also HeaderDamaged when the block is not encrypted or was not written under them. Without, a block of an
// encrypted file proves nothing but which keys to look for.
Result<Meta> decode_meta(std::span<const std::byte> block, unsigned slot, unsigned copy,
                         const crypto::KeyRing* keys = nullptr);

// What the meta area says as a whole.
struct MetaChoice {
  Meta meta;                                  // the newest valid one
  std::array<bool, kMetaBlockCount> valid{};  // by slot * 2 + copy
  // Valid, of the newest checkpoint or the one before it as its slot demands, and the same as a valid other copy.
  std::array<bool, kMetaBlockCount> current{};
  // The block beside the newest one when it still holds what its slot held before: what a crash between the writes of
  // the two copies leaves.
  std::optional<unsigned> unfinished = {};

  // Whether a block is what it should be: current, not yet written in a new file, or left behind by a crash.
  bool is_sound(unsigned block) const noexcept;
};

// Chooses from an area of kMetaAreaSize bytes, or fewer when the file is shorter. Errors: NotDatabase when nothing
// looks like a meta block, VersionUnsupported, HeaderDamaged.
Result<MetaChoice> choose_meta(std::span<const std::byte> area, const crypto::KeyRing* keys = nullptr);

// Block `index` (slot * 2 + copy) of the area, as far as it is there.
std::span<const std::byte> meta_block(std::span<const std::byte> area, std::size_t index) noexcept;

}  // namespace vitrine::format
