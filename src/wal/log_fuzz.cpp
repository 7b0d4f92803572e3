// SPDX-License-Identifier: MIT OR Apache-2.0
// Feeds arbitrary files to the scan of a log and to the reader of operations. Most inputs would end at a checksum, so
// the input is a recipe: a sound log is built, then the bytes of the input are laid over it, and those frames and
// headers that the input asks for are given fitting checksums.
//
// Checked: no crash; the scan ends where it says, in frames that verify; scanning again gives the same; a log that the
// scan accepts can be gone on with, and then holds the same transactions.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/codec.hpp"
#include "format/checksum.hpp"
#include "os/memory_env.hpp"
#include "wal/testing.hpp"

namespace {

using namespace vitrine;
using namespace vitrine::wal;

void require(bool condition) {
  if (!condition) std::abort();
}

void read_operations(Bytes payload) {
  Result<format::OperationReader> reader = format::OperationReader::open(payload);
  while (reader) {
    const Result<std::optional<format::Operation>> operation = reader->next();
    if (!operation || !*operation) return;
  }
}

// A file header, an owner block and three slots, the first two with a few frames.
std::string sound_log() {
  std::string log(format::kLogSlotsOffset + 3 * testing::kSegmentSize, '\0');
  auto* bytes = reinterpret_cast<std::byte*>(log.data());
  format::encode_log_file_header({testing::kSegmentSize, testing::kFile}, bytes);
  std::uint64_t chain = testing::kStart.chain;
  Lsn durable = testing::kStart.lsn;
  for (std::uint64_t i = 0; i < 2; ++i) {
    const std::uint64_t number = testing::kStart.lsn / testing::kSegmentSize + i;
    std::byte* slot = bytes + format::kLogSlotsOffset + i * testing::kSegmentSize;
    format::encode_segment_header({number, chain, testing::kFile}, slot);
    std::string frames;
    for (std::uint64_t seq = 1; seq <= 3; ++seq) {
      const Lsn lsn = number * testing::kSegmentSize + format::kSegmentHeaderSize + frames.size();
      chain = format::append_frame(frames, format::FrameType::Transaction, lsn, i * 3 + seq, durable, chain,
                                   std::string_view("\1\1\1k\1v", 6), testing::kFile);
      durable = lsn + format::frame_size(6);
    }
    std::memcpy(slot + format::kSegmentHeaderSize, frames.data(), frames.size());
  }
  return log;
}

// Makes the bytes at `offset` a frame that verifies, where its own header says how long it is.
void make_frame_verify(std::string& log, std::size_t offset) {
  if (offset + format::kFrameHeaderSize > log.size()) return;
  auto header = base::load<format::FrameHeader>(log.data() + offset);
  header.payload_size = static_cast<std::uint32_t>(header.payload_size % (log.size() - offset - 63));
  base::store(log.data() + offset, header);
  const std::string covered =
      log.substr(offset, 48) + log.substr(offset + format::kFrameHeaderSize, header.payload_size);
  base::store(log.data() + offset + 48,
              format::checksum(covered.data(), covered.size(), format::checksum_seed(testing::kFile)));
}

void make_block_verify(std::string& log, std::size_t offset) {
  if (offset + 4096 > log.size()) return;
  base::store(log.data() + offset + 4080, format::checksum(log.data() + offset, 4080));
}

// Steps of 4 bytes and data: what to do, how many bytes, at which offset (in units of 8).
std::string build(const std::uint8_t* data, std::size_t size) {
  std::string log = sound_log();
  while (size >= 4) {
    const unsigned action = data[0] % 5;
    const std::size_t length = std::min<std::size_t>(data[1], size - 4);
    const std::size_t offset = base::load<std::uint16_t>(data + 2) * std::size_t{8} % log.size();
    const std::size_t fitting = std::min(length, log.size() - offset);
    std::memcpy(log.data() + offset, data + 4, fitting);
    if (action == 1) make_frame_verify(log, offset);
    if (action == 2) make_block_verify(log, offset / 4096 * 4096);
    if (action == 3) log.resize(std::max<std::size_t>(offset, 1));
    if (action == 4) log.resize(std::min<std::size_t>(log.size() + 4096, 1u << 20));
    data += 4 + length;
    size -= 4 + length;
  }
  return log;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  read_operations(Bytes(reinterpret_cast<const char*>(data), size));

  const std::string log = build(data, size);
  const std::unique_ptr<os::Env> env = os::make_memory_env();
  std::unique_ptr<os::File> file = env->open(testing::kPath, os::OpenMode::CreateNew).value();
  const os::IoSlice slice{log.data(), log.size()};
  require(file->write_at(0, {&slice, 1}).is_ok());
  const testing::Scanned first = testing::scan(*file, testing::kStart, false);
  if (!first.status.is_ok()) return 0;
  for (const auto& [commit_seq, payload] : first.transactions) read_operations(payload);
  require(first.result.end.lsn >= testing::kStart.lsn && first.result.durable >= testing::kStart.lsn);
  require(first.result.hole == (first.result.durable > first.result.end.lsn));
  const testing::Scanned strict = testing::scan(*file);
  require(strict.status.code() == (first.result.hole ? ErrorCode::LogHole : ErrorCode::Ok));
  if (first.result.hole) return 0;

  LogOptions options = testing::small_options();
  options.size_max = 64u << 20;
  const std::unique_ptr<Log> resumed =
      Log::resume(*env, std::move(file), first.result, testing::kFile, options).value();
  const std::array<std::byte, 16> random{};
  require(resumed->append_open(1, 0, random).is_ok());
  require(testing::put(*resumed, 99, "more").has_value());
  require(resumed->seal().is_ok());
  testing::Scanned again = testing::scan(*env);
  require(again.status.is_ok());
  require(again.transactions.back() == testing::Transaction(99, "more"));
  again.transactions.pop_back();
  require(again.transactions == first.transactions);
  return 0;
}
