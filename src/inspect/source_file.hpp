// SPDX-License-Identifier: MIT OR Apache-2.0
// A database file as a row of pages that may be damaged: reads any page, says what it is and whether it verifies. Knows
// blocks, pages and extents; must not know the engine, so that it works where the engine refuses.
//
// While it lives it holds the newest checkpoint against reuse by a writer in another process, as readers do.
// Thread safety: none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "format/log_seal.hpp"
#include "format/meta.hpp"
#include "os/env.hpp"
#include "tree/extent.hpp"
#include "vitrine/options.hpp"

namespace vitrine::inspect {

using format::PageNo;
using format::PageRef;

inline os::Env& env_of(const Options& options) noexcept {
  return options.env != nullptr ? *options.env : os::system_env();
}

enum class Integrity : std::uint8_t {
  Intact,
  Damaged,  // it does not verify; a page that was never written, or is free, may look like that
  Zero,     // nothing but zeros
  Header,   // a page of the header area
  Sealed,   // of an encrypted file: without the key nothing can be checked, and an extent only through its value
  Beyond,   // the file ends before or inside it
};
std::string_view integrity_name(Integrity integrity) noexcept;

struct PageLook {
  PageNo page = 0;   // that was asked for
  PageNo first = 0;  // of the extent it is a part of; else `page`
  Integrity integrity = Integrity::Beyond;
  std::vector<std::byte> image;  // from `first` on: one page, or a whole extent when it is intact

  bool is_intact() const noexcept { return integrity == Integrity::Intact; }
  // What the bytes say, true or not. REQUIRES: !image.empty().
  format::PageHeader header() const noexcept;
};

class SourceFile {
 public:
  enum class WithoutKey : bool { Refused, Allowed };
  // With the environment and the secret of `options`. Errors: the file errors; NotDatabase and VersionUnsupported;
  // NotEncrypted when a secret was given in vain; of an encrypted file KeyMismatch, and KeyRequired when there is no
  // secret, unless that is allowed. Damage of the header is no error here.
  static Result<SourceFile> open(const std::string& path, const Options& options,
                                 WithoutKey without_key = WithoutKey::Refused);
  // KeyRequired when nothing but the outside of an encrypted file can be looked at.
  Status check_unlocked() const;
  bool is_encrypted() const noexcept { return header_status_.is_ok() && meta().is_encrypted(); }
  // Both null when the file is not encrypted, or there is no key.
  const crypto::KeyRing* keys() const noexcept { return keys_.get(); }
  const format::LogSeal* log_seal() const noexcept { return log_seal_.get(); }

  os::File& file() noexcept { return *file_; }
  const std::string& path() const noexcept { return path_; }
  std::uint64_t file_bytes() const noexcept { return file_bytes_; }

  // Ok, or HeaderDamaged: then there is no meta(), and page_size() may be 0.
  const Status& header_status() const noexcept { return header_status_; }
  const format::Meta& meta() const noexcept { return choice_.meta; }
  const format::MetaChoice& choice() const noexcept { return choice_; }
  // The checkpoint before the newest, if its header is still there; its pages may have been used again.
  std::optional<format::Meta> older_meta() const;
  std::span<const std::byte> header_area() const noexcept { return {area_.data(), area_bytes_}; }

  // Ok when pages can be placed and checked: from the header, or else from the id in the log and a page that verifies
  // under it; else header_status().
  Status check_geometry() const { return page_size_ != 0 ? Status{} : header_status_; }
  std::uint32_t page_size() const noexcept { return page_size_; }
  format::FileId file_id() const noexcept { return codec_->file(); }
  PageNo first_page() const noexcept { return format::first_page(page_size_); }
  // Pages that the file has room for, a part of one at the end included.
  std::uint64_t page_count() const noexcept { return (file_bytes_ + page_size_ - 1) / page_size_; }

  // REQUIRES for all below: check_geometry() is ok.
  Result<PageLook> look(PageNo page);
  // As look(), but a page inside an extent counts as damaged.
  Result<PageLook> look_at_start(PageNo page);
  // The content that `ref` names, verified. Errors: FileTruncated, PageChecksum, PageMisplaced, PageStale, ReadFailed.
  Status read(const PageRef& ref, std::uint64_t pages, std::vector<std::byte>& image);
  // A large value, whole or its first `size_max` bytes. Errors: as read(), PageMalformed.
  Result<std::string> read_value(Bytes descriptor, std::uint64_t size_max = ~std::uint64_t{0});
  // Its extents, and with them the list of extents if there is one.
  Result<std::vector<tree::ExtentEntry>> extents_of(const tree::LargeValue& value);

  // The log, when there is one that can be opened.
  os::File* log() noexcept { return log_.get(); }

 private:
  SourceFile(std::unique_ptr<os::File> file, std::string path)
      : file_(std::move(file)),
        path_(std::move(path)),
        codec_(std::make_shared<const format::PageCodec>(format::FileId{})) {}
  Status read_header();
  Status unlock();
  bool open_in_place(std::vector<std::byte>& image) const;
  Integrity integrity_of_unopened(const PageLook& look) const noexcept;
  Status hold_checkpoint();
  Status find_geometry();
  Result<bool> fits_geometry(std::uint32_t page_size);

  std::unique_ptr<os::File> file_;
  std::string path_;
  std::unique_ptr<os::File> log_;
  std::uint64_t file_bytes_ = 0;
  std::array<std::byte, format::kMetaAreaSize> area_{};
  std::size_t area_bytes_ = 0;
  Status header_status_;
  format::MetaChoice choice_;
  std::shared_ptr<const format::PageCodec> codec_;
  Secret secret_;
  WithoutKey without_key_ = WithoutKey::Refused;
  std::shared_ptr<const crypto::KeyRing> keys_;  // null: not encrypted, or no key
  std::shared_ptr<const format::LogSeal> log_seal_;
  std::uint32_t page_size_ = 0;
};

}  // namespace vitrine::inspect
