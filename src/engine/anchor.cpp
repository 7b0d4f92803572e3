// SPDX-License-Identifier: MIT OR Apache-2.0
#include "engine/anchor.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <type_traits>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "engine/draft_file.hpp"
#include "format/checksum.hpp"

namespace vitrine::engine {
namespace {

constexpr std::array<char, 8> kMagic = {'V', 'T', 'R', 'A', 'N', 'C', 'H', '\n'};
constexpr std::uint32_t kVersion = 1;
constexpr std::uint64_t kRecordDistance = 4096;
constexpr std::uint64_t kFileSize = 2 * kRecordDistance;

struct Record {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t zero;
  std::uint64_t number;
  std::uint64_t seq;
  std::uint64_t session;
  std::array<std::byte, 456> reserved;
  format::Checksum sum;
};
static_assert(sizeof(Record) == 512 && std::is_trivially_copyable_v<Record> && offsetof(Record, number) == 16 &&
              offsetof(Record, seq) == 24 && offsetof(Record, session) == 32 && offsetof(Record, sum) == 496);

Status write_record(os::File& file, std::uint64_t number, const CommitToken& token) {
  Record record{kMagic, kVersion, 0, number, token.seq, token.session, {}, {}};
  record.sum = format::checksum(&record, offsetof(Record, sum));
  const os::IoSlice slice{&record, sizeof record};
  CHECK(file.write_at(number % 2 * kRecordDistance, {&slice, 1}));
  return file.sync();
}

struct Found {
  std::uint64_t number = 0;
  CommitToken token;
};

Result<Found> newest_record(os::File& file, const std::string& path) {
  Found newest;
  for (unsigned place = 0; place < 2; ++place) {
    std::array<std::byte, sizeof(Record)> bytes{};
    const std::size_t got = TRY(file.read_at(place * kRecordDistance, bytes.data(), bytes.size()));
    const auto record = base::load<Record>(bytes.data());
    if (got < bytes.size() || record.magic != kMagic) continue;
    if (!(record.sum == format::checksum(bytes.data(), offsetof(Record, sum)))) continue;
    if (record.version != kVersion) return Status::error(ErrorCode::VersionUnsupported).with("path", path);
    if (record.number % 2 == place && record.number > newest.number) {
      newest = {record.number, {record.seq, record.session}};
    }
  }
  if (newest.number == 0) return Status::error(ErrorCode::AnchorDamaged).with("path", path);
  return newest;
}

Status make_file(os::Env& env, const std::string& path, const CommitToken& token) {
  DraftFile draft = TRY(DraftFile::of(env, path));
  {
    const std::unique_ptr<os::File> file = TRY(env.open(draft.name(), os::OpenMode::CreateNew));
    CHECK(file->reserve(0, kFileSize));
    CHECK(write_record(*file, 1, token));
  }
  return draft.publish();
}

}  // namespace

Result<std::optional<CommitToken>> Anchor::read(os::Env& env, const std::string& path) {
  const Result<std::unique_ptr<os::File>> file = env.open(path, os::OpenMode::ReadOnly);
  if (!file.has_value() && file.status().code() == ErrorCode::FileNotFound) return std::optional<CommitToken>();
  if (!file.has_value()) return file.status();
  return std::optional(TRY(newest_record(**file, path)).token);
}

Result<std::unique_ptr<Anchor>> Anchor::open(os::Env& env, const std::string& path, const CommitToken& token) {
  if (!TRY(env.exists(path))) CHECK(make_file(env, path, token));
  std::unique_ptr<os::File> file = TRY(env.open(path, os::OpenMode::ReadWrite));
  std::unique_ptr<Anchor> anchor(new Anchor(std::move(file)));
  const Result<Found> found = newest_record(*anchor->file_, path);
  if (found.has_value()) {
    anchor->number_ = found->number;
    anchor->token_ = found->token;
  } else if (found.status().code() != ErrorCode::AnchorDamaged) {
    return found.status();
  }
  CHECK(anchor->move_to(token));
  return anchor;
}

Status Anchor::move_to(const CommitToken& token) {
  if (token == token_ && number_ > 0) return {};
  CHECK(write_record(*file_, number_ + 1, token));
  ++number_;
  token_ = token;
  return {};
}

}  // namespace vitrine::engine
