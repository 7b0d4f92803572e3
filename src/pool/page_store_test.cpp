// SPDX-License-Identifier: MIT OR Apache-2.0
// Where images go and come from, and what a failure leaves behind.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/codec.hpp"
#include "pool/page_store.hpp"
#include "pool/testing.hpp"

namespace vitrine::pool {
namespace {

using testing::TestFile;

constexpr std::uint32_t kPageSize = 4096;
constexpr std::uint64_t kOldSession = 4;
constexpr std::uint64_t kSession = 5;

class PageStoreTest : public ::testing::Test {
 protected:
  PageRef ref_of(PageNo page, std::uint64_t session = kSession) { return {page, format::Generation{9}, session}; }

  Status write(const PageRef& ref, std::uint64_t content, std::size_t pages = 1) {
    std::vector<std::byte> image(pages * kPageSize);
    base::store(image.data(),
                format::PageHeader{format::PageType::Extent, 0, 0, 0, ref.page(), ref.generation, ref.session});
    base::store(image.data() + 100, content);
    EXPECT_TRUE(store_.seal(image.data(), image.size()).is_ok());
    return store_.write(ref.page(), image.data(), image.size());
  }
  Result<std::uint64_t> read(const PageRef& ref, std::size_t pages = 1) {
    std::vector<std::byte> image(pages * kPageSize);
    if (Status status = store_.read(ref, image.data(), image.size()); !status.is_ok()) return status;
    return base::load<std::uint64_t>(image.data() + 100);
  }

  TestFile file_;
  format::PageCodec codec_{format::FileId{1, 2}};
  PageStore store_{file_, codec_, kPageSize};
};

TEST_F(PageStoreTest, pages_and_runs_of_pages_come_back) {
  ASSERT_TRUE(write(ref_of(3), 33).is_ok());
  ASSERT_TRUE(write(ref_of(10), 44, 5).is_ok());
  EXPECT_EQ(read(ref_of(3)).value(), 33u);
  EXPECT_EQ(read(ref_of(10), 5).value(), 44u);
  EXPECT_EQ(read(ref_of(10), 4).status().code(), ErrorCode::PageChecksum);
  EXPECT_EQ(store_.pages_written(), 6u);
  EXPECT_GE(store_.pages_read(), 6u);
}

TEST_F(PageStoreTest, a_page_behind_the_end_or_with_another_name_is_refused) {
  ASSERT_TRUE(write(ref_of(3), 33).is_ok());
  EXPECT_EQ(read(ref_of(4)).status().code(), ErrorCode::PageChecksum);
  EXPECT_EQ(read(ref_of(3), 2).status().code(), ErrorCode::PageChecksum);
  EXPECT_EQ(read(ref_of(3, kOldSession)).status().code(), ErrorCode::PageStale);
}

TEST_F(PageStoreTest, with_a_scratch_file_the_database_file_is_not_written) {
  ASSERT_TRUE(write(ref_of(3, kOldSession), 33).is_ok());
  const std::uint64_t before = file_.writes();
  auto scratch = std::make_unique<TestFile>();
  TestFile* const looked_at = scratch.get();
  store_.attach_scratch(std::move(scratch), kSession);
  ASSERT_TRUE(write(ref_of(3), 34).is_ok());
  EXPECT_EQ(read(ref_of(3)).value(), 34u);
  EXPECT_EQ(read(ref_of(3, kOldSession)).value(), 33u);
  EXPECT_EQ(file_.writes(), before);
  EXPECT_EQ(looked_at->writes(), 1u);
  file_.fail_syncs(true);
  EXPECT_TRUE(store_.sync().is_ok());  // nothing to make durable
}

TEST_F(PageStoreTest, the_first_failure_is_kept_and_ends_all_writing) {
  file_.fail_writes_after(1);
  ASSERT_TRUE(write(ref_of(3), 33).is_ok());
  EXPECT_FALSE(store_.has_failed());
  EXPECT_TRUE(store_.failure().is_ok());
  EXPECT_EQ(write(ref_of(4), 44).code(), ErrorCode::WriteFailed);
  file_.heal();
  const Status refused = write(ref_of(5), 55);
  EXPECT_EQ(refused.code(), ErrorCode::Poisoned);
  EXPECT_NE(refused.detail("cause").find(error_name(ErrorCode::WriteFailed)), std::string_view::npos);
  EXPECT_EQ(store_.sync().code(), ErrorCode::Poisoned);
  EXPECT_EQ(store_.write_at(0, nullptr, 0).code(), ErrorCode::Poisoned);
  EXPECT_EQ(store_.failure().code(), ErrorCode::WriteFailed);
  EXPECT_EQ(read(ref_of(3)).value(), 33u);
  EXPECT_EQ(file_.writes(), 2u);
}

TEST_F(PageStoreTest, a_failed_sync_is_never_repeated) {
  file_.fail_syncs(true);
  EXPECT_EQ(store_.sync().code(), ErrorCode::SyncFailed);
  file_.fail_syncs(false);
  EXPECT_EQ(store_.sync().code(), ErrorCode::Poisoned);
  EXPECT_EQ(write(ref_of(3), 33).code(), ErrorCode::Poisoned);
}

TEST_F(PageStoreTest, poison_from_outside_counts_as_a_failure) {
  store_.poison(Status::error(ErrorCode::SyncFailed, "of the log"));
  store_.poison(Status::error(ErrorCode::WriteFailed));
  EXPECT_TRUE(store_.has_failed());
  EXPECT_EQ(store_.failure().code(), ErrorCode::SyncFailed);
  EXPECT_EQ(write(ref_of(3), 33).code(), ErrorCode::Poisoned);
}

}  // namespace
}  // namespace vitrine::pool
