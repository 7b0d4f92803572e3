// SPDX-License-Identifier: MIT OR Apache-2.0
#include "wal/segment_reader.hpp"

#include <algorithm>
#include <array>

#include "base/try.hpp"

namespace vitrine::wal {

using format::kLogSlotsOffset;

Result<SegmentReader> SegmentReader::open(os::File& log, format::FileId id) {
  std::array<std::byte, format::kLogFileHeaderSize> block;
  const std::size_t got = TRY(log.read_at(0, block.data(), block.size()));
  const format::LogFileHeader header = TRY(format::decode_log_file_header(std::span(block).first(got)));
  if (header.file != id) return Status::error(ErrorCode::LogForeign);
  SegmentReader reader(log, id, header.segment_size);
  CHECK(reader.refresh());
  return reader;
}

Status SegmentReader::refresh() {
  const std::uint64_t size = TRY(log_->size());
  const std::uint64_t slots_size = size > kLogSlotsOffset ? size - kLogSlotsOffset : 0;
  headers_.assign((slots_size + segment_size_ - 1) / segment_size_, std::nullopt);
  loaded_.reset();
  std::array<std::byte, format::kSegmentHeaderSize> block;
  for (std::size_t slot = 0; slot < headers_.size(); ++slot) {
    const std::size_t got = TRY(log_->read_at(kLogSlotsOffset + slot * segment_size_, block.data(), block.size()));
    headers_[slot] = format::decode_segment_header(std::span(block).first(got), id_);
  }
  return {};
}

Result<std::span<const std::byte>> SegmentReader::load(std::size_t slot) {
  if (loaded_ != slot) {
    loaded_.reset();
    const std::uint64_t offset = kLogSlotsOffset + slot * segment_size_;
    const std::uint64_t size = TRY(log_->size());
    bytes_.resize(size > offset ? std::min<std::uint64_t>(segment_size_, size - offset) : 0);
    bytes_.resize(TRY(log_->read_at(offset, bytes_.data(), bytes_.size())));
    loaded_ = slot;
  }
  return std::span<const std::byte>(bytes_);
}

}  // namespace vitrine::wal
