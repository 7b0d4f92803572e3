// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/query.hpp"

#include <algorithm>

#include "doc/compare.hpp"
#include "doc/testing.hpp"
#include "vitrine/documents.hpp"

namespace vitrine::doc {
namespace {

using testing::fails;
using testing::Generator;
using testing::json;
using testing::ok;

class QueryTest : public ::testing::Test {
 protected:
  QueryTest() : db_(Database::open_in_memory(kv::testing::small_options()).value()) {
    EXPECT_TRUE(ok(documents_.create_collection("c")));
  }
  void insert(const std::string& text) { ASSERT_TRUE(ok(documents_.insert("c", json(text)))); }
  std::string find(const std::string& filter, const FindOptions& options) {
    std::string all;
    const auto count = documents_.find("c", json(filter), options, [&](const StoredDocument& found) {
      all.append(find_member(found.document.bson(), "_id")->type == Type::Int32 ? " " : "?");
      all.append(DocumentId::of(found.document).value().to_json());
      return true;
    });
    EXPECT_TRUE(ok(count));
    return all;
  }
  static FindOptions sorted(const std::string& sort, std::uint64_t skip = 0, std::uint64_t limit = 1000) {
    FindOptions options;
    options.sort = json(sort);
    options.skip = skip;
    options.limit = limit;
    return options;
  }

