// SPDX-License-Identifier: MIT OR Apache-2.0
#include "inspect/source_file.hpp"

#include <algorithm>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "engine/engine.hpp"
#include "engine/file_keys.hpp"
#include "format/log.hpp"
#include "format/sealed_page.hpp"
#include "tree/describe.hpp"

namespace vitrine::inspect {
namespace {

// How far back from a page the start of its extent is looked for.
constexpr std::uint64_t kExtentBytesMax = 1u << 20;
// Pages tried to learn the page size of a file without a header.
constexpr PageNo kProbePages = 64;
constexpr std::size_t kExtentHead = format::kPageHeaderSize + 8;

bool is_zero(const std::vector<std::byte>& bytes) noexcept {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace

std::string_view integrity_name(Integrity integrity) noexcept {
  switch (integrity) {
    case Integrity::Intact:
      return "intact";
    case Integrity::Damaged:
      return "damaged";
    case Integrity::Zero:
      return "zero";
    case Integrity::Header:
      return "header";
    case Integrity::Sealed:
      return "sealed";
    case Integrity::Beyond:
      break;
  }
  return "beyond_end";
}

format::PageHeader PageLook::header() const noexcept { return base::load<format::PageHeader>(image.data()); }

Result<SourceFile> SourceFile::open(const std::string& path, const Options& options, WithoutKey without_key) {
  os::Env& env = env_of(options);
  SourceFile source(TRY(env.open(path, os::OpenMode::ReadOnly)), path);
  source.secret_ = options.secret;
  source.without_key_ = without_key;
  CHECK(source.hold_checkpoint());
  source.file_bytes_ = TRY(source.file_->size());
  Result<std::unique_ptr<os::File>> log = env.open(path + "-wal", os::OpenMode::ReadOnly);
  if (log.has_value()) source.log_ = *std::move(log);
  if (!source.header_status_.is_ok()) CHECK(source.find_geometry());
  return source;
}

Status SourceFile::read_header() {
  area_bytes_ = TRY(file_->read_at(0, area_.data(), area_.size()));
  const Result<format::MetaChoice> choice = format::choose_meta(header_area(), keys_.get());
  header_status_ = choice.status();
  if (header_status_.code() == ErrorCode::HeaderDamaged) return {};
  if (!choice.has_value()) return choice.status().with("path", path_);
  choice_ = *choice;
  page_size_ = choice_.meta.page_size;
  if (keys_) return {};
  codec_ = std::make_shared<const format::PageCodec>(choice_.meta.file);
  if (choice_.meta.is_encrypted()) {
    if (secret_) return unlock();
    return without_key_ == WithoutKey::Allowed ? Status{} : check_unlocked();
  }
  return secret_ ? Status::error(ErrorCode::NotEncrypted).with("path", path_) : Status{};
}

Status SourceFile::check_unlocked() const {
  if (!is_encrypted() || keys_) return {};
  return Status::error(ErrorCode::KeyRequired).with("path", path_);
}

// Once; then the header is chosen again, from the blocks that verify under the keys. Nothing is ever sealed here, so
// the salts of a session are not needed.
Status SourceFile::unlock() {
  Result<engine::FileKeys> keys = engine::unlock(header_area(), secret_);
  secret_ = {};
  if (!keys.has_value()) return keys.status().with("path", path_);
  keys_ = keys->ring;
  const format::MetaChoice choice = TRY(format::choose_meta(header_area(), keys_.get()));
  std::unique_ptr<format::PageCodec> codec = TRY(engine::make_page_codec(choice.meta, *keys, crypto::Salt{}));
  std::unique_ptr<format::LogSeal> seal = TRY(format::LogSeal::make(keys_, crypto::Salt{}));
  codec_ = std::move(codec);
  log_seal_ = std::move(seal);
  return read_header();
}

std::optional<format::Meta> SourceFile::older_meta() const {
  for (unsigned block = 0; block < format::kMetaBlockCount; ++block) {
    const Result<format::Meta> meta =
        format::decode_meta(format::meta_block(header_area(), block), block / 2, block % 2, keys_.get());
    if (meta.has_value() && meta->file == choice_.meta.file && meta->page_size == page_size_ &&
        meta->checkpoint + 1 == choice_.meta.checkpoint) {
      return *meta;
    }
  }
  return std::nullopt;
}

// The newest checkpoint stays whole while its byte is locked; the writer looks at the locks after each new header. A
// writer that has it locked for itself cannot be, so a refusal only means that nothing can be promised.
Status SourceFile::hold_checkpoint() {
  for (int attempt = 0; attempt < 16; ++attempt) {
    CHECK(read_header());
    if (!header_status_.is_ok()) return {};
    const std::uint64_t checkpoint = choice_.meta.checkpoint;
    const std::uint64_t byte = engine::lock_of_checkpoint(checkpoint);
    if (!TRY(file_->try_lock(byte, 1, os::LockMode::Shared))) return {};
    CHECK(read_header());
    if (!header_status_.is_ok() || choice_.meta.checkpoint == checkpoint) return {};
    CHECK(file_->unlock(byte, 1));
  }
  return Status::error(ErrorCode::Timeout, "checkpoints follow each other too fast to be looked at");
}

// Without a header: the log names the file, and a page that verifies under that name has the right size.
Status SourceFile::find_geometry() {
  if (log_ == nullptr) return {};
  std::array<std::byte, format::kLogFileHeaderSize> block;
  const std::size_t got = TRY(log_->read_at(0, block.data(), block.size()));
  const Result<format::LogFileHeader> header = format::decode_log_file_header(std::span(block).first(got));
  if (!header.has_value()) return {};
  codec_ = std::make_shared<const format::PageCodec>(header->file);
  for (std::uint32_t size = format::kPageSizeMin; size <= format::kPageSizeMax; size *= 2) {
    if (!TRY(fits_geometry(size))) continue;
    page_size_ = size;
    return {};
  }
  return {};
}

Result<bool> SourceFile::fits_geometry(std::uint32_t page_size) {
  std::vector<std::byte> image(page_size);
  const PageNo first = format::first_page(page_size);
  for (PageNo page = first; page < first + kProbePages; ++page) {
    const std::size_t got = TRY(file_->read_at(page * page_size, image.data(), image.size()));
    if (got < image.size()) return false;
    if (codec_->is_intact(image.data(), image.size())) return true;
  }
  return false;
}

// Whether the image verifies as what it says it is; an encrypted one is then decrypted.
bool SourceFile::open_in_place(std::vector<std::byte>& image) const {
  if (!keys_) return codec_->is_intact(image.data(), image.size());
  const auto header = base::load<format::PageHeader>(image.data());
  std::vector<std::byte> opened = image;
  const PageRef itself{header.page, header.generation, header.session};
  if (!codec_->open(opened.data(), opened.size(), itself).is_ok()) return false;
  image = std::move(opened);
  return true;
}

// What a page is that is not intact by itself. The size of an extent is encrypted, so its seal cannot be checked here.
Integrity SourceFile::integrity_of_unopened(const PageLook& look) const noexcept {
  if (is_zero(look.image)) return Integrity::Zero;
  if (!is_encrypted()) return Integrity::Damaged;
  const format::PageHeader header = look.header();
  const bool is_single = header.page == look.page && header.type != format::PageType::Extent &&
                         header.type != format::PageType::ExtentList;
  return keys_ && is_single ? Integrity::Damaged : Integrity::Sealed;
}

Result<PageLook> SourceFile::look_at_start(PageNo page) {
  PageLook found{page, page, Integrity::Beyond, {}};
  if (page < first_page()) found.integrity = Integrity::Header;
  found.image.resize(page_size_);
  if (page > format::kPageNoMax) {
    found.image.clear();
    return found;
  }
  const std::size_t got = TRY(file_->read_at(page * page_size_, found.image.data(), page_size_));
  if (got < page_size_) {
    found.image.clear();
    return found;
  }
  if (page < first_page()) return found;
  found.integrity = integrity_of_unopened(found);
  if (open_in_place(found.image)) {
    found.integrity = Integrity::Intact;
    return found;
  }
  if (is_encrypted()) return found;
  const std::optional<std::uint64_t> size = tree::extent_image_size(found.image.data(), page_size_);
  if (!size || *size == page_size_ || page * page_size_ + *size > file_bytes_ || found.header().page != page) {
    return found;
  }
  std::vector<std::byte> whole(*size);
  const std::size_t whole_got = TRY(file_->read_at(page * page_size_, whole.data(), whole.size()));
  if (whole_got < whole.size() || !codec_->is_intact(whole.data(), whole.size())) return found;
  found.integrity = Integrity::Intact;
  found.image = std::move(whole);
  return found;
}

// A page without a header of its own may be the inside of an extent that begins before it.
Result<PageLook> SourceFile::look(PageNo page) {
  PageLook found = TRY(look_at_start(page));
  const bool may_be_inside = found.integrity == Integrity::Damaged || found.integrity == Integrity::Zero;
  if (!may_be_inside || is_encrypted()) return found;
  const std::uint64_t back = std::min<std::uint64_t>(kExtentBytesMax / page_size_, page - first_page());
  std::array<std::byte, kExtentHead> head;
  for (PageNo first = page - 1; first + back >= page && first >= first_page(); --first) {
    if (TRY(file_->read_at(first * page_size_, head.data(), head.size())) < head.size()) break;
    const std::optional<std::uint64_t> size = tree::extent_image_size(head.data(), page_size_);
    const bool covers =
        size && first + *size / page_size_ > page && base::load<format::PageHeader>(head.data()).page == first;
    if (!covers) continue;
    PageLook extent = TRY(look_at_start(first));
    if (!extent.is_intact()) continue;
    extent.page = page;
    return extent;
  }
  return found;
}

Status SourceFile::read(const PageRef& ref, std::uint64_t pages, std::vector<std::byte>& image) {
  const std::uint64_t size = pages * page_size_;
  if (pages == 0 || ref.page() < first_page() || size > file_bytes_ || ref.page() * page_size_ > file_bytes_ - size) {
    return Status::error(ErrorCode::FileTruncated, "a reference leads outside the file").with("page", ref.page());
  }
  image.resize(size);
  const std::size_t got = TRY(file_->read_at(ref.page() * page_size_, image.data(), image.size()));
  if (got < image.size()) return Status::error(ErrorCode::FileTruncated).with("page", ref.page());
  return codec_->open(image.data(), image.size(), ref);
}

Result<std::vector<tree::ExtentEntry>> SourceFile::extents_of(const tree::LargeValue& value) {
  if (value.depth == 0) {
    return std::vector<tree::ExtentEntry>{{value.ref, value.pages, static_cast<std::uint32_t>(value.size)}};
  }
  std::vector<std::byte> image;
  CHECK(read(value.ref, value.pages, image));
  return tree::decode_extent_list(image, value);
}

Result<std::string> SourceFile::read_value(Bytes descriptor, std::uint64_t size_max) {
  const tree::LargeValue value = TRY(tree::decode_large_value(descriptor));
  std::string whole;
  std::vector<std::byte> image;
  for (const tree::ExtentEntry& entry : TRY(extents_of(value))) {
    if (whole.size() >= size_max) break;
    CHECK(read(entry.ref, entry.pages, image));
    whole.append(TRY(tree::extent_payload(image, entry, format::PageType::Extent)));
  }
  if (whole.size() > size_max) whole.resize(size_max);
  return whole;
}

}  // namespace vitrine::inspect
