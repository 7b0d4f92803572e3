// SPDX-License-Identifier: MIT OR Apache-2.0
#include "vitrine/sql.hpp"

#include <algorithm>

#include "doc/testing.hpp"
#include "os/memory_env.hpp"
#include "vitrine/documents.hpp"

namespace vitrine::sql {
namespace {

using doc::testing::fails;
using doc::testing::Generator;
using doc::testing::json;
using doc::testing::ok;

std::string text_of(const Value& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* number = std::get_if<double>(&value)) return std::to_string(*number) + "r";
  if (const auto* text = std::get_if<std::string>(&value)) return "'" + *text + "'";
  if (const auto* blob = std::get_if<Blob>(&value)) return "blob of " + std::to_string(blob->bytes.size());
  return "null";
}

class SqlTest : public ::testing::Test {
 protected:
  SqlTest() {
    options_ = kv::testing::small_options();
    options_.env = env_.get();
    db_.emplace(Database::open("a.vtr", OpenMode::CreateNew, options_).value());
  }
  ~SqlTest() override {
    session_.reset();
    EXPECT_TRUE(db_->verify(VerifyLevel::Deep).value().is_clean());
    EXPECT_TRUE(ok(db_->close()));
  }

  template <typename Body>
  void write(Body&& body) {
    EXPECT_TRUE(ok(db_->write([&](WriteTransaction& txn) -> Status {
      DocumentWriter documents(txn);
      return body(documents);
    })));
  }
  void insert(std::initializer_list<const char*> texts) {
    write([&](DocumentWriter& documents) -> Status {
      if (Status s = documents.ensure_collection("c"); !s.is_ok()) return s;
      for (const char* text : texts) {
        if (Status s = documents.insert("c", json(text)).status(); !s.is_ok()) return s;
      }
      return {};
    });
  }
  void create_index(const char* name, const char* key) {
    write([&](DocumentWriter& documents) {
      IndexDefinition definition;
      definition.name = name;
      definition.key = json(key);
      return documents.create_index("c", definition);
    });
  }
  Session& session() {
    if (!session_) session_.emplace(Session::open(*db_, options_).value());
    return *session_;
  }
  Result<RunResult> run(std::string_view text) {
    return session().run(text, [](const Row&) { return true; });
  }
  // Cells in parentheses, row after row.
  std::string rows(std::string_view text) {
    std::string all;
    const Result<RunResult> result = session().run(text, [&](const Row& row) {
      all.append("(");
      for (std::size_t i = 0; i < row.values.size(); ++i) all.append(i == 0 ? "" : " ").append(text_of(row.values[i]));
      all.append(")");
      return true;
    });
    EXPECT_TRUE(ok(result)) << text;
    return all;
  }

