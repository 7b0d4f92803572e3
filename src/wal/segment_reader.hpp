// SPDX-License-Identifier: MIT OR Apache-2.0
// Reads a log file slot by slot, for the scan and for reopening the log. Knows where headers and slots lie; must not
// know how frames follow each other. Holds at most one slot in memory.
//
// Thread safety: none. The file may be written meanwhile: what was read is then a state of some moment.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "format/log.hpp"
#include "os/env.hpp"
#include "vitrine/status.hpp"

namespace vitrine::wal {

class SegmentReader {
 public:
  // Errors: NotDatabase, VersionUnsupported, LogMalformed, LogForeign, ReadFailed.
  static Result<SegmentReader> open(os::File& log, format::FileId id);

  std::uint32_t segment_size() const noexcept { return segment_size_; }

  // By slot. The last slot may be there in part only: a crash while it was added leaves it so.
  std::span<const std::optional<format::SegmentHeader>> headers() const noexcept { return headers_; }

  // Reads the slot headers again and forgets the loaded slot.
  Status refresh();

  // The bytes of a slot as far as the file has them. Valid until the next load() or refresh().
  Result<std::span<const std::byte>> load(std::size_t slot);

 private:
  SegmentReader(os::File& log, format::FileId id, std::uint32_t segment_size)
      : log_(&log), id_(id), segment_size_(segment_size) {}

  os::File* log_;
  format::FileId id_;
  std::uint32_t segment_size_;
  std::vector<std::optional<format::SegmentHeader>> headers_;
  std::optional<std::size_t> loaded_;
  std::vector<std::byte> bytes_;
};

}  // namespace vitrine::wal
