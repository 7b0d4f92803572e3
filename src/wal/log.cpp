// SPDX-License-Identifier: MIT OR Apache-2.0
// Appending: how payloads become frames in the buffer, and how many segments that takes. Writing and syncing the
// buffer: group.cpp. Making and reopening the file: open.cpp.
#include "wal/log.hpp"

#include <algorithm>
#include <cstring>

#include "base/assert.hpp"
#include "base/codec.hpp"
#include "base/try.hpp"

namespace vitrine::wal {
namespace {

using format::FrameType;
using format::kFrameAlignment;
using format::kFrameHeaderSize;
using format::kLogBlockSize;
using format::kSegmentHeaderSize;

// A segment is left rather than end in a part with less payload than this. Payloads up to this size are never cut.
constexpr std::size_t kPartMin = 512;

// Of what the keys may seal, enough for the headers of the parts of one transaction.
constexpr std::uint64_t kSealReserve = 1u << 20;

// The most that the next frame can carry of `payload_size` bytes in `room` bytes; nothing when it must go to the next
// segment.
std::optional<std::size_t> next_part(std::uint64_t room, std::uint64_t payload_size, std::size_t part_max,
                                     std::size_t head) noexcept {
  if (room < head + std::min<std::uint64_t>(payload_size, kPartMin)) return std::nullopt;
  return static_cast<std::size_t>(std::min({room - head, payload_size, std::uint64_t{part_max}}));
}

// What a fresh segment surely holds of an endless payload, with padding to a block before every frame.
std::uint64_t segment_payload(std::uint32_t segment_size, std::size_t part_max, std::size_t head) noexcept {
  std::uint64_t payload = 0;
  for (std::uint64_t at = kSegmentHeaderSize; at < segment_size;) {
    const auto part = next_part(segment_size - at, ~std::uint64_t{0}, part_max, head);
    if (!part) break;
    payload += *part;
    at = base::align_up(at + format::frame_size(*part + head - kFrameHeaderSize), kLogBlockSize);
  }
  return payload;
}

}  // namespace

Log::Log(os::Env& env, std::unique_ptr<os::File> file, format::FileId id, const LogOptions& options)
    : env_(env),
      file_(std::move(file)),
      id_(id),
      frame_head_(kFrameHeaderSize + (options.seal ? format::kFrameSaltSize : 0)),
      segment_size_(options.segment_size),
      part_max_(options.buffer_size / 2 / kFrameAlignment * kFrameAlignment),
      slots_(*file_, options.segment_size, options.size_max),
      seal_(options.seal),
      active_(options.buffer_size),
      taken_(options.buffer_size) {}

Log::~Log() {
  if (failure().is_ok()) write_owner(0);
}

void Log::start_at(LogPosition position, std::uint64_t slot_offset) noexcept {
  segment_start_ = (position.lsn - 1) / segment_size_ * segment_size_;
  slot_offset_ = slot_offset;
  next_ = base::align_up(position.lsn, kLogBlockSize);
  end_ = position.lsn;
  chain_ = position.chain;
  transactions_end_ = vouched_ = position.lsn;
  durable_ = written_ = position.lsn;
}

// Informational: an error here is not worth refusing work for.
void Log::write_owner(std::uint64_t process_id) noexcept {
  std::array<std::byte, format::kLogBlockSize> block{};
  base::store(block.data(), process_id);
  base::store(block.data() + 8, env_.wall_ms());
  const os::IoSlice slice{block.data(), block.size()};
  try {
    (void)file_->write_at(format::kLogFileHeaderSize, {&slice, 1});
  } catch (...) {
  }
}

// How many further segments a payload can take from `from` on. A sync may pad to a block boundary between any two
// frames, so that is counted before each; the room a segment offers only grows with less padding.
std::uint64_t Log::segments_needed(Lsn from, std::uint64_t payload_size) const noexcept {
  std::uint64_t count = 0;
  std::uint64_t room = segment_start_ + segment_size_ - base::align_up(from, kLogBlockSize);
  for (;;) {
    const std::optional<std::size_t> part = next_part(room, payload_size, part_max_, frame_head_);
    if (!part) {
      ++count;
      room = segment_size_ - kSegmentHeaderSize;
      continue;
    }
    if (*part == payload_size) return count;
    payload_size -= *part;
    room = (room - frame_size(*part)) / kLogBlockSize * kLogBlockSize;
  }
}

std::uint64_t Log::payload_max() const noexcept {
  // The current segment may be full and is not free for reuse.
  const std::uint64_t all = (slots_.slot_count_max() - 1) * segment_payload(segment_size_, part_max_, frame_head_);
  return std::min(all, kLogPayloadMax);
}

Status Log::reserve(std::size_t payload_size) {
  std::uint64_t needed = 0;
  {
    std::lock_guard lock(mutex_);
    CHECK(failure_);
    if (seal_) CHECK(seal_->check_room(2 * payload_size + kSealReserve));
    if (payload_size > kLogPayloadMax) return Status::error(ErrorCode::LogFull).with("payload_max", payload_max());
    needed = segments_needed(next_, payload_size);
  }
  // One slot beyond the need is prepared ahead: its zeros become durable with the commits until it is used.
  while (slots_.free_count() <= needed) {
    const bool is_needed = slots_.free_count() < needed;
    if (!is_needed && (!slots_.can_grow() || ahead_refused_in_ == segment_start_)) break;
    const Status grown = slots_.grow();
    if (grown.is_ok()) continue;
    const bool is_harmless = grown.code() == ErrorCode::DiskFull || grown.code() == ErrorCode::LogFull;
    if (!is_harmless) {
      std::lock_guard lock(mutex_);
      fail(grown);
    } else if (!is_needed) {
      ahead_refused_in_ = segment_start_;  // a full disk is not asked again for every commit
      break;
    }
    return grown;
  }
  return {};
}

Result<Lsn> Log::append(std::uint64_t commit_seq, Bytes payload) {
  Lock lock(mutex_);
  CHECK(append_frames(lock, FrameType::Transaction, commit_seq, payload));
  return end_;
}

Status Log::append_open(std::uint64_t open_count, std::uint64_t commit_seq, std::span<const std::byte, 16> random) {
  std::array<char, 24> payload;
  std::memcpy(payload.data(), random.data(), random.size());
  base::store(payload.data() + random.size(), open_count);
  CHECK(reserve(payload.size()));
  Lock lock(mutex_);
  CHECK(append_frames(lock, FrameType::Open, commit_seq, Bytes(payload.data(), payload.size())));
  const Lsn end = end_;
  lock.unlock();
  return sync(end);
}

Status Log::seal() {
  Lock lock(mutex_);
  CHECK(failure_);
  if (vouched_ >= transactions_end_) return {};
  const Lsn end = end_;
  lock.unlock();
  CHECK(sync(end));
  CHECK(reserve(0));
  lock.lock();
  CHECK(append_frames(lock, FrameType::Seal, commit_seq_, {}));
  const Lsn seal_end = end_;
  lock.unlock();
  return sync(seal_end);
}

// The flusher may take the buffer whenever make_room() waits, so everything is judged anew after it.
Status Log::append_frames(Lock& lock, FrameType type, std::uint64_t commit_seq, Bytes payload) {
  CHECK(failure_);
  for (;;) {
    const Lsn segment_end = segment_start_ + segment_size_;
    std::optional<std::size_t> part = next_part(segment_end - next_, payload.size(), part_max_, frame_head_);
    const bool starts_segment = !part;
    if (starts_segment) part = next_part(segment_size_ - kSegmentHeaderSize, payload.size(), part_max_, frame_head_);
    const std::size_t roll_size = starts_segment ? kLogBlockSize + kSegmentHeaderSize : 0;
    if (active_.room() < frame_size(*part) + roll_size) {
      CHECK(make_room(lock));
      continue;
    }
    if (starts_segment) start_segment();
    const bool is_last = *part == payload.size();
    CHECK(put_frame(is_last ? type : FrameType::Part, commit_seq, payload.substr(0, *part)));
    if (is_last) return {};
    payload.remove_prefix(*part);
  }
}

// The header of the segment goes through the buffer, in front of its first frames.
void Log::start_segment() {
  const std::uint64_t number = segment_start_ / segment_size_ + 1;
  const std::uint64_t slot_offset = slots_.take(number);
  active_.pad_to_block();
  active_.open_run(slot_offset);
  format::encode_segment_header({number, chain_, id_}, active_.extend(kSegmentHeaderSize));
  slot_offset_ = slot_offset;
  segment_start_ += segment_size_;
  next_ = segment_start_ + kSegmentHeaderSize;
}

Status Log::put_frame(FrameType type, std::uint64_t commit_seq, Bytes payload) {
  if (active_.is_empty()) active_.open_run(file_offset(next_));
  const std::size_t size = frame_size(payload.size());
  const format::FrameFields fields{type, next_, commit_seq, durable_.load(std::memory_order_relaxed), chain_};
  std::byte* const to = active_.extend(size);
  if (seal_) {
    const Result<std::uint64_t> chain = format::write_sealed_frame(to, fields, payload, *seal_);
    if (!chain.has_value()) {
      fail(chain.status());
      return chain.status();
    }
    chain_ = *chain;
  } else {
    chain_ = format::write_frame(to, fields, payload, id_);
  }
  next_ += size;
  end_ = next_;
  if (type != FrameType::Part) commit_seq_ = commit_seq;
  watermark_ = fields.durable;
  if (type == FrameType::Transaction || type == FrameType::Part) transactions_end_ = end_;
  return {};
}

void Log::change_seal(std::shared_ptr<const format::LogSeal> seal) {
  std::lock_guard lock(mutex_);
  VITRINE_ASSERT(seal != nullptr && seal_ != nullptr);
  seal_ = std::move(seal);
}

void Log::recycle(Lsn keep_from) {
  Lsn current = 0;
  {
    std::lock_guard lock(mutex_);
    current = segment_start_;
  }
  // The byte before the position decides: a position at the end of a segment still needs its header to be found.
  if (keep_from > 0) slots_.recycle(std::min(keep_from - 1, current) / segment_size_);
}

LogPosition Log::position() const {
  std::lock_guard lock(mutex_);
  return {next_, chain_};
}

Status Log::failure() const {
  if (!has_failed_.load(std::memory_order_acquire)) return {};
  std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace vitrine::wal
