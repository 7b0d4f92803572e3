// SPDX-License-Identifier: MIT OR Apache-2.0
// Both forms of a record, with the text and bytes that are hard to show.
#include "cli/record.hpp"

#include <gtest/gtest.h>

namespace vitrine::cli {
namespace {

TEST(Record, text_is_aligned_and_explains_sizes_and_times) {
  Record record;
  record.add("entries", std::uint64_t{12}).add("file_bytes", std::uint64_t{8} << 20).add("was_clean", true);
  record.add("checkpoint_wall_ms", std::uint64_t{1714564800000}).add("share", 0.5);
  EXPECT_EQ(to_text(record),
            "entries             12\n"
            "file_bytes          8388608 (8.0 MiB)\n"
            "was_clean           yes\n"
            "checkpoint_wall_ms  1714564800000 (2024-05-01 12:00:00 UTC)\n"
            "share               0.50\n");
}

TEST(Record, rows_become_a_table_and_no_rows_nothing) {
  std::vector<Record> rows(2);
  rows[0].add("page", std::uint64_t{7}).add("message", "bad");
  rows[1].add("page", std::uint64_t{12345}).add("message", "worse");
  Record record;
  record.add("findings", std::move(rows)).add("none", std::vector<Record>{});
  EXPECT_EQ(to_text(record), "findings\n  page   message\n  7      bad\n  12345  worse\n");
}

TEST(Record, text_cannot_steer_a_terminal) {
  EXPECT_EQ(to_text(Record{}.add("path", "a\x1b[2Jb")), "path  a\\x1b[2Jb\n");
}

TEST(Record, json_keeps_order_and_types) {
  Record inner;
  inner.add("z", 1.5).add("a", false);
  Record record;
  record.add("big", ~std::uint64_t{0}).add("inner", inner).add("text", "q\"\n\t\\").add("rows", std::vector{inner});
  EXPECT_EQ(to_json(record), R"({"big":18446744073709551615,"inner":{"z":1.5,"a":false},)"
                             R"("text":"q\"\n\t\\","rows":[{"z":1.5,"a":false}]})");
  EXPECT_EQ(to_json(Record{}), "{}");
}

TEST(Record, json_survives_text_that_is_not_utf8) {
  EXPECT_EQ(to_json(Record{}.add("path", "a\xff")), "{\"path\":\"a\xef\xbf\xbd\"}");
}

TEST(Record, the_name_of_a_bytes_field_says_how_to_read_it) {
  EXPECT_EQ(to_json(Record{}.add_bytes("key", "abc", Encoding::Text)), R"({"key":"abc"})");
  EXPECT_EQ(to_json(Record{}.add_bytes("key", "\xff\xfe", Encoding::Text)), R"({"key_base64":"//4="})");
  EXPECT_EQ(to_json(Record{}.add_bytes("key", "abc", Encoding::Hex)), R"({"key_hex":"616263"})");
  EXPECT_EQ(to_json(Record{}.add_bytes("key", "abc", Encoding::Base64)), R"({"key_base64":"YWJj"})");
}

}  // namespace
}  // namespace vitrine::cli
