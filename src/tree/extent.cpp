// SPDX-License-Identifier: MIT OR Apache-2.0
#include "tree/extent.hpp"

#include <algorithm>
#include <cstring>

#include "base/codec.hpp"
#include "base/try.hpp"

namespace vitrine::tree {
namespace {

constexpr std::size_t kPayloadOffset = format::kPageHeaderSize + 8;
// No extent is longer than 1 MiB, no list longer than what 1 GiB of the shortest extents needs.
constexpr std::uint32_t kExtentPagesMax = 1024;

std::uint32_t pages_for(std::size_t payload, std::uint32_t page_size) noexcept {
  return static_cast<std::uint32_t>((payload + kExtentOverhead + page_size - 1) / page_size);
}

void fill_image(std::byte* image, Bytes payload) noexcept {
  base::store(image + format::kPageHeaderSize, static_cast<std::uint64_t>(payload.size()));
  std::memcpy(image + kPayloadOffset, payload.data(), payload.size());
}

}  // namespace

Result<LargeValue> decode_large_value(Bytes cell) {
  if (cell.size() != sizeof(LargeValue))
    return Status::error(ErrorCode::PageMalformed, "a large value of a wrong size");
  const auto value = base::load<LargeValue>(cell.data());
  if (value.ref.is_null() || value.pages == 0 || value.pages > kExtentPagesMax || value.depth > 1) {
    return Status::error(ErrorCode::PageMalformed, "a large value that names no extent");
  }
  return value;
}

Result<Bytes> extent_payload(std::span<const std::byte> image, const ExtentEntry& extent, format::PageType type) {
  const auto header = base::load<format::PageHeader>(image.data());
  const auto size = base::load<std::uint64_t>(image.data() + format::kPageHeaderSize);
  if (header.type != type || size > image.size() - kExtentOverhead || size != extent.bytes) {
    return Status::error(ErrorCode::PageMalformed, "an extent is not what its reference says")
        .with("page", extent.ref.page());
  }
  return Bytes(reinterpret_cast<const char*>(image.data()) + kPayloadOffset, size);
}

Result<std::vector<ExtentEntry>> decode_extent_list(std::span<const std::byte> image, const LargeValue& value) {
  // The payload size of a list is not in the descriptor: take what the image says.
  const auto size = base::load<std::uint64_t>(image.data() + format::kPageHeaderSize);
  const ExtentEntry list{value.ref, value.pages, static_cast<std::uint32_t>(size)};
  const Bytes payload = TRY(extent_payload(image, list, format::PageType::ExtentList));
  std::vector<ExtentEntry> entries(payload.size() / sizeof(ExtentEntry));
  if (!entries.empty()) std::memcpy(entries.data(), payload.data(), entries.size() * sizeof(ExtentEntry));
  const std::size_t page_size = image.size() / value.pages;
  std::uint64_t total = 0;
  bool sound = payload.size() % sizeof(ExtentEntry) == 0 && !entries.empty();
  for (const ExtentEntry& entry : entries) {
    total += entry.bytes;
    const bool is_whole = !entry.ref.is_null() && entry.pages > 0 && entry.pages <= kExtentPagesMax;
    sound = sound && is_whole && entry.bytes + kExtentOverhead <= entry.pages * page_size;
  }
  if (!sound || total != value.size) {
    return Status::error(ErrorCode::PageMalformed, "a list of extents does not add up").with("page", value.ref.page());
  }
  return entries;
}

Result<std::string> read_extent(pool::Pool& pool, const ExtentEntry& extent, format::PageType type) {
  const std::size_t page_size = pool.page_size();
  if (extent.pages == 1) {
    const pool::ReadGuard page = TRY(pool.fetch(extent.ref));
    return std::string(TRY(extent_payload({page.data(), page_size}, extent, type)));
  }
  std::string image(extent.pages * page_size, '\0');
  auto* bytes = reinterpret_cast<std::byte*>(image.data());
  CHECK(pool.store().read(extent.ref, bytes, image.size()));
  const Bytes payload = TRY(extent_payload({bytes, image.size()}, extent, type));
  image.resize(kPayloadOffset + payload.size());
  image.erase(0, kPayloadOffset);
  return image;
}

Result<std::vector<ExtentEntry>> extents_of(pool::Pool& pool, const LargeValue& value) {
  const std::uint32_t page_size = pool.page_size();
  if (value.depth == 0) {
    if (value.size > std::uint64_t{value.pages} * page_size) {
      return Status::error(ErrorCode::PageMalformed, "a large value is longer than its extent");
    }
    return std::vector<ExtentEntry>{{value.ref, value.pages, static_cast<std::uint32_t>(value.size)}};
  }
  if (value.pages == 1) {
    const pool::ReadGuard page = TRY(pool.fetch(value.ref));
    return decode_extent_list({page.data(), page_size}, value);
  }
  std::vector<std::byte> image(std::size_t{value.pages} * page_size);
  CHECK(pool.store().read(value.ref, image.data(), image.size()));
  return decode_extent_list(image, value);
}

// A damaged list must not keep its entry from being replaced or erased. Which extents it named is lost with it, so
// their pages stay allocated, and the check reports them as leaked.
Status retire_large_value(Workspace& workspace, const LargeValue& value) {
  const Result<std::vector<ExtentEntry>> entries = extents_of(workspace.pool(), value);
  if (!entries.has_value() && entries.status().kind() != ErrorKind::IntegrityFailure) return entries.status();
  if (entries.has_value()) {
    for (const ExtentEntry& entry : *entries) workspace.retire(entry.ref, entry.pages);
  }
  if (value.depth > 0) workspace.retire(value.ref, value.pages);
  return {};
}

// --- Writing ---------------------------------------------------------------------------------------------------------

LargeValueWriter::LargeValueWriter(Workspace& workspace) : workspace_(workspace) {}

LargeValueWriter::~LargeValueWriter() {
  for (const ExtentEntry& entry : entries_) workspace_.retire(entry.ref, entry.pages);
}

Status LargeValueWriter::append(Bytes piece) {
  const std::size_t payload_max = workspace_.extent_max() - kExtentOverhead;
  while (!piece.empty()) {
    if (buffer_.size() == payload_max) CHECK(flush());
    const std::size_t take = std::min(piece.size(), payload_max - buffer_.size());
    buffer_.append(piece.substr(0, take));
    piece.remove_prefix(take);
    size_ += take;
  }
  return {};
}

Status LargeValueWriter::flush() {
  entries_.reserve(std::max(entries_.size() + 1, entries_.capacity()));
  entries_.push_back(TRY(write(format::PageType::Extent, buffer_)));
  buffer_.clear();
  return {};
}

Result<ExtentEntry> LargeValueWriter::write(format::PageType type, Bytes payload) {
  pool::Pool& pool = workspace_.pool();
  ExtentEntry entry;
  entry.pages = pages_for(payload.size(), pool.page_size());
  entry.bytes = static_cast<std::uint32_t>(payload.size());
  if (entry.pages == 1) {
    pool::WriteGuard page = TRY(workspace_.create(type, 0, entry.ref));
    fill_image(page.data(), payload);
    return entry;
  }
  std::vector<std::byte> image(std::size_t{entry.pages} * pool.page_size());
  entry.ref = TRY(workspace_.allocate_run(entry.pages));
  const format::PageHeader header{type, 0, 0, 0, entry.ref.page(), entry.ref.generation, entry.ref.session};
  base::store(image.data(), header);
  fill_image(image.data(), payload);
  Status status = pool.store().seal(image.data(), image.size());
  if (status.is_ok()) status = pool.store().write(entry.ref.page(), image.data(), image.size());
  if (!status.is_ok()) {
    workspace_.retire(entry.ref, entry.pages);
    return status;
  }
  return entry;
}

Result<LargeValue> LargeValueWriter::finish() {
  if (!buffer_.empty() || entries_.empty()) CHECK(flush());
  LargeValue value;
  value.size = size_;
  if (entries_.size() == 1) {
    value.ref = entries_[0].ref;
    value.pages = entries_[0].pages;
  } else {
    const Bytes list(reinterpret_cast<const char*>(entries_.data()), entries_.size() * sizeof(ExtentEntry));
    const ExtentEntry written = TRY(write(format::PageType::ExtentList, list));
    value.ref = written.ref;
    value.pages = written.pages;
    value.depth = 1;
  }
  entries_.clear();  // they belong to the value now
  return value;
}

// --- Reading ---------------------------------------------------------------------------------------------------------

Result<LargeValueReader> LargeValueReader::open(pool::Pool& pool, Bytes descriptor) {
  LargeValueReader reader(pool, TRY(decode_large_value(descriptor)));
  reader.entries_ = TRY(extents_of(pool, reader.value_));
  std::uint64_t begin = 0;
  for (const ExtentEntry& entry : reader.entries_) {
    reader.begins_.push_back(begin);
    begin += entry.bytes;
  }
  return reader;
}

Status LargeValueReader::load(std::size_t index) {
  if (index == current_index_) return {};
  current_index_ = ~std::size_t{0};
  current_ = TRY(read_extent(*pool_, entries_[index], format::PageType::Extent));
  current_index_ = index;
  return {};
}

Result<std::size_t> LargeValueReader::read_at(std::uint64_t offset, char* to, std::size_t size) {
  if (offset >= value_.size) return std::size_t{0};
  size = static_cast<std::size_t>(std::min<std::uint64_t>(size, value_.size - offset));
  std::size_t done = 0;
  auto index = static_cast<std::size_t>(std::upper_bound(begins_.begin(), begins_.end(), offset) - begins_.begin()) - 1;
  while (done < size) {
    CHECK(load(index));
    const std::size_t within = static_cast<std::size_t>(offset + done - begins_[index]);
    const std::size_t take = std::min(size - done, current_.size() - within);
    std::memcpy(to + done, current_.data() + within, take);
    done += take;
    ++index;
  }
  return done;
}

}  // namespace vitrine::tree
