// SPDX-License-Identifier: MIT OR Apache-2.0
// The write-ahead log: appends transactions, makes them durable in groups, recycles what a checkpoint has overtaken.
// Knows frames, segments and slots (format/log.hpp); must not know trees or keys.
//
// Invariants
//   W1  A block (4 KiB) of the file that holds durable frames the last checkpoint does not contain is never written
//       again: after each sync the next frame starts at a block boundary.
//   W2  Every acknowledged transaction lies before durable(); frames name that watermark, so that recovery tells a torn
//       tail from damage inside acknowledged commits (wal/scan.hpp).
//   W3  A slot is reused only when its whole segment lies before the position given to recycle().
//   W4  After a failed write or sync the log is failed for good; every later call returns that error.
//
// Threads: the calls marked [writer] are serialized by the caller (the commit latch). sync(), write_out() and the
// accessors may be called from any thread. Destroying a Log while a call on it runs is an error of the caller.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "base/histogram.hpp"
#include "format/log.hpp"
#include "format/log_seal.hpp"
#include "os/env.hpp"
#include "vitrine/status.hpp"
#include "wal/buffer.hpp"
#include "wal/slots.hpp"

namespace vitrine::wal {

using format::Lsn;

// Where the next frame goes and what it must chain to. May lie in the padding behind the last frame or at the very end
// of a segment; such a position belongs to the segment of the byte before it. A checkpoint may name a position only
// after sync() up to it.
struct LogPosition {
  Lsn lsn = 0;
  std::uint64_t chain = 0;
};

struct LogOptions {
  std::uint32_t segment_size = 1u << 20;  // power of two, 16 KiB to 64 MiB; resume() keeps that of the file
  std::uint64_t size_max = 256ull << 20;  // of all slots; at least 4 segments
  std::size_t buffer_size = 1u << 20;     // appended bytes held in memory before they are written out; at least 64 KiB
  std::shared_ptr<const format::LogSeal> seal;  // of an encrypted database, made for this session; else null
};

inline constexpr std::uint64_t kLogPayloadMax = 1ull << 30;  // of one transaction, whatever the size of the log

struct ScanResult;  // wal/scan.hpp

class Log {
 public:
  // Makes a new log file at `path` (replacing one that is there), durable with its name and space, for frames from
  // `start` on; `start.lsn` must be a segment start + kSegmentHeaderSize. Leaves two slots ready. A file left at
  // `path`.new by a crash is replaced.
  static Result<std::unique_ptr<Log>> create(os::Env& env, const std::string& path, format::FileId file,
                                             LogPosition start, const LogOptions& options);

  // Goes on where `scan` of the same file ended. What the scan could not prove durable is written again and synced
  // first, because a sync that failed in an earlier process may have left it in memory alone. Segments before the start
  // of the scan are recycled. REQUIRES: the scan found no hole.
  static Result<std::unique_ptr<Log>> resume(os::Env& env, std::unique_ptr<os::File> file, const ScanResult& scan,
                                             format::FileId id, const LogOptions& options);

  // Writes nothing but the owner block: what was not synced or written out is lost.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // [writer] Makes sure that append() of `payload_size` bytes will succeed without waiting for a checkpoint: takes or
  // adds slots. Errors: LogFull when size_max is reached (a checkpoint must come first; for ever when the payload is
  // above payload_max()), DiskFull, KeyExhausted, or the failure of W4.
  Status reserve(std::size_t payload_size);

  // Largest payload that an otherwise empty log holds.
  std::uint64_t payload_max() const noexcept;

  // [writer] Appends one transaction as one or several frames. REQUIRES: reserve() of this size just succeeded. May
  // write out full buffers. Returns the end of its last frame, unpadded.
  Result<Lsn> append(std::uint64_t commit_seq, Bytes payload);

  // [writer] First frame of a session; `random` makes its chain unique. Synced before it returns.
  Status append_open(std::uint64_t open_count, std::uint64_t commit_seq, std::span<const std::byte, 16> random);

  // Hands everything up to `lsn` to the system (survives the death of the process, not of the machine).
  Status write_out(Lsn lsn);

  // Returns once everything up to `lsn` is durable. One caller syncs for all that wait; others append meanwhile.
  // After a failure: ok for what was durable before.
  Status sync(Lsn lsn);

  // [writer] Syncs, then appends and syncs a Seal frame if a transaction is not yet vouched for by a later frame.
  Status seal();

  // [writer] Frames appended from now on are sealed with this. REQUIRES: the log was made with a seal, and everything
  // appended before lies before the position of the newest checkpoint, since no other seal opens it.
  void change_seal(std::shared_ptr<const format::LogSeal> seal);

