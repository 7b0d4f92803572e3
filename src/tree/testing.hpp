// SPDX-License-Identifier: MIT OR Apache-2.0
// A tree over a file in memory, everything below it included; a node alone; and a survey that looks at every page of a
// tree. For tests; not part of the library.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "format/meta.hpp"
#include "pool/testing.hpp"
#include "tree/cursor.hpp"
#include "tree/tree.hpp"

namespace vitrine::tree::testing {

inline constexpr std::uint64_t kTestSession = 0x5e55;

struct RigOptions {
  std::uint32_t page_size = 4096;
  std::uint64_t cache_size = pool::Pool::kBytesLean;  // 256 pages
  std::size_t extent_pages = 3;                       // short extents, so that values soon have several
};

// Everything a tree needs. Published versions are kept apart from the working one by retired pages only; a test that
// wants to look at old versions keeps the retired pages and gives them back with release().
class Rig {
 public:
  explicit Rig(const RigOptions& options = {}) : page_size_(options.page_size) {
    store_ = std::make_unique<pool::PageStore>(file_, codec_, page_size_);
    pool_ = pool::Pool::create(*store_, options.cache_size, validate_page).value();
    space_ = std::make_unique<space::SpaceMap>(page_size_, [this](std::uint64_t page_count) {
      return page_count <= page_limit_ ? file_.reserve(0, page_count * page_size_) : Status::error(ErrorCode::DiskFull);
    });
    space_->reset(format::first_page(page_size_));
    workspace_ = std::make_unique<Workspace>(*pool_, *space_, kTestSession, 1, options.extent_pages * page_size_);
    tree_ = std::make_unique<TreeWriter>(*workspace_);
  }

  std::uint32_t page_size() const { return page_size_; }
  pool::testing::TestFile& file() { return file_; }
  pool::PageStore& store() { return *store_; }
  pool::Pool& pool() { return *pool_; }
  space::SpaceMap& space() { return *space_; }
  Workspace& workspace() { return *workspace_; }
  TreeWriter& tree() { return *tree_; }

  // The disk is full beyond so many pages.
  void limit_pages(std::uint64_t page_count) { page_limit_ = page_count; }

  void release(const RetiredPages& pages) {
    if (pages.count == 1) pool_->discard(pages.page);
    space_->release(pages.page, pages.count);
  }
  // Ends a transaction; nobody looks at older versions.
  void publish() {
    for (const RetiredPages& pages : workspace_->publish()) release(pages);
  }
  // A new pool over the same file: every page is read and checked again. The tree must be written back and published.
  void reopen_pool() {
    ASSERT_TRUE(pool_->write_back(workspace_->working(), [](PageNo, Generation) { return true; }).is_ok());
    const TreeRoot root = tree_->root();
    const Version working = workspace_->working();
    const std::size_t extent_max = workspace_->extent_max();
    tree_.reset();
    workspace_.reset();
    pool_ = pool::Pool::create(*store_, pool::Pool::kBytesLean, validate_page).value();
    workspace_ = std::make_unique<Workspace>(*pool_, *space_, kTestSession, working, extent_max);
    tree_ = std::make_unique<TreeWriter>(*workspace_);
    tree_->set_root(root);
  }

 private:
  std::uint32_t page_size_;
  std::uint64_t page_limit_ = ~std::uint64_t{0};
  pool::testing::TestFile file_;
  format::PageCodec codec_{format::FileId{1, 2}};
  std::unique_ptr<pool::PageStore> store_;
  std::unique_ptr<pool::Pool> pool_;
  std::unique_ptr<space::SpaceMap> space_;
  std::unique_ptr<Workspace> workspace_;
  std::unique_ptr<TreeWriter> tree_;
};

// One node in memory of its own.
class TestNode {
 public:
  TestNode(std::uint32_t page_size, unsigned level) : bytes_(page_size), scratch_(page_size) {
    const auto type = level == 0 ? format::PageType::Leaf : format::PageType::Inner;
    const format::PageHeader header{type, static_cast<std::uint8_t>(level), 0, 0, 1, Generation{}, kTestSession};
    base::store(bytes_.data(), header);
    node().clear();
  }

  std::vector<std::byte>& bytes() { return bytes_; }
  const std::vector<std::byte>& bytes() const { return bytes_; }
  Node node() { return {bytes_.data(), static_cast<std::uint32_t>(bytes_.size())}; }
  NodeView view() const { return {bytes_.data(), static_cast<std::uint32_t>(bytes_.size())}; }

  bool insert(unsigned index, Bytes key, Bytes value) {
    return node().insert(index, key, value, false, scratch_.data());
  }
  bool insert_child(unsigned index, Bytes key, PageNo page) {
    return insert(index, key, ref_bytes({page, Generation{1}, kTestSession}));
  }
  bool replace(unsigned index, Bytes value) { return node().replace(index, value, false, scratch_.data()); }
  void assign(const std::vector<std::pair<std::string, std::string>>& entries) {
    std::vector<Cell> cells;
    for (const auto& [key, value] : entries) cells.push_back({{{}, key}, value, false});
    node().assign(cells.data(), cells.data() + cells.size());
  }

