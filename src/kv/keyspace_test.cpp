// SPDX-License-Identifier: MIT OR Apache-2.0
#include "kv/keyspace.hpp"

#include <vector>

#include "kv/testing.hpp"

namespace vitrine::kv {
namespace {

using testing::DatabaseTest;
using testing::fails;
using testing::ok;

std::vector<std::string> names_of(const Transaction& txn) {
  std::vector<std::string> names;
  for (const KeyspaceInfo& info : txn.keyspaces().value()) names.push_back(info.name);
  return names;
}

// --- The encodings ---------------------------------------------------------------------------------------------------

TEST(keyspace, keys_of_different_keyspaces_never_mix) {
  std::string low, high, end;
  make_tree_key({127, true}, std::string(20, '\xff'), low);
  make_tree_key({128, true}, "", high);
  end = keyspace_end({127, true});
  EXPECT_LT(low, end);
  EXPECT_LE(end, high);
}

TEST(keyspace, the_end_of_a_prefix_lies_behind_every_key_with_it) {
  EXPECT_EQ(prefix_end("ab"), "ac");
  EXPECT_EQ(prefix_end(std::string("a\xff\xff")), "b");
  EXPECT_EQ(prefix_end(std::string("\xff\xff")), std::nullopt);
  EXPECT_EQ(prefix_end(""), std::nullopt);
  EXPECT_EQ(prefix_end("a\x7f"), std::string("a\x80"));
}

TEST(keyspace, a_record_gives_back_version_and_value) {
  const std::string record = record_header({1, true}, 300) + "value";
  const Record split = split_record({1, true}, record).value();
  EXPECT_EQ(split.version, 300u);
  EXPECT_EQ(split.value, "value");
  EXPECT_EQ(split_record({1, false}, record).value().value, record);
}

TEST(keyspace, a_record_without_its_version_is_damage) {
  EXPECT_TRUE(fails(split_record({1, true}, ""), ErrorCode::PageMalformed));
  EXPECT_TRUE(fails(split_record({1, true}, "\xff\xff"), ErrorCode::PageMalformed));
}

TEST(keyspace, damaged_catalog_entries_are_refused) {
  EXPECT_TRUE(ok(decode_catalog_entry(encode_catalog_entry({2, false}))));
  for (const std::string entry : {"", "\x02", "\x02\x02", "\x01\x01", "\x02\x01x"}) {
    EXPECT_TRUE(fails(decode_catalog_entry(entry), ErrorCode::PageMalformed)) << ::testing::PrintToString(entry);
  }
}

// --- Through the interface -------------------------------------------------------------------------------------------

class KeyspaceTest : public DatabaseTest {};

TEST_F(KeyspaceTest, every_database_has_the_keyspace_default) {
  const ReadTransaction txn = db().begin_read().value();
  EXPECT_EQ(names_of(txn), std::vector<std::string>{"default"});
  EXPECT_EQ(txn.keyspace("default").value().id, Keyspace{}.id);
  EXPECT_TRUE(txn.keyspace("default").value().versions);
}

TEST_F(KeyspaceTest, a_created_keyspace_is_found_by_its_name) {
  WriteTransaction txn = begin();
  const Keyspace made = txn.create_keyspace("users", {.versions = false}).value();
  EXPECT_EQ(txn.keyspace("users").value().id, made.id);
  EXPECT_FALSE(txn.keyspace("users").value().versions);
  ASSERT_TRUE(ok(txn.commit()));
  EXPECT_EQ(db().begin_read().value().keyspace("users").value().id, made.id);
}

TEST_F(KeyspaceTest, keyspaces_are_listed_with_default_first_and_then_by_name) {
  WriteTransaction txn = begin();
  for (const char* name : {"zebra", "apple", "Mango"}) ASSERT_TRUE(ok(txn.create_keyspace(name)));
  EXPECT_EQ(names_of(txn), (std::vector<std::string>{"default", "Mango", "apple", "zebra"}));
  ASSERT_TRUE(ok(txn.commit()));
}

TEST_F(KeyspaceTest, creating_a_name_twice_fails_and_changes_nothing) {
  WriteTransaction txn = begin();
  const Keyspace made = txn.create_keyspace("users").value();
  ASSERT_TRUE(ok(txn.put(made, "k", "v")));
  EXPECT_TRUE(fails(txn.create_keyspace("users", {.versions = false}), ErrorCode::KeyspaceExists));
  EXPECT_TRUE(fails(txn.create_keyspace("default"), ErrorCode::KeyspaceExists));
  EXPECT_EQ(txn.get(txn.keyspace("users").value(), "k").value(), "v");
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(KeyspaceTest, ensure_gives_what_is_there_and_else_creates) {
  WriteTransaction txn = begin();
  const Keyspace first = txn.ensure_keyspace("users", {.versions = false}).value();
  const Keyspace second = txn.ensure_keyspace("users", {.versions = true}).value();
  EXPECT_EQ(first.id, second.id);
  EXPECT_FALSE(second.versions) << "the options of the first call stay";
  EXPECT_EQ(txn.ensure_keyspace("default").value().id, Keyspace{}.id);
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(KeyspaceTest, an_unknown_name_is_not_found) {
  WriteTransaction txn = begin();
  EXPECT_TRUE(fails(txn.keyspace("nobody"), ErrorCode::KeyspaceNotFound));
  EXPECT_TRUE(fails(txn.drop_keyspace("nobody"), ErrorCode::KeyspaceNotFound));
  EXPECT_EQ(txn.keyspace("nobody").status().detail("name"), "nobody");
}

TEST_F(KeyspaceTest, names_that_are_no_names_are_refused_by_every_call) {
  WriteTransaction txn = begin();
  const std::vector<std::string> bad = {"",
                                        std::string(256, 'a'),
                                        "tab\there",
                                        "new\nline",
                                        std::string("zero\0byte", 9),
                                        "\x01\x02",
                                        "\x02",
                                        "\x7f",
                                        "\xff\xfe",
                                        "\xc3",
                                        "\xed\xa0\x80"};
  for (const std::string& name : bad) {
    EXPECT_TRUE(fails(txn.keyspace(name), ErrorCode::KeyspaceName)) << ::testing::PrintToString(name);
    EXPECT_TRUE(fails(txn.create_keyspace(name), ErrorCode::KeyspaceName)) << ::testing::PrintToString(name);
    EXPECT_TRUE(fails(txn.ensure_keyspace(name), ErrorCode::KeyspaceName)) << ::testing::PrintToString(name);
    EXPECT_TRUE(fails(txn.drop_keyspace(name), ErrorCode::KeyspaceName)) << ::testing::PrintToString(name);
  }
  EXPECT_EQ(names_of(txn), std::vector<std::string>{"default"});
}

TEST_F(KeyspaceTest, names_of_255_bytes_and_of_any_language_are_fine) {
  WriteTransaction txn = begin();
  const std::vector<std::string> good = {std::string(255, 'x'), " ", "Größe", "価格", "a/b\\c:d", "\xf0\x9f\x92\xa1"};
  for (const std::string& name : good) EXPECT_TRUE(ok(txn.create_keyspace(name))) << name;
  ASSERT_TRUE(ok(txn.commit()));
  for (const std::string& name : good) EXPECT_TRUE(ok(db().begin_read().value().keyspace(name))) << name;
}

TEST_F(KeyspaceTest, the_same_key_in_two_keyspaces_is_two_entries) {
  WriteTransaction txn = begin();
  const Keyspace a = txn.create_keyspace("a").value(), b = txn.create_keyspace("b").value();
  ASSERT_TRUE(ok(txn.put(a, "key", "in a")));
  ASSERT_TRUE(ok(txn.put(b, "key", "in b")));
  ASSERT_TRUE(ok(txn.put("key", "in default")));
  EXPECT_TRUE(txn.erase(a, "key").value());
  EXPECT_EQ(txn.get(a, "key").value(), std::nullopt);
  EXPECT_EQ(txn.get(b, "key").value(), "in b");
  EXPECT_EQ(txn.get("key").value(), "in default");
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(KeyspaceTest, dropping_removes_its_entries_and_no_others) {
  WriteTransaction txn = begin();
  const Keyspace before = txn.create_keyspace("a").value(), gone = txn.create_keyspace("b").value();
  const Keyspace behind = txn.create_keyspace("c").value();
  for (const Keyspace& keyspace : {before, gone, behind}) {
    for (int i = 0; i < 2000; ++i) ASSERT_TRUE(ok(txn.put(keyspace, "key" + std::to_string(i), std::string(20, 'v'))));
    ASSERT_TRUE(ok(txn.put(keyspace, "large", std::string(300'000, 'x'))));
  }
  ASSERT_TRUE(ok(txn.drop_keyspace("b")));
  EXPECT_EQ(txn.count(before).value(), 2001u);
  EXPECT_EQ(txn.count(behind).value(), 2001u);
  EXPECT_EQ(names_of(txn), (std::vector<std::string>{"default", "a", "c"}));
  ASSERT_TRUE(ok(txn.commit()));
  EXPECT_EQ(db().stats().value().entries, 2 * 2001u + 5) << "two entries a keyspace in the catalog, and the next id";
}

TEST_F(KeyspaceTest, default_cannot_be_dropped) {
  WriteTransaction txn = begin();
  ASSERT_TRUE(ok(txn.put("k", "v")));
  EXPECT_TRUE(fails(txn.drop_keyspace("default"), ErrorCode::ArgumentInvalid));
  EXPECT_EQ(txn.get("k").value(), "v");
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(KeyspaceTest, a_handle_of_a_dropped_keyspace_reads_nothing_and_writes_nothing) {
  WriteTransaction txn = begin();
  const Keyspace stale = txn.create_keyspace("gone").value();
  ASSERT_TRUE(ok(txn.put(stale, "k", "v")));
  ASSERT_TRUE(ok(txn.drop_keyspace("gone")));
  EXPECT_EQ(txn.get(stale, "k").value(), std::nullopt);
  EXPECT_EQ(txn.count(stale).value(), 0u);
  EXPECT_TRUE(fails(txn.put(stale, "k", "v"), ErrorCode::KeyspaceNotFound));
  EXPECT_TRUE(fails(txn.put_if_absent(stale, "k", "v"), ErrorCode::KeyspaceNotFound));
  EXPECT_TRUE(fails(txn.compare_and_set(stale, "k", 0, "v"), ErrorCode::KeyspaceNotFound));
  EXPECT_TRUE(fails(txn.erase(stale, "k"), ErrorCode::KeyspaceNotFound));
  EXPECT_TRUE(fails(txn.erase_range(stale, "", std::nullopt), ErrorCode::KeyspaceNotFound));
  EXPECT_TRUE(fails(txn.write_value(stale, "k"), ErrorCode::KeyspaceNotFound));
  EXPECT_TRUE(ok(txn.put("usable", "still"))) << "an argument error ends nothing";
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(KeyspaceTest, a_stale_handle_does_not_reach_a_new_keyspace_of_the_same_name) {
  WriteTransaction txn = begin();
  const Keyspace stale = txn.create_keyspace("name").value();
  ASSERT_TRUE(ok(txn.drop_keyspace("name")));
  const Keyspace fresh = txn.create_keyspace("name").value();
  EXPECT_NE(stale.id, fresh.id);
  ASSERT_TRUE(ok(txn.put(fresh, "k", "v")));
  EXPECT_EQ(txn.get(stale, "k").value(), std::nullopt);
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(KeyspaceTest, ids_are_not_given_twice_across_transactions_and_reopening) {
  const auto make = [&] {
    WriteTransaction txn = begin();
    const Keyspace made = txn.create_keyspace("x").value();
    EXPECT_TRUE(ok(txn.drop_keyspace("x")));
    EXPECT_TRUE(ok(txn.commit()));
    return made.id;
  };
  const std::uint32_t first = make();
  reopen();
  EXPECT_GT(make(), first);
}

TEST_F(KeyspaceTest, nothing_but_the_library_writes_its_own_catalog) {
  WriteTransaction txn = begin();
  const Keyspace forged{kCatalogId, false};
  EXPECT_TRUE(fails(txn.put(forged, "k", "v"), ErrorCode::KeyspaceNotFound));
  EXPECT_TRUE(fails(txn.erase(forged, std::string(kNextIdKey)), ErrorCode::KeyspaceNotFound));
  EXPECT_TRUE(fails(txn.erase_range(forged, "", std::nullopt), ErrorCode::KeyspaceNotFound));
  EXPECT_TRUE(fails(txn.write_value(forged, "k"), ErrorCode::KeyspaceNotFound));
  EXPECT_EQ(names_of(txn), std::vector<std::string>{"default"});
}

TEST_F(KeyspaceTest, creation_and_drop_are_undone_by_rollback) {
  {
    WriteTransaction txn = begin();
    ASSERT_TRUE(ok(txn.put(txn.create_keyspace("kept").value(), "k", "v")));
    ASSERT_TRUE(ok(txn.commit()));
  }
  {
    WriteTransaction txn = begin();
    ASSERT_TRUE(ok(txn.create_keyspace("never")));
    ASSERT_TRUE(ok(txn.drop_keyspace("kept")));
  }
  const ReadTransaction txn = db().begin_read().value();
  EXPECT_EQ(names_of(txn), (std::vector<std::string>{"default", "kept"}));
  EXPECT_EQ(txn.get(txn.keyspace("kept").value(), "k").value(), "v");
}

TEST_F(KeyspaceTest, a_keyspace_created_after_a_savepoint_is_gone_after_rolling_back_to_it) {
  WriteTransaction txn = begin();
  const Savepoint savepoint = txn.savepoint().value();
  const Keyspace gone = txn.create_keyspace("gone").value();
  ASSERT_TRUE(ok(txn.put(gone, "k", "v")));
  ASSERT_TRUE(ok(txn.rollback_to(savepoint)));
  EXPECT_TRUE(fails(txn.put(gone, "k", "v"), ErrorCode::KeyspaceNotFound));
  EXPECT_TRUE(fails(txn.keyspace("gone"), ErrorCode::KeyspaceNotFound));
  EXPECT_TRUE(ok(txn.commit()));
}

TEST_F(KeyspaceTest, a_snapshot_keeps_seeing_a_keyspace_that_is_dropped_meanwhile) {
  Keyspace keyspace;
  {
    WriteTransaction txn = begin();
    keyspace = txn.create_keyspace("soon gone").value();
    ASSERT_TRUE(ok(txn.put(keyspace, "k", "v")));
    ASSERT_TRUE(ok(txn.commit()));
  }
  const ReadTransaction before = db().begin_read().value();
  ASSERT_TRUE(ok(db().write([](WriteTransaction& txn) { return txn.drop_keyspace("soon gone"); })));
  EXPECT_EQ(before.get(keyspace, "k").value(), "v");
  EXPECT_EQ(db().begin_read().value().get(keyspace, "k").value(), std::nullopt);
}

TEST_F(KeyspaceTest, many_keyspaces_live_in_one_file) {
  WriteTransaction txn = begin();
  for (int i = 0; i < 1000; ++i) {
    const Keyspace keyspace = txn.create_keyspace("ks" + std::to_string(i), {.versions = i % 2 == 0}).value();
    ASSERT_TRUE(ok(txn.put(keyspace, "k", std::to_string(i))));
  }
  ASSERT_TRUE(ok(txn.commit()));
  reopen();
  const ReadTransaction after = db().begin_read().value();
  EXPECT_EQ(after.keyspaces().value().size(), 1001u);
  for (int i = 0; i < 1000; ++i) {
    const Keyspace keyspace = after.keyspace("ks" + std::to_string(i)).value();
    EXPECT_EQ(keyspace.versions, i % 2 == 0);
    EXPECT_EQ(after.get(keyspace, "k").value(), std::to_string(i));
  }
}

}  // namespace
}  // namespace vitrine::kv
