// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kv/export_format.hpp"

#include <algorithm>
#include <cstring>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "format/checksum.hpp"

namespace vitrine::kv {
namespace {

constexpr char kPlainMagic[9] = "VTREXPRT";
constexpr std::size_t kChecksummedHeader = 48;
constexpr std::size_t kBlockPrefix = 16;

// The block header's first 16 bytes and the payload lie apart; the checksum is over both as one.
format::Checksum block_checksum(Bytes prefix, Bytes payload, std::uint64_t chain) {
  const format::Checksum inner = format::checksum(payload.data(), payload.size(), chain);
  char joined[kBlockPrefix + 16];
  std::memcpy(joined, prefix.data(), kBlockPrefix);
  base::store(joined + kBlockPrefix, inner.low);
  base::store(joined + kBlockPrefix + 8, inner.high);
  return format::checksum(joined, sizeof joined, chain);
}

}  // namespace

// --- Writing ---------------------------------------------------------------------------------------------------------

Status ExportWriter::begin(const ExportHeader& header) {
  buffer_.assign(kPlainMagic, 8);
  base::append_fixed(buffer_, kExportVersion);
  base::append_fixed(buffer_, std::uint32_t{0});
  base::append_fixed(buffer_, header.snapshot_seq);
  base::append_fixed(buffer_, header.wall_ms);
  buffer_.append(16, '\0');
  const format::Checksum sum = format::checksum(buffer_.data(), buffer_.size());
  base::append_fixed(buffer_, sum.low);
  base::append_fixed(buffer_, sum.high);
  chain_ = sum.low;
  return {};
}

Status ExportWriter::block(ExportBlock type, Bytes payload) {
  const std::size_t at = buffer_.size();
  buffer_.push_back(static_cast<char>(type));
  buffer_.append(3, '\0');
  base::append_fixed(buffer_, static_cast<std::uint32_t>(payload.size()));
  base::append_fixed(buffer_, number_++);
  const format::Checksum sum = block_checksum(Bytes(buffer_).substr(at), payload, chain_);
  base::append_fixed(buffer_, sum.low);
  base::append_fixed(buffer_, sum.high);
  buffer_.append(payload);
  chain_ = sum.low;
  return buffer_.size() < kExportPayloadMax ? Status{} : flush();
}

Status ExportWriter::flush() {
  CHECK(sink_.append(buffer_));
  buffer_.clear();
  return {};
}

Status ExportWriter::finish() {
  CHECK(flush());
  return sink_.finish();
}

// --- Reading ---------------------------------------------------------------------------------------------------------

Status ExportReader::damaged(const char* what) const {
  return Status::error(ErrorCode::ExportDamaged, what).with("offset", offset_);
}

Result<Bytes> ExportReader::take(std::size_t size) {
  if (buffer_.size() - used_ < size) {
    buffer_.erase(0, used_);
    used_ = 0;
    const std::size_t have = buffer_.size();
    buffer_.resize(std::max(size, kExportPayloadMax));
    const std::size_t got = TRY(source_.read(buffer_.data() + have, buffer_.size() - have));
    buffer_.resize(have + got);
    if (buffer_.size() < size) return damaged("the file is cut short");
  }
  const Bytes taken = Bytes(buffer_).substr(used_, size);
  used_ += size;
  offset_ += size;
  return taken;
}

Result<ExportHeader> ExportReader::begin() {
  const Bytes header = TRY(take(kExportHeaderSize));
  if (header.substr(0, 8) != Bytes(kPlainMagic, 8)) return damaged("not an export file");
  const format::Checksum sum = format::checksum(header.data(), kChecksummedHeader);
  if (base::load<std::uint64_t>(header.data() + 48) != sum.low ||
      base::load<std::uint64_t>(header.data() + 56) != sum.high) {
    return damaged("the file header does not match its checksum");
  }
  const auto version = base::load<std::uint32_t>(header.data() + 8);
  if (version != kExportVersion) return Status::error(ErrorCode::ExportVersion).with("version", version);
  chain_ = sum.low;
  return ExportHeader{base::load<std::uint64_t>(header.data() + 16), base::load<std::uint64_t>(header.data() + 24)};
}

Result<ExportBlock> ExportReader::next(Bytes& payload) {
  const std::string header(TRY(take(kExportBlockHeaderSize)));
  const auto size = base::load<std::uint32_t>(header.data() + 4);
  const auto number = base::load<std::uint64_t>(header.data() + 8);
  if (size > kExportPayloadMax || number != number_) return damaged("a block header is damaged");
  payload = TRY(take(size));
  const format::Checksum sum = block_checksum(header, payload, chain_);
  if (base::load<std::uint64_t>(header.data() + 16) != sum.low ||
      base::load<std::uint64_t>(header.data() + 24) != sum.high) {
    return damaged("a block does not match its checksum");
  }
  chain_ = sum.low;
  ++number_;
  return static_cast<ExportBlock>(header[0]);
}

Status ExportReader::expect_end() {
  char byte;
  const bool is_end = used_ == buffer_.size() && TRY(source_.read(&byte, 1)) == 0;
  return is_end ? Status{} : damaged("something follows the end mark");
}

}  // namespace vitrine::kv
