// SPDX-License-Identifier: MIT OR Apache-2.0
// Helpers of the tests of this folder: a small log in any environment, and what a scan of it finds. Not part of the
// library.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "os/env.hpp"
#include "wal/log.hpp"
#include "wal/scan.hpp"

namespace vitrine::wal::testing {

constexpr format::FileId kFile{0x0123456789abcdef, 0xfedcba9876543210};
constexpr std::uint32_t kSegmentSize = format::kSegmentSizeMin;
constexpr LogPosition kStart{5 * kSegmentSize + format::kSegmentHeaderSize, 0x1234};
inline const std::string kPath = "test.log";

inline LogOptions small_options() {
  LogOptions options;
  options.segment_size = kSegmentSize;
  options.size_max = 8 * kSegmentSize;
  options.buffer_size = 64u << 10;
  return options;
}

using Transaction = std::pair<std::uint64_t, std::string>;  // commit sequence, payload

struct Scanned {
  Status status;
  ScanResult result;  // when the status is ok
  std::vector<Transaction> transactions;
};

inline Scanned scan(os::File& file, LogPosition start = kStart, bool stop_at_hole = true) {
  Scanned scanned;
  const ScanRequest request{kFile, start, stop_at_hole};
  Result<ScanResult> result = scan_log(file, request, [&](std::uint64_t commit_seq, Lsn, Bytes payload) {
    scanned.transactions.emplace_back(commit_seq, payload);
    return Status{};
  });
  scanned.status = result.status();
  if (result) scanned.result = *std::move(result);
  return scanned;
}

inline Scanned scan(os::Env& env, LogPosition start = kStart) {
  Result<std::unique_ptr<os::File>> file = env.open(kPath, os::OpenMode::ReadOnly);
  if (!file) {
    Scanned scanned;
    scanned.status = file.status();
    return scanned;
  }
  return scan(**file, start);
}

inline std::unique_ptr<Log> create(os::Env& env, const LogOptions& options = small_options()) {
  return Log::create(env, kPath, kFile, kStart, options).value();
}

// Scans and goes on, with the Open frame that a session starts with.
inline std::unique_ptr<Log> reopen(os::Env& env, LogPosition start = kStart,
                                   const LogOptions& options = small_options()) {
  std::unique_ptr<os::File> file = env.open(kPath, os::OpenMode::ReadWrite).value();
  const Scanned scanned = scan(*file, start);
  if (!scanned.status.is_ok()) throw Error(scanned.status);
  std::unique_ptr<Log> log = Log::resume(env, std::move(file), scanned.result, kFile, options).value();
  std::array<std::byte, 16> random;
  if (Status status = env.random_bytes(random); !status.is_ok()) throw Error(status);
  if (Status status = log->append_open(2, 0, random); !status.is_ok()) throw Error(status);
  return log;
}

// reserve() and append().
inline Result<Lsn> put(Log& log, std::uint64_t commit_seq, Bytes payload) {
  if (Status status = log.reserve(payload.size()); !status.is_ok()) return status;
  return log.append(commit_seq, payload);
}

// A payload that names its commit, so that a mixed-up one is noticed.
inline std::string payload_of(std::uint64_t commit_seq, std::size_t size) {
  std::string payload = std::to_string(commit_seq) + ":";
  while (payload.size() < size) payload.push_back(static_cast<char>('a' + (payload.size() * 7 + commit_seq) % 26));
  return payload;
}

// Where the byte of the log at `lsn` lies in the file.
inline std::uint64_t offset_of(const ScanResult& scanned, Lsn lsn) {
  const std::uint64_t slot = scanned.slots.at((lsn - 1) / scanned.segment_size);
  return format::kLogSlotsOffset + slot * scanned.segment_size + lsn % scanned.segment_size;
}

}  // namespace vitrine::wal::testing
