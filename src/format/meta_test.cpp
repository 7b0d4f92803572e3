// SPDX-License-Identifier: MIT OR Apache-2.0
#include "format/meta.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/codec.hpp"
#include "format/checksum.hpp"

namespace vitrine::format {
namespace {

// Every field differs from every other and from its default.
Meta sample(std::uint64_t checkpoint) {
  return {.features = 0,
          .state = kMetaClean,
          .page_size = 8192,
          .file = {0x1111, 0x2222},
          .checkpoint = checkpoint,
          .open_count = 3,
          .version = 44,
          .commit_seq = 55,
          .tree_root = {66, Generation::of(44, 1), 0x7777},
          .map_root = {67, Generation::of(44, 2), 0x8888},
          .page_count = 1000,
          .log_position = 1'000'000,
          .log_chain = 0x9999,
          .wall_ms = 1'700'000'000'000,
          .entry_count = 12,
          .clock_ms = 1'700'000'000'001};
}

bool same(const Meta& a, const Meta& b) { return encode_meta(a, 0) == encode_meta(b, 0); }

using Area = std::vector<std::byte>;

void put(Area& area, const Meta& meta, unsigned copy) {
  const MetaBlock block = encode_meta(meta, copy);
  std::memcpy(area.data() + (meta_slot(meta.checkpoint) * 2 + copy) * kMetaBlockSize, block.data(), block.size());
}

// Both copies of both slots, as two checkpoints leave them.
Area area_of(const Meta& a, const Meta& b) {
  Area area(kMetaAreaSize);
  for (const unsigned copy : {0u, 1u}) {
    put(area, a, copy);
    put(area, b, copy);
  }
  return area;
}

void damage(Area& area, std::size_t block) { area[block * kMetaBlockSize + 100] ^= std::byte{1}; }

// A block with one field overwritten and a checksum that holds again.
template <typename T>
MetaBlock forged(std::size_t offset, T value, const Meta& meta = sample(4)) {
  MetaBlock block = encode_meta(meta, 0);
  base::store(block.data() + offset, value);
  base::store(block.data() + 4080, checksum(block.data(), 4080));
  return block;
}

template <typename T>
ErrorCode code_of(const Result<T>& result) {
  return result.status().code();
}

TEST(Meta, every_field_comes_back) {
  const auto decoded = decode_meta(encode_meta(sample(4), 1), 0, 1);
  ASSERT_TRUE(decoded.has_value()) << decoded.status().to_string();
  EXPECT_TRUE(decoded->is_clean());
  EXPECT_EQ(decoded->page_size, 8192u);
  EXPECT_EQ(decoded->file, (FileId{0x1111, 0x2222}));
  EXPECT_EQ(decoded->checkpoint, 4u);
  EXPECT_EQ(decoded->open_count, 3u);
  EXPECT_EQ(decoded->version, 44u);
  EXPECT_EQ(decoded->commit_seq, 55u);
  EXPECT_TRUE(decoded->tree_root.same(sample(4).tree_root));
  EXPECT_TRUE(decoded->map_root.same(sample(4).map_root));
  EXPECT_EQ(decoded->page_count, 1000u);
  EXPECT_EQ(decoded->log_position, 1'000'000u);
  EXPECT_EQ(decoded->log_chain, 0x9999u);
  EXPECT_EQ(decoded->wall_ms, 1'700'000'000'000u);
  EXPECT_EQ(decoded->entry_count, 12u);
  EXPECT_EQ(decoded->clock_ms, 1'700'000'000'001u);
}

TEST(Meta, fields_lie_where_the_byte_table_says) {
  const MetaBlock block = encode_meta(sample(5), 1);
  const std::byte* at = block.data();
  EXPECT_EQ(std::memcmp(at, "VITRINE\n", 8), 0);
  EXPECT_EQ(base::load<std::uint32_t>(at + 8), kFormatVersion);
  EXPECT_EQ(base::load<std::uint32_t>(at + 12), 0u);
  EXPECT_EQ(base::load<std::uint8_t>(at + 16), 1u);
  EXPECT_EQ(base::load<std::uint8_t>(at + 17), 1u);
  EXPECT_EQ(base::load<std::uint16_t>(at + 18), 1u);
  EXPECT_EQ(base::load<std::uint32_t>(at + 20), 8192u);
  EXPECT_EQ(base::load<std::uint64_t>(at + 24), 0x1111u);
  EXPECT_EQ(base::load<std::uint64_t>(at + 40), 5u);
  EXPECT_EQ(base::load<std::uint64_t>(at + 56), 44u);
  EXPECT_EQ(base::load<std::uint64_t>(at + 72), 66u);
  EXPECT_EQ(base::load<std::uint64_t>(at + 96), 67u);
  EXPECT_EQ(base::load<std::uint64_t>(at + 120), 1000u);
  EXPECT_EQ(base::load<std::uint64_t>(at + 128), 1'000'000u);
  EXPECT_EQ(base::load<std::uint64_t>(at + 160), 1'700'000'000'001u);
  EXPECT_TRUE(std::all_of(at + 168, at + 4080, [](std::byte byte) { return byte == std::byte{0}; }));
}

TEST(Meta, hints_and_the_identity_of_a_null_root_do_not_reach_the_disk) {
  Meta meta = sample(4);
  meta.tree_root = {std::uint64_t{5} << 40, Generation::of(9, 9), 9};  // null, with leftovers
  meta.map_root.where |= std::uint64_t{7} << 40;
  const auto decoded = decode_meta(encode_meta(meta, 0), 0, 0);
  ASSERT_TRUE(decoded.has_value()) << decoded.status().to_string();
  EXPECT_TRUE(decoded->tree_root.same(PageRef{}));
  EXPECT_EQ(decoded->map_root.where, 67u);
}

TEST(Meta, every_flipped_bit_is_detected) {
  MetaBlock block = encode_meta(sample(4), 0);
  for (std::size_t bit = 0; bit < block.size() * 8; ++bit) {
    const auto mask = static_cast<std::byte>(1u << (bit % 8));
    block[bit / 8] ^= mask;
    const auto expected = bit < 64 ? ErrorCode::NotDatabase : ErrorCode::HeaderDamaged;
    ASSERT_EQ(code_of(decode_meta(block, 0, 0)), expected) << bit;
    block[bit / 8] ^= mask;
  }
  EXPECT_TRUE(decode_meta(block, 0, 0).has_value());
}

TEST(Meta, a_block_in_the_wrong_place_is_damaged) {
  EXPECT_EQ(code_of(decode_meta(encode_meta(sample(4), 0), 1, 0)), ErrorCode::HeaderDamaged);
  EXPECT_EQ(code_of(decode_meta(encode_meta(sample(4), 0), 0, 1)), ErrorCode::HeaderDamaged);
}

TEST(Meta, a_newer_format_or_an_unknown_feature_is_unsupported) {
  EXPECT_EQ(code_of(decode_meta(forged<std::uint32_t>(8, 2), 0, 0)), ErrorCode::VersionUnsupported);
  EXPECT_EQ(code_of(decode_meta(forged<std::uint32_t>(12, 0x80000000), 0, 0)), ErrorCode::VersionUnsupported);
  // Another place or an odd range does not matter as long as the format is unknown.
  EXPECT_EQ(code_of(decode_meta(forged<std::uint32_t>(8, 7), 1, 1)), ErrorCode::VersionUnsupported);
}

TEST(Meta, values_out_of_range_are_damaged_though_the_checksum_holds) {
  const auto code = [](std::size_t offset, auto value) { return code_of(decode_meta(forged(offset, value), 0, 0)); };
  EXPECT_EQ(code(8, std::uint32_t{0}), ErrorCode::HeaderDamaged) << "format version";
  EXPECT_EQ(code(18, std::uint16_t{2}), ErrorCode::HeaderDamaged) << "state";
  for (const std::uint32_t size : {0u, 512u, 2048u, 4097u, 12288u, 131072u}) {
    EXPECT_EQ(code(20, size), ErrorCode::HeaderDamaged) << "page size " << size;
  }
  EXPECT_EQ(code(40, std::uint64_t{0}), ErrorCode::HeaderDamaged) << "checkpoint 0";
  EXPECT_EQ(code(40, std::uint64_t{5}), ErrorCode::HeaderDamaged) << "checkpoint of the other slot";
  EXPECT_EQ(code(56, kVersionMax + 1), ErrorCode::HeaderDamaged) << "version";
  EXPECT_EQ(code(72, std::uint64_t{1}), ErrorCode::HeaderDamaged) << "tree root inside the header";
  EXPECT_EQ(code(72, std::uint64_t{1000}), ErrorCode::HeaderDamaged) << "tree root past the end";
  EXPECT_EQ(code(72, std::uint64_t{66} | std::uint64_t{1} << 40), ErrorCode::HeaderDamaged) << "hint on disk";
  EXPECT_EQ(code(72, std::uint64_t{0}), ErrorCode::HeaderDamaged) << "null root with a generation";
  EXPECT_EQ(code(96, std::uint64_t{1000}), ErrorCode::HeaderDamaged) << "map root past the end";
  EXPECT_EQ(code(96, std::uint64_t{66}), ErrorCode::HeaderDamaged) << "both roots on one page";
  EXPECT_EQ(code(120, std::uint64_t{1}), ErrorCode::HeaderDamaged) << "page count below the header";
  EXPECT_EQ(code(120, kPageNoMax + 2), ErrorCode::HeaderDamaged) << "page count above 40 bits";
  EXPECT_EQ(code(168, std::byte{1}), ErrorCode::HeaderDamaged) << "reserved, first byte";
  EXPECT_EQ(code(4071, std::byte{1}), ErrorCode::HeaderDamaged) << "reserved, last byte";
  EXPECT_EQ(code(4072, std::uint64_t{1}), ErrorCode::HeaderDamaged) << "zero word";
}

TEST(Meta, values_at_the_edge_of_their_range_are_accepted) {
  EXPECT_TRUE(decode_meta(forged(72, std::uint64_t{2}), 0, 0).has_value());
  EXPECT_TRUE(decode_meta(forged(72, std::uint64_t{999}), 0, 0).has_value());
  EXPECT_TRUE(decode_meta(forged(120, kPageNoMax + 1), 0, 0).has_value());
  EXPECT_TRUE(decode_meta(forged(56, kVersionMax), 0, 0).has_value());
}

constexpr std::array<bool, kMetaBlockCount> kAllCurrent = {true, true, true, true};

TEST(ChooseMeta, the_newest_valid_checkpoint_wins_whichever_slot_holds_it) {
  for (const std::uint64_t newest : {8u, 9u}) {
    const auto choice = choose_meta(area_of(sample(newest - 1), sample(newest)));
    ASSERT_TRUE(choice.has_value());
    EXPECT_TRUE(same(choice->meta, sample(newest)));
    EXPECT_EQ(choice->current, kAllCurrent);
  }
}

TEST(ChooseMeta, survives_every_set_of_damaged_blocks_but_all) {
  for (unsigned broken = 0; broken < 16; ++broken) {
    Area area = area_of(sample(8), sample(9));
    for (unsigned block = 0; block < 4; ++block) {
      if ((broken >> block & 1) != 0) damage(area, block);
    }
    const auto choice = choose_meta(area);
    if (broken == 15) {
      EXPECT_EQ(code_of(choice), ErrorCode::HeaderDamaged);
      continue;
    }
    ASSERT_TRUE(choice.has_value()) << broken;
    EXPECT_TRUE(same(choice->meta, (broken & 12) == 12 ? sample(8) : sample(9))) << broken;
    for (unsigned block = 0; block < 4; ++block) {
      EXPECT_EQ(choice->valid[block], (broken >> block & 1) == 0) << broken << " " << block;
      EXPECT_EQ(choice->current[block], choice->valid[block]) << broken << " " << block;
    }
  }
}

TEST(ChooseMeta, a_crash_between_the_two_copies_leaves_the_newer_one_chosen) {
  Area area = area_of(sample(8), sample(9));
  put(area, sample(10), 0);
  const auto choice = choose_meta(area);
  ASSERT_TRUE(choice.has_value());
  EXPECT_EQ(choice->meta.checkpoint, 10u);
  EXPECT_EQ(choice->current, (std::array<bool, kMetaBlockCount>{true, false, true, true}));
  EXPECT_EQ(choice->unfinished, 1u);
}

TEST(ChooseMeta, the_trace_of_such_a_crash_is_sound_until_the_file_is_closed_in_order) {
  for (const bool clean : {false, true}) {
    Meta newest = sample(10);
    newest.state = clean ? kMetaClean : 0;
    Area area = area_of(sample(8), sample(9));
    put(area, newest, 0);
    const auto choice = choose_meta(area);
    ASSERT_TRUE(choice.has_value());
    for (unsigned block = 0; block < kMetaBlockCount; ++block) {
      EXPECT_EQ(choice->is_sound(block), block != 1 || !clean) << block;
    }
  }
}

TEST(ChooseMeta, a_crash_in_the_first_write_of_the_second_slot_is_sound) {
  Area area(kMetaAreaSize);
  put(area, sample(1), 0);
  put(area, sample(1), 1);
  Meta second = sample(2);
  second.state = 0;
  put(area, second, 1);
  const auto choice = choose_meta(area);
  ASSERT_TRUE(choice.has_value());
  for (unsigned block = 0; block < kMetaBlockCount; ++block) EXPECT_TRUE(choice->is_sound(block)) << block;
}

TEST(ChooseMeta, an_older_content_of_any_block_is_not_current) {
  for (unsigned block = 0; block < kMetaBlockCount; ++block) {
    Area area = area_of(sample(8), sample(9));
    put(area, sample(block < 2 ? 6 : 7), block % 2);
    const auto choice = choose_meta(area);
    ASSERT_TRUE(choice.has_value());
    EXPECT_EQ(choice->meta.checkpoint, 9u);
    auto expected = kAllCurrent;
    expected[block] = false;
    EXPECT_EQ(choice->valid, kAllCurrent);
    EXPECT_EQ(choice->current, expected) << block;
  }
}

TEST(ChooseMeta, an_older_content_of_a_whole_slot_is_not_current) {
  const auto choice = choose_meta(area_of(sample(6), sample(9)));
  ASSERT_TRUE(choice.has_value());
  EXPECT_EQ(choice->meta.checkpoint, 9u);
  EXPECT_EQ(choice->current, (std::array<bool, kMetaBlockCount>{false, false, true, true}));
}

TEST(ChooseMeta, copies_of_one_checkpoint_that_differ_are_both_not_current) {
  Area area = area_of(sample(8), sample(9));
  Meta differs = sample(9);
  ++differs.entry_count;
  put(area, differs, 1);
  const auto choice = choose_meta(area);
  ASSERT_TRUE(choice.has_value());
  EXPECT_EQ(choice->current, (std::array<bool, kMetaBlockCount>{true, true, false, false}));
}

TEST(ChooseMeta, a_torn_block_falls_back_to_the_checkpoint_before) {
  for (std::size_t torn = 512; torn < kMetaBlockSize; torn += 512) {
    Area area = area_of(sample(8), sample(9));
    const MetaBlock next = encode_meta(sample(10), 0);
    std::memcpy(area.data(), next.data(), torn);
    const auto choice = choose_meta(area);
    ASSERT_TRUE(choice.has_value()) << torn;
    EXPECT_EQ(choice->meta.checkpoint, 9u) << torn;
  }
}

TEST(ChooseMeta, a_new_file_needs_only_one_slot) {
  Area area(kMetaAreaSize);
  put(area, sample(1), 0);
  put(area, sample(1), 1);
  const auto choice = choose_meta(area);
  ASSERT_TRUE(choice.has_value());
  EXPECT_EQ(choice->meta.checkpoint, 1u);
  EXPECT_EQ(choice->current, (std::array<bool, kMetaBlockCount>{false, false, true, true}));
}

TEST(ChooseMeta, other_files_are_no_databases) {
  EXPECT_EQ(code_of(choose_meta({})), ErrorCode::NotDatabase);
  EXPECT_EQ(code_of(choose_meta(Area(kMetaAreaSize))), ErrorCode::NotDatabase);
  EXPECT_EQ(code_of(choose_meta(Area(5, std::byte{'V'}))), ErrorCode::NotDatabase);
}

TEST(ChooseMeta, a_short_file_is_read_as_far_as_it_goes) {
  const Area area = area_of(sample(8), sample(9));
  for (const std::size_t size : {8u, 4095u}) {
    EXPECT_EQ(code_of(choose_meta(std::span(area).first(size))), ErrorCode::HeaderDamaged) << size;
  }
  for (const std::size_t size : {4096u, 8193u, 12287u}) {
    const auto choice = choose_meta(std::span(area).first(size));
    ASSERT_TRUE(choice.has_value()) << size;
    EXPECT_EQ(choice->meta.checkpoint, 8u) << size;
  }
}

TEST(ChooseMeta, a_block_of_a_newer_format_refuses_the_file_though_an_older_one_is_valid) {
  Area area = area_of(sample(8), sample(9));
  const MetaBlock newer = forged<std::uint32_t>(8, 2, sample(10));
  std::memcpy(area.data(), newer.data(), newer.size());
  EXPECT_EQ(code_of(choose_meta(area)), ErrorCode::VersionUnsupported);
}

TEST(ChooseMeta, blocks_of_two_databases_refuse_the_file) {
  Meta foreign = sample(9);
  foreign.file.low ^= 1;
  EXPECT_EQ(code_of(choose_meta(area_of(sample(8), foreign))), ErrorCode::HeaderDamaged);
  foreign = sample(9);
  foreign.page_size = 4096;
  EXPECT_EQ(code_of(choose_meta(area_of(sample(8), foreign))), ErrorCode::HeaderDamaged);
}

}  // namespace
}  // namespace vitrine::format