  std::unique_ptr<os::Env> env_ = os::make_memory_env();
  Options options_;
  std::optional<Database> db_;
  std::optional<Session> session_;
};

TEST_F(SqlTest, shows_members_as_columns_and_values_with_their_types) {
  insert({R"({"_id": 1, "name": "Ada", "age": 36, "tags": ["a", 1], "seen": {"$date": "1815-12-10T00:00:00Z"}})",
          R"({"_id": 2, "age": 36.5, "alive": true, "Name": "x"})"});
  EXPECT_EQ(rows("select * from c order by _id"),
            "(1 'Ada' 36 '[\"a\",1]' '1815-12-10T00:00:00.000Z' null null)(2 null 36.500000r null null 1 'x')");
  EXPECT_EQ(rows("select Name_2 from c where Name_2 is not null"), "('x')");
  EXPECT_EQ(rows("select _doc from c where _id = 2"), "('{\"_id\":2,\"age\":36.5,\"alive\":true,\"Name\":\"x\"}')");
  EXPECT_EQ(rows("select count(*), sum(age), json_extract(tags, '$[0]') from c where age > 30"), "(2 72.500000r 'a')");
}

TEST_F(SqlTest, looks_at_a_collection_when_a_statement_names_it) {
  write([](DocumentWriter& documents) {
    for (const char* name : {"c", "odd \"name\"", "collection", "gone"}) {
      EXPECT_TRUE(ok(documents.create_collection(name)));
    }
    return documents.insert("collection", json(R"({"_id": 1, "a": 5})")).status();
  });
  (void)session();
  insert({R"({"_id": 1, "late": 5})"});
  write([](DocumentWriter& documents) { return documents.drop_collection("gone"); });
  EXPECT_EQ(rows("select late from c"), "(5)");
  EXPECT_EQ(rows("select a from collection"), "(5)");
  EXPECT_EQ(rows("insert into \"odd \"\"name\"\"\"(_id) values (7); select _id from \"odd \"\"name\"\"\""), "(7)");
  EXPECT_TRUE(fails(run("select * from gone"), ErrorCode::CollectionNotFound));
  EXPECT_TRUE(fails(run("select * from never"), ErrorCode::SqlRejected));
}

TEST_F(SqlTest, joins_collections_by_references) {
  insert({R"({"_id": 1, "friend": 2})", R"({"_id": 2, "friend": 3})", R"({"_id": 3})"});
  EXPECT_EQ(rows("select a._id, b._id, d._id from c a join c b on a.friend = b._id join c d on b.friend = d._id"),
            "(1 2 3)");
}

TEST_F(SqlTest, declared_columns_reach_into_members) {
  insert({R"({"_id": 1, "address": {"city": "Turin"}})", R"({"_id": 2, "address": {"city": "Rome"}})"});
  EXPECT_EQ(rows("create virtual table p using collection(c, _id, city address.city);"
                 "select city from p where city >= 'T'"),
            "('Turin')");
}

TEST_F(SqlTest, explains_which_index_answers) {
  insert({R"({"_id": 1, "age": 30})"});
  create_index("by_age", R"({"age": 1})");
  EXPECT_NE(rows("explain query plan select * from c where age between 20 and 40 order by age")
                .find("age range by index by_age and age range by index by_age ordered by age"),
            std::string::npos);
  EXPECT_NE(rows("explain query plan select * from c where _id = 1").find("_id=? by id"), std::string::npos);
  EXPECT_NE(rows("explain query plan select * from c").find("scan"), std::string::npos);
}

// A plus before a column keeps SQLite from pushing its condition down: then it alone decides.
TEST_F(SqlTest, answers_the_same_with_conditions_pushed_down_and_without) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  Generator generator(seed);
  write([&](DocumentWriter& documents) -> Status {
    if (Status s = documents.create_collection("c"); !s.is_ok()) return s;
    for (int i = 0; i < 300; ++i) {
      doc::Builder builder;
      builder.add_int32("_id", i);
      if (!generator.random().one_in(8)) generator.add_value(builder, "a", 1);
      if (generator.random().one_in(2)) builder.add_integer("b", generator.integer());
      const Document document = Document::from_bson(builder.finish()).value();
      if (Status s = documents.insert("c", document).status(); !s.is_ok()) return s;
    }
    return {};
  });
  for (const bool indexed : {false, true}) {
    if (indexed) {
      session_.reset();
      create_index("by_a", R"({"a": 1})");
      create_index("by_b", R"({"b": -1})");
    }
    for (int round = doc::testing::rounds(300); round-- > 0;) {
      const char* const ops[] = {"=", "<", "<=", ">", ">=", "is"};
      const std::string column = generator.random().one_in(3) ? "b" : "a";
      const std::string operand =
          "(select " + column + " from c where _id = " + std::to_string(generator.random().below(300)) + ")";
      const std::string condition = column + " " + generator.pick(ops) + " " + operand;
      ASSERT_EQ(rows("select _id from c where " + condition + " order by +_id"),
                rows("select _id from c where +" + condition + " order by +_id"))
          << condition;
    }
    for (const std::string column : {"a", "b", "_id"}) {
      for (const std::string direction : {" asc", " desc"}) {
        ASSERT_EQ(rows("select " + column + " from c order by " + column + direction),
                  rows("select " + column + " from c order by +" + column + direction));
      }
      ASSERT_EQ(rows("select count(*) from c where " + column + " is null"),
                rows("select count(*) from c where +" + column + " is null"));
    }
  }
}

TEST_F(SqlTest, writes_rows_and_leaves_the_types_of_what_it_does_not_touch) {
  insert({R"({"_id": 1, "n": {"$numberDecimal": "1.10"}, "on": true, "at": {"$date": "2024-02-29T00:00:00Z"}})"});
  EXPECT_EQ(run("insert into c(_id, on_ ) values (1, 2)").status().code(), ErrorCode::SqlRejected);
  EXPECT_EQ(run(R"(insert into c(_id, "on", at) values (2, 0, '2025-01-01T00:00:00Z'))").value().changes, 1u);
  EXPECT_EQ(run(R"(insert into c(_doc) values ('{"_id": 3, "n": [1, {"x": null}]}'))").value().changes, 1u);
  EXPECT_EQ(run(R"(update c set "on" = 0 where _id = 1)").value().changes, 1u);
  EXPECT_EQ(rows("select _doc from c order by _id"),
            R"(('{"_id":1,"n":{"$numberDecimal":"1.10"},"on":false,"at":{"$date":"2024-02-29T00:00:00Z"}}'))"
            R"(('{"_id":2,"on":false,"at":{"$date":"2025-01-01T00:00:00Z"}}')('{"_id":3,"n":[1,{"x":null}]}'))");
  EXPECT_TRUE(fails(run("insert into c(_id) values (1)"), ErrorCode::DocumentExists));
  EXPECT_TRUE(fails(run("update c set at = 'soon'"), ErrorCode::SqlRejected));
  EXPECT_EQ(run("delete from c where _id >= 2").value().changes, 2u);
  EXPECT_EQ(rows("select _id from c"), "(1)");
}

