// SPDX-License-Identifier: MIT OR Apache-2.0
// Getting rid of what is damaged: an entry whose large value cannot be read any more can still be replaced and erased,
// alone, by range and with its keyspace. What its list of extents named is then lost space, which the check reports.
// See damage.hpp for the rule.
#include <gtest/gtest.h>

#include <functional>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "format/page.hpp"
#include "tests/damage.hpp"

namespace vitrine::testing {
namespace {

class DamagedValue : public ::testing::TestWithParam<std::string> {
 protected:
  static constexpr char kKey[] = "many extents";

  void SetUp() override {
    Result<Reference> reference = make_reference(test_seed(), test_seed());
    ASSERT_TRUE(reference.has_value()) << reference.status().to_string();
    model_ = reference->model;
    const Status placed = place(*env_, reference->image);
    ASSERT_TRUE(placed.is_ok()) << placed.to_string();
  }

  // Damages a page of `type` that belongs to the value of kKey.
  void damage(format::PageType type) {
    const Image image = image_of(*env_);
    for (std::uint64_t at = format::kMetaAreaSize; at < image.data.size(); at += kDamagePageSize) {
      const auto header = base::load<format::PageHeader>(image.data.data() + at);
      const std::string value = model_.at("words").at(kKey).value;
      const bool is_its_extent = image.data.find(value.substr(100, 32), at) - at < kDamagePageSize;
      if (header.type != type || header.page != at / kDamagePageSize) continue;
      if (type == format::PageType::Extent && !is_its_extent) continue;
      env_->flip_bit(kDamagePath, at + 200, 3);
      return;
    }
    FAIL() << "no such page";
  }

  // Each way to get rid of the value. The model follows.
  Status get_rid(Database& db) {
    return db.write([&](WriteTransaction& txn) -> Status {
      const Keyspace words = TRY(txn.keyspace("words"));
      if (GetParam() == "put") return txn.put(words, kKey, "small");
      if (GetParam() == "put_large") return txn.put(words, kKey, random_bytes(1, 70'000));
      if (GetParam() == "erase") return txn.erase(words, kKey).status();
      if (GetParam() == "erase_range") return txn.erase_range(words, "many", "mb").status();
      return txn.drop_keyspace("words");
    });
  }

  // Everything but what get_rid() touched is as it was.
  void expect_the_rest(const Database& db) {
    Model expected = model_;
    Result<Model> found = model_of(db);
    ASSERT_TRUE(found.has_value()) << found.status().to_string();
    if (GetParam() == "drop") {
      expected.erase("words");
    } else {
      expected.at("words").erase(kKey);
      EXPECT_EQ(found->at("words").erase(kKey), GetParam().substr(0, 3) == "put" ? 1u : 0u);
    }
    EXPECT_EQ(first_difference(expected, *found), "");
  }

  void expect_to_get_rid() {
    {
      Database db = Database::open(kDamagePath, OpenMode::MustExist, small_options(*env_)).value();
      EXPECT_TRUE(names_damage(model_of(db).status()));
      const Status status = get_rid(db);
      ASSERT_TRUE(status.is_ok()) << status.to_string();
      expect_the_rest(db);
      EXPECT_TRUE(db.close().is_ok());
    }
    const Database db = Database::open(kDamagePath, OpenMode::MustExist, small_options(*env_)).value();
    expect_the_rest(db);
    report_ = db.verify(VerifyLevel::Full).value();
  }

  Model model_;
  VerifyReport report_;
  std::unique_ptr<os::SimEnv> env_ = os::SimEnv::create({.seed = test_seed() + 1});  // draws other sessions
};

TEST_P(DamagedValue, with_a_damaged_extent_leaves_nothing_behind) {
  damage(format::PageType::Extent);
  expect_to_get_rid();
  EXPECT_TRUE(report_.is_clean()) << report_.findings.size() << " findings";
}

TEST_P(DamagedValue, with_a_damaged_list_leaves_only_the_space_of_its_extents) {
  damage(format::PageType::ExtentList);
  expect_to_get_rid();
  EXPECT_TRUE(report_.is_complete && !report_.has_damage());
  EXPECT_EQ(report_.findings.size(), 17u);  // pages of 66,000 bytes
  for (const Finding& finding : report_.findings) EXPECT_EQ(finding.code, "PAGE_CHECK_LEAKED");
}

INSTANTIATE_TEST_SUITE_P(, DamagedValue, ::testing::Values("put", "put_large", "erase", "erase_range", "drop"),
                         [](const auto& test) { return test.param; });

}  // namespace
}  // namespace vitrine::testing
