// SPDX-License-Identifier: MIT OR Apache-2.0
#include "wal/scan.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "wal/segment_reader.hpp"

namespace vitrine::wal {
namespace {

using format::FrameType;
using format::FrameView;
using format::kFrameAlignment;
using format::kFrameHeaderSize;
using format::kLogBlockSize;
using format::kSegmentHeaderSize;

// The largest watermark in any frame from `from` on that verifies on its own. Slots are searched whatever their header
// says, because the header may be what was damaged or lost.
Result<Lsn> watermark_in(SegmentReader& reader, format::FileId file, Lsn from, const format::LogSeal* seal) {
  Lsn watermark = 0;
  for (std::size_t slot = 0; slot < reader.headers().size(); ++slot) {
    const std::span<const std::byte> bytes = TRY(reader.load(slot));
    for (std::size_t at = format::find_frame(bytes, kSegmentHeaderSize); at < bytes.size();) {
      const std::span<const std::byte> here = bytes.subspan(at);
      const std::optional<Lsn> lsn = format::peek_frame(here);
      std::optional<FrameView> frame;
      if (lsn && *lsn >= from && *lsn % reader.segment_size() == at) {
        frame = format::decode_frame(here, *lsn, file, seal);
      }
      if (frame) watermark = std::max(watermark, frame->header.durable);
      at = format::find_frame(bytes, at + (frame ? frame->size : kFrameAlignment));
    }
  }
  return watermark;
}

class Scanner {
 public:
  Scanner(SegmentReader& reader, const ScanRequest& request, const TransactionVisitor& visit)
      : reader_(reader), request_(request), visit_(visit), segment_size_(reader.segment_size()) {}

  Result<ScanResult> run();

 private:
  Status find_start();
  Result<bool> advance();
  Result<bool> advance_in_segment();
  Result<bool> advance_to_next_segment();
  Result<std::optional<FrameView>> next_frame(std::size_t slot, std::uint64_t segment, std::size_t offset);
  Status accept(const FrameView& frame);
  Status complete_transaction(const FrameView& frame);
  Status malformed(const FrameView& frame, std::string_view message) const;
  void fill_slots();