  // [writer] Frames before `keep_from` will not be needed again: their slots may be reused.
  void recycle(Lsn keep_from);

  LogPosition position() const;  // [writer] where the next frame will go
  Lsn durable() const noexcept { return durable_.load(std::memory_order_acquire); }  // end of what is known durable
  std::uint64_t durable_seq() const noexcept {
    return durable_seq_.load(std::memory_order_acquire);
  }                                                                                  // last commit of it
  Lsn written() const noexcept { return written_.load(std::memory_order_acquire); }  // end of what the system has
  std::uint64_t file_size() const noexcept { return slots_.file_size(); }
  std::uint64_t capacity() const noexcept { return slots_.count() * segment_size_; }  // bytes of all slots now
  std::uint64_t syncs() const noexcept { return syncs_.load(std::memory_order_relaxed); }
  std::uint64_t written_bytes() const noexcept { return written_bytes_.load(std::memory_order_relaxed); }
  const base::Histogram& sync_latency() const noexcept { return sync_latency_; }  // of the calls to the system
  Status failure() const;                                                         // ok unless W4

 private:
  using Lock = std::unique_lock<std::mutex>;
  enum class Turn : std::uint8_t { Write, Sync };

  // open.cpp
  Status make_file(LogPosition start);
  Status take_over(const ScanResult& scan);

  Log(os::Env& env, std::unique_ptr<os::File> file, format::FileId id, const LogOptions& options);
  void start_at(LogPosition position, std::uint64_t slot_offset) noexcept;
  void write_owner(std::uint64_t process_id) noexcept;

  // log.cpp
  std::uint64_t segments_needed(Lsn from, std::uint64_t payload_size) const noexcept;
  Status append_frames(Lock& lock, format::FrameType type, std::uint64_t commit_seq, Bytes payload);
  void start_segment();
  Status put_frame(format::FrameType type, std::uint64_t commit_seq, Bytes payload);
  std::size_t frame_size(std::size_t payload_size) const noexcept {
    return format::frame_size(frame_head_ - format::kFrameHeaderSize + payload_size);
  }
  std::uint64_t file_offset(Lsn lsn) const noexcept { return slot_offset_ + (lsn - segment_start_); }

  // group.cpp
  Status make_room(Lock& lock);
  void lead(Lock& lock, Turn turn);
  void begin_turn(Turn turn);
  Status write_taken(Turn turn) noexcept;
  void wait_for_turn(Lock& lock, Lsn lsn);
  void fail(Status status);

  os::Env& env_;
  const std::unique_ptr<os::File> file_;
  const format::FileId id_;
  const std::size_t frame_head_;  // bytes of a frame before its payload
  const std::uint32_t segment_size_;
  const std::size_t part_max_;           // payload of one frame, so that every frame fits into an empty buffer
  SlotRing slots_;                       // [writer]
  std::optional<Lsn> ahead_refused_in_;  // [writer] segment in which the disk had no room for a slot ahead

  mutable std::mutex mutex_;                     // guards what follows, except atomics and `taken_` during a turn
  std::shared_ptr<const format::LogSeal> seal_;  // null: not encrypted
  std::condition_variable idle_;                 // a turn has ended
  LogBuffer active_;                             // takes appended frames
  LogBuffer taken_;                              // is being written by the thread that has the turn
  std::uint64_t slot_offset_ = 0;                // of the current segment
  Lsn segment_start_ = 0;                        // changed by the writer alone
  Lsn next_ = 0;                                 // where the next frame goes
  Lsn end_ = 0;                                  // end of the last frame
  std::uint64_t chain_ = 0;
  std::uint64_t commit_seq_ = 0;  // of the last record that is whole
  Lsn transactions_end_ = 0;      // end of the last frame that carries data
  Lsn watermark_ = 0;             // in the last frame
  Lsn vouched_ = 0;               // watermark in the last durable frame

  bool turn_runs_ = false;
  bool turn_syncs_ = false;
  Lsn turn_end_ = 0;  // end_ when the turn began
  Lsn turn_watermark_ = 0;
  std::uint64_t turn_commit_seq_ = 0;
  std::uint64_t group_ = 0;                            // number of the last sync turn begun
  std::array<std::atomic<std::uint32_t>, 2> gates_{};  // group.cpp
  Status failure_;
  std::atomic<bool> has_failed_{false};

  std::atomic<Lsn> durable_{0};
  std::atomic<std::uint64_t> durable_seq_{0};
  std::atomic<Lsn> written_{0};
  std::atomic<std::uint64_t> syncs_{0};
  std::atomic<std::uint64_t> written_bytes_{0};
  base::Histogram sync_latency_;
};

}  // namespace vitrine::wal
