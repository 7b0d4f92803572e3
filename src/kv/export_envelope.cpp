// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kv/export_envelope.hpp"

#include <algorithm>
#include <cstring>

#include "base/try.hpp"
#include "format/checksum.hpp"

namespace vitrine::kv {
namespace {

using crypto::SealedStream;

constexpr std::array<char, 8> kSealedMagic{'V', 'T', 'R', 'S', 'E', 'A', 'L', 'D'};

Status damaged(const char* what, std::uint64_t offset) {
  return Status::error(ErrorCode::ExportDamaged, what).with("offset", offset);
}

crypto::ByteSpan head_of(const EnvelopeHeader& header, std::size_t size) noexcept {
  return std::as_bytes(std::span(&header, 1)).first(size);
}

std::array<std::uint64_t, 2> checksum_of(const EnvelopeHeader& header) {
  const format::Checksum sum = format::checksum(&header, offsetof(EnvelopeHeader, checksum));
  return {sum.low, sum.high};
}

Result<crypto::Mac> mac_of(const EnvelopeHeader& header, const crypto::MasterKey& master) {
  os::SecretArray<crypto::kKeySize> key;
  CHECK(crypto::hkdf(master.bytes(), header.salt, "vitrine 1 export header", key));
  return crypto::hmac(key, head_of(header, offsetof(EnvelopeHeader, mac)));
}

Result<SealedStream> stream_of(const EnvelopeHeader& header, const crypto::MasterKey& master) {
  os::SecretArray<crypto::kKeySize> key;
  CHECK(crypto::hkdf(master.bytes(), header.salt, "vitrine 1 export chunks", key));
  return SealedStream::create(static_cast<Cipher>(header.cipher), key);
}

// The header, not yet proven to come from anybody.
Result<EnvelopeHeader> read_header(os::File& file) {
  EnvelopeHeader header;
  const std::size_t size = TRY(file.read_at(0, &header, sizeof header));
  if (size < sizeof header) return damaged("the file is cut short", size);
  if (header.magic != kSealedMagic) return damaged("not an encrypted export file", 0);
  if (header.checksum != checksum_of(header)) return damaged("the file header does not match its checksum", 0);
  if (header.version != kEnvelopeVersion) {
    return Status::error(ErrorCode::ExportVersion).with("version", std::uint64_t{header.version});
  }
  const auto cipher = static_cast<Cipher>(header.cipher);
  const bool is_known = cipher == Cipher::Aes256Gcm || cipher == Cipher::ChaCha20Poly1305;
  if (!is_known || header.chunk_size != SealedStream::kChunkSize || header.zero != EnvelopeHeader{}.zero) {
    return damaged("the file header names what there is not", 0);
  }
  return header;
}

Result<bool> verifies(const EnvelopeHeader& header, const crypto::MasterKey& master) {
  const crypto::Mac mac = TRY(mac_of(header, master));
  return crypto::equal_in_constant_time(std::as_bytes(std::span(mac)), std::as_bytes(std::span(header.mac)));
}

Result<SealedStream> unlock(const EnvelopeHeader& header, const Secret& secret, const crypto::MasterKey* own) {
  if (!secret) {
    if (own != nullptr && TRY(verifies(header, *own))) return stream_of(header, *own);
    return Status::error(ErrorCode::KeyRequired, "the export file is encrypted, and no secret was given for it");
  }
  crypto::Unlocker unlocker(secret);
  const Result<crypto::Unlocked> unlocked = unlocker.unlock(header.keys);
  if (!unlocked.has_value()) {
    const ErrorCode code = unlocked.status().code();
    if (code == ErrorCode::HeaderDamaged) return damaged("the key table is impossible", offsetof(EnvelopeHeader, keys));
    if (code != ErrorCode::KeyMismatch) return unlocked.status();
    return Status::error(ErrorCode::KeyMismatch, "no key slot of the export file matches the secret");
  }
  if (!TRY(verifies(header, unlocked->master))) return damaged("the file header is forged", 0);
  return stream_of(header, unlocked->master);
}

}  // namespace

Result<bool> is_sealed_export(os::File& file) {
  std::array<char, 8> magic{};
  const std::size_t size = TRY(file.read_at(0, magic.data(), magic.size()));
  return size == magic.size() && magic == kSealedMagic;
}

// --- Writing ---------------------------------------------------------------------------------------------------------

SealedSink::SealedSink(os::File& file, SealedStream stream) : file_(file), stream_(std::move(stream)) {
  chunk_.reserve(SealedStream::kSealedSize);
}

Result<std::unique_ptr<ExportSink>> SealedSink::create(os::Env& env, os::File& file, const crypto::KeyTable& keys,
                                                       const crypto::MasterKey& master, Cipher cipher) {
  EnvelopeHeader header;
  header.magic = kSealedMagic;
  header.version = kEnvelopeVersion;
  header.cipher = static_cast<std::uint32_t>(cipher);
  header.chunk_size = SealedStream::kChunkSize;
  CHECK(env.random_bytes(header.salt));
  header.keys = keys;
  header.mac = TRY(mac_of(header, master));
  header.checksum = checksum_of(header);
  SealedStream stream = TRY(stream_of(header, master));
  const os::IoSlice slice{&header, sizeof header};
  CHECK(file.write_at(0, {&slice, 1}));
  return std::unique_ptr<ExportSink>(new SealedSink(file, std::move(stream)));
}

// A full chunk waits until it is known whether it is the last.
Status SealedSink::append(Bytes bytes) {
  while (!bytes.empty()) {
    if (chunk_.size() == SealedStream::kChunkSize) CHECK(write_chunk(false));
    const Bytes part = bytes.substr(0, SealedStream::kChunkSize - chunk_.size());
    const auto* const begin = reinterpret_cast<const std::byte*>(part.data());
    chunk_.insert(chunk_.end(), begin, begin + part.size());
    bytes.remove_prefix(part.size());
  }
  return {};
}

Status SealedSink::finish() {
  CHECK(write_chunk(true));
  return file_.sync();
}

Status SealedSink::write_chunk(bool is_last) {
  crypto::Tag tag;
  CHECK(stream_.seal(chunk_, is_last, tag));
  const os::IoSlice slices[] = {{chunk_.data(), chunk_.size()}, {tag.data(), tag.size()}};
  CHECK(file_.write_at(offset_, slices));
  offset_ += chunk_.size() + tag.size();
  chunk_.clear();
  return {};
}

// --- Reading ---------------------------------------------------------------------------------------------------------

SealedSource::SealedSource(os::File& file, std::uint64_t file_size, SealedStream stream)
    : file_(file), file_size_(file_size), stream_(std::move(stream)) {}

Result<std::unique_ptr<ExportSource>> SealedSource::open(os::File& file, const Secret& secret,
                                                         const crypto::MasterKey* own) {
  const EnvelopeHeader header = TRY(read_header(file));
  SealedStream stream = TRY(unlock(header, secret, own));
  const std::uint64_t size = TRY(file.size());
  return std::unique_ptr<ExportSource>(new SealedSource(file, size, std::move(stream)));
}

Result<std::size_t> SealedSource::read(char* to, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    if (used_ == chunk_.size()) {
      if (is_over_) break;
      CHECK(read_chunk());
    }
    const std::size_t part = std::min(size - done, chunk_.size() - used_);
    std::memcpy(to + done, chunk_.data() + used_, part);
    done += part;
    used_ += part;
  }
  return done;
}

// What ends with the file must be the last chunk, and nothing else may be.
Status SealedSource::read_chunk() {
  const std::uint64_t left = file_size_ - std::min(offset_, file_size_);
  const bool is_last = left <= SealedStream::kSealedSize;
  const auto size = static_cast<std::size_t>(is_last ? left : SealedStream::kSealedSize);
  used_ = 0;
  chunk_.clear();
  if (size < crypto::kTagSize) return damaged("the file is cut short", offset_);
  chunk_.resize(size);
  Result<std::size_t> got = file_.read_at(offset_, chunk_.data(), size);
  crypto::Tag tag;
  std::copy(chunk_.end() - crypto::kTagSize, chunk_.end(), tag.begin());
  chunk_.resize(size - crypto::kTagSize);
  const bool is_read = got.has_value() && *got == size;
  const bool is_open = is_read && stream_.open(chunk_, is_last, tag);
  if (!is_open) chunk_.clear();  // nothing of it is given out
  CHECK(got.status());
  if (!is_open) return damaged(is_last ? "the end is not that of the export" : "a chunk does not verify", offset_);
  offset_ += size;
  is_over_ = is_last;
  return {};
}

}  // namespace vitrine::kv
