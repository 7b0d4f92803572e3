// SPDX-License-Identifier: MIT OR Apache-2.0
#include "format/meta.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "format/checksum.hpp"
#include "format/describe.hpp"

namespace vitrine::format {

namespace {

constexpr std::array<char, 8> kMagic = {'V', 'I', 'T', 'R', 'I', 'N', 'E', '\n'};
constexpr std::uint32_t kKnownFeatures = kMetaEncrypted | kMetaRotating;
constexpr std::uint16_t kKnownState = kMetaClean;
constexpr std::size_t kReservedSize = 16;

// The byte table of meta.hpp as a type.
struct MetaLayout {
  std::array<char, 8> magic;
  std::uint32_t format_version;
  std::uint32_t features;
  std::uint8_t slot;
  std::uint8_t copy;
  std::uint16_t state;
  std::uint32_t page_size;
  FileId file;
  std::uint64_t checkpoint;
  std::uint64_t open_count;
  std::uint64_t version;
  std::uint64_t commit_seq;
  PageRef tree_root;
  PageRef map_root;
  std::uint64_t page_count;
  std::uint64_t log_position;
  std::uint64_t log_chain;
  std::uint64_t wall_ms;
  std::uint64_t entry_count;
  std::uint64_t clock_ms;
  std::uint32_t cipher;
  std::uint32_t key_epoch;
  crypto::KeyTable keys;
  History history;
  std::uint64_t previous_until;
  std::array<std::byte, kReservedSize> reserved;
  crypto::Mac mac;
  std::uint64_t zero;
  Checksum sum;
};
static_assert(sizeof(MetaLayout) == kMetaBlockSize && std::is_trivially_copyable_v<MetaLayout>);
static_assert(offsetof(MetaLayout, format_version) == 8 && offsetof(MetaLayout, features) == 12 &&
              offsetof(MetaLayout, slot) == 16 && offsetof(MetaLayout, copy) == 17 &&
              offsetof(MetaLayout, state) == 18 && offsetof(MetaLayout, page_size) == 20 &&
              offsetof(MetaLayout, file) == 24 && offsetof(MetaLayout, checkpoint) == 40 &&
              offsetof(MetaLayout, open_count) == 48 && offsetof(MetaLayout, version) == 56 &&
              offsetof(MetaLayout, commit_seq) == 64 && offsetof(MetaLayout, tree_root) == 72 &&
              offsetof(MetaLayout, map_root) == 96 && offsetof(MetaLayout, page_count) == 120 &&
              offsetof(MetaLayout, log_position) == 128 && offsetof(MetaLayout, log_chain) == 136 &&
              offsetof(MetaLayout, wall_ms) == 144 && offsetof(MetaLayout, entry_count) == 152 &&
              offsetof(MetaLayout, clock_ms) == 160 && offsetof(MetaLayout, cipher) == 168 &&
              offsetof(MetaLayout, key_epoch) == 172 && offsetof(MetaLayout, keys) == 176 &&
              offsetof(MetaLayout, history) == 2288 && offsetof(MetaLayout, previous_until) == 4016 &&
              offsetof(MetaLayout, reserved) == 4024 && offsetof(MetaLayout, mac) == 4040 &&
              offsetof(MetaLayout, zero) == 4072 && offsetof(MetaLayout, sum) == 4080);

constexpr std::size_t kSummedSize = offsetof(MetaLayout, sum);
constexpr std::size_t kAuthenticatedSize = offsetof(MetaLayout, mac);

bool has_magic(std::span<const std::byte> block) noexcept {
  return block.size() >= kMagic.size() && std::memcmp(block.data(), kMagic.data(), kMagic.size()) == 0;
}

Status damaged(unsigned slot, unsigned copy, std::string_view reason) {
  return Status::error(ErrorCode::HeaderDamaged)
      .with("slot", std::uint64_t{slot})
      .with("copy", std::uint64_t{copy})
      .with("reason", reason);
}

Status unsupported(const MetaLayout& layout) {
  return Status::error(ErrorCode::VersionUnsupported)
      .with("format", std::uint64_t{layout.format_version})
      .with("features", std::uint64_t{layout.features});
}

// On disk a ref has no hint, and a null ref is all zeros.
PageRef bare(const PageRef& ref) noexcept {
  return ref.is_null() ? PageRef{} : PageRef{ref.page(), ref.generation, ref.session};
}

bool is_ref_in_range(const PageRef& ref, const MetaLayout& layout) noexcept {
  if (ref.where == 0) return ref.same(PageRef{});
  return ref.where >= first_page(layout.page_size) && ref.where < layout.page_count;
}

bool are_keys_in_range(const MetaLayout& layout) noexcept {
  if ((layout.features & kMetaEncrypted) == 0) {
    return layout.cipher == 0 && layout.key_epoch == 0 && layout.keys == crypto::KeyTable{} &&
           layout.mac == crypto::Mac{};
  }
  const bool is_cipher = layout.cipher == static_cast<std::uint32_t>(Cipher::Aes256Gcm) ||
                         layout.cipher == static_cast<std::uint32_t>(Cipher::ChaCha20Poly1305);
  return is_cipher && layout.key_epoch > 0;
}

// A rotation has begun at a checkpoint, and there is the one key of before it; or none of this is there.
bool is_rotation_in_range(const MetaLayout& layout) noexcept {
  const std::size_t previous = layout.keys.previous_masters();
  if ((layout.features & kMetaRotating) == 0) return layout.previous_until == 0 && previous == 0;
  return (layout.features & kMetaEncrypted) != 0 && layout.key_epoch > 1 && layout.previous_until > 0 &&
         layout.previous_until <= layout.version && previous == 1;
}

// What breaks the format in a block whose checksum holds, or nothing.
std::optional<std::string_view> find_fault(const MetaLayout& layout, unsigned slot, unsigned copy) noexcept {
  if (layout.slot != slot || layout.copy != copy) return "the block belongs to another place";
  if ((layout.state & ~kKnownState) != 0) return "unknown state flag";
  if (!is_page_size(layout.page_size)) return "page size";
  if (layout.checkpoint == 0 || meta_slot(layout.checkpoint) != slot) return "checkpoint number";
  if (layout.version > kVersionMax) return "tree version";
  if (layout.page_count < first_page(layout.page_size) || layout.page_count > kPageNoMax + 1) return "page count";
  if (!is_ref_in_range(layout.tree_root, layout)) return "root of the tree";
  if (!is_ref_in_range(layout.map_root, layout)) return "root of the free-space map";
  if (layout.tree_root.where != 0 && layout.tree_root.where == layout.map_root.where) return "both roots on one page";
  if (!are_keys_in_range(layout)) return "keys";
  if (!is_rotation_in_range(layout)) return "rotation of keys";
  if (!layout.history.is_in_order()) return "history of sessions";
  if (layout.zero != 0 || layout.reserved != decltype(layout.reserved){}) return "reserved bytes";
  return std::nullopt;
}

Meta from_layout(const MetaLayout& layout) noexcept {
  return {.features = layout.features,
          .state = layout.state,
          .page_size = layout.page_size,
          .file = layout.file,
          .checkpoint = layout.checkpoint,
          .open_count = layout.open_count,
          .version = layout.version,
          .commit_seq = layout.commit_seq,
          .tree_root = layout.tree_root,
          .map_root = layout.map_root,
          .page_count = layout.page_count,
          .log_position = layout.log_position,
          .log_chain = layout.log_chain,
          .wall_ms = layout.wall_ms,
          .entry_count = layout.entry_count,
          .clock_ms = layout.clock_ms,
          .cipher = layout.cipher,
          .key_epoch = layout.key_epoch,
          .keys = layout.keys,
          .history = layout.history,
          .previous_until = layout.previous_until};
}

// Do the two copies of one slot say the same? Equal but for the byte that numbers the copy.
bool agree(const Meta& a, const Meta& b) noexcept {
  const MetaBlock left = encode_meta(a, 0), right = encode_meta(b, 0);
  return std::memcmp(left.data(), right.data(), left.size()) == 0;  // == goes byte by byte
}

}  // namespace

MetaBlock encode_meta(const Meta& meta, unsigned copy) noexcept {
  MetaLayout layout = {.magic = kMagic,
                       .format_version = kFormatVersion,
                       .features = meta.features,
                       .slot = static_cast<std::uint8_t>(meta_slot(meta.checkpoint)),
                       .copy = static_cast<std::uint8_t>(copy),
                       .state = meta.state,
                       .page_size = meta.page_size,
                       .file = meta.file,
                       .checkpoint = meta.checkpoint,
                       .open_count = meta.open_count,
                       .version = meta.version,
                       .commit_seq = meta.commit_seq,
                       .tree_root = bare(meta.tree_root),
                       .map_root = bare(meta.map_root),
                       .page_count = meta.page_count,
                       .log_position = meta.log_position,
                       .log_chain = meta.log_chain,
                       .wall_ms = meta.wall_ms,
                       .entry_count = meta.entry_count,
                       .clock_ms = meta.clock_ms,
                       .cipher = meta.cipher,
                       .key_epoch = meta.key_epoch,
                       .keys = meta.keys,
                       .history = meta.history,
                       .previous_until = meta.previous_until,
                       .reserved = {},
                       .mac = {},
                       .zero = 0,
                       .sum = {}};
  layout.sum = checksum(&layout, kSummedSize);
  return std::bit_cast<MetaBlock>(layout);
}

Result<MetaBlock> seal_meta(const Meta& meta, unsigned copy, const crypto::KeyRing* keys) {
  MetaBlock block = encode_meta(meta, copy);
  if (keys == nullptr) return block;
  const crypto::Mac mac = TRY(keys->header_mac(std::span(block).first(kAuthenticatedSize)));
  base::store(block.data() + offsetof(MetaLayout, mac), mac);
  base::store(block.data() + kSummedSize, checksum(block.data(), kSummedSize));
  return block;
}

Result<Meta> decode_meta(std::span<const std::byte> block, unsigned slot, unsigned copy, const crypto::KeyRing* keys) {
  if (!has_magic(block)) return Status::error(ErrorCode::NotDatabase);
  if (block.size() < kMetaBlockSize) return damaged(slot, copy, "the file ends inside the block");
  const auto layout = base::load<MetaLayout>(block.data());
  if (checksum(block.data(), kSummedSize) != layout.sum) return damaged(slot, copy, "checksum");
  if (layout.format_version == 0) return damaged(slot, copy, "format version");
  if (layout.format_version > kFormatVersion || (layout.features & ~kKnownFeatures) != 0) return unsupported(layout);
  if (const auto fault = find_fault(layout, slot, copy)) return damaged(slot, copy, *fault);
  if (keys != nullptr) {
    if ((layout.features & kMetaEncrypted) == 0) return damaged(slot, copy, "the block is not encrypted");
    const crypto::Mac mac = TRY(keys->header_mac(block.first(kAuthenticatedSize)));
    if (!crypto::equal_in_constant_time(mac, layout.mac)) return damaged(slot, copy, "seal");
  }
  return from_layout(layout);
}

std::span<const std::byte> meta_block(std::span<const std::byte> area, std::size_t index) noexcept {
  const std::size_t offset = std::min(index * kMetaBlockSize, area.size());
  return area.subspan(offset, std::min(kMetaBlockSize, area.size() - offset));
}

Result<MetaChoice> choose_meta(std::span<const std::byte> area, const crypto::KeyRing* keys) {
  MetaChoice choice;
  std::array<Meta, kMetaBlockCount> metas;
  std::optional<std::size_t> newest;
  Status why = Status::error(ErrorCode::NotDatabase);
  for (std::size_t i = 0; i < kMetaBlockCount; ++i) {
    auto meta = decode_meta(meta_block(area, i), static_cast<unsigned>(i / 2), static_cast<unsigned>(i % 2), keys);
    if (!meta) {
      // A block of a newer format may be the newest checkpoint; to open an older one instead would undo commits.
      if (meta.status().code() == ErrorCode::VersionUnsupported) return meta.status();
      if (why.code() == ErrorCode::NotDatabase) why = meta.status();
      continue;
    }
    metas[i] = *meta;
    choice.valid[i] = true;
    if (!newest || metas[i].checkpoint > metas[*newest].checkpoint) newest = i;
  }
  if (!newest) return why;
  choice.meta = metas[*newest];
  for (std::size_t i = 0; i < kMetaBlockCount; ++i) {
    if (choice.valid[i] && (metas[i].file != choice.meta.file || metas[i].page_size != choice.meta.page_size)) {
      return damaged(static_cast<unsigned>(i / 2), static_cast<unsigned>(i % 2), "blocks of two databases");
    }
    const std::size_t other = i ^ 1;
    const bool agrees = choice.valid[i] && (!choice.valid[other] || agree(metas[i], metas[other]));
    // Slots are written in turn, so the older one holds the checkpoint before. A copy that an old content came back to
    // disagrees with the other; which of the two is the old one, the number says.
    const std::uint64_t expected = i / 2 == *newest / 2 ? choice.meta.checkpoint : choice.meta.checkpoint - 1;
    const bool other_is_wrong = choice.valid[other] && metas[other].checkpoint != expected;
    choice.current[i] = choice.valid[i] && metas[i].checkpoint == expected && (agrees || other_is_wrong);
  }
  const std::size_t beside = *newest ^ 1;
  const bool was_empty = choice.meta.checkpoint == 2 && !has_magic(meta_block(area, beside));
  const bool has_older = choice.valid[beside] && metas[beside].checkpoint + 2 == choice.meta.checkpoint;
  if (was_empty || has_older) choice.unfinished = static_cast<unsigned>(beside);
  return choice;
}

bool MetaChoice::is_sound(unsigned block) const noexcept {
  const bool not_yet_written = meta.checkpoint == 1 && block / 2 != meta_slot(1);
  return current[block] || not_yet_written || (!meta.is_clean() && unfinished == block);
}

FieldNotes describe_meta(std::span<const std::byte> block) {
  static constexpr std::array kFields{
      FieldSpec{offsetof(MetaLayout, magic), sizeof(MetaLayout::magic), "magic",
                "names the format: VITRINE and a newline", FieldSpec::Form::Bytes},
      FieldSpec{offsetof(MetaLayout, format_version), sizeof(MetaLayout::format_version), "format_version",
                "version of the file format"},
      FieldSpec{offsetof(MetaLayout, features), sizeof(MetaLayout::features), "features",
                "flags that a reader must know: 1 encrypted, 2 a rotation of keys runs"},
      FieldSpec{offsetof(MetaLayout, slot), sizeof(MetaLayout::slot), "slot",
                "which of the two slots this block belongs to"},
      FieldSpec{offsetof(MetaLayout, copy), sizeof(MetaLayout::copy), "copy", "which of the two copies this is"},
      FieldSpec{offsetof(MetaLayout, state), sizeof(MetaLayout::state), "state",
                "flags: 1 closed in order, the log is not needed"},
      FieldSpec{offsetof(MetaLayout, page_size), sizeof(MetaLayout::page_size), "page_size", "bytes of a page"},
      FieldSpec{offsetof(MetaLayout, file), sizeof(MetaLayout::file), "file_id",
                "random id of the file, which seeds every checksum", FieldSpec::Form::Bytes},
      FieldSpec{offsetof(MetaLayout, checkpoint), sizeof(MetaLayout::checkpoint), "checkpoint",
                "number of the checkpoint; the newest valid slot wins"},
      FieldSpec{offsetof(MetaLayout, open_count), sizeof(MetaLayout::open_count), "open_count",
                "how often the file was opened for writing"},
      FieldSpec{offsetof(MetaLayout, version), sizeof(MetaLayout::version), "version", "version of the tree"},
      FieldSpec{offsetof(MetaLayout, commit_seq), sizeof(MetaLayout::commit_seq), "commit_seq",
                "number of the last commit it contains"},
      FieldSpec{offsetof(MetaLayout, tree_root), sizeof(MetaLayout::tree_root), "tree_root",
                "page, generation and session of the root of the tree", FieldSpec::Form::Bytes},
      FieldSpec{offsetof(MetaLayout, map_root), sizeof(MetaLayout::map_root), "map_root",
                "page, generation and session of the root of the free-space map", FieldSpec::Form::Bytes},
      FieldSpec{offsetof(MetaLayout, page_count), sizeof(MetaLayout::page_count), "page_count",
                "pages of the file, the header included"},
      FieldSpec{offsetof(MetaLayout, log_position), sizeof(MetaLayout::log_position), "log_position",
                "first byte of the log that the checkpoint does not contain"},
      FieldSpec{offsetof(MetaLayout, log_chain), sizeof(MetaLayout::log_chain), "log_chain",
                "chain of the log at that position", FieldSpec::Form::Bytes},
      FieldSpec{offsetof(MetaLayout, wall_ms), sizeof(MetaLayout::wall_ms), "wall_ms",
                "wall clock of the checkpoint, milliseconds since 1970"},
      FieldSpec{offsetof(MetaLayout, entry_count), sizeof(MetaLayout::entry_count), "entry_count",
                "entries in the tree"},
      FieldSpec{offsetof(MetaLayout, clock_ms), sizeof(MetaLayout::clock_ms), "clock_ms",
                "high-water mark of the database clock"},
      FieldSpec{offsetof(MetaLayout, cipher), sizeof(MetaLayout::cipher), "cipher",
                "of pages and log: 1 AES-256-GCM, 2 ChaCha20-Poly1305, 0 when not encrypted"},
      FieldSpec{offsetof(MetaLayout, key_epoch), sizeof(MetaLayout::key_epoch), "key_epoch",
                "which keys new pages are sealed under, 0 when not encrypted"},
      FieldSpec{offsetof(MetaLayout, history), sizeof(MetaLayout::history), "history",
                "which session of writing made which commits", FieldSpec::Form::Bytes},
      FieldSpec{offsetof(MetaLayout, previous_until), sizeof(MetaLayout::previous_until), "previous_until",
                "last version whose pages may be of the key epoch before, 0 when no rotation runs"},
      FieldSpec{offsetof(MetaLayout, sum), sizeof(MetaLayout::sum), "checksum", "checksum of everything before it",
                FieldSpec::Form::Bytes},
  };
  FieldNotes notes;
  describe_fields(notes, kFields, block.data());
  return notes;
}

}  // namespace vitrine::format
