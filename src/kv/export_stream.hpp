// SPDX-License-Identifier: MIT OR Apache-2.0
// The bytes of an export, one after the other, to and from a file: as they are here, sealed in export_envelope.hpp.
//
// Thread safety: none.
#pragma once

#include <cstdint>

#include "os/env.hpp"
#include "vitrine/bytes.hpp"
#include "vitrine/status.hpp"

namespace vitrine::kv {

class ExportSink {
 public:
  virtual ~ExportSink() = default;
  virtual Status append(Bytes bytes) = 0;
  virtual Status finish() = 0;  // nothing more comes; all of it is durable then
};

class ExportSource {
 public:
  virtual ~ExportSource() = default;
  // Returns how many bytes were there: fewer than `size` only at the end.
  virtual Result<std::size_t> read(char* to, std::size_t size) = 0;
};

class PlainSink final : public ExportSink {
 public:
  explicit PlainSink(os::File& file) : file_(file) {}
  Status append(Bytes bytes) override {
    const os::IoSlice slice{bytes.data(), bytes.size()};
    const std::uint64_t offset = offset_;
    offset_ += bytes.size();
    return file_.write_at(offset, {&slice, 1});
  }
  Status finish() override { return file_.sync(); }

 private:
  os::File& file_;
  std::uint64_t offset_ = 0;
};

class PlainSource final : public ExportSource {
 public:
  explicit PlainSource(os::File& file) : file_(file) {}
  Result<std::size_t> read(char* to, std::size_t size) override {
    Result<std::size_t> got = file_.read_at(offset_, to, size);
    if (got.has_value()) offset_ += *got;
    return got;
  }

 private:
  os::File& file_;
  std::uint64_t offset_ = 0;
};

}  // namespace vitrine::kv
