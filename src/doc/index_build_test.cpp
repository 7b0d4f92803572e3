// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/index_build.hpp"

#include "doc/index_verify.hpp"
#include "doc/indexes.hpp"
#include "doc/store_testing.hpp"

namespace vitrine::doc {
namespace {

using testing::fails;
using testing::Holders;
using testing::json;
using testing::ok;

template <typename Holder>
class IndexBuildTest : public testing::StoreTest<Holder> {
 protected:
  IndexBuildTest() {
    EXPECT_TRUE(ok(this->create("c")));
    for (int i = 0; i < 30; ++i) EXPECT_TRUE(ok(put(i)));
  }
  void TearDown() override {
    std::vector<Finding> findings;
    EXPECT_TRUE(ok(verify_indexes(*this->reader(), findings)));
    for (const Finding& finding : findings) ADD_FAILURE() << finding.code << " " << finding.message;
  }

  static IndexDefinition definition() {
    IndexDefinition made;
    made.name = "by_n";
    made.key = json(R"({"n": 1})");
    made.unique = true;
    return made;
  }
  Status put(int number) {
    const std::string n = std::to_string(number);
    return testing::StoreTest<Holder>::put("c", "{\"_id\":" + n + ",\"n\":[" + n + ",\"x" + n + "\"]}");
  }
  std::vector<IndexInfo> list() { return list_indexes(open_collection(*this->reader(), "c").value()).value(); }
};

TYPED_TEST_SUITE(IndexBuildTest, Holders);

TYPED_TEST(IndexBuildTest, goes_on_beside_writers_and_where_it_stopped) {
  int calls = 0;
  std::uint64_t done = 0;
  const auto progress = [&](const Progress& at) {
    done = at.done;
    if (++calls > 20) return true;
    EXPECT_TRUE(ok(this->put(calls % 2 == 0 ? 100 + calls : -calls)));
    EXPECT_TRUE(ok(this->put(calls)));  // one that is there, behind the mark or before it
    return calls % 3 != 0;
  };
  int runs = 1;
  Status built = build_index(this->store(), "c", TestFixture::definition(), progress, 100);
  while (built.code() == ErrorCode::Cancelled) {
    ASSERT_TRUE(this->list().front().is_building);
    IndexDefinition other = TestFixture::definition();
    other.sparse = true;
    EXPECT_TRUE(fails(build_index(this->store(), "c", other, progress), ErrorCode::IndexExists));
    std::vector<Finding> findings;
    ASSERT_TRUE(ok(verify_indexes(*this->reader(), findings)));
    ASSERT_EQ(findings.size(), 0u);
    built = build_index(this->store(), "c", TestFixture::definition(), progress, 100);
    ++runs;
  }
  ASSERT_TRUE(ok(built));
  EXPECT_GT(runs, 3);
  EXPECT_GT(done, 0u);
  EXPECT_FALSE(this->list().front().is_building);
  EXPECT_TRUE(this->list().front().is_multikey);
  EXPECT_TRUE(fails(build_index(this->store(), "c", TestFixture::definition(), {}), ErrorCode::IndexExists));
}

TYPED_TEST(IndexBuildTest, finds_what_breaks_a_unique_index_and_is_dropped) {
  ASSERT_TRUE(ok(testing::StoreTest<TypeParam>::put("c", R"({"_id": "other", "n": 3.0})")));
  EXPECT_TRUE(fails(build_index(this->store(), "c", TestFixture::definition(), {}, 100), ErrorCode::IndexDuplicate));
  EXPECT_EQ(this->list().size(), 0u);
  EXPECT_EQ(this->reader()->scan("\x03", "\x10", {}, [](Bytes, Bytes) { return true; }).value(), 0u);
  EXPECT_EQ(this->reader()->scan("\x11", "\xff", {}, [](Bytes, Bytes) { return true; }).value(), 0u);
  EXPECT_TRUE(fails(build_index(this->store(), "none", TestFixture::definition(), {}), ErrorCode::CollectionNotFound));
}

TYPED_TEST(IndexBuildTest, writers_are_refused_what_breaks_an_index_under_way) {
  const auto stop = [](const Progress&) { return false; };
  ASSERT_TRUE(fails(build_index(this->store(), "c", TestFixture::definition(), stop, 100), ErrorCode::Cancelled));
  EXPECT_TRUE(fails(testing::StoreTest<TypeParam>::put("c", R"({"_id": "other", "n": 0})"), ErrorCode::IndexDuplicate));
  // What is not in the index yet is found by the build.
  ASSERT_TRUE(ok(testing::StoreTest<TypeParam>::put("c", R"({"_id": "other", "n": 29})")));
  EXPECT_TRUE(fails(build_index(this->store(), "c", TestFixture::definition(), {}, 100), ErrorCode::IndexDuplicate));
}

}  // namespace
}  // namespace vitrine::doc
