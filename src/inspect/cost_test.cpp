// SPDX-License-Identifier: MIT OR Apache-2.0
// What a look costs, counted in bytes read: the same in a file of 1 MB as in one of 4 GB.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>

#include "format/meta.hpp"
#include "os/memory_env.hpp"
#include "space/map_page.hpp"
#include "vitrine/database.hpp"
#include "vitrine/inspect.hpp"

namespace vitrine::inspect {
namespace {

constexpr std::uint32_t kPageSize = 4096;
constexpr std::uint64_t kBigPages = (std::uint64_t{4} << 30) / kPageSize;

// A file of another environment that counts what is read.
class CountingFile : public os::File {
 public:
  CountingFile(std::unique_ptr<os::File> file, std::uint64_t& bytes) : file_(std::move(file)), bytes_(bytes) {}
  Result<std::size_t> read_at(std::uint64_t offset, void* to, std::size_t size) override {
    bytes_ += size;
    return file_->read_at(offset, to, size);
  }
  Status write_at(std::uint64_t offset, std::span<const os::IoSlice> slices) override {
    return file_->write_at(offset, slices);
  }
  Status sync() override { return file_->sync(); }
  Result<std::uint64_t> size() override { return file_->size(); }
  Status resize(std::uint64_t size) override { return file_->resize(size); }
  Status reserve(std::uint64_t offset, std::uint64_t size) override { return file_->reserve(offset, size); }
  Result<bool> try_lock(std::uint64_t offset, std::uint64_t size, os::LockMode mode) override {
    return file_->try_lock(offset, size, mode);
  }
  Status unlock(std::uint64_t offset, std::uint64_t size) override { return file_->unlock(offset, size); }
  Result<bool> locked_by_other(std::uint64_t offset, std::uint64_t size) override {
    return file_->locked_by_other(offset, size);
  }
  Result<os::FileIdentity> identity() override { return file_->identity(); }

 private:
  const std::unique_ptr<os::File> file_;
  std::uint64_t& bytes_;
};

class CountingEnv : public os::Env {
 public:
  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    Result<std::unique_ptr<os::File>> file = env_->open(path, mode);
    if (!file.has_value()) return file.status();
    return std::unique_ptr<os::File>(std::make_unique<CountingFile>(*std::move(file), bytes));
  }
  Result<std::unique_ptr<os::File>> open_temporary(const std::string& near_path) override {
    return env_->open_temporary(near_path);
  }
  Result<bool> exists(const std::string& path) override { return env_->exists(path); }
  Status remove(const std::string& path) override { return env_->remove(path); }
  Status rename(const std::string& from, const std::string& to) override { return env_->rename(from, to); }
  Status rename_new(const std::string& from, const std::string& to) override { return env_->rename_new(from, to); }
  Status sync_directory_of(const std::string& path) override { return env_->sync_directory_of(path); }
  Result<os::FilesystemInfo> filesystem_of(const std::string& path) override { return env_->filesystem_of(path); }
  std::uint64_t wall_ms() override { return env_->wall_ms(); }
  std::uint64_t monotonic_ns() override { return env_->monotonic_ns(); }
  Status random_bytes(std::span<std::byte> to) override { return env_->random_bytes(to); }
  std::uint64_t process_id() override { return env_->process_id(); }
  void sleep_ms(std::uint64_t duration) override { env_->sleep_ms(duration); }
  bool has_background_threads() override { return env_->has_background_threads(); }

  std::uint64_t bytes = 0;  // read since it was set to 0

 private:
  const std::unique_ptr<os::Env> env_ = os::make_memory_env();
};

class Cost : public ::testing::Test {
 protected:
  Cost() { options_.env = &env_; }

  void make_small(const std::string& path) {
    options_.page_size = kPageSize;
    Database db = Database::open(path, OpenMode::CreateIfMissing, options_).value();
    ASSERT_TRUE(db.write([](WriteTransaction& txn) {
                    for (int i = 0; i < 7000; ++i) {
                      if (Status s = txn.put({}, "key" + std::to_string(10000 + i), std::string(100, 'v')); !s.is_ok())
                        return s;
                    }
                    return Status{};
                  }).is_ok());
    ASSERT_TRUE(db.close().is_ok());
  }

