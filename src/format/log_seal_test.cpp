// SPDX-License-Identifier: MIT OR Apache-2.0
#include "format/log_seal.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace vitrine::format {
namespace {

constexpr FileId kFile{1, 2};
constexpr Lsn kLsn = 8192;
const std::string kPayload = "a payload that nobody else may read";

std::unique_ptr<LogSeal> seal_of(std::uint8_t salt, std::uint8_t master = 1,
                                 std::uint64_t bytes_max = crypto::UsageCeiling::kBytesMax) {
  const std::array<std::byte, 32> key{std::byte{master}};
  auto ring = crypto::KeyRing::make(key, Cipher::Aes256Gcm, 1, std::as_bytes(std::span(&kFile, 1))).value();
  return LogSeal::make(std::move(ring), crypto::Salt{std::byte{salt}}, bytes_max).value();
}

std::vector<std::byte> frame_of(const LogSeal& seal, Bytes payload, Lsn lsn = kLsn) {
  std::vector<std::byte> frame(frame_size(payload.size() + kFrameSaltSize));
  EXPECT_TRUE(
      write_sealed_frame(frame.data(), {FrameType::Transaction, lsn, 7, 64, 0xc4a1}, payload, seal).has_value());
  return frame;
}

TEST(SealedFrame, is_read_back_in_another_session) {
  for (const std::string& payload : {std::string(), kPayload, std::string(70'000, 'x')}) {
    const std::vector<std::byte> frame = frame_of(*seal_of(1), payload);
    const auto view = decode_frame(frame, kLsn, kFile, seal_of(2).get());
    ASSERT_TRUE(view.has_value());
    EXPECT_EQ(view->payload, payload);
    EXPECT_EQ(view->size, frame.size());
    EXPECT_EQ(view->header.commit_seq, 7u);
    EXPECT_EQ(view->header.chain, 0xc4a1u);
    const std::string bytes(reinterpret_cast<const char*>(frame.data()), frame.size());
    EXPECT_TRUE(payload.empty() || bytes.find(payload.substr(0, 20)) == std::string::npos);
  }
}

TEST(SealedFrame, refuses_every_flipped_bit) {
  const auto seal = seal_of(1);
  const std::vector<std::byte> frame = frame_of(*seal, kPayload);
  const std::size_t covered = kFrameHeaderSize + kFrameSaltSize + kPayload.size();
  for (std::size_t bit = 0; bit < covered * 8; ++bit) {
    std::vector<std::byte> forged = frame;
    forged[bit / 8] ^= static_cast<std::byte>(1u << bit % 8);
    EXPECT_FALSE(decode_frame(forged, kLsn, kFile, seal.get()).has_value()) << bit;
  }
}

TEST(SealedFrame, is_no_frame_at_another_place_or_under_other_keys_or_none) {
  const auto seal = seal_of(1);
  const std::vector<std::byte> frame = frame_of(*seal, kPayload);
  EXPECT_TRUE(decode_frame(frame, kLsn, kFile, seal.get()).has_value());
  EXPECT_FALSE(decode_frame(frame, kLsn + 8, kFile, seal.get()).has_value());
  EXPECT_FALSE(decode_frame(frame, kLsn, kFile, seal_of(1, 2).get()).has_value());
  EXPECT_FALSE(decode_frame(frame, kLsn, kFile).has_value());
  for (std::size_t cut = 0; cut < frame.size(); ++cut) {
    EXPECT_FALSE(decode_frame(std::span(frame).first(cut), kLsn, kFile, seal.get()).has_value());
  }
  std::string plain;
  append_frame(plain, FrameType::Transaction, kLsn, 7, 64, 0, kPayload, kFile);
  plain.append(64, '\0');
  EXPECT_FALSE(decode_frame(std::as_bytes(std::span(plain)), kLsn, kFile, seal.get()).has_value());
}

TEST(SealedFrame, is_refused_above_the_ceiling) {
  const auto seal = seal_of(1, 1, 100);
  EXPECT_EQ(seal->check_room(101).code(), ErrorCode::KeyExhausted);
  std::vector<std::byte> frame(4096);
  const FrameFields fields{FrameType::Transaction, kLsn, 7, 64, 0};
  EXPECT_EQ(write_sealed_frame(frame.data(), fields, std::string(100, 'x'), *seal).status().code(),
            ErrorCode::KeyExhausted);
}

}  // namespace
}  // namespace vitrine::format