  Database db_;
  WriteTransaction txn_ = db_.begin_write().value();
  DocumentWriter documents_{txn_};
};

TEST_F(QueryTest, finds_sorts_skips_and_limits) {
  insert(R"({"_id": 1, "age": 30, "name": "b"})");
  insert(R"({"_id": 2, "age": 30.0, "name": "a"})");
  insert(R"({"_id": 3, "age": 7})");
  insert(R"({"_id": 4, "age": [1, 99]})");
  insert(R"({"_id": 5})");
  EXPECT_EQ(find("{}", {}), " 1 2 3 4 5");
  EXPECT_EQ(find("{}", sorted("{}", 1, 2)), " 2 3");
  EXPECT_EQ(find(R"({"age": 30})", {}), " 1 2");
  EXPECT_EQ(find("{}", sorted(R"({"age": 1, "name": 1})")), " 5 4 3 2 1");
  EXPECT_EQ(find("{}", sorted(R"({"age": -1})")), " 4 1 2 3 5");
  EXPECT_EQ(find("{}", sorted(R"({"age": 1})", 1, 2)), " 4 3");
  EXPECT_EQ(find("{}", sorted(R"({"age": 1})", 9, 2)), "");
  EXPECT_EQ(find("{}", sorted(R"({"age": 1})", 0, 0)), "");
  EXPECT_EQ(documents_.count("c", json(R"({"age": {"$gte": 30}})")).value(), 3u);
}

TEST_F(QueryTest, equality_of_one_value_needs_no_plan_and_no_filter) {
  for (const char* index : {R"({"n": 1})", R"({"m": -1})"}) {
    ASSERT_TRUE(ok(documents_.create_index("c", {index, json(index)})));
  }
  for (const char* text : {R"({"_id": 1, "n": 5, "m": "a"})", R"({"_id": 2, "n": [5, 5.0, 7], "m": "ab"})",
                           R"({"_id": 3, "n": 5.0, "m": "a\u0000"})", R"({"_id": 4, "n": "5"})"}) {
    insert(text);
  }
  const FindOptions any{.any_order = true};
  EXPECT_EQ(find(R"({"n": 5})", any), " 1 2 3");
  EXPECT_EQ(find(R"({"n": 7})", {}), " 2");
  EXPECT_EQ(find(R"({"m": "a"})", any), " 1");
  EXPECT_EQ(find(R"({"m": "a\u0000"})", any), " 3");
  EXPECT_EQ(find(R"({"x": 5})", any), "");
  EXPECT_EQ(find(R"({"_id": 3.0})", {}), " 3");
  EXPECT_EQ(find(R"({"_id": 5})", {}), "");
  EXPECT_EQ(find(R"({"_id": ")" + std::string(2000, 'x') + R"("})", {}), "") << "no id is that long";
  const Explanation told = documents_.explain("c", json(R"({"n": 5})"), any).value();
  EXPECT_EQ(told.plan, "index");
  EXPECT_EQ(told.keys_examined, 3u);
  EXPECT_EQ(told.documents_examined, 3u);
  EXPECT_EQ(documents_.explain("c", json(R"({"_id": 1})"), {}).value().plan, "ids");
  EXPECT_TRUE(fails(documents_.count("c", json(R"({"a..b": 1})")), ErrorCode::FilterMalformed));
  EXPECT_TRUE(fails(documents_.count("c", json(R"({".a": 1})")), ErrorCode::FilterMalformed));
  EXPECT_TRUE(fails(documents_.count("c", json(R"({"": 1})")), ErrorCode::FilterMalformed));
}

TEST_F(QueryTest, stops_when_told_and_when_the_budget_is_used_up) {
  for (int i = 0; i < 100; ++i) insert("{\"_id\":" + std::to_string(i) + "}");
  int seen = 0;
  const auto stop = [&](const StoredDocument&) { return ++seen < 3; };
  EXPECT_EQ(documents_.find("c", json("{}"), {}, stop).value(), 3u);
  FindOptions few_steps, few_bytes = sorted(R"({"a": 1})");
  few_steps.steps_max = 50;
  few_bytes.bytes_max = 1000;
  const auto visit = [](const StoredDocument&) { return true; };
  EXPECT_TRUE(fails(documents_.find("c", json("{}"), few_steps, visit), ErrorCode::BudgetExhausted));
  EXPECT_TRUE(fails(documents_.find("c", json("{}"), few_bytes, visit), ErrorCode::BudgetExhausted));
  few_bytes.limit = 2;  // the others need not be held
  EXPECT_TRUE(ok(documents_.find("c", json("{}"), few_bytes, visit)));
}

TEST_F(QueryTest, refuses_orders_that_are_none) {
  const auto visit = [](const StoredDocument&) { return true; };
  for (const char* sort : {R"({"a": 2})", R"({"a": "x"})", R"({"a..b": 1})", R"({"a": 1.0})"}) {
    EXPECT_TRUE(fails(documents_.find("c", json("{}"), sorted(sort), visit), ErrorCode::FilterMalformed)) << sort;
  }
}

// Scalars only, so that the order of documents is the order of values.
TEST_F(QueryTest, random_pages_are_what_sorting_everything_gives) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  Generator generator(seed);
  std::vector<Document> model;
  for (int i = 0; i < 200; ++i) {
    Builder builder;
    builder.add_int32("_id", i);
    generator.add_value(builder, "a", 0);
    model.push_back(Document::from_bson(builder.finish()).value());
    ASSERT_TRUE(ok(documents_.insert("c", model.back())));
  }
  for (const int direction : {1, -1}) {
    std::stable_sort(model.begin(), model.end(), [&](const Document& x, const Document& y) {
      const int order = compare_values(*find_member(x.bson(), "a"), *find_member(y.bson(), "a")) * direction;
      const auto id = [](const Document& of) { return find_member(of.bson(), "_id")->as_integer(); };
      return order != 0 ? order < 0 : id(x) < id(y);
    });
    for (int round = testing::rounds(200); round-- > 0;) {
      const std::uint64_t skip = generator.random().below(220), limit = generator.random().below(50);
      std::string expected;
      for (std::uint64_t i = skip; i < std::min<std::uint64_t>(model.size(), skip + limit); ++i) {
        expected.append(" ").append(DocumentId::of(model[i]).value().to_json());
      }
      ASSERT_EQ(find("{}", sorted("{\"a\":" + std::to_string(direction) + "}", skip, limit)), expected);
    }
  }
}

}  // namespace
}  // namespace vitrine::doc
