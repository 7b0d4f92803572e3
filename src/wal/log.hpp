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
// Threads: append() and the calls marked [writer] are serialized by the caller (the commit latch). sync(), write_out()
// and the accessors may be called from any thread.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "format/log.hpp"
#include "os/env.hpp"
#include "vitrine/status.hpp"

namespace vitrine::wal {

using format::Lsn;

// Where the next frame goes and what it must chain to.
struct LogPosition {
  Lsn lsn = 0;
  std::uint64_t chain = 0;
};

struct LogOptions {
  std::uint32_t segment_size = 1u << 20;   // power of two, 16 KiB to 64 MiB
  std::uint64_t size_max = 256ull << 20;   // of all slots; at least 4 segments
  std::size_t buffer_size = 1u << 20;      // appended bytes held in memory before they are written out
};

struct ScanResult;  // wal/scan.hpp

class Log {
 public:
  // Makes a new log file at `path` (replacing one that is there), prewritten and durable with its name, for frames from
  // `start` on; `start.lsn` must be a segment start + kSegmentHeaderSize. Leaves two slots ready.
  static Result<std::unique_ptr<Log>> create(os::Env& env, const std::string& path, format::FileId file,
                                             LogPosition start, const LogOptions& options);

  // Goes on where `scan` of the same file ended. What the scan could not prove durable is written again and synced
  // first, because a sync that failed in an earlier process may have left it in memory alone.
  static Result<std::unique_ptr<Log>> resume(os::Env& env, std::unique_ptr<os::File> file, const ScanResult& scan,
                                             format::FileId id, const LogOptions& options);

  ~Log();

  // [writer] Makes sure that append() of `payload_size` bytes will succeed without waiting: takes or adds slots.
  // Errors: LogFull when size_max is reached (a checkpoint must come first), DiskFull, or the failure of W4.
  Status reserve(std::size_t payload_size);

  // [writer] Appends one transaction as one or several frames. REQUIRES: reserve() of this size just succeeded. May
  // write out full buffers. Returns the end of its last frame, unpadded.
  Result<Lsn> append(std::uint64_t commit_seq, Bytes payload);

  // [writer] First frame of a session; `random` makes its chain unique. Synced before it returns.
  Status append_open(std::uint64_t open_count, std::uint64_t commit_seq, std::span<const std::byte, 16> random);

  // Hands everything up to `lsn` to the system (survives the death of the process, not of the machine).
  Status write_out(Lsn lsn);

  // Returns once everything up to `lsn` is durable. One caller syncs for all that wait; others append meanwhile.
  Status sync(Lsn lsn);

  // Appends and syncs a Seal frame if anything durable is not yet vouched for by a later frame. [writer]
  Status seal();

  // [writer] Frames before `keep_from` will not be needed again: their slots may be reused.
  void recycle(Lsn keep_from);

  LogPosition position() const;   // [writer] where the next frame will go
  Lsn durable() const;            // end of what is known durable
  Lsn written() const;            // end of what the system has
  std::uint64_t file_size() const;
  std::uint64_t capacity() const;      // bytes of all slots now
  std::uint64_t syncs() const;
  Status failure() const;         // ok unless W4

  const std::string& path() const;

 private:
  Log() = default;
  // (implementation members to be added by the layer)
};

}  // namespace vitrine::wal