  SegmentReader& reader_;
  const ScanRequest& request_;
  const TransactionVisitor& visit_;
  const std::uint64_t segment_size_;
  std::uint64_t segment_ = 0;  // where the scan stands
  std::size_t slot_ = 0;       // the slot that holds it
  std::string parts_;          // payloads of the Part frames of a transaction not yet complete
  std::optional<std::uint64_t> parts_seq_;
  ScanResult result_;
};

Result<ScanResult> Scanner::run() {
  result_.start = request_.start.lsn;
  result_.end = request_.start;
  result_.complete = request_.start;
  result_.durable = request_.start.lsn;
  CHECK(find_start());
  for (;;) {
    while (TRY(advance())) {
    }
    const Lsn vouched = TRY(watermark_in(reader_, request_.file, result_.end.lsn, request_.seal));
    if (vouched <= result_.end.lsn) {
      result_.durable = std::max(result_.durable, vouched);
      break;
    }
    // What a later frame calls durable was written before that frame: a writer at work may have added both since the
    // stop. Whoever looks again and still finds nothing has found damage.
    CHECK(reader_.refresh());
    if (TRY(advance())) continue;
    result_.durable = std::max(result_.durable, vouched);
    result_.hole = true;
    if (!request_.stop_at_hole) break;
    return Status::error(ErrorCode::LogHole).with("lsn", result_.end.lsn).with("durable", result_.durable);
  }
  if (parts_seq_) result_.torn_tail = true;
  fill_slots();
  return std::move(result_);
}

// Finds the slot of the segment in which the start lies. Two slots may claim it when a crash lost the header written
// over a stale one; then the one in which the log goes on is right, and either when it does not.
Status Scanner::find_start() {
  const Lsn start = request_.start.lsn;
  const std::uint64_t in_segment = start % segment_size_;
  if (start == 0 || start % kFrameAlignment != 0 || (in_segment != 0 && in_segment < kSegmentHeaderSize)) {
    return Status::error(ErrorCode::LogMalformed, "impossible log position").with("lsn", start);
  }
  segment_ = (start - 1) / segment_size_;
  bool is_found = false;
  for (std::size_t slot = 0; slot < reader_.headers().size(); ++slot) {
    const auto& header = reader_.headers()[slot];
    if (!header || header->number != segment_) continue;
    const bool was_found = std::exchange(is_found, true);
    const std::size_t offset = start - segment_ * segment_size_;
    if (!was_found || TRY(next_frame(slot, segment_, offset)) ||
        TRY(next_frame(slot, segment_, base::align_up(offset, kLogBlockSize)))) {
      slot_ = slot;
    }
  }
  if (!is_found) return Status::error(ErrorCode::LogMissing).with("lsn", start).with("segment", segment_);
  result_.slots[segment_] = slot_;
  return {};
}

// Takes the next frame. False: there is none.
Result<bool> Scanner::advance() {
  if (TRY(advance_in_segment())) return true;
  return advance_to_next_segment();
}

Result<bool> Scanner::advance_in_segment() {
  const std::size_t offset = result_.end.lsn - segment_ * segment_size_;
  const std::size_t block = base::align_up(offset, kLogBlockSize);
  for (const std::size_t at : {offset, block}) {
    const std::optional<FrameView> frame = TRY(next_frame(slot_, segment_, at));
    if (!frame) continue;
    CHECK(accept(*frame));
    return true;
  }
  // A sync leaves zeros up to the block boundary, and no frame header but the next one carries the next LSN.
  const std::span<const std::byte> bytes = TRY(reader_.load(slot_));
  const std::size_t rest_begin = std::min(offset, bytes.size());
  const std::size_t rest_end = std::min(block, bytes.size());
  result_.torn_tail = std::any_of(bytes.begin() + static_cast<std::ptrdiff_t>(rest_begin),
                                  bytes.begin() + static_cast<std::ptrdiff_t>(rest_end),
                                  [](std::byte byte) { return byte != std::byte{0}; }) ||
                      format::peek_frame(bytes.subspan(rest_end)) == segment_ * segment_size_ + block;
  return false;
}

Result<bool> Scanner::advance_to_next_segment() {
  for (std::size_t slot = 0; slot < reader_.headers().size(); ++slot) {
    const auto& header = reader_.headers()[slot];
    if (!header || header->number != segment_ + 1 || header->chain != result_.end.chain) continue;
    const std::optional<FrameView> frame = TRY(next_frame(slot, segment_ + 1, kSegmentHeaderSize));
    if (!frame) {
      result_.torn_tail = true;  // the segment was begun
      continue;
    }
    slot_ = slot;
    result_.slots[++segment_] = slot;
    CHECK(accept(*frame));
    return true;
  }
  return false;
}

// The frame at `offset` of `slot` if it verifies there and continues the chain. Points into the loaded slot.
Result<std::optional<FrameView>> Scanner::next_frame(std::size_t slot, std::uint64_t segment, std::size_t offset) {
  const std::span<const std::byte> bytes = TRY(reader_.load(slot));
  if (offset + kFrameHeaderSize > bytes.size()) return std::optional<FrameView>{};
  std::optional<FrameView> frame =
      format::decode_frame(bytes.subspan(offset), segment * segment_size_ + offset, request_.file, request_.seal);
  if (frame && frame->header.chain != result_.end.chain) frame.reset();
  return frame;
}

Status Scanner::malformed(const FrameView& frame, std::string_view message) const {
  return Status::error(ErrorCode::LogMalformed, message).with("lsn", frame.header.lsn);
}

Status Scanner::accept(const FrameView& frame) {
  static constexpr std::uint8_t kZeros[3] = {};
  if (std::memcmp(frame.header.zero, kZeros, sizeof kZeros) != 0 || frame.header.zero2 != 0) {
    return malformed(frame, "a reserved field of a log frame is set");
  }
  if (parts_seq_ && frame.header.type != FrameType::Open && frame.header.commit_seq != *parts_seq_) {
    return malformed(frame, "the parts of two transactions are mixed");
  }
  switch (frame.header.type) {
    case FrameType::Open:  // what the session before left incomplete stays without effect
      parts_.clear();
      parts_seq_.reset();
      break;
    case FrameType::Part:
      if (parts_.size() + frame.payload.size() > kLogPayloadMax) return malformed(frame, "a transaction is too large");
      parts_.append(frame.payload);
      parts_seq_ = frame.header.commit_seq;
      break;
    case FrameType::Transaction:
      CHECK(complete_transaction(frame));
      break;
    case FrameType::Seal:
      if (parts_seq_) return malformed(frame, "a seal stands inside a transaction");
      break;
    default:
      return malformed(frame, "a log frame has an unknown type");
  }
  result_.end = {frame.header.lsn + frame.size, frame.header.tag_low};
  if (!parts_seq_) result_.complete = result_.end;
  result_.durable = std::max(result_.durable, frame.header.durable);
  return {};
}

Status Scanner::complete_transaction(const FrameView& frame) {
  const Lsn end = frame.header.lsn + frame.size;
  if (parts_seq_) {
    if (parts_.size() + frame.payload.size() > kLogPayloadMax) return malformed(frame, "a transaction is too large");
    parts_.append(frame.payload);
    CHECK(visit_(frame.header.commit_seq, end, parts_));
    parts_ = {};  // may be large
    parts_seq_.reset();
  } else {
    CHECK(visit_(frame.header.commit_seq, end, frame.payload));
  }
  result_.last_commit_seq = frame.header.commit_seq;
  ++result_.transactions;
  return {};
}

void Scanner::fill_slots() {
  result_.segment_size = static_cast<std::uint32_t>(segment_size_);
  result_.slot_count = reader_.headers().size();
  for (std::size_t slot = 0; slot < reader_.headers().size(); ++slot) {
    if (reader_.headers()[slot]) result_.slots.emplace(reader_.headers()[slot]->number, slot);
  }
}

}  // namespace

Result<ScanResult> scan_log(os::File& log, const ScanRequest& request, const TransactionVisitor& visit) {
  SegmentReader reader = TRY(SegmentReader::open(log, request.file));
  return Scanner(reader, request, visit).run();
}

Result<Lsn> watermark_behind(os::File& log, format::FileId file, Lsn from, const format::LogSeal* seal) {
  SegmentReader reader = TRY(SegmentReader::open(log, file));
  return watermark_in(reader, file, from, seal);
}

std::uint64_t log_owner(os::File& log) {
  std::uint64_t process_id = 0;
  const Result<std::size_t> got = log.read_at(format::kLogFileHeaderSize, &process_id, sizeof process_id);
  return got && *got == sizeof process_id ? process_id : 0;
}

}  // namespace vitrine::wal
