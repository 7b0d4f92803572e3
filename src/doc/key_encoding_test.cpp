// SPDX-License-Identifier: MIT OR Apache-2.0
// The order of values, and that encoded keys sort the same way.
#include "doc/key_encoding.hpp"

#include <algorithm>

#include "doc/compare.hpp"
#include "doc/key_decoding.hpp"
#include "doc/json.hpp"
#include "doc/testing.hpp"

namespace vitrine::doc {
namespace {

using testing::Generator;
using testing::OwnedValue;

int sign(int number) { return (number > 0) - (number < 0); }

std::string shown(const Value& value) {
  std::string text;
  append_json(text, value, JsonForm::Canonical);
  return text;
}

// Each line sorts before the next one; values on one line are equal.
const std::vector<std::vector<std::string>> kOrder = {
    {R"({"$minKey": 1})"},
    {"null"},
    {R"({"$numberDouble": "NaN"})", R"({"$numberDecimal": "NaN"})"},
    {R"({"$numberDouble": "-Infinity"})", R"({"$numberDecimal": "-Infinity"})"},
    {R"({"$numberDecimal": "-1E+6144"})"},
    {"-1.7976931348623157e308"},
    {"-9223372036854775808", "-9223372036854775808.0"},
    {"-9223372036854775807"},
    {"-9007199254740993"},
    {"-9007199254740992", "-9007199254740992.0"},
    {"-30.5", R"({"$numberDecimal": "-30.50"})"},
    {"-30", "-30.0"},
    {"-5e-324"},
    {R"({"$numberDecimal": "-1E-6176"})"},
    {"0", "-0", "0.0", R"({"$numberLong": "0"})", R"({"$numberDecimal": "-0E+10"})"},
    {R"({"$numberDecimal": "1E-6176"})"},
    {"5e-324"},
    {R"({"$numberDecimal": "0.1"})"},
    {"0.1"},
    {R"({"$numberDecimal": "0.1000000000000000055511151231257828"})"},
    {"30", "30.0", R"({"$numberLong": "30"})", R"({"$numberDecimal": "3E+1"})"},
    {R"({"$numberDecimal": "30.00000000000000000000000000000001"})"},
    {"30.000000000000004"},
    {"9007199254740992", "9007199254740992.0"},
    {"9007199254740993", R"({"$numberDecimal": "9007199254740993"})"},
    {"9007199254740994", "9007199254740994.0"},
    {"9223372036854775807"},
    {"9223372036854775808.0", "9223372036854775808"},
    {"18446744073709551615"},
    {"18446744073709551616", "18446744073709551616.0"},
    {"1.7976931348623157e308"},
    {R"({"$numberDecimal": "1E+6144"})"},
    {R"({"$numberDouble": "Infinity"})", R"({"$numberDecimal": "Infinity"})"},
    {R"("")"},
    {R"("\u0000")"},
    {R"("\u0000\u0000")"},
    {R"("\u0000a")"},
    {R"("\u0001")"},
    {R"("a")"},
    {R"("a\u0000")"},
    {R"("a\u0000b")"},
    {R"("aa")"},
    {R"("b")"},
    {"\"\xc3\xa9\""},
    {"{}"},
    {R"({"b": null})"},
    {R"({"a": 1})", R"({"a": 1.0})"},
    {R"({"a": 1, "b": null})"},
    {R"({"a": 1, "b": 2})"},
    {R"({"a": 2})"},
    {R"({"b": 1})"},
    {R"({"a": "x"})"},
    {R"({"a": {}})"},
    {"[]"},
    {"[null]"},
    {"[1]", "[1.0]"},
    {"[1, 1]"},
    {"[2]"},
    {R"(["a"])"},
    {R"(["a", "b"])"},
    {R"(["ab"])"},
    {"[[]]"},
    {R"({"$binary": {"base64": "", "subType": "00"}})"},
    {R"({"$binary": {"base64": "/w==", "subType": "00"}})"},
    {R"({"$binary": {"base64": "AA==", "subType": "04"}})"},
    {R"({"$binary": {"base64": "AAA=", "subType": "00"}})"},
    {R"({"$oid": "000000000000000000000001"})"},
    {R"({"$oid": "ff0000000000000000000000"})"},
    {"false"},
    {"true"},
    {R"({"$date": {"$numberLong": "-1"}})"},
    {R"({"$date": "1970-01-01T00:00:00Z"})"},
    {R"({"$date": "2000-01-01T00:00:00Z"})"},
    {R"({"$timestamp": {"t": 1, "i": 4294967295}})"},
    {R"({"$timestamp": {"t": 4294967295, "i": 0}})"},
    {R"({"$regularExpression": {"pattern": "a", "options": ""}})"},
    {R"({"$regularExpression": {"pattern": "a", "options": "i"}})"},
    {R"({"$regularExpression": {"pattern": "ab", "options": ""}})"},
    {R"({"$maxKey": 1})"},
};

void expect_order(const Value& a, const Value& b, int expected) {
  EXPECT_EQ(sign(compare_values(a, b)), expected) << shown(a) << " and " << shown(b);
  EXPECT_EQ(sign(encoded_key(a).compare(encoded_key(b))), expected) << shown(a) << " and " << shown(b) << ", encoded";
}

TEST(KeyEncoding, orders_mixed_types_as_the_table_does) {
  struct Row {
    int rank;
    OwnedValue value;
  };
  std::vector<Row> rows;
  for (std::size_t rank = 0; rank < kOrder.size(); ++rank) {
    for (const std::string& text : kOrder[rank]) rows.push_back({static_cast<int>(rank), OwnedValue::of_json(text)});
  }
  for (const Row& a : rows) {
    for (const Row& b : rows) expect_order(a.value.value(), b.value.value(), sign(a.rank - b.rank));
  }
}

TEST(KeyEncoding, keeps_every_byte_of_long_strings) {
  const std::string common(100'000, 'x');
  const OwnedValue a(Value{Type::String, OwnedValue::of_json('"' + common + "a\"").value().bytes});
  const OwnedValue b(Value{Type::String, OwnedValue::of_json('"' + common + "b\"").value().bytes});
  expect_order(a.value(), b.value(), -1);
}

TEST(KeyEncoding, a_range_of_a_prefix_ends_behind_it) {
  EXPECT_EQ(after_prefix("a"), "b");
  EXPECT_EQ(after_prefix("a\xff\xff"), "b");
  EXPECT_EQ(after_prefix(Bytes("\0", 1)), "\x01");
}

// Pairs of components, ascending and descending, beside the comparison of the values: order and no prefixes.
TEST(KeyEncoding, sorts_random_values_as_they_compare) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  Generator generator(seed);
  int equal = 0;
  for (int round = testing::rounds(100'000); round-- > 0;) {
    const OwnedValue a = generator.value(), b = generator.value(), c = generator.value(0), d = generator.value(0);
    const int first = sign(compare_values(a.value(), b.value())), second = sign(compare_values(c.value(), d.value()));
    ASSERT_EQ(sign(compare_values(b.value(), a.value())), -first) << shown(a.value()) << " and " << shown(b.value());
    equal += first == 0 ? 1 : 0;
    for (const bool is_descending : {false, true}) {
      const Direction direction = is_descending ? Direction::Descending : Direction::Ascending;
      ByteString left, right;
      append_key(left, a.value(), direction);
      append_key(right, b.value(), direction);
      if (first != 0) {
        ASSERT_FALSE(left.starts_with(right) || right.starts_with(left));
      }
      append_key(left, c.value());
      append_key(right, d.value());
      const int expected = first == 0 ? second : is_descending ? -first : first;
      ASSERT_EQ(sign(left.compare(right)), expected)
          << shown(a.value()) << ", " << shown(c.value()) << " and " << shown(b.value()) << ", " << shown(d.value());
    }
  }
  EXPECT_GT(equal, 0);
}

TEST(KeyEncoding, values_that_a_key_tells_exactly_come_back_from_it) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  Generator generator(seed);
  int exact = 0;
  for (int round = testing::rounds(50'000); round-- > 0;) {
    const OwnedValue value = generator.value();
    if (!decodes_exactly(value.value())) continue;
    // What JSON reads is the narrowest integer.
    Builder narrowest, decoded;
    if (value.value().type == Type::Int64) {
      narrowest.add_integer("v", value.value().as_integer());
    } else {
      narrowest.add("v", value.value());
    }
    const Direction direction = generator.random().one_in(2) ? Direction::Ascending : Direction::Descending;
    ByteString key;
    append_key(key, value.value(), direction);
    key.append("rest");
    Bytes rest = key;
    ASSERT_TRUE(decode_key(rest, direction, decoded, "v")) << shown(value.value());
    ASSERT_EQ(rest, "rest");
    ASSERT_EQ(decoded.finish(), narrowest.finish()) << shown(value.value());
    ++exact;
    for (std::size_t size = 0; size < key.size() - 4; size += 1 + size / 8) {
      Bytes cut = Bytes(key).substr(0, size);
      Builder spoilt;
      ASSERT_FALSE(decode_key(cut, direction, spoilt, "v")) << shown(value.value());
    }
  }
  EXPECT_GT(exact, 0);
}

// Order is transitive, or sorting would not end well.
TEST(KeyEncoding, comparison_sorts_random_values) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  Generator generator(seed);
  std::vector<OwnedValue> values;
  for (int i = 0; i < 400; ++i) values.push_back(generator.value());
  std::sort(values.begin(), values.end(),
            [](const OwnedValue& a, const OwnedValue& b) { return compare_values(a.value(), b.value()) < 0; });
  for (std::size_t i = 0; i < values.size(); ++i) {
    for (std::size_t k = i + 1; k < values.size(); k += 1 + k / 16) {
      ASSERT_LE(compare_values(values[i].value(), values[k].value()), 0);
    }
  }
}

}  // namespace
}  // namespace vitrine::doc
