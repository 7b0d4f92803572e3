// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/bson.hpp"

#include <bson/bson.h>

#include "doc/testing.hpp"

namespace vitrine::doc {
namespace {

using testing::fails;
using testing::Generator;
using testing::json;
using testing::ok;

// What libbson thinks of the same bytes.
bool libbson_accepts(Bytes bytes) {
  bson_t view;
  if (!bson_init_static(&view, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size())) return false;
  return bson_validate(&view, static_cast<bson_validate_flags_t>(BSON_VALIDATE_UTF8 | BSON_VALIDATE_UTF8_ALLOW_NULL),
                       nullptr);
}

ByteString nested(std::size_t levels) {
  Builder builder;
  for (std::size_t i = 1; i < levels; ++i) builder.open_member("0", i % 2 == 0 ? Type::Object : Type::Array);
  for (std::size_t i = 1; i < levels; ++i) builder.close_member();
  return builder.finish();
}

TEST(Bson, builds_what_the_other_library_reads) {
  Builder builder;
  builder.add_string("s", "text").add_int32("i", -5).add_double("d", 0.5).add_bool("b", true).add_null("n");
  builder.open_member("a", Type::Array).add_int64("0", 7).close_member();
  const ByteString bytes = builder.finish();
  ASSERT_TRUE(ok(check_document(bytes)));
  bson_t view;
  ASSERT_TRUE(bson_init_static(&view, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
  char* text = bson_as_relaxed_extended_json(&view, nullptr);
  EXPECT_STREQ(text, R"({ "s" : "text", "i" : -5, "d" : 0.5, "b" : true, "n" : null, "a" : [ 7 ] })");
  bson_free(text);
}

TEST(Bson, walks_elements_in_order) {
  const Document document = json(R"({"z": 1, "a": "two", "m": [true]})");
  Elements walk(document.bson());
  EXPECT_EQ(walk.next()->name, "z");
  EXPECT_EQ(walk.next()->value.as_string(), "two");
  EXPECT_EQ(count_members(walk.next()->value.as_document()), 1u);
  EXPECT_FALSE(walk.next());
  EXPECT_TRUE(walk.is_well_formed());
  EXPECT_FALSE(find_member(document.bson(), "b"));
}

TEST(Bson, takes_a_hundred_levels_and_not_one_more) {
  EXPECT_TRUE(ok(check_document(nested(kDocumentDepthMax))));
  EXPECT_TRUE(fails(check_document(nested(kDocumentDepthMax + 1)), ErrorCode::DocumentTooDeep));
  EXPECT_TRUE(fails(check_document(nested(100'000)), ErrorCode::DocumentTooDeep));
}

TEST(Bson, takes_sixteen_mebibytes_and_not_one_byte_more) {
  const std::size_t around = Builder().add_string("s", "").finish().size();
  const ByteString largest = Builder().add_string("s", std::string(kDocumentSizeMax - around, 'x')).finish();
  ASSERT_EQ(largest.size(), kDocumentSizeMax);
  EXPECT_TRUE(ok(check_document(largest)));
  const ByteString larger = Builder().add_string("s", std::string(kDocumentSizeMax - around + 1, 'x')).finish();
  EXPECT_TRUE(fails(check_document(larger), ErrorCode::DocumentTooLarge));
}

TEST(Bson, refuses_what_breaks_a_rule) {
  const auto refused = [](Builder& builder) {
    return fails(check_document(builder.finish()), ErrorCode::DocumentMalformed);
  };
  Builder twice, not_utf8, name_not_utf8, gap, boolean, regex, options, binary;
  EXPECT_TRUE(refused(twice.add_null("a").add_null("b").add_null("a")));
  EXPECT_TRUE(refused(not_utf8.add_string("a", "\xff")));
  EXPECT_TRUE(refused(name_not_utf8.add_null("\xc0\x80")));
  EXPECT_TRUE(refused(gap.open_member("a", Type::Array).add_null("1").close_member()));
  EXPECT_TRUE(refused(boolean.add("a", {Type::Bool, "\x02"})));
  EXPECT_TRUE(refused(regex.add_regex("a", "\xff", "")));
  EXPECT_TRUE(refused(binary.add_binary("a", "xxxx", 2)));
  EXPECT_TRUE(refused(options.add_regex("a", "a", "xi")));
}

TEST(Bson, refuses_types_that_are_deprecated_or_unknown) {
  for (const int type : {0x00, 0x06, 0x0c, 0x0d, 0x0e, 0x0f, 0x14, 0x7e, 0x80}) {
    Builder builder;
    builder.add("a", {static_cast<Type>(type), Bytes("\x01\0\0\0\0", 5)});
    EXPECT_TRUE(fails(check_document(builder.finish()), ErrorCode::DocumentMalformed)) << type;
  }
}

TEST(Bson, refuses_every_cut_and_every_wrong_length) {
  const ByteString bytes(
      json(R"({"s": "text", "o": {"a": [1, 2.5]}, "b": {"$binary": {"base64": "AAEC", "subType": "00"}}})").bson());
  ASSERT_TRUE(ok(check_document(bytes)));
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(check_document(bytes.substr(0, size)).is_ok()) << size;
  }
  EXPECT_FALSE(check_document(bytes + '\0').is_ok());
  EXPECT_FALSE(check_document({}).is_ok());
}

TEST(Bson, the_structure_of_damaged_bytes_is_refused) {
  const ByteString bytes(json(R"({"s": "text", "o": {"a": [1, {"b": 2.5}]}})").bson());
  EXPECT_TRUE(ok(check_structure(bytes)));
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(check_structure(bytes.substr(0, size)).is_ok());
  ByteString inner = bytes;
  inner[inner.find('o') + 2] ^= 1;  // the size of the object
  EXPECT_FALSE(check_structure(inner).is_ok());
  const auto nested = [](std::size_t levels) {
    Builder builder;
    for (std::size_t i = 1; i < levels; ++i) builder.open_member("a", Type::Object);
    for (std::size_t i = 1; i < levels; ++i) builder.close_member();
    return builder.finish();
  };
  EXPECT_TRUE(ok(check_structure(nested(kDocumentDepthMax))));
  EXPECT_FALSE(check_structure(nested(kDocumentDepthMax + 1)).is_ok());
}

TEST(Bson, elements_of_arrays_are_numbered_from_zero_on) {
  ElementName name;
  for (int i = 0; i < 12'000; ++i, name.next()) ASSERT_EQ(name.get(), std::to_string(i));
}

// Whatever is accepted after random changes must also be BSON for the other library, and survive JSON.
TEST(Bson, what_is_accepted_after_random_damage_is_well_formed) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  Generator generator(seed);
  base::Prng& random = generator.random();
  int accepted = 0;
  for (int round = testing::rounds(20'000); round-- > 0;) {
    ByteString bytes(generator.document(2).bson());
    ASSERT_TRUE(libbson_accepts(bytes));
    for (std::uint64_t i = 1 + random.below(3); i-- > 0;) {
      bytes[random.below(bytes.size())] = static_cast<char>(random.below(256));
    }
    const Result<Document> document = Document::from_bson(bytes);
    if (!document.has_value()) continue;
    ++accepted;
    ASSERT_TRUE(ok(check_structure(bytes)));
    ASSERT_TRUE(libbson_accepts(bytes));
    (void)document->to_json();
  }
  EXPECT_GT(accepted, 0);
}

}  // namespace
}  // namespace vitrine::doc
