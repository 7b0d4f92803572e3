// SPDX-License-Identifier: MIT OR Apache-2.0
#include "crypto/sealed_stream.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/prng.hpp"

namespace vitrine::crypto {
namespace {

using Chunk = std::vector<std::byte>;

struct SealedChunk {
  Chunk bytes;
  Tag tag;
  bool is_last;
};

SealedStream stream_with(Cipher cipher, std::byte letter) {
  std::array<std::byte, kKeySize> key;
  key.fill(letter);
  return SealedStream::create(cipher, key).value();
}

std::vector<Chunk> chunks_of(std::size_t whole, std::size_t rest) {
  base::Prng random(whole * 7 + rest);
  std::vector<Chunk> chunks(whole + 1, Chunk(SealedStream::kChunkSize));
  chunks.back().resize(rest);
  for (Chunk& chunk : chunks) {
    for (std::byte& byte : chunk) byte = static_cast<std::byte>(random.next());
  }
  return chunks;
}

std::vector<SealedChunk> sealed(const std::vector<Chunk>& chunks, Cipher cipher, std::byte key) {
  SealedStream stream = stream_with(cipher, key);
  std::vector<SealedChunk> result;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    SealedChunk& next = result.emplace_back(SealedChunk{chunks[i], {}, i + 1 == chunks.size()});
    EXPECT_TRUE(stream.seal(next.bytes, next.is_last, next.tag).is_ok());
  }
  return result;
}

// How many chunks of `row` open before one does not.
std::size_t opened(const std::vector<SealedChunk>& row, Cipher cipher, std::byte key,
                   std::vector<Chunk>* out = nullptr) {
  SealedStream stream = stream_with(cipher, key);
  std::size_t count = 0;
  for (const SealedChunk& chunk : row) {
    Chunk bytes = chunk.bytes;
    if (!stream.open(bytes, chunk.is_last, chunk.tag)) {
      EXPECT_TRUE(std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; }));
      return count;
    }
    if (out != nullptr) out->push_back(bytes);
    ++count;
    if (chunk.is_last) break;
  }
  return count;
}

class SealedStreamTest : public ::testing::TestWithParam<Cipher> {};
INSTANTIATE_TEST_SUITE_P(Ciphers, SealedStreamTest, ::testing::Values(Cipher::Aes256Gcm, Cipher::ChaCha20Poly1305));

constexpr std::byte kKey{7};

TEST_P(SealedStreamTest, gives_back_what_was_sealed) {
  for (const std::size_t rest : {std::size_t{0}, std::size_t{1}, SealedStream::kChunkSize}) {
    const std::vector<Chunk> chunks = chunks_of(3, rest);
    std::vector<Chunk> found;
    EXPECT_EQ(opened(sealed(chunks, GetParam(), kKey), GetParam(), kKey, &found), 4u);
    EXPECT_EQ(found, chunks);
  }
}

TEST_P(SealedStreamTest, opens_nothing_behind_a_change_of_any_kind) {
  const std::vector<SealedChunk> whole = sealed(chunks_of(4, 100), GetParam(), kKey);
  const std::vector<SealedChunk> other = sealed(chunks_of(4, 99), GetParam(), std::byte{8});
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const auto expect_open = [&](std::size_t count, const std::vector<SealedChunk>& row) {
      EXPECT_EQ(opened(row, GetParam(), kKey), count) << i;
    };
    std::vector<SealedChunk> row = whole;
    row[i].bytes[i * 17] ^= std::byte{1};
    expect_open(i, row);
    row = whole;
    row[i].tag[i] ^= std::byte{0x80};
    expect_open(i, row);
    row = whole;
    row[i].is_last = !row[i].is_last;  // cut here, or said to go on
    expect_open(i, row);
    row = whole;
    row[i] = other[i];
    expect_open(i, row);
    row = whole;
    row.insert(row.begin() + static_cast<std::ptrdiff_t>(i), whole[(i + 1) % whole.size()]);
    expect_open(i, row);
    row = whole;
    row.erase(row.begin() + static_cast<std::ptrdiff_t>(i));
    expect_open(i, row);
  }
  EXPECT_EQ(opened(whole, GetParam(), std::byte{9}), 0u);
}

// The nonce is part of the format: whoever reads it elsewhere computes this.
TEST_P(SealedStreamTest, seals_with_the_number_of_the_chunk_and_a_mark_on_the_last) {
  const std::vector<Chunk> chunks = chunks_of(1, 10);
  const std::vector<SealedChunk> row = sealed(chunks, GetParam(), kKey);
  std::array<std::byte, kKeySize> key;
  key.fill(kKey);
  const auto aead = AeadKey::create(GetParam(), key).value();
  Chunk first = row[0].bytes, last = row[1].bytes;
  EXPECT_TRUE(aead->open(Nonce{}, {}, first, row[0].tag));
  Nonce nonce{};
  nonce[0] = std::byte{1};
  nonce[11] = std::byte{1};
  EXPECT_TRUE(aead->open(nonce, {}, last, row[1].tag));
  EXPECT_EQ((std::vector<Chunk>{first, last}), chunks);
}

}  // namespace
}  // namespace vitrine::crypto
