// SPDX-License-Identifier: MIT OR Apache-2.0
// Large values: every size around the borders of pages, extents and lists; reading by parts; damage.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tree/testing.hpp"

namespace vitrine::tree {
namespace {

using testing::Rig;

std::string text_of(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * i / 7 + i);
  return text;
}

Bytes bytes_of(const LargeValue& value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }

LargeValue write(Rig& rig, Bytes text, std::size_t piece = 5000) {
  LargeValueWriter writer(rig.workspace());
  for (; !text.empty(); text.remove_prefix(std::min(piece, text.size()))) {
    EXPECT_TRUE(writer.append(text.substr(0, piece)).is_ok());
  }
  return writer.finish().value();
}

std::string read(Rig& rig, const LargeValue& value) {
  std::string text;
  const Status status = read_value(rig.pool(), bytes_of(value), true, text);
  return status.is_ok() ? text : status.to_string();
}

constexpr std::size_t kPayload = 4096 - kExtentOverhead;            // of one page
constexpr std::size_t kExtentPayload = 3 * 4096 - kExtentOverhead;  // of the longest extent here

TEST(LargeValue, every_size_around_a_border_comes_back) {
  Rig rig;
  for (const std::size_t border : {std::size_t{2}, kPayload, kPayload + 4096, kExtentPayload, 2 * kExtentPayload,
                                   kExtentPayload * kPayload / sizeof(ExtentEntry)}) {
    for (std::size_t size = border - 2; size <= border + 2; ++size) {
      const std::string text = text_of(size);
      const LargeValue value = write(rig, text);
      EXPECT_EQ(value.size, size);
      EXPECT_EQ(value.depth, size > kExtentPayload ? 1u : 0u);
      ASSERT_TRUE(read(rig, value) == text) << size;
      ASSERT_TRUE(retire_large_value(rig.workspace(), value).is_ok());
    }
  }
  rig.publish();
  EXPECT_EQ(rig.space().allocated_count(), format::first_page(4096));
}

TEST(LargeValue, parts_are_read_at_any_offset) {
  Rig rig;
  const std::string text = text_of(5 * kExtentPayload + 100);
  const LargeValue value = write(rig, text, 777);
  auto reader = LargeValueReader::open(rig.pool(), bytes_of(value));
  ASSERT_TRUE(reader.has_value());
  for (std::size_t offset = 0; offset < text.size() + 5000; offset += 3001) {
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{4000}, 3 * kExtentPayload}) {
      std::string part(size, '?');
      const std::size_t got = reader->read_at(offset, part.data(), size).value();
      part.resize(got);
      ASSERT_TRUE(part == (offset < text.size() ? text.substr(offset, size) : std::string())) << offset;
    }
  }
}

TEST(LargeValue, a_writer_tells_whether_anything_was_written) {
  Rig rig;
  LargeValueWriter writer(rig.workspace());
  ASSERT_TRUE(writer.append("small").is_ok());
  ASSERT_NE(writer.small_value(), nullptr);
  EXPECT_EQ(*writer.small_value(), "small");
  EXPECT_FALSE(rig.workspace().has_changes());
  ASSERT_TRUE(writer.append(text_of(kExtentPayload)).is_ok());
  EXPECT_EQ(writer.small_value(), nullptr);
  EXPECT_EQ(writer.size(), kExtentPayload + 5);
}

TEST(LargeValue, an_abandoned_writer_gives_its_pages_back) {
  Rig rig;
  {
    LargeValueWriter writer(rig.workspace());
    ASSERT_TRUE(writer.append(text_of(10 * kExtentPayload)).is_ok());
    EXPECT_GT(rig.space().allocated_count(), format::first_page(4096));
  }
  rig.publish();
  EXPECT_EQ(rig.space().allocated_count(), format::first_page(4096));
  EXPECT_EQ(rig.space().held_count(), 0u);
}

TEST(LargeValue, long_extents_do_not_enter_the_cache) {
  Rig rig;
  const LargeValue value = write(rig, text_of(20 * kExtentPayload));
  EXPECT_EQ(read(rig, value).size(), 20 * kExtentPayload);
  EXPECT_LE(rig.pool().counters().used, 1u);  // the list
}

// --- Damage ------------------------------------------------------------------------------------------------------

TEST(LargeValue, a_descriptor_that_names_nothing_is_refused) {
  const auto code_of = [](const LargeValue& value) { return decode_large_value(bytes_of(value)).status().code(); };
  const LargeValue sound{5000, {7, {1}, 1}, 2, 0};
  EXPECT_EQ(code_of(sound), ErrorCode::Ok);
  EXPECT_EQ(code_of({5000, {0, {1}, 1}, 2, 0}), ErrorCode::PageMalformed);
  EXPECT_EQ(code_of({5000, {7, {1}, 1}, 0, 0}), ErrorCode::PageMalformed);
  EXPECT_EQ(code_of({5000, {7, {1}, 1}, 5000, 0}), ErrorCode::PageMalformed);
  EXPECT_EQ(code_of({5000, {7, {1}, 1}, 2, 2}), ErrorCode::PageMalformed);
  EXPECT_EQ(decode_large_value("short").status().code(), ErrorCode::PageMalformed);
}

