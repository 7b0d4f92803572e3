// SPDX-License-Identifier: MIT OR Apache-2.0
// Making a log file, and going on with one that was read.
#include <algorithm>
#include <array>
#include <new>
#include <vector>

#include "base/assert.hpp"
#include "base/codec.hpp"
#include "base/try.hpp"
#include "wal/log.hpp"
#include "wal/scan.hpp"
#include "wal/segment_reader.hpp"

namespace vitrine::wal {
namespace {

using format::kLogBlockSize;

constexpr std::uint64_t kSegmentCountMin = 4;
constexpr std::size_t kBufferSizeMin = 64u << 10;

Status check_options(const LogOptions& options) {
  if (!format::is_segment_size(options.segment_size)) {
    return Status::error(ErrorCode::ArgumentInvalid, "segment size of the log").with("value", options.segment_size);
  }
  if (options.size_max / options.segment_size < kSegmentCountMin) {
    return Status::error(ErrorCode::ArgumentInvalid, "the log needs room for four segments")
        .with("value", options.size_max);
  }
  if (options.buffer_size < kBufferSizeMin) {
    return Status::error(ErrorCode::ArgumentInvalid, "buffer of the log").with("value", options.buffer_size);
  }
  return {};
}

Status write_block(os::File& file, std::uint64_t offset, std::span<const std::byte> block) {
  const os::IoSlice slice{block.data(), block.size()};
  return file.write_at(offset, {&slice, 1});
}

// Writes [from, to) of the file again as it is, except that everything from `zero_from` on becomes zero.
Status rewrite(os::File& file, std::uint64_t from, std::uint64_t to, std::uint64_t zero_from) {
  std::vector<std::byte> bytes(std::min<std::uint64_t>(to - from, 1u << 20));
  while (from < to) {
    const std::size_t size = std::min<std::uint64_t>(bytes.size(), to - from);
    const std::size_t got = TRY(file.read_at(from, bytes.data(), size));
    if (got < size && from + got < zero_from) return Status::error(ErrorCode::FileTruncated).with("offset", from + got);
    const std::size_t kept = std::min<std::uint64_t>(size, zero_from > from ? zero_from - from : 0);
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(kept), bytes.end(), std::byte{0});
    CHECK(write_block(file, from, std::span(bytes).first(size)));
    from += size;
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Log>> Log::create(os::Env& env, const std::string& path, format::FileId file, LogPosition start,
                                         const LogOptions& options) {
  CHECK(check_options(options));
  VITRINE_ASSERT(start.lsn % options.segment_size == format::kSegmentHeaderSize);
  const std::string new_path = path + ".new";
  if (TRY(env.exists(new_path))) CHECK(env.remove(new_path));
  std::unique_ptr<os::File> handle = TRY(env.open(new_path, os::OpenMode::CreateNew));
  std::unique_ptr<Log> log;
  Status status;
  try {
    log.reset(new Log(env, std::move(handle), file, options));
    status = log->make_file(start);
  } catch (const std::bad_alloc&) {
    status = Status::out_of_memory();
  }
  // A crash up to here leaves a stray `.new` file; after the rename either name may be found until the directory is
  // durable, and the old log, if there was one, is whole until then.
  if (status.is_ok()) status = env.rename(new_path, path);
  if (!status.is_ok()) {
    (void)env.remove(new_path);
    return status;
  }
  CHECK(env.sync_directory_of(path));
  return log;
}

Status Log::make_file(LogPosition start) {
  std::array<std::byte, format::kLogFileHeaderSize> block;
  format::encode_log_file_header({segment_size_, id_}, block.data());
  CHECK(write_block(*file_, 0, block));
  write_owner(env_.process_id());
  CHECK(slots_.grow());
  CHECK(slots_.grow());
  const std::uint64_t number = start.lsn / segment_size_;
  const std::uint64_t slot_offset = slots_.take(number);
  format::encode_segment_header({number, start.chain, id_}, block.data());
  CHECK(write_block(*file_, slot_offset, block));
  CHECK(file_->sync());
  start_at(start, slot_offset);
  return {};
}

Result<std::unique_ptr<Log>> Log::resume(os::Env& env, std::unique_ptr<os::File> file, const ScanResult& scan,
                                         format::FileId id, const LogOptions& options) {
  VITRINE_ASSERT(!scan.hole);
  LogOptions fitting = options;
  fitting.segment_size = scan.segment_size;
  fitting.size_max = std::max(options.size_max, kSegmentCountMin * scan.segment_size);
  CHECK(check_options(fitting));
  std::unique_ptr<Log> log(new Log(env, std::move(file), id, fitting));
  CHECK(log->take_over(scan));
  return log;
}

Status Log::take_over(const ScanResult& scan) {
  SegmentReader reader = TRY(SegmentReader::open(*file_, id_));
  const std::uint64_t first = (scan.start - 1) / segment_size_;
  const std::uint64_t last = (scan.end.lsn - 1) / segment_size_;
  std::vector<std::uint64_t> live;
  for (std::uint64_t number = first; number <= last; ++number) {
    const auto found = scan.slots.find(number);
    VITRINE_ASSERT(found != scan.slots.end());
    live.push_back(found->second);
  }
  CHECK(slots_.restore(reader.headers(), live));
  write_owner(env_.process_id());

  // From the last proven byte to the end, segment headers between included; then zeros up to the block boundary.
  const Lsn from = std::min(scan.durable, scan.end.lsn) / kLogBlockSize * kLogBlockSize;
  const Lsn to = base::align_up(scan.end.lsn, kLogBlockSize);
  for (Lsn at = from; at < to;) {
    const std::uint64_t number = at / segment_size_;
    const Lsn part_end = std::min<Lsn>(to, (number + 1) * segment_size_);
    const std::uint64_t origin = slots_.offset_of(scan.slots.at(number)) - number * segment_size_;
    CHECK(rewrite(*file_, origin + at, origin + part_end, origin + scan.end.lsn));
    at = part_end;
  }
  CHECK(file_->sync());
  start_at(scan.end, slots_.offset_of(scan.slots.at(last)));
  commit_seq_ = scan.last_commit_seq;
  vouched_ = std::min(scan.durable, scan.end.lsn);
  return {};
}

}  // namespace vitrine::wal
