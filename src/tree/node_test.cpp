// SPDX-License-Identifier: MIT OR Apache-2.0
// Single nodes: the corners of their layout.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tree/node.hpp"
#include "tree/testing.hpp"

namespace vitrine::tree {
namespace {

using testing::TestNode;

std::string number(unsigned value) {
  std::string key(4, '\0');
  for (int i = 3; i >= 0; --i, value >>= 8) key[static_cast<std::size_t>(i)] = static_cast<char>(value);
  return key;
}

class NodeOfSize : public ::testing::TestWithParam<std::uint32_t> {};

INSTANTIATE_TEST_SUITE_P(PageSizes, NodeOfSize, ::testing::Values(4096u, 8192u, 16384u, 32768u, 65536u),
                         [](const auto& chosen) { return std::to_string(chosen.param); });

TEST_P(NodeOfSize, three_cells_of_the_largest_size_fit) {
  TestNode page(GetParam(), 0);
  const std::size_t value_size = cell_max(GetParam()) - kSlotSize - tree_key_max(GetParam());
  for (unsigned i = 0; i < 3; ++i) {
    const std::string key(tree_key_max(GetParam()), static_cast<char>('a' + i));
    ASSERT_TRUE(page.insert(i, key, std::string(value_size, 'v')));
  }
  EXPECT_TRUE(page.view().validate().is_ok());
}

TEST_P(NodeOfSize, three_children_with_the_longest_separators_fit) {
  TestNode page(GetParam(), 1);
  for (unsigned i = 0; i < 4; ++i) {  // the first has no separator
    const std::string key = i == 0 ? std::string() : std::string(tree_key_max(GetParam()), static_cast<char>('a' + i));
    ASSERT_TRUE(page.insert_child(i, key, i + 1)) << i;
  }
  EXPECT_TRUE(page.view().validate().is_ok());
}

TEST_P(NodeOfSize, a_page_takes_as_many_empty_cells_as_slots) {
  TestNode page(GetParam(), 0);
  unsigned count = 0;
  while (page.insert(count, number(count), {})) ++count;
  EXPECT_GE(count, node_capacity(GetParam()) / (kSlotSize + 4));
  EXPECT_LE(page.view().used(), node_capacity(GetParam()));
  ASSERT_TRUE(page.view().validate().is_ok());
  for (unsigned i = 0; i < count; ++i) {
    const Position at = page.view().lower_bound(number(i));
    ASSERT_TRUE(at.exact);
    ASSERT_EQ(at.index, i);
  }
}

TEST_P(NodeOfSize, a_full_page_can_be_emptied_and_filled_again) {
  TestNode page(GetParam(), 0);
  for (int round = 0; round < 3; ++round) {
    unsigned count = 0;
    while (page.insert(count, number(count), "value")) ++count;
    while (page.view().count() > 0) page.node().remove(page.view().count() / 2);
    EXPECT_EQ(page.view().used(), page.view().prefix().size());
  }
}

TEST_P(NodeOfSize, a_copy_has_the_cells_and_zeros_between_them_and_the_slots) {
  TestNode page(GetParam(), 0);
  for (unsigned i = 0; i < 20; ++i) ASSERT_TRUE(page.insert(i, number(i), "value"));
  std::vector<std::byte> copy(GetParam(), std::byte{0xee});
  std::copy_n(page.view().page(), format::kPageHeaderSize, copy.begin());
  copy_node_body(copy.data(), page.view().page(), GetParam());
  const NodeView view(copy.data(), GetParam());
  EXPECT_TRUE(view.validate().is_ok());
  for (unsigned i = 0; i < 20; ++i) EXPECT_EQ(view.value(view.lower_bound(number(i)).index), "value");
  const auto heap_begin = base::load<NodeHeader>(copy.data() + format::kPageHeaderSize).heap_begin;
  EXPECT_EQ(std::count(copy.begin() + kNodeSlots + 20 * kSlotSize, copy.begin() + heap_begin, std::byte{0}),
            static_cast<std::ptrdiff_t>(heap_begin - kNodeSlots - 20 * kSlotSize));
}

// A damaged file may lead to one.
TEST_P(NodeOfSize, a_page_that_is_no_node_is_copied_as_it_is) {
  const std::size_t end = GetParam() - format::kPageTrailerSize;
  for (const auto type : {format::PageType::Extent, format::PageType::Leaf}) {
    std::vector<std::byte> page(GetParam(), std::byte{0xee});
    page[0] = static_cast<std::byte>(type);
    std::vector<std::byte> copy(GetParam());
    copy_node_body(copy.data(), page.data(), GetParam());
    EXPECT_TRUE(std::equal(page.begin() + format::kPageHeaderSize, page.begin() + static_cast<std::ptrdiff_t>(end),
                           copy.begin() + format::kPageHeaderSize));
    EXPECT_EQ(copy[end], std::byte{0});
  }
}

TEST(Node, an_empty_node_is_not_valid) {
  TestNode page(4096, 0);
  EXPECT_EQ(page.view().validate().code(), ErrorCode::PageMalformed);
}

TEST(Node, a_key_outside_the_common_prefix_makes_it_shorter) {
  TestNode page(4096, 0);
  page.assign({{"prefix-aa", "1"}, {"prefix-ab", "2"}, {"prefix-b", "3"}});
  EXPECT_EQ(page.view().prefix(), "prefix-");
  ASSERT_TRUE(page.insert(0, "pre", "0"));
  EXPECT_EQ(page.view().prefix(), "pre");
  ASSERT_TRUE(page.insert(4, "z", "4"));
  EXPECT_EQ(page.view().prefix(), "");
  ASSERT_TRUE(page.view().validate().is_ok());
  EXPECT_EQ(page.keys(), (std::vector<std::string>{"pre", "prefix-aa", "prefix-ab", "prefix-b", "z"}));
}

TEST(Node, a_key_that_does_not_fit_changes_nothing) {
  TestNode page(4096, 0);
  std::vector<std::pair<std::string, std::string>> cells;
  for (unsigned i = 0; i < 250; ++i) cells.emplace_back(std::string(60, 'p') + number(i), "");
  page.assign(cells);
  const std::vector<std::byte> before = page.bytes();
  EXPECT_FALSE(page.insert(250, "q", ""));  // would cost 60 bytes for each of the others
  EXPECT_FALSE(page.insert(250, std::string(60, 'p') + number(250), std::string(1200, 'v')));
  EXPECT_TRUE(page.bytes() == before);
}

TEST(Node, keys_around_the_common_prefix_are_found) {
  TestNode page(4096, 0);
  page.assign({{"mm1", ""}, {"mm3", ""}, {"mm5", ""}});
  for (const auto& [key, index] : std::vector<std::pair<std::string, unsigned>>{{"", 0},
                                                                                {"a", 0},
                                                                                {"m", 0},
                                                                                {"mm", 0},
                                                                                {"mm0", 0},
                                                                                {"mm2", 1},
                                                                                {"mm4", 2},
                                                                                {"mm6", 3},
                                                                                {"mn", 3},
                                                                                {"z", 3}}) {
    EXPECT_EQ(page.view().lower_bound(key).index, index) << key;
    EXPECT_FALSE(page.view().lower_bound(key).exact) << key;
  }
  EXPECT_FALSE(page.view().lower_bound(Bytes()).exact);
}

TEST(Node, zero_bytes_at_the_end_of_a_key_count) {
  TestNode page(4096, 0);
  const std::vector<std::string> keys = {"", std::string(1, '\0'), std::string(2, '\0'), std::string(5, '\0'), "a"};
  for (unsigned i = 0; i < keys.size(); ++i) ASSERT_TRUE(page.insert(i, keys[i], number(i)));
  ASSERT_TRUE(page.view().validate().is_ok());
  for (unsigned i = 0; i < keys.size(); ++i) {
    EXPECT_TRUE(page.view().lower_bound(keys[i]).exact);
    EXPECT_EQ(page.view().lower_bound(keys[i]).index, i);
    EXPECT_EQ(page.view().value(i), number(i));
  }
}

TEST(Node, hints_lead_to_every_key_when_all_heads_are_equal) {
  TestNode page(8192, 0);
  std::vector<std::pair<std::string, std::string>> cells{{"a", ""}};  // keeps the prefix empty
  for (unsigned i = 0; i < 200; ++i) cells.emplace_back("same" + number(i * 2), "");
  page.assign(cells);
  ASSERT_TRUE(page.view().validate().is_ok());
  for (unsigned i = 0; i < 200; ++i) {
    EXPECT_EQ(page.view().lower_bound("same" + number(i * 2)).index, i + 1);
    EXPECT_EQ(page.view().lower_bound("same" + number(i * 2 + 1)).index, i + 2);
  }
}

TEST(Node, a_value_of_the_same_size_is_replaced_in_place) {
  TestNode page(4096, 0);
  page.assign({{"a", "11"}, {"b", "22"}});
  const std::size_t used = page.view().used();
  ASSERT_TRUE(page.replace(0, "33"));
  EXPECT_EQ(page.view().value(0), "33");
  EXPECT_EQ(page.view().used(), used);
  ASSERT_TRUE(page.replace(1, ""));
  EXPECT_EQ(page.view().value(1), "");
  EXPECT_TRUE(page.view().validate().is_ok());
}

TEST(Node, a_value_that_does_not_fit_replaces_nothing) {
  TestNode page(4096, 0);
  const std::string value(900, 'v');
  page.assign({{"a", value}, {"b", value}, {"c", value}, {"d", value}});
  EXPECT_FALSE(page.replace(1, std::string(1300, 'x')));
  EXPECT_EQ(page.view().value(1), value);
  EXPECT_TRUE(page.replace(1, std::string(1100, 'x')));
  EXPECT_TRUE(page.view().validate().is_ok());
}

TEST(Node, the_child_that_becomes_the_first_loses_its_separator) {
  TestNode page(4096, 1);
  ASSERT_TRUE(page.insert_child(0, "", 1));
  ASSERT_TRUE(page.insert_child(1, "key-of-any-length", 2));
  ASSERT_TRUE(page.insert_child(2, "key-p", 3));
  page.node().remove(0);
  ASSERT_TRUE(page.view().validate().is_ok());
  EXPECT_EQ(page.view().key(0).size(), 0u);
  EXPECT_EQ(page.view().child(0).page(), 2u);
  EXPECT_EQ(page.view().child_for("a"), 0u);
  EXPECT_EQ(page.view().child_for("key-p"), 1u);
}

TEST(Node, the_shortest_separator_lies_between_its_neighbours) {
  const auto separator = [](Bytes left, Bytes right) { return shortest_separator({{}, left}, {{}, right}); };
  EXPECT_EQ(separator("abc", "abd"), "abd");
  EXPECT_EQ(separator("abc", "abdefg"), "abd");
  EXPECT_EQ(separator("ab", "abcdef"), "abc");
  EXPECT_EQ(separator("", "x"), "x");
  EXPECT_EQ(shortest_separator({"pre", "fix"}, {"pre", "sent"}), "pres");
  EXPECT_EQ(shortest_separator({"prefi", "x"}, {"", "present"}), "pres");
}

TEST(Node, damage_of_each_field_is_noticed) {
  TestNode sound(4096, 0);
  std::vector<std::pair<std::string, std::string>> cells;
  for (unsigned i = 0; i < 60; ++i) cells.emplace_back("key" + number(i * 65536), number(i));
  sound.assign(cells);
  ASSERT_TRUE(sound.view().validate().is_ok());
  const auto is_noticed = [&](std::size_t offset, auto value) {
    TestNode page = sound;
    base::store(page.bytes().data() + offset, value);
    return page.view().validate().code() == ErrorCode::PageMalformed;
  };
  using U16 = std::uint16_t;
  using U32 = std::uint32_t;
  EXPECT_TRUE(is_noticed(32, U16{0}));  // count
  EXPECT_TRUE(is_noticed(32, U16{61}));
  EXPECT_TRUE(is_noticed(32, U16{65535}));
  EXPECT_TRUE(is_noticed(34, U16{2}));  // prefix size
  EXPECT_TRUE(is_noticed(34, U16{65535}));
  EXPECT_TRUE(is_noticed(36, U32{100}));  // heap begin
  EXPECT_TRUE(is_noticed(36, ~U32{0}));
  EXPECT_TRUE(is_noticed(40, U32{1}));  // dead bytes
  EXPECT_TRUE(is_noticed(40, ~U32{0}));
  EXPECT_TRUE(is_noticed(44, U32{50}));  // prefix offset
  EXPECT_TRUE(is_noticed(44, ~U32{0}));
  EXPECT_TRUE(is_noticed(48, U32{1}));                 // hint
  EXPECT_TRUE(is_noticed(kNodeSlots, U32{7}));         // head
  EXPECT_TRUE(is_noticed(kNodeSlots + 4, U16{4090}));  // cell offset
  EXPECT_TRUE(is_noticed(kNodeSlots + 4, U16{200}));
  EXPECT_TRUE(is_noticed(kNodeSlots + 6, U16{0x3fff}));  // suffix size
  EXPECT_TRUE(is_noticed(kNodeSlots + 6, U16{0x4004}));  // a bit without a meaning
  EXPECT_TRUE(is_noticed(kNodeSlots + 6, U16{0x8004}));  // large, but no descriptor
  EXPECT_TRUE(is_noticed(kNodeSlots + 8, U16{65535}));   // value size
}

TEST(Node, two_cells_in_one_place_are_noticed) {
  TestNode page(4096, 0);
  page.assign({{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}});
  // The cell of "b" is value "2", key "b". Now it is shared: "b" has no value and key "b" there, "c" value "b" and key
  // "c" one byte further on, all with heads and sums that fit.
  TestNode forged = page;
  std::byte* slots = forged.bytes().data() + kNodeSlots;
  const auto cell = base::load<std::uint16_t>(slots + 2 * kSlotSize + 4);
  forged.bytes()[cell] = std::byte{'b'};
  forged.bytes()[cell + 1u] = std::byte{'c'};
  base::store(slots + kSlotSize + 4, cell);
  base::store(slots + kSlotSize + 8, std::uint16_t{0});
  base::store(forged.bytes().data() + 40, std::uint32_t{1});  // one byte less in use
  EXPECT_EQ(forged.view().validate().code(), ErrorCode::PageMalformed);
}

TEST(Node, cells_that_could_never_be_split_are_noticed) {
  TestNode page(4096, 0);
  page.assign({{"a", std::string(3000, 'v')}});
  EXPECT_EQ(page.view().validate().code(), ErrorCode::PageMalformed);
  page.assign({{std::string(tree_key_max(4096) + 1, 'k'), ""}});
  EXPECT_EQ(page.view().validate().code(), ErrorCode::PageMalformed);
  page.assign({{std::string(tree_key_max(4096), 'k'), ""}});
  EXPECT_TRUE(page.view().validate().is_ok());
}

TEST(ValidatePage, types_and_levels_must_match) {
  TestNode page(4096, 0);
  page.assign({{"a", "1"}});
  const auto code_as = [&](std::uint8_t type, std::uint8_t level) {
    page.bytes()[0] = std::byte{type};
    page.bytes()[1] = std::byte{level};
    return validate_page(page.bytes().data(), 4096).code();
  };
  EXPECT_EQ(code_as(1, 0), ErrorCode::Ok);
  EXPECT_EQ(code_as(1, 1), ErrorCode::PageMalformed);
  EXPECT_EQ(code_as(2, 0), ErrorCode::PageMalformed);
  EXPECT_EQ(code_as(2, 1), ErrorCode::PageMalformed);
  EXPECT_EQ(code_as(0, 0), ErrorCode::PageMalformed);
  EXPECT_EQ(code_as(7, 0), ErrorCode::PageMalformed);
  EXPECT_EQ(code_as(3, 0), ErrorCode::Ok);
}

}  // namespace
}  // namespace vitrine::tree
