// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/secret.hpp"

#include <gtest/gtest.h>

#include <cctype>
#include <cstring>
#include <string>

namespace vitrine {
namespace {

bool same_bytes(const Secret& left, const Secret& right) {
  const auto a = left.content().memory.bytes(), b = right.content().memory.bytes();
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size()) == 0;
}

TEST(Secret, refuses_bytes_that_cannot_be_one) {
  EXPECT_EQ(Secret::passphrase("").status().code(), ErrorCode::SecretInvalid);
  EXPECT_EQ(Secret::passphrase(std::string(1025, 'x')).status().code(), ErrorCode::SecretInvalid);
  EXPECT_EQ(Secret::key_file(std::string(31, 'x')).status().code(), ErrorCode::SecretInvalid);
  EXPECT_EQ(Secret::key_file(std::string(65537, 'x')).status().code(), ErrorCode::SecretInvalid);
  EXPECT_EQ(Secret::raw_key(std::string(31, 'x')).status().code(), ErrorCode::SecretInvalid);
  EXPECT_EQ(Secret::recovery_key("").status().code(), ErrorCode::SecretInvalid);
  EXPECT_TRUE(Secret::passphrase("x").has_value());
  EXPECT_TRUE(Secret::key_file(std::string(32, 'x')).has_value());
  EXPECT_TRUE(Secret::raw_key(std::string(32, 'x')).has_value());
  EXPECT_FALSE(static_cast<bool>(Secret()));
}

TEST(RecoveryKey, is_read_back_whatever_way_it_was_copied) {
  const NewRecoveryKey made = Secret::make_recovery_key().value();
  EXPECT_EQ(made.text.size(), 36u + 8u);
  std::string lower, bare;
  for (const char letter : made.text) {
    lower.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(letter))));
    if (letter != '-') bare.push_back(letter == '0' ? 'O' : letter == '1' ? 'l' : letter);
  }
  for (const std::string& text : {made.text, lower, bare, made.text + "\n"}) {
    const Result<Secret> read = Secret::recovery_key(text);
    ASSERT_TRUE(read.has_value()) << read.status().to_string();
    EXPECT_TRUE(same_bytes(*read, made.secret));
  }
}

TEST(RecoveryKey, finds_every_mistyped_letter) {
  const std::string text = Secret::make_recovery_key().value().text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '-') continue;
    for (const char other : {'7', 'Q', 'X'}) {
      if (text[i] == other) continue;
      std::string typed = text;
      typed[i] = other;
      EXPECT_EQ(Secret::recovery_key(typed).status().code(), ErrorCode::SecretInvalid) << i << other;
    }
  }
  EXPECT_FALSE(Secret::recovery_key(text.substr(1)).has_value());
  EXPECT_FALSE(Secret::recovery_key(text + "0").has_value());
  EXPECT_FALSE(Secret::recovery_key("U" + text.substr(1)).has_value());
}

TEST(RecoveryKey, is_another_one_each_time) {
  EXPECT_NE(Secret::make_recovery_key().value().text, Secret::make_recovery_key().value().text);
}

}  // namespace
}  // namespace vitrine