  // Makes the file 4 GB large: a map for so many pages, its new part at the far end, and free pages between.
  void enlarge(const std::string& path) {
    const std::unique_ptr<os::File> file = env_.open(path, os::OpenMode::ReadWrite).value();
    std::vector<std::byte> area(format::kMetaAreaSize);
    ASSERT_EQ(file->read_at(0, area.data(), area.size()).value(), area.size());
    format::Meta meta = format::choose_meta(area).value().meta;
    const format::PageCodec codec(meta.file);
    const space::MapShape shape(kPageSize);
    const auto write = [&](std::uint64_t offset, const void* bytes, std::size_t size) {
      const os::IoSlice slice{bytes, size};
      ASSERT_TRUE(file->write_at(offset, {&slice, 1}).is_ok());
    };
    const auto write_page = [&](const format::PageRef& ref, auto&& encode) {
      std::vector<std::byte> image(kPageSize);
      encode(image.data());
      ASSERT_TRUE(codec.seal(image.data(), image.size()).is_ok());
      write(ref.page() * kPageSize, image.data(), image.size());
    };
    ASSERT_TRUE(file->resize(kBigPages * kPageSize).is_ok());
    const std::uint64_t span = shape.span(0), last = (kBigPages - 1) / span;
    const format::PageRef root{kBigPages - 1, meta.map_root.generation, meta.map_root.session};
    std::vector<format::PageRef> refs(last + 1);
    refs[0] = meta.map_root;
    for (std::uint64_t index = 1; index <= last; ++index) {
      const format::PageRef leaf{root.page() - index, root.generation, root.session};
      std::vector<std::uint64_t> bits(span / 64);
      for (std::uint64_t page = root.page() - last; index == last && page <= root.page(); ++page) {
        bits[page % span / 64] |= std::uint64_t{1} << page % span % 64;
      }
      refs[index] = leaf;
      write_page(leaf, [&](std::byte* image) { space::encode_map_leaf(shape, leaf, index, bits, image); });
    }
    write_page(root, [&](std::byte* image) { space::encode_map_inner(shape, root, {1, 0}, refs, image); });
    meta.map_root = root;
    meta.page_count = kBigPages;
    for (unsigned copy = 0; copy < 2; ++copy) {
      const format::MetaBlock block = format::encode_meta(meta, copy);
      write((format::meta_slot(meta.checkpoint) * 2 + copy) * format::kMetaBlockSize, block.data(), block.size());
    }
  }

  std::uint64_t cost(const std::string& path, View view, std::string from = {}) {
    Request request;
    request.view = view;
    request.from = std::move(from);
    request.disclosure = Disclosure::Values;
    env_.bytes = 0;
    const Result<Value> answer = look(path, request, options_);
    EXPECT_TRUE(answer.has_value()) << answer.status().to_string();
    return env_.bytes;
  }

  CountingEnv env_;
  Options options_;
};

TEST_F(Cost, of_a_look_is_that_of_what_it_shows) {
  make_small("small.vtr");
  make_small("big.vtr");
  enlarge("big.vtr");
  // The path through the map is one page longer, and space looks at two leaves of the map.
  constexpr std::uint64_t kMore = 4 * kPageSize;
  for (const View view : {View::Header, View::Pages, View::Page, View::Tree, View::Log, View::Keys, View::Catalog,
                          View::Space, View::Snapshots, View::Cache}) {
    const std::uint64_t small = cost("small.vtr", view), big = cost("big.vtr", view);
    EXPECT_LE(big, small + kMore) << view_name(view);
    EXPECT_LE(small, 3'000'000u) << view_name(view);
  }
  constexpr std::uint64_t kMapLeaves = 16 * kPageSize;  // of those that health looks at, far from all
  EXPECT_LE(cost("big.vtr", View::Health), cost("small.vtr", View::Health) + kMore + kMapLeaves);
  EXPECT_LE(cost("big.vtr", View::Page, std::to_string(kBigPages - 1)), cost("small.vtr", View::Page, "5") + kMore);
  const Database db = Database::open("big.vtr", OpenMode::MustExist, options_).value();
  EXPECT_TRUE(db.verify(VerifyLevel::Full).value().is_clean());
}

}  // namespace
}  // namespace vitrine::inspect
