// SPDX-License-Identifier: MIT OR Apache-2.0
// Pages that verify and lie: trees where one page is reached by more ways than anybody can walk. Every walk ends, and
// takes no page twice.
#include <gtest/gtest.h>

#include <memory>

#include "format/meta.hpp"
#include "os/memory_env.hpp"
#include "tree/node.hpp"
#include "vitrine/database.hpp"
#include "vitrine/diff.hpp"
#include "vitrine/salvage.hpp"

namespace vitrine::inspect {
namespace {

using format::PageRef;

constexpr std::uint32_t kForgedPageSize = 4096;
constexpr unsigned kLevels = 60;  // of three children each: 3^60 ways
constexpr std::uint64_t kLeafKeys = 3;

class Forged : public ::testing::Test {
 protected:
  Forged() {
    options_.env = env_.get();
    options_.page_size = kForgedPageSize;
    for (const char* path : {"forged.vtr", "good.vtr"}) {
      Database db = Database::open(path, OpenMode::CreateIfMissing, options_).value();
      EXPECT_TRUE(db.put("apple", "red").is_ok());
    }
    file_ = env_->open("forged.vtr", os::OpenMode::ReadWrite).value();
    std::vector<std::byte> area(format::kMetaAreaSize);
    EXPECT_EQ(file_->read_at(0, area.data(), area.size()).value(), area.size());
    meta_ = format::choose_meta(area).value().meta;
  }
  ~Forged() override {
    EXPECT_TRUE(
        Database::open("good.vtr", OpenMode::MustExist, options_).value().verify(VerifyLevel::Deep)->is_clean());
  }

  void write(std::uint64_t offset, const void* bytes, std::size_t size) {
    const os::IoSlice slice{bytes, size};
    ASSERT_TRUE(file_->write_at(offset, {&slice, 1}).is_ok());
  }

  // A node of `level` behind the last page of the file.
  PageRef add_node(std::uint8_t level, const std::vector<std::pair<std::string, std::string>>& cells) {
    const PageRef ref{meta_.page_count++, meta_.tree_root.generation, meta_.tree_root.session};
    std::vector<std::byte> image(kForgedPageSize), scratch(kForgedPageSize);
    const auto type = level == 0 ? format::PageType::Leaf : format::PageType::Inner;
    base::store(image.data(), format::PageHeader{type, level, 0, 0, ref.page(), ref.generation, ref.session});
    tree::Node node(image.data(), kForgedPageSize);
    node.clear();
    for (unsigned i = 0; i < cells.size(); ++i) {
      EXPECT_TRUE(node.insert(i, cells[i].first, cells[i].second, false, scratch.data()));
    }
    EXPECT_TRUE(tree::validate_page(image.data(), kForgedPageSize).is_ok());
    EXPECT_TRUE(format::PageCodec(meta_.file).seal(image.data(), image.size()).is_ok());
    write(ref.page() * kForgedPageSize, image.data(), image.size());
    return ref;
  }

  static std::string bytes_of(const PageRef& ref) { return {reinterpret_cast<const char*>(&ref), sizeof ref}; }

  void take_root(const PageRef& root) {
    meta_.tree_root = root;
    for (unsigned copy = 0; copy < 2; ++copy) {
      const format::MetaBlock block = format::encode_meta(meta_, copy);
      write((format::meta_slot(meta_.checkpoint) * 2 + copy) * format::kMetaBlockSize, block.data(), block.size());
    }
  }

  // Each node names the one below it three times. Its middle range lies inside that of the node above, so that this one
  // way is right.
  void forge_many_ways() {
    PageRef below = add_node(0, {{"\x01m1", "\x01v"}, {"\x01m2", "\x01v"}, {"\x01m3", "\x01v"}});
    for (std::uint8_t level = 1; level <= kLevels; ++level) {
      const std::string child = bytes_of(below);
      const std::string low = "\x01l" + std::string(kLevels - level, 'l'), high = "\x01z" + std::string(level, 'z');
      below = add_node(level, {{"", child}, {low, child}, {high, child}});
    }
    take_root(below);
  }

  std::unique_ptr<os::Env> env_ = os::make_memory_env();
  Options options_;
  std::unique_ptr<os::File> file_;
  format::Meta meta_;
};

TEST_F(Forged, salvage_takes_every_page_once) {
  forge_many_ways();
  const SalvageReport report = salvage_dry_run("forged.vtr", options_).value();
  EXPECT_EQ(report.records_in_place, kLeafKeys);
  EXPECT_EQ(report.records_orphaned, 1u) << "the leaf that was the root before";
  EXPECT_LE(report.losses_count, 3 * (kLevels + 1));
}

TEST_F(Forged, diff_ends_and_takes_every_entry_once) {
  forge_many_ways();
  DiffRequest request;
  request.pages = false;
  std::uint64_t rows = 0;
  const auto count = [&](const Value&) { return ++rows < 1000; };
  const Result<Value> summary = diff("good.vtr", "forged.vtr", request, count, options_);
  ASSERT_TRUE(summary.has_value()) << summary.status().to_string();
  EXPECT_LE(rows, kLeafKeys + 1);
  EXPECT_LE(*summary->find("nodes_read")->number(), 3 * (kLevels + 2));
}

TEST_F(Forged, explain_ends) {
  forge_many_ways();
  const Result<Value> summary = explain(
      "forged.vtr", {}, [](const Value&) { return true; }, options_);
  ASSERT_TRUE(summary.has_value()) << summary.status().to_string();
  EXPECT_GT(*summary->find("damaged")->number(), 0u);
}

TEST_F(Forged, keys_of_a_file_that_does_not_open_come_in_bounded_answers) {
  forge_many_ways();
  meta_.state = 0;  // not closed in order, and without its log: the engine refuses it
  take_root(meta_.tree_root);
  Request request;
  request.view = View::Keys;
  std::uint64_t answers = 0, keys = 0;
  do {
    const Value answer = look("forged.vtr", request, options_).value();
    EXPECT_EQ(*answer.find("source")->text(), "checkpoint");
    keys += answer.find("keys")->list()->size();
    const std::string* const next = answer.find("next")->text();
    request.from = next != nullptr ? *next : "";
  } while (!request.from.empty() && ++answers < 10);
  EXPECT_EQ(keys, kLeafKeys);
  EXPECT_LT(answers, 10u);
}

}  // namespace
}  // namespace vitrine::inspect
