// SPDX-License-Identifier: MIT OR Apache-2.0
// Queries through the public interface: explain, pages, projection, direct calls, budgets of time.
#include "doc/query_report.hpp"

#include "doc/testing.hpp"

namespace vitrine::doc {
namespace {

using testing::fails;
using testing::Generator;
using testing::json;
using testing::ok;

class FindTest : public ::testing::Test {
 protected:
  FindTest() { EXPECT_TRUE(ok(documents_.create_collection("c"))); }
  ~FindTest() override {
    VerifyReport report;
    EXPECT_TRUE(ok(verify_documents(txn_, report)));
    EXPECT_TRUE(report.findings.empty());
  }

  void insert(const std::string& text) { ASSERT_TRUE(ok(documents_.insert("c", json(text)))); }
  void insert_numbers(int count) {
    for (int i = 0; i < count; ++i) {
      insert("{\"_id\":" + std::to_string(i) + ",\"n\":" + std::to_string(i % 10) + ",\"t\":[1," + std::to_string(i) +
             "]}");
    }
  }
  void create_index(Bytes name, const std::string& key) {
    ASSERT_TRUE(ok(documents_.create_index("c", {.name = ByteString(name), .key = json(key)})));
  }
  static DocumentFunction append_to(std::string& text) {
    return [&text](const StoredDocument& found) {
      text.append(" ").append(DocumentId::of(found.document).value().to_json());
      return true;
    };
  }

