// SPDX-License-Identifier: MIT OR Apache-2.0
#include "inspect/moment.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "inspect/tree_walk.hpp"
#include "tree/extent.hpp"
#include "tree/tree.hpp"

namespace vitrine::inspect {
namespace {

constexpr std::uint64_t kCacheSize = std::uint64_t{8} << 20;
constexpr std::size_t kPieceSize = std::size_t{256} << 10;

class CheckpointValue : public ValueReader {
 public:
  CheckpointValue(SourceFile& source, std::uint64_t size, std::vector<tree::ExtentEntry> entries)
      : source_(source), size_(size), entries_(std::move(entries)) {}
  std::uint64_t size() const noexcept override { return size_; }

  Result<Bytes> at(std::uint64_t offset) override {
    std::uint64_t begin = 0;
    for (const tree::ExtentEntry& entry : entries_) {
      if (offset < begin + entry.bytes) {
        CHECK(source_.read(entry.ref, entry.pages, image_));
        const Bytes payload = TRY(tree::extent_payload(image_, entry, format::PageType::Extent));
        return payload.substr(offset - begin);
      }
      begin += entry.bytes;
    }
    return Status::error(ErrorCode::PageMalformed, "a large value is shorter than it says");
  }

 private:
  SourceFile& source_;
  const std::uint64_t size_;
  const std::vector<tree::ExtentEntry> entries_;
  std::vector<std::byte> image_;
};

class CheckpointMoment : public Moment {
 public:
  CheckpointMoment(SourceFile& source, const format::Meta& meta) : source_(source), root_(meta.tree_root) {}
  PageRef root() const noexcept override { return root_; }
  Result<tree::NodeView> node(const PageRef& ref, std::optional<unsigned> level,
                              std::vector<std::byte>& image) override {
    return read_node(source_, ref, level, image);
  }
  Result<std::unique_ptr<ValueReader>> value(Bytes descriptor) override {
    const tree::LargeValue large = TRY(tree::decode_large_value(descriptor));
    std::vector<tree::ExtentEntry> entries = TRY(source_.extents_of(large));
    return std::unique_ptr<ValueReader>(std::make_unique<CheckpointValue>(source_, large.size, std::move(entries)));
  }

 private:
  SourceFile& source_;
  const PageRef root_;
};

class PresentValue : public ValueReader {
 public:
  explicit PresentValue(tree::LargeValueReader reader) : reader_(std::move(reader)) {}
  std::uint64_t size() const noexcept override { return reader_.size(); }
  Result<Bytes> at(std::uint64_t offset) override {
    piece_.resize(kPieceSize);
    const std::size_t got = TRY(reader_.read_at(offset, piece_.data(), piece_.size()));
    if (got == 0) return Status::error(ErrorCode::PageMalformed, "a large value is shorter than it says");
    return Bytes(piece_).substr(0, got);
  }

 private:
  tree::LargeValueReader reader_;
  std::string piece_;
};

class PresentMoment : public Moment {
 public:
  explicit PresentMoment(std::shared_ptr<engine::Engine> engine)
      : engine_(std::move(engine)), state_(engine_->pin_snapshot()) {}
  ~PresentMoment() override { engine_->unpin_snapshot(state_); }
  PresentMoment(const PresentMoment&) = delete;
  PresentMoment& operator=(const PresentMoment&) = delete;
  PageRef root() const noexcept override { return state_.root.page; }
  Result<tree::NodeView> node(const PageRef& ref, std::optional<unsigned> level,
                              std::vector<std::byte>& image) override {
    const pool::ReadGuard page = TRY(tree::fetch_node(engine_->pool(), ref, level));
    image.assign(page.data(), page.data() + engine_->page_size());
    return tree::NodeView(image.data(), engine_->page_size());
  }
  Result<std::unique_ptr<ValueReader>> value(Bytes descriptor) override {
    tree::LargeValueReader reader = TRY(tree::LargeValueReader::open(engine_->pool(), descriptor));
    return std::unique_ptr<ValueReader>(std::make_unique<PresentValue>(std::move(reader)));
  }

 private:
  const std::shared_ptr<engine::Engine> engine_;
  const engine::State state_;
};

}  // namespace

std::unique_ptr<Moment> checkpoint_moment(SourceFile& source, const format::Meta& meta) {
  return std::make_unique<CheckpointMoment>(source, meta);
}

Result<std::unique_ptr<Moment>> present_moment(const std::string& path, const Options& options) {
  Options reading = options;
  reading.access = Access::ReadOnly;
  reading.cache_size = std::min<std::uint64_t>(reading.cache_size, kCacheSize);
  std::shared_ptr<engine::Engine> engine = TRY(engine::Engine::open(env_of(options), path, reading));
  return std::unique_ptr<Moment>(std::make_unique<PresentMoment>(std::move(engine)));
}

}  // namespace vitrine::inspect
