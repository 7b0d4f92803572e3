// SPDX-License-Identifier: MIT OR Apache-2.0
// Random indexes, documents, transactions and filters over both stores: indexes against their recomputation, every plan
// against the scan.
#include <set>

#include "doc/filter_testing.hpp"
#include "doc/index_verify.hpp"
#include "doc/indexes.hpp"
#include "doc/query.hpp"
#include "doc/store_testing.hpp"

namespace vitrine::doc {
namespace {

using testing::fails;
using testing::FilterGenerator;
using testing::Holders;
using testing::ok;

class IndexGenerator : public FilterGenerator {
 public:
  using FilterGenerator::FilterGenerator;

  Document order(std::size_t parts_max) {
    Builder builder;
    std::set<std::string> names;
    for (std::uint64_t i = 0, count = 1 + random().below(parts_max); i < count; ++i) {
      const std::string name = random().one_in(8) ? std::string(kIdName) : path();
      if (names.insert(name).second) builder.add_int32(name, random().one_in(2) ? 1 : -1);
    }
    return Document::from_bson(builder.finish()).value();
  }

  Document filter(int depth) {
    Builder builder;
    add_conditions(builder, depth);
    if (random().one_in(3)) {  // a second condition on one path is where arrays are different
      const std::string name = path();
      if (!find_member(Builder(builder).finish(), name)) {
        builder.open_member(name, Type::Object);
        add_operator(builder, true);
        if (random().one_in(2)) builder.add(pick({"$gt", "$gte"}), operand().value());
        builder.close_member();
      }
    }
    const ByteString bytes = builder.finish();
    const Result<Document> made = Document::from_bson(bytes);
    return made.has_value() ? *made : filter(depth);
  }

  IndexDefinition index(std::size_t number) {
    IndexDefinition definition;
    definition.name = "i" + std::to_string(number);
    definition.key = order(3);
    definition.sparse = random().one_in(4);
    if (random().one_in(4)) definition.partial = filter(0);
    return definition;
  }