  Database db_ = Database::open_in_memory(kv::testing::small_options()).value();
  WriteTransaction txn_ = db_.begin_write().value();
  DocumentWriter documents_{txn_};
};

TEST_F(FindTest, explain_tells_the_plan_and_true_counts) {
  insert_numbers(100);
  Explanation told = documents_.explain("c", json(R"({"n": 3, "t": 33})")).value();
  EXPECT_EQ(told.plan, "scan");
  EXPECT_EQ(told.documents_examined, 100u);
  EXPECT_EQ(told.documents_returned, 1u);
  create_index("by_n", R"({"n": 1})");
  told = documents_.explain("c", json(R"({"n": 3, "t": 33})"), {.sort = json(R"({"t": 1})")}).value();
  EXPECT_EQ(told.plan, "index");
  EXPECT_EQ(told.indexes, std::vector<ByteString>{"by_n"});
  EXPECT_EQ(told.keys_examined, 10u);
  EXPECT_EQ(told.documents_examined, 10u);
  EXPECT_EQ(told.documents_returned, 1u);
  EXPECT_TRUE(told.sorts);
  EXPECT_TRUE(told.pages_read && *told.pages_read > 0);
  EXPECT_EQ(documents_.explain("c", json(R"({"_id": {"$gte": 90}})"))->plan, "ids");
  const auto text = told.to_document().to_json();
  EXPECT_NE(text.find(R"("keys_examined":10,"documents_examined":10,"documents_returned":1)"), std::string::npos)
      << text;
}

TEST_F(FindTest, counts_from_the_index_alone) {
  insert_numbers(100);
  create_index("by_t", R"({"t": 1})");
  EXPECT_EQ(documents_.count("c", json(R"({"t": 1})")).value(), 100u);
  EXPECT_EQ(documents_.count("c", json(R"({"t": {"$gte": 1, "$lt": 5}})")).value(), 100u);
  EXPECT_EQ(documents_.count("c", json(R"({"t": {"$in": [7, 8]}})")).value(), 2u);
}

// Rewriting a document leaves those entries alone that stay, but not those that only look the same.
TEST_F(FindTest, an_index_that_answers_alone_knows_what_a_document_was_replaced_by) {
  create_index("by_a", R"({"a": 1})");
  insert(R"({"_id": 1, "a": "x", "b": 1})");
  const auto answer = [&] {
    std::string text;
    const FindOptions options{.projection = json(R"({"a": 1})"), .versions = false, .any_order = true};
    EXPECT_TRUE(documents_.explain("c", json(R"({"a": {"$gte": "a"}})"), options).value().is_covered);
    EXPECT_TRUE(ok(documents_.find("c", json(R"({"a": {"$gte": "a"}})"), options, [&](const StoredDocument& found) {
      text.append(found.document.to_json());
      return true;
    })));
    return text;
  };
  const auto replace = [&](const char* text) { ASSERT_TRUE(documents_.replace("c", json(text)).value()); };
  EXPECT_EQ(answer(), R"({"_id":1,"a":"x"})");
  replace(R"({"_id": 1, "a": "x", "b": 2})");
  EXPECT_EQ(answer(), R"({"_id":1,"a":"x"})");
  replace(R"({"_id": 1.0, "a": "x", "b": 2})");
  EXPECT_EQ(answer(), R"({"_id":1.0,"a":"x"})");
  replace(R"({"_id": 1.0, "b": 2, "a": "y"})");
  EXPECT_EQ(answer(), R"({"_id":1.0,"a":"y"})");
  replace(R"({"_id": 1, "b": 2})");
  EXPECT_EQ(answer(), "");
}

TEST_F(FindTest, pages_go_on_where_the_last_one_ended_whatever_was_written) {
  insert_numbers(25);
  for (const char* sort : {"{}", R"({"n": -1})", R"({"_id": -1})", R"({"n": 1, "t": -1})"}) {
    std::string whole, paged;
    FindOptions options;
    options.sort = json(sort);
    ASSERT_TRUE(ok(documents_.find("c", json(R"({"n": {"$ne": 4}})"), options, append_to(whole))));
    options.limit = 4;
    int pages = 0;
    do {
      const Page page = documents_.find_page("c", json(R"({"n": {"$ne": 4}})"), options).value();
      for (const StoredDocument& found : page.documents) append_to(paged)(found);
      options.after = page.next;
      // What lies before the place does not matter, and neither does a new index.
      if (++pages == 2) create_index(std::string("n") + sort, R"({"n": 1})");
      if (pages == 3) {
        ASSERT_TRUE(ok(documents_.remove("c", DocumentId::of(page.documents.back().document).value())));
      }
    } while (!options.after.empty());
    EXPECT_EQ(paged, whole) << sort;
    EXPECT_GE(pages, 5);
    options.after = "AAAA";
    EXPECT_TRUE(fails(documents_.find_page("c", json("{}"), options), ErrorCode::TokenInvalid));
  }
  FindOptions first;
  first.limit = 1;
  first.after = documents_.find_page("c", json("{}"), first)->next;
  EXPECT_TRUE(ok(documents_.find_page("c", json("{}"), first)));
  EXPECT_TRUE(fails(documents_.find_page("c", json(R"({"n": 1})"), first), ErrorCode::TokenInvalid));
}

TEST_F(FindTest, projects_what_it_hands_on) {
  insert(R"({"_id": 1, "a": 2, "b": 3})");
  std::string text;
  const auto visit = [&](const StoredDocument& found) {
    text = found.document.to_json();
    return true;
  };
  ASSERT_TRUE(ok(documents_.find("c", json(R"({"b": 3})"), {.projection = json(R"({"a": 1})")}, visit)));
  EXPECT_EQ(text, R"({"_id":1,"a":2})");
  EXPECT_TRUE(fails(documents_.find("c", json("{}"), {.projection = json(R"({"a": 1, "b": 0})")}, visit),
                    ErrorCode::FilterMalformed));
}

TEST_F(FindTest, reads_an_index_directly) {
  for (int i = 0; i < 6; ++i) {
    insert("{\"_id\":" + std::to_string(i) + ",\"a\":" + std::to_string(i / 2) + ",\"b\":[" + std::to_string(i) +
           ",1]}");
  }
  insert(R"({"_id": 9, "a": "text"})");
  create_index("a_b", R"({"a": -1, "b": 1})");
  const auto query = [&](const char* values) {
    std::string ids;
    EXPECT_TRUE(ok(documents_.query("c", "a_b", json(values), append_to(ids))));
    return ids;
  };
  const auto range = [&](const char* from, const char* to) {
    std::string ids;
    EXPECT_TRUE(ok(documents_.query_range("c", "a_b", json(from), json(to), append_to(ids))));
    return ids;
  };
  EXPECT_EQ(query(R"({"a": 1})"), " 2 3");
  EXPECT_EQ(query(R"({"a": 1.0, "b": 3})"), " 3");
  EXPECT_EQ(query("{}"), " 9 4 5 2 3 0 1");
  EXPECT_EQ(range(R"({"v": 2})", R"({"v": 0})"), " 4 5 2 3");  // the first path goes down
  EXPECT_EQ(range("{}", R"({"v": 1})"), " 9 4 5");
  EXPECT_EQ(range(R"({"v": 0})", "{}"), " 0 1");
  EXPECT_EQ(range(R"({"v": 0})", R"({"v": 2})"), "");
  std::string ids;
  EXPECT_TRUE(fails(documents_.query("c", "none", json("{}"), append_to(ids)), ErrorCode::IndexNotFound));
  EXPECT_TRUE(
      fails(documents_.query("c", "a_b", json(R"({"a":1,"b":2,"c":3})"), append_to(ids)), ErrorCode::ArgumentInvalid));
}

TEST_F(FindTest, ends_when_its_time_is_up) {
  insert_numbers(2000);
  FindOptions options;
  options.time_max = std::chrono::milliseconds(0);
  const auto visit = [](const StoredDocument&) { return true; };
  EXPECT_TRUE(fails(documents_.find("c", json("{}"), options, visit), ErrorCode::BudgetExhausted));
  options.time_max = std::chrono::hours(1);
  EXPECT_TRUE(ok(documents_.find("c", json("{}"), options, visit)));
}

TEST_F(FindTest, a_hostile_filter_stays_inside_its_budget_with_indexes_too) {
  insert_numbers(50);
  create_index("by_n", R"({"n": 1})");
  std::string list = "1";
  for (int i = 0; i < 1'000'000; ++i) list.append(",").append(std::to_string(i % 7));
  EXPECT_EQ(documents_.count("c", json("{\"n\":{\"$in\":[" + list + "]}}")).value(), 35u);
  std::string branches = R"({"n":1})";
  for (int i = 0; i < 9'000; ++i) branches.append(R"(,{"n":1})");
  EXPECT_EQ(documents_.count("c", json("{\"$or\":[" + branches + "]}")).value(), 5u);
  FindOptions few;
  few.steps_max = 20;
  const auto visit = [](const StoredDocument&) { return true; };
  EXPECT_TRUE(fails(documents_.find("c", json(R"({"n": {"$gte": 0}})"), few, visit), ErrorCode::BudgetExhausted));
}

}  // namespace
}  // namespace vitrine::doc
