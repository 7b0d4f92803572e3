// SPDX-License-Identifier: MIT OR Apache-2.0
// The interface in C++: values and their JSON, what an answer costs, and files without a usable header.
#include <gtest/gtest.h>

#include <memory>

#include "os/memory_env.hpp"
#include "vitrine/database.hpp"
#include "vitrine/inspect.hpp"

namespace vitrine::inspect {
namespace {

TEST(Json, escapes_what_json_cannot_hold) {
  Value value = Value::object();
  value.add("text", "a\"\\\n\x01\x7f\xc3\xa4").add("bad", "\xff").add("none", Value()).add("big", ~std::uint64_t{0});
  value.add("list", Value::List{true, 0.5});
  EXPECT_EQ(to_json(value),
            "{\"text\":\"a\\\"\\\\\\n\\u0001\\u007f\xc3\xa4\",\"bad\":\"\xef\xbf\xbd\",\"none\":null,"
            "\"big\":18446744073709551615,\"list\":[true,0.5]}");
}

TEST(Envelope, carries_the_error_or_the_payload) {
  const Value bad = envelope("inspect page", Status::error(ErrorCode::PageChecksum).with("page", 7));
  EXPECT_TRUE(bad.find("payload")->is_null());
  EXPECT_EQ(*bad.find("error")->find("code")->text(), "PAGE_READ_CHECKSUM");
  EXPECT_EQ(*bad.find("error")->find("details")->find("page")->text(), "7");
  const Value good = envelope("inspect page", Value::object());
  EXPECT_TRUE(good.find("error")->is_null());
  EXPECT_TRUE(*good.find("ok")->truth());
}

TEST(Views, names_lead_back_to_their_views) {
  for (int i = 0; i <= static_cast<int>(View::Health); ++i) {
    EXPECT_EQ(view_named(view_name(static_cast<View>(i))), static_cast<View>(i));
  }
  EXPECT_EQ(view_named("nothing"), std::nullopt);
}

class Looking : public ::testing::Test {
 protected:
  Looking() {
    options_.env = env_.get();
    options_.page_size = 4096;
  }

  void fill(std::uint64_t entries) {
    Database db = Database::open("a.vtr", OpenMode::CreateIfMissing, options_).value();
    ASSERT_TRUE(db.write([&](WriteTransaction& txn) {
                    for (std::uint64_t i = 0; i < entries; ++i) {
                      if (Status s = txn.put({}, "key" + std::to_string(i), std::string(100, 'v')); !s.is_ok())
                        return s;
                    }
                    return Status{};
                  }).is_ok());
    EXPECT_TRUE(db.verify(VerifyLevel::Deep).value().is_clean());
    ASSERT_TRUE(db.close().is_ok());
  }

  Result<Value> answer(View view, std::string from = {}) {
    Request request;
    request.view = view;
    request.from = std::move(from);
    request.limit = 10;
    return look("a.vtr", request, options_);
  }

  std::unique_ptr<os::Env> env_ = os::make_memory_env();
  Options options_;
};

TEST_F(Looking, shows_no_more_rows_than_the_limit) {
  fill(5000);
  EXPECT_EQ(answer(View::Pages).value().find("pages")->list()->size(), 10u);
  EXPECT_EQ(answer(View::Keys).value().find("keys")->list()->size(), 10u);
  EXPECT_LE(answer(View::Tree).value().find("children")->list()->size(), 10u);
}

TEST_F(Looking, places_a_file_without_any_header_by_its_log) {
  fill(5000);
  Database db = Database::open("a.vtr", OpenMode::MustExist, options_).value();
  ASSERT_TRUE(db.put("one", "more").is_ok());
  const std::unique_ptr<os::File> file = env_->open("a.vtr", os::OpenMode::ReadWrite).value();
  std::string header(16384, '\0');
  ASSERT_TRUE(file->read_at(0, header.data(), header.size()).has_value());
  const auto overwrite = [&](const std::string& bytes) {
    const os::IoSlice slice{bytes.data(), bytes.size()};
    ASSERT_TRUE(file->write_at(0, {&slice, 1}).is_ok());
  };
  std::string damaged = header;
  for (std::size_t block = 0; block < 4; ++block) damaged[block * 4096 + 200] = 'x';
  overwrite(damaged);
  EXPECT_EQ(answer(View::Tree).status().code(), ErrorCode::HeaderDamaged);
  const Value page = answer(View::Page, "4").value();
  EXPECT_EQ(*page.find("integrity")->text(), "intact");
  EXPECT_EQ(*page.find("page_size")->number(), 4096u);
  EXPECT_FALSE(answer(View::Log).value().find("frames")->list()->empty());
  overwrite(header);
  ASSERT_TRUE(db.close().is_ok());
  EXPECT_TRUE(Database::open("a.vtr", OpenMode::MustExist, options_).value().verify(VerifyLevel::Deep)->is_clean());
}

}  // namespace
}  // namespace vitrine::inspect