TEST_F(SqlTest, a_statement_that_fails_half_way_changes_nothing) {
  insert({R"({"_id": 1})", R"({"_id": 2})"});
  EXPECT_TRUE(fails(run("insert into c(_id) select _id + 1 from c order by _id desc"), ErrorCode::DocumentExists));
  EXPECT_TRUE(ok(run("begin; insert into c(_id) values (7)")));
  EXPECT_TRUE(fails(run("insert into c(_id) values (8), (1)"), ErrorCode::DocumentExists));
  EXPECT_TRUE(ok(run("insert into c(_id) values (9); commit")));
  EXPECT_EQ(rows("select _id from c"), "(1)(2)(7)(9)");
  EXPECT_TRUE(ok(run("begin; delete from c; savepoint s; insert into c(_id) values (5); rollback to s")));
  EXPECT_EQ(rows("select count(*) from c"), "(0)");
  EXPECT_TRUE(ok(run("rollback")));
  EXPECT_EQ(rows("select count(*) from c"), "(4)");
}

TEST_F(SqlTest, a_transaction_sees_one_state_and_does_not_write_over_a_later_one) {
  insert({R"({"_id": 1})"});
  EXPECT_EQ(rows("begin; select count(*) from c"), "(1)");
  insert({R"({"_id": 2})"});
  EXPECT_EQ(rows("select count(*) from c"), "(1)");
  EXPECT_TRUE(fails(run("delete from c"), ErrorCode::CommitConflict));
  EXPECT_TRUE(ok(run("rollback; delete from c where _id = 1")));
  EXPECT_EQ(rows("select _id from c"), "(2)");
}

TEST_F(SqlTest, refuses_what_it_cannot_keep) {
  insert({R"({"_id": 1})"});
  for (const char* text : {"selekt", "select * from nothing", "create table t(x)", "attach 'x' as y",
                           "create index i on c(_id)", "delete from vitrine_pages"}) {
    EXPECT_TRUE(fails(run(text), ErrorCode::SqlRejected)) << text;
  }
  EXPECT_TRUE(session().only_reads("select 1; select * from c").value());
  EXPECT_FALSE(session().only_reads("select 1; delete from c").value());
}

TEST_F(SqlTest, shows_the_internals_of_the_file) {
  insert({R"({"_id": 1})"});
  ASSERT_TRUE(ok(db_->write([](WriteTransaction& txn) -> Status {
    for (int i = 0; i < 2000; ++i) {
      if (Status s = txn.put("key " + std::to_string(i), std::string(200, 'v')); !s.is_ok()) return s;
    }
    return {};
  })));
  ASSERT_TRUE(ok(db_->checkpoint()));
  EXPECT_EQ(rows("select count(*) > 40, min(fill) > 0 from vitrine_pages where type = 'leaf'"), "(1 1)");
  EXPECT_EQ(rows("select count(*) from vitrine_tree where level = 0"),
            rows("select count(*) from vitrine_pages where type = 'leaf' and in_use"));
  EXPECT_EQ(rows("select count(*) from vitrine_keys where keyspace = 1"), "(2000)");
  EXPECT_EQ(rows("select name from vitrine_keyspaces order by id limit 1"), "('default')");
  EXPECT_EQ(rows("select count(*) from vitrine_findings"), "(0)");
  EXPECT_EQ(rows("select count(*) from vitrine_header"), "(4)");
  EXPECT_EQ(rows("select sum(pages) > 0 from vitrine_space where state = 'in_use'"), "(1)");
  Session raw = Session::open_internals("a.vtr", options_).value();
  EXPECT_TRUE(ok(raw.run("select count(*) from vitrine_pages", [](const Row&) { return true; })));
  EXPECT_TRUE(fails(raw.run("select * from c", [](const Row&) { return true; }), ErrorCode::SqlRejected));
}

}  // namespace
}  // namespace vitrine::sql