  std::string key(unsigned index) const {
    std::string key;
    view().key(index).append_to(key);
    return key;
  }
  std::vector<std::string> keys() const {
    std::vector<std::string> keys;
    for (unsigned i = 0; i < view().count(); ++i) keys.push_back(key(i));
    return keys;
  }

 private:
  std::vector<std::byte> bytes_;
  std::vector<std::byte> scratch_;
};

// What survey() found.
struct Survey {
  std::vector<PageNo> pages;  // of nodes and values, sorted
  std::uint64_t entries = 0;
  std::uint64_t leaves = 0;
  std::uint64_t inner = 0;
  std::uint64_t leaf_bytes = 0;  // in use
};

class Surveyor {
 public:
  explicit Surveyor(pool::Pool& pool) : pool_(pool) {}

  Survey run(const TreeRoot& root) {
    if (!root.page.is_null()) visit(root.page, std::nullopt, "", nullptr);
    EXPECT_EQ(found_.entries, root.entries);
    std::sort(found_.pages.begin(), found_.pages.end());
    EXPECT_EQ(std::adjacent_find(found_.pages.begin(), found_.pages.end()), found_.pages.end()) << "a page used twice";
    return std::move(found_);
  }

 private:
  // Keys of the subtree lie in [low, high).
  void visit(const PageRef& ref, std::optional<unsigned> level, const std::string& low, const std::string* high) {
    found_.pages.push_back(ref.page());
    auto fetched = fetch_node(pool_, ref, level);
    ASSERT_TRUE(fetched.has_value()) << fetched.status().to_string();
    const NodeView node(fetched->data(), pool_.page_size());
    const Status status = validate_page(fetched->data(), pool_.page_size());
    ASSERT_TRUE(status.is_ok()) << status.to_string();
    const std::size_t capacity = node_capacity(pool_.page_size());
    ASSERT_LE(node.used(), capacity);
    if (node.is_leaf()) {
      visit_leaf(node, low, high);
    } else {
      ASSERT_TRUE(level || node.count() > 1) << "a root with one child";
      visit_children(node, low, high);
    }
  }

  void visit_leaf(const NodeView& leaf, const std::string& low, const std::string* high) {
    ++found_.leaves;
    found_.entries += leaf.count();
    found_.leaf_bytes += leaf.used();
    ASSERT_GE(key_at(leaf, 0), low);
    ASSERT_TRUE(high == nullptr || key_at(leaf, leaf.count() - 1) < *high);
    for (unsigned i = 0; i < leaf.count(); ++i) {
      if (leaf.is_large(i)) visit_value(leaf.value(i));
    }
  }

  void visit_children(const NodeView& node, const std::string& low, const std::string* high) {
    ++found_.inner;
    std::string begin = low;
    for (unsigned i = 0; i < node.count() && !::testing::Test::HasFatalFailure(); ++i) {
      const bool is_last = i + 1 == node.count();
      const std::string end = is_last ? std::string() : key_at(node, i + 1);
      if (!is_last) {
        ASSERT_GT(end, begin);
        ASSERT_TRUE(high == nullptr || end < *high);
      }
      visit(node.child(i), node.level() - 1, begin, is_last ? high : &end);
      begin = end;
    }
  }

  void visit_value(Bytes descriptor) {
    const LargeValue value = decode_large_value(descriptor).value();
    if (value.depth > 0) add_run(value.ref.page(), value.pages);
    const std::vector<ExtentEntry> extents = extents_of(pool_, value).value();
    for (const ExtentEntry& extent : extents) add_run(extent.ref.page(), extent.pages);
  }

  void add_run(PageNo page, std::uint32_t count) {
    for (PageNo p = page; p < page + count; ++p) found_.pages.push_back(p);
  }

  static std::string key_at(const NodeView& node, unsigned index) {
    std::string key;
    node.key(index).append_to(key);
    return key;
  }

  pool::Pool& pool_;
  Survey found_;
};

// Looks at every node: layout, order, bounds, levels, no page twice; fails the test when something is wrong.
inline Survey survey(pool::Pool& pool, const TreeRoot& root) { return Surveyor(pool).run(root); }

// The map says exactly: the header, and the pages of the tree. Only true while no recycled page waits for its next use,
// that is, directly after mark(), publish() or rollback.
inline void expect_map_is(const space::SpaceMap& space, std::uint32_t page_size, const Survey& found,
                          std::uint64_t held) {
  EXPECT_EQ(space.allocated_count(), found.pages.size() + format::first_page(page_size));
  for (const PageNo page : found.pages) {
    if (!space.is_allocated(page)) ADD_FAILURE() << "page " << page << " is in use and not allocated";
  }
  EXPECT_EQ(space.held_count(), held);
}

inline std::string value_of(pool::Pool& pool, const TreeRoot& root, Bytes key) {
  const auto found = find(pool, root, key).value();
  if (!found.has_value()) return "(absent)";
  std::string value;
  const Status status = read_value(pool, found.value, found.large, value);
  return status.is_ok() ? value : status.to_string();
}

}  // namespace vitrine::tree::testing
