// SPDX-License-Identifier: MIT OR Apache-2.0
// The log as it lies in its file: slots, and frames that verify from a position on. It shows what is there; whether
// that adds up to whole transactions is for `verify` to say.
#include <algorithm>
#include <map>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "inspect/views.hpp"
#include "wal/scan.hpp"
#include "wal/segment_reader.hpp"

namespace vitrine::inspect {
namespace {

using format::FrameType;
using format::FrameView;
using format::Lsn;

std::string_view frame_type_name(FrameType type) noexcept {
  switch (type) {
    case FrameType::Open:
      return "open";
    case FrameType::Transaction:
      return "transaction";
    case FrameType::Part:
      return "part";
    case FrameType::Seal:
      return "seal";
  }
  return "unknown";
}

Value operation_value(const format::Operation& operation, Disclosure disclosure) {
  const bool is_put = operation.type == format::OperationType::Put;
  const bool is_range = operation.type == format::OperationType::EraseRange;
  Value value = Value::object().add("type", is_put ? "put" : is_range ? "erase_range" : "erase");
  add_tree_key(value, operation.key, disclosure);
  if (is_put) {
    value.add("record_size", std::uint64_t{operation.value.size()});
    if (disclosure == Disclosure::Values) value.add("record", bytes_value(operation.value.substr(0, 4096)));
  }
  return value;
}

// Operations of a transaction in one frame; of one in several frames, only their payload sizes are told.
Value operations_value(const FrameView& frame, const Request& request) {
  if (frame.header.type != FrameType::Transaction) return {};
  Result<format::OperationReader> reader = format::OperationReader::open(frame.payload);
  if (!reader.has_value()) return {};
  Value::List rows;
  while (rows.size() < request.limit) {
    const Result<std::optional<format::Operation>> operation = reader->next();
    if (!operation.has_value()) return {};
    if (!operation->has_value()) break;
    rows.push_back(operation_value(**operation, request.disclosure));
  }
  return rows;
}

class LogLister {
 public:
  LogLister(SourceFile& source, const Request& request, wal::SegmentReader reader)
      : source_(source), request_(request), reader_(std::move(reader)) {}

  Result<Value> run(Lsn from) {
    Value::List slots;
    for (std::size_t slot = 0; slot < reader_.headers().size(); ++slot) {
      const auto& header = reader_.headers()[slot];
      slots.push_back(
          Value::object().add("slot", std::uint64_t{slot}).add("segment", header ? Value(header->number) : Value()));
      if (header && (header->number + 1) * reader_.segment_size() > from) by_segment_.emplace(header->number, slot);
    }
    for (const auto& [segment, slot] : by_segment_) {
      if (next_) break;
      CHECK(list_segment(segment, slot, from));
    }
    return Value::object()
        .add("present", true)
        .add("sealed", !source_.check_unlocked().is_ok())
        .add("bytes", TRY(source_.log()->size()))
        .add("owner_process", wal::log_owner(*source_.log()))
        .add("segment_size", reader_.segment_size())
        .add("from", from)
        .add("next", next_ ? Value(*next_) : Value())
        .add("slots", std::move(slots))
        .add("frames", std::move(frames_));
  }

 private:
  Status list_segment(std::uint64_t segment, std::size_t slot, Lsn from) {
    const std::span<const std::byte> bytes = TRY(reader_.load(slot));
    const Lsn begin = segment * reader_.segment_size();
    std::size_t at = format::kSegmentHeaderSize;
    while (at + format::kFrameHeaderSize <= bytes.size()) {
      const std::optional<FrameView> frame =
          format::decode_frame(bytes.subspan(at), begin + at, source_.file_id(), source_.log_seal());
      if (!frame) {
        // A sync ends at a block boundary, and the next frame begins there.
        at = base::align_up(at + 1, format::kLogBlockSize);
        continue;
      }
      if (begin + at >= from) {
        if (frames_.size() == request_.limit) {
          next_ = begin + at;
          return {};
        }
        frames_.push_back(frame_row(*frame, slot));
      }
      at += frame->size;
    }
    return {};
  }

  Value frame_row(const FrameView& frame, std::size_t slot) {
    const format::FrameHeader& header = frame.header;
    Value row = Value::object();
    row.add("lsn", header.lsn).add("slot", std::uint64_t{slot}).add("type", frame_type_name(header.type));
    row.add("payload_size", std::uint64_t{header.payload_size}).add("commit_seq", header.commit_seq);
    row.add("durable", header.durable).add("chain", format::hex_of(header.chain));
    row.add("tag", format::hex_of(header.tag_low));
    const bool has_meta = source_.header_status().is_ok();
    row.add("in_checkpoint", has_meta ? Value(header.lsn < source_.meta().log_position) : Value());
    row.add("operations", operations_value(frame, request_));
    return row;
  }

  SourceFile& source_;
  const Request& request_;
  wal::SegmentReader reader_;
  std::map<std::uint64_t, std::size_t> by_segment_;
  Value::List frames_;
  std::optional<Lsn> next_;
};

}  // namespace

Result<Value> log_view(SourceFile& source, const Request& request) {
  if (source.log() == nullptr) return Value::object().add("present", false);
  CHECK(source.check_geometry());
  const Lsn from = TRY(number_from(request, 0));
  return LogLister(source, request, TRY(wal::SegmentReader::open(*source.log(), source.file_id()))).run(from);
}

}  // namespace vitrine::inspect
