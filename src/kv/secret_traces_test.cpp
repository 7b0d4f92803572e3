// SPDX-License-Identifier: MIT OR Apache-2.0
// What of the secrets is left in the memory of the process once a database is closed: nothing.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/codec.hpp"
#include "crypto/key_table.hpp"
#include "format/meta.hpp"
#include "kv/testing.hpp"
#include "os/secret_memory.hpp"

namespace vitrine::kv::testing {
namespace {

constexpr std::byte kMask{0x5a};

// Bytes to look for, kept so that the search does not find the one who searches.
class Wanted {
 public:
  explicit Wanted(std::span<const std::byte> bytes) {
    for (const std::byte byte : bytes) masked_.push_back(byte ^ kMask);
  }
  std::size_t size() const noexcept { return masked_.size(); }
  bool is_at(const std::byte* bytes) const noexcept {
    for (std::size_t i = 0; i < masked_.size(); ++i) {
      if ((bytes[i] ^ kMask) != masked_[i]) return false;
    }
    return true;
  }
  std::byte at(std::size_t index) const noexcept { return masked_[index] ^ kMask; }

 private:
  std::vector<std::byte> masked_;
};

std::uint64_t count_in(std::ifstream& memory, std::uint64_t begin, std::uint64_t end, const Wanted& wanted) {
  constexpr std::uint64_t kPiece = 1u << 20;
  std::uint64_t found = 0;
  std::vector<std::byte> piece(kPiece);
  for (std::uint64_t at = begin; at + wanted.size() <= end; at += kPiece - wanted.size() + 1) {
    memory.clear();
    memory.seekg(static_cast<std::streamoff>(at));
    memory.read(reinterpret_cast<char*>(piece.data()), static_cast<std::streamsize>(std::min(kPiece, end - at)));
    const auto got = static_cast<std::size_t>(memory.gcount());
    for (std::size_t i = 0; i + wanted.size() <= got; ++i) {
      if (piece[i] == wanted.at(0) && wanted.is_at(piece.data() + i)) ++found;
    }
  }
  os::wipe(piece.data(), piece.size());
  return found;
}

// Larger mappings are the shadow memory of a sanitizer, terabytes of almost nothing.
constexpr std::uint64_t kMappingMax = std::uint64_t{1} << 36;

// How often the bytes stand anywhere in the writable memory of this process.
std::uint64_t count_in_memory(const Wanted& wanted) {
  std::ifstream maps("/proc/self/maps");
  std::ifstream memory;
  memory.rdbuf()->pubsetbuf(nullptr, 0);  // no copies of what is read
  memory.open("/proc/self/mem", std::ios::binary);
  std::uint64_t found = 0;
  for (std::string line; std::getline(maps, line);) {
    std::uint64_t begin = 0, end = 0;
    char dash = 0;
    std::string access;
    std::istringstream(line) >> std::hex >> begin >> dash >> end >> access;
    if (access.starts_with("rw") && end - begin <= kMappingMax) found += count_in(memory, begin, end, wanted);
  }
  return found;
}

// Not a constant of the program, and never a std::string.
void fill_passphrase(std::span<std::byte> to) {
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<std::byte>('A' + (i * 7 + 3) % 53 % 26);
}

Bytes text_of(std::span<const std::byte> bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

Wanted master_key_of(const std::string& path, const Secret& secret) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::byte> area(format::kMetaAreaSize);
  file.read(reinterpret_cast<char*>(area.data()), static_cast<std::streamsize>(area.size()));
  const format::Meta meta = format::choose_meta(area).value().meta;
  return Wanted(crypto::Unlocker(secret).unlock(meta.keys).value().master.bytes());
}

TEST(SecretTraces, nothing_is_left_in_memory_after_close) {
  const os::testing::TemporaryDirectory directory{os::testing::memory_directory()};
  const std::string path = directory.path("a.vtr");
  constexpr std::size_t kSize = 40;
  std::optional<Wanted> passphrase, master;
  {
    Secret secret;
    {
      os::SecretArray<kSize> typed;
      fill_passphrase(typed);
      passphrase.emplace(std::span<const std::byte>(typed));
      secret = Secret::passphrase(text_of(typed)).value();
    }
    Options options = small_options();
    options.secret = secret;
    Database db = Database::open(path, OpenMode::CreateNew, options).value();
    ASSERT_TRUE(ok(db.put("key", "value")));
    ASSERT_TRUE(ok(db.checkpoint()));
    master.emplace(master_key_of(path, secret));
    // The search finds what is there.
    EXPECT_GT(count_in_memory(*passphrase), 0u);
    EXPECT_GT(count_in_memory(*master), 0u);
    EXPECT_TRUE(verifies_clean(db));
    ASSERT_TRUE(ok(db.close()));
  }
  EXPECT_EQ(count_in_memory(*passphrase), 0u);
  EXPECT_EQ(count_in_memory(*master), 0u);
}

TEST(SecretTraces, no_error_shows_a_secret) {
  const os::testing::TemporaryDirectory directory{os::testing::memory_directory()};
  Options options = small_options();
  options.secret = Secret::passphrase("a passphrase that is right").value();
  { ASSERT_TRUE(ok(Database::open(directory.path("a.vtr"), OpenMode::CreateNew, options))); }
  options.secret = Secret::passphrase("a passphrase that is wrong").value();
  const Status wrong = Database::open(directory.path("a.vtr"), OpenMode::MustExist, options).status();
  EXPECT_EQ(wrong.code(), ErrorCode::KeyMismatch);
  const std::string bad_recovery = "ABCD-NOTA-RECO-VERY";
  const Status invalid = Secret::recovery_key(bad_recovery).status();
  for (const Status& status : {wrong, invalid}) {
    EXPECT_EQ(status.to_string().find("passphrase that"), std::string::npos) << status.to_string();
    EXPECT_EQ(status.to_string().find("NOTA"), std::string::npos) << status.to_string();
  }
}

}  // namespace
}  // namespace vitrine::kv::testing
