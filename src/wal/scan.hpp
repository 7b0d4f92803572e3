// SPDX-License-Identifier: MIT OR Apache-2.0
// Reading a log: finds every transaction after a checkpoint, and says exactly why it stops where it stops.
//
// From the start position the scan takes frame after frame; the next frame is looked for right behind the last, at the
// next block boundary, and at the start of the next segment, and must carry the chain of the last. Where no frame
// follows, all later blocks are searched for frames that verify on their own: if one of them names a durable watermark
// beyond the stop, acknowledged commits are damaged (LogHole); otherwise the rest is a torn tail and ends the log.
// A failed read is an error, never an end.
//
// Never writes; may run on a log that another process is appending to.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "wal/log.hpp"

namespace vitrine::wal {

struct ScanResult {
  Lsn start = 0;                      // where the scan began
  LogPosition end;                    // behind the last good frame, unpadded
  LogPosition complete;               // behind the last one that leaves no transaction incomplete: look again from here
  Lsn durable = 0;                    // largest watermark seen or given: all before it was durable once
  std::uint64_t last_commit_seq = 0;  // 0 when there was no transaction
  std::uint64_t transactions = 0;
  std::uint64_t slot_count = 0;
  std::uint32_t segment_size = 0;
  std::map<std::uint64_t, std::uint64_t> slots;  // segment number -> slot, of every readable segment header
  bool torn_tail = false;  // something that is no frame, or an incomplete transaction, stands at the end
  bool hole = false;       // acknowledged commits between `end` and `durable` are damaged
};

struct ScanRequest {
  format::FileId file;
  LogPosition start;                      // from the checkpoint
  bool stop_at_hole = true;               // false: report the hole in `hole` and end there (salvage, verify)
  const format::LogSeal* seal = nullptr;  // null: the database is not encrypted
};

// Called for each complete transaction, in order, with its joined payload.
using TransactionVisitor = std::function<Status(std::uint64_t commit_seq, Lsn end, Bytes payload)>;

// Errors: NotDatabase, VersionUnsupported, LogForeign (another file id), LogMissing (the segment that holds the start
// is not there), LogHole (details "lsn", "durable"), LogMalformed, ReadFailed, or what `visit` returned.
Result<ScanResult> scan_log(os::File& log, const ScanRequest& request, const TransactionVisitor& visit);

// The largest durable watermark in any frame at or behind `from` that verifies on its own; 0: there is none.
// Acknowledged commits reach at least that far. Errors: NotDatabase, VersionUnsupported, LogMalformed, LogForeign,
// ReadFailed.
Result<Lsn> watermark_behind(os::File& log, format::FileId file, Lsn from, const format::LogSeal* seal = nullptr);

// Process id in the owner block, 0 when unknown.
std::uint64_t log_owner(os::File& log);

}  // namespace vitrine::wal