  ByteString numbered_document(std::int64_t id) {
    const Document body = document(3);
    Builder builder;
    builder.add_integer(kIdName, id);
    for (Elements walk(body.bson()); const auto element = walk.next();) builder.add(element->name, element->value);
    return builder.finish();
  }
};

template <typename Holder>
class IndexRandomTest : public ::testing::Test {};

TYPED_TEST_SUITE(IndexRandomTest, Holders);

::testing::AssertionResult indexes_verify(const kv::StoreReader& txn) {
  std::vector<Finding> findings;
  const Status status = verify_indexes(txn, findings);
  if (status.is_ok() && findings.empty()) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << status.to_string() << " "
                                       << (findings.empty() ? "" : findings[0].code + findings[0].message);
}

// Everything a query answers: the documents, or why there are none.
std::string answer(const kv::StoreReader& txn, const Collection& collection, Query& query, Bytes hint,
                   std::string& plan) {
  query.hint = hint;
  std::string ids;
  QueryRun run;
  const auto visit = [&](Bytes bson, std::uint64_t) {
    ids.append(" ").append(std::to_string(find_member(bson, kIdName)->as_integer()));
    return true;
  };
  const auto count = run_query(txn, collection, query, visit, &run);
  plan = run.plan.is_by_id() ? "documents" : "index";
  return count.has_value() ? ids : count.status().to_string();
}

TYPED_TEST(IndexRandomTest, every_plan_gives_the_answer_of_the_scan) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  IndexGenerator generator(seed);
  base::Prng& random = generator.random();
  int by_index = 0, found = 0;
  for (int round = testing::rounds(40); round-- > 0;) {
    TypeParam holder;
    const auto writer = holder.store.begin_write().value();
    const Collection empty = create_collection(*writer, "c").value();
    for (std::size_t i = 0; i < 6; ++i)
      ASSERT_TRUE(ok(create_index(*writer, open_collection(*writer, "c").value(), generator.index(i))));
    for (int id = 0; id < 60; ++id) {
      const Collection now = open_collection(*writer, "c").value();
      ASSERT_TRUE(ok(write_document(*writer, now, generator.numbered_document(id), {})));
    }
    ASSERT_TRUE(ok(writer->commit(std::nullopt)));
    const auto txn = holder.store.begin_read().value();
    const Collection collection = open_collection(*txn, "c").value();
    for (int asked = 50; asked-- > 0;) {
      const Document filter = generator.filter(2), order = random.one_in(2) ? generator.order(2) : Document();
      Result<Query> query = Query::compile(filter.bson());
      ASSERT_TRUE(ok(query));
      query->order = SortOrder::compile(order.bson()).value();
      if (random.one_in(3)) query->skip = random.below(5);
      if (random.one_in(3)) query->limit = random.below(10);
      std::string plan;
      const std::string expected = answer(*txn, collection, *query, "$scan", plan);
      const auto context = [&] { return filter.to_json() + " " + order.to_json() + " by " + plan; };
      ASSERT_EQ(answer(*txn, collection, *query, {}, plan), expected) << context();
      by_index += plan == "index" ? 1 : 0;
      found += expected.empty() ? 0 : 1;
      for (const Index& index : collection.indexes) {
        const std::string hinted = answer(*txn, collection, *query, index.name, plan);
        if (hinted.find("QUERY_PLAN_HINT") != std::string::npos) continue;
        ASSERT_EQ(hinted, expected) << context() << " " << index.name << " " << definition_of(index)->key.to_json();
      }
      // The same number without a look at the documents, and the same documents in any order.
      query->order = {};
      query->skip = 0;
      query->limit = ~std::uint64_t{0};
      std::uint64_t counts[3] = {0, 0, 0};
      for (int way = 0; way < 3; ++way) {
        query->hint = way == 0 ? "$scan" : "";
        query->only_counts = way == 1;
        query->any_order = way == 2;
        counts[way] = run_query(*txn, collection, *query, [](Bytes, std::uint64_t) { return true; }).value();
      }
      ASSERT_EQ(counts[1], counts[0]) << context();
      ASSERT_EQ(counts[2], counts[0]) << context();
    }
  }
  EXPECT_GT(by_index, 0);
  EXPECT_GT(found, 0);
}

TYPED_TEST(IndexRandomTest, indexes_equal_their_recomputation_after_random_transactions) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  IndexGenerator generator(seed);
  base::Prng& random = generator.random();
  TypeParam holder;
  {
    const auto txn = holder.store.begin_write().value();
    ASSERT_TRUE(ok(create_collection(*txn, "c")));
    ASSERT_TRUE(ok(txn->commit(std::nullopt)));
  }
  std::size_t made = 0;
  int refused = 0;
  for (int round = testing::rounds(300); round-- > 0;) {
    const auto txn = holder.store.begin_write().value();
    for (std::uint64_t step = random.below(10); step-- > 0;) {
      const Collection collection = open_collection(*txn, "c").value();
      const auto id = static_cast<std::int64_t>(random.below(20));
      Status done;
      if (random.one_in(8) && collection.indexes.size() < 5) {
        IndexDefinition definition = generator.index(made++);
        definition.unique = random.one_in(2);
        done = create_index(*txn, collection, definition);
      } else if (random.one_in(20) && !collection.indexes.empty()) {
        done = drop_index(*txn, collection, collection.indexes[random.below(collection.indexes.size())].name);
      } else if (random.one_in(4)) {
        Builder holder_of_id;
        const ByteString bytes = holder_of_id.add_integer(kIdName, id).finish();
        done = remove_document(*txn, collection, id_of(bytes), {}).status();
      } else if (random.one_in(3)) {
        std::vector<ByteString> many;
        for (std::int64_t i = 0; i < 3; ++i) many.push_back(generator.numbered_document(100 + 3 * id + i));
        done = insert_documents(*txn, collection, testing::views(many));
      } else {
        done = write_document(*txn, collection, generator.numbered_document(id), {}).status();
      }
      if (done.is_ok()) continue;
      ++refused;
      const bool is_expected = done.code() == ErrorCode::IndexDuplicate || done.code() == ErrorCode::DocumentExists;
      ASSERT_TRUE(is_expected) << done.to_string();
      if (random.one_in(3)) {
        ASSERT_TRUE(indexes_verify(*txn));
      }
    }
    if (!random.one_in(4)) {
      ASSERT_TRUE(ok(txn->commit(std::nullopt)));
    }
    ASSERT_TRUE(indexes_verify(*holder.store.begin_read().value()));
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace vitrine::doc