TEST(LargeValue, a_descriptor_that_lies_is_refused) {
  Rig rig;
  const LargeValue one = write(rig, text_of(8000));
  const LargeValue many = write(rig, text_of(3 * kExtentPayload));
  std::string text;
  const auto code_of = [&](const LargeValue& value) {
    return read_value(rig.pool(), bytes_of(value), true, text).code();
  };
  EXPECT_EQ(code_of({7999, one.ref, one.pages, 0}), ErrorCode::PageMalformed);
  EXPECT_EQ(code_of({~0ull, one.ref, one.pages, 0}), ErrorCode::PageMalformed);
  EXPECT_EQ(code_of({8000, one.ref, one.pages, 1}), ErrorCode::PageMalformed);
  EXPECT_EQ(code_of({8000, one.ref, one.pages + 1, 0}), ErrorCode::PageChecksum);
  EXPECT_EQ(code_of({many.size + 1, many.ref, many.pages, 1}), ErrorCode::PageMalformed);
  EXPECT_EQ(code_of({100, many.ref, many.pages, 0}), ErrorCode::PageMalformed);
}

// A list of extents as bytes of a page.
std::vector<std::byte> list_image(const std::vector<ExtentEntry>& entries, std::uint64_t payload) {
  std::vector<std::byte> image(4096);
  base::store(image.data(), format::PageHeader{format::PageType::ExtentList, 0, 0, 0, 7, {1}, 1});
  base::store(image.data() + 32, payload);
  for (std::size_t i = 0; i < entries.size(); ++i) base::store(image.data() + 40 + i * sizeof(ExtentEntry), entries[i]);
  return image;
}

TEST(LargeValue, a_list_that_does_not_add_up_is_refused) {
  const std::vector<ExtentEntry> two{{{10, {1}, 1}, 2, 5000}, {{20, {1}, 1}, 1, 1000}};
  const auto code_of = [](const std::vector<ExtentEntry>& entries, std::uint64_t payload, std::uint64_t size) {
    return decode_extent_list(list_image(entries, payload), {size, {7, {1}, 1}, 1, 1}).status().code();
  };
  EXPECT_EQ(code_of(two, 64, 6000), ErrorCode::Ok);
  EXPECT_EQ(code_of(two, 64, 6001), ErrorCode::PageMalformed);
  EXPECT_EQ(code_of(two, 63, 6000), ErrorCode::PageMalformed);
  EXPECT_EQ(code_of(two, 32, 6000), ErrorCode::PageMalformed);
  EXPECT_EQ(code_of({}, 0, 0), ErrorCode::PageMalformed);
  EXPECT_EQ(code_of(two, 1u << 20, 6000), ErrorCode::PageMalformed);
  EXPECT_EQ(code_of(two, ~std::uint64_t{0}, 6000), ErrorCode::PageMalformed);
  EXPECT_EQ(code_of({{{0, {1}, 1}, 2, 5000}, two[1]}, 64, 6000), ErrorCode::PageMalformed);
  EXPECT_EQ(code_of({{{10, {1}, 1}, 0, 5000}, two[1]}, 64, 6000), ErrorCode::PageMalformed);
  EXPECT_EQ(code_of({{{10, {1}, 1}, 1, 5000}, two[1]}, 64, 6000), ErrorCode::PageMalformed);  // more than it holds
}

TEST(LargeValue, a_damaged_extent_is_noticed) {
  Rig rig;
  const LargeValue value = write(rig, text_of(3 * kExtentPayload));
  const std::vector<ExtentEntry> extents = extents_of(rig.pool(), value).value();
  char byte = 'x';
  const os::IoSlice slice{&byte, 1};
  ASSERT_TRUE(rig.file().write_at(extents[1].ref.page() * 4096 + 5000, {&slice, 1}).is_ok());
  auto reader = LargeValueReader::open(rig.pool(), bytes_of(value)).value();
  char part[10];
  EXPECT_TRUE(reader.read_at(0, part, sizeof part).has_value());
  EXPECT_EQ(reader.read_at(kExtentPayload, part, sizeof part).status().code(), ErrorCode::PageChecksum);
  EXPECT_TRUE(reader.read_at(2 * kExtentPayload, part, sizeof part).has_value());
}

}  // namespace
}  // namespace vitrine::tree
