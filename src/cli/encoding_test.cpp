// SPDX-License-Identifier: MIT OR Apache-2.0
// The encodings by example, by their standards, and by random round trips.
#include "cli/encoding.hpp"

#include <gtest/gtest.h>

#include "base/prng.hpp"
#include "os/testing.hpp"

namespace vitrine::cli {
namespace {

using std::string_literals::operator""s;

std::string random_bytes(base::Prng& prng) {
  // Bytes that the encodings treat specially come up more often than chance would have it.
  static const std::string special = "\t\n\\\\x0=\r\x1b\x7f\xc2\x9b\xe2\x82\xac\xff"s;
  std::string bytes(prng.below(40), '\0');
  for (char& byte : bytes) {
    byte = prng.one_in(2) ? special[prng.below(special.size())] : static_cast<char>(prng.next());
  }
  return bytes;
}

TEST(Encoding, utf8_stays_readable_and_separators_are_escaped) {
  EXPECT_EQ(encoded("a\tb\nc\\d", Encoding::Text), "a\\tb\\nc\\\\d");
  EXPECT_EQ(encoded("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", Encoding::Text),
            "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
}

TEST(Encoding, control_characters_cannot_reach_a_terminal) {
  EXPECT_EQ(encoded("\x1b[31m\x7f\r"s + '\0', Encoding::Text), "\\x1b[31m\\x7f\\x0d\\x00");
  EXPECT_EQ(encoded("\xc2\x9b", Encoding::Text), "\\xc2\\x9b");  // U+009B, one-character CSI
  EXPECT_EQ(encoded("\xc2\xa0", Encoding::Text), "\xc2\xa0");    // the first character behind the C1 controls
}

TEST(Encoding, ill_formed_utf8_is_escaped_byte_by_byte) {
  EXPECT_EQ(encoded("\xff", Encoding::Text), "\\xff");
  EXPECT_EQ(encoded("\xc0\xaf", Encoding::Text), "\\xc0\\xaf");                    // overlong
  EXPECT_EQ(encoded("\xed\xa0\x80", Encoding::Text), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(encoded("\xf4\x90\x80\x80", Encoding::Text), "\\xf4\\x90\\x80\\x80");  // above U+10FFFF
  EXPECT_EQ(encoded("\xe2\x82", Encoding::Text), "\\xe2\\x82");                    // cut short
  EXPECT_FALSE(is_utf8("\xe2\x82"));
  EXPECT_TRUE(is_utf8("\xe2\x82\xac"));
}

TEST(Encoding, hexadecimal_and_base64_match_the_standards) {
  EXPECT_EQ(encoded("\x00\xff\x10"s, Encoding::Hex), "00ff10");
  EXPECT_EQ(encoded("", Encoding::Base64), "");
  EXPECT_EQ(encoded("f", Encoding::Base64), "Zg==");
  EXPECT_EQ(encoded("fo", Encoding::Base64), "Zm8=");
  EXPECT_EQ(encoded("foo", Encoding::Base64), "Zm9v");
  EXPECT_EQ(encoded("foobar", Encoding::Base64), "Zm9vYmFy");
  EXPECT_EQ(decoded("00FFaa", Encoding::Hex).value(), "\x00\xff\xaa"s);
}

TEST(Encoding, whatever_is_encoded_decodes_to_itself) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  base::Prng prng(seed);
  for (int round = 0; round < 20000; ++round) {
    const std::string bytes = random_bytes(prng);
    for (const Encoding encoding : {Encoding::Text, Encoding::Hex, Encoding::Base64}) {
      const std::string text = encoded(bytes, encoding);
      ASSERT_EQ(text.find_first_of("\t\n\r"), std::string::npos);
      ASSERT_TRUE(is_utf8(text));
      const Result<std::string> back = decoded(text, encoding);
      ASSERT_TRUE(back.has_value()) << text << ": " << back.status().to_string();
      ASSERT_EQ(*back, bytes) << text;
    }
  }
}

TEST(Encoding, bad_text_is_refused_with_its_position) {
  EXPECT_EQ(decoded("ab\\q", Encoding::Text).status().detail("position"), "2");
  for (const char* const text : {"\\", "\\x", "\\x1", "\\xg0", "a\\"}) {
    EXPECT_EQ(decoded(text, Encoding::Text).status().code(), ErrorCode::ArgumentInvalid) << text;
  }
  for (const char* const text : {"0", "0g", "abc", " ab"}) {
    EXPECT_EQ(decoded(text, Encoding::Hex).status().code(), ErrorCode::ArgumentInvalid) << text;
  }
  for (const char* const text : {"Zg", "Zg=", "Z===", "====", "Zh==", "Zm9=", "Zg==Zg==", "Z-8="}) {
    EXPECT_EQ(decoded(text, Encoding::Base64).status().code(), ErrorCode::ArgumentInvalid) << text;
  }
}

TEST(Encoding, a_message_keeps_single_backslashes) { EXPECT_EQ(printable("C:\\x\n\x1b"), "C:\\x\\n\\x1b"); }

std::string fed(PieceDecoder& decoder, Bytes text, std::size_t piece_size) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); at += piece_size) {
    bytes.append(decoder.feed(text.substr(at, piece_size)).value());
  }
  return bytes;
}

TEST(PieceDecoder, the_size_of_the_pieces_does_not_matter) {
  const std::string bytes = "any bytes \x00\xff at all"s;
  for (const Encoding encoding : {Encoding::Text, Encoding::Hex, Encoding::Base64}) {
    for (std::size_t piece_size = 1; piece_size < 12; ++piece_size) {
      PieceDecoder decoder(encoding);
      EXPECT_EQ(fed(decoder, encoding == Encoding::Text ? bytes : encoded(bytes, encoding), piece_size), bytes);
      EXPECT_TRUE(decoder.finish().is_ok());
    }
  }
}

TEST(PieceDecoder, white_space_between_digits_is_skipped) {
  PieceDecoder decoder(Encoding::Base64);
  EXPECT_EQ(fed(decoder, "Zm9v\r\nYm Fy\n", 5), "foobar");
  EXPECT_TRUE(decoder.finish().is_ok());
}

TEST(PieceDecoder, text_that_ends_inside_a_group_is_refused) {
  PieceDecoder decoder(Encoding::Hex);
  EXPECT_EQ(fed(decoder, "abc", 3), "\xab");
  EXPECT_EQ(decoder.finish().code(), ErrorCode::ArgumentInvalid);
}

TEST(PieceDecoder, nothing_may_follow_the_padding) {
  PieceDecoder decoder(Encoding::Base64);
  EXPECT_EQ(decoder.feed("Zg==").value(), "f");
  EXPECT_EQ(decoder.feed("Zg==").status().code(), ErrorCode::ArgumentInvalid);
}

}  // namespace
}  // namespace vitrine::cli
