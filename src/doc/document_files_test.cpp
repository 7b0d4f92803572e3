// SPDX-License-Identifier: MIT OR Apache-2.0
// Each format: what it gives, where it refuses, and that the size of the pieces does not matter.
#include "vitrine/document_files.hpp"

#include "doc/testing.hpp"
#include "os/testing.hpp"

namespace vitrine {
namespace {

using doc::testing::json;
using doc::testing::rounds;

// Documents as JSON, one a line; an error as its name and place, and "lost" when nothing can follow.
std::string decoded(const DecodeOptions& options, std::string_view text, std::size_t piece_size = 1 << 20) {
  DocumentDecoder decoder(options);
  std::string result;
  for (bool is_ended = false; !is_ended;) {
    is_ended = text.empty();
    if (is_ended) decoder.end();
    EXPECT_TRUE(decoder.feed(text.substr(0, piece_size)).is_ok());
    text.remove_prefix(std::min(piece_size, text.size()));
    for (;;) {
      const Result<std::optional<Document>> document = decoder.next();
      if (document.has_value() && !*document) break;
      if (document.has_value()) {
        result.append((*document)->to_json()).append("\n");
        continue;
      }
      result.append(document.status().name()).append(" at ").append(std::to_string(decoder.position()));
      result.append(decoder.can_continue() ? "\n" : ", lost\n");
      if (!decoder.can_continue()) return result;
    }
  }
  return result;
}

std::string decoded(DocumentFormat format, std::string_view text) { return decoded({.format = format}, text); }

std::string csv(std::string_view text, CellTypes types = CellTypes::Bare) {
  return decoded({.format = DocumentFormat::Csv, .types = types}, text);
}

TEST(DocumentFiles, lines_are_documents) {
  EXPECT_EQ(decoded(DocumentFormat::JsonLines, "\xef\xbb\xbf{\"a\":1}\n\n  \r\n{\"a\":2}\r\nbad\n{\"a\":3}"),
            "{\"a\":1}\n{\"a\":2}\nJSON_READ_MALFORMED at 5\n{\"a\":3}\n");
  EXPECT_EQ(decoded(DocumentFormat::JsonLines, ""), "");
}

TEST(DocumentFiles, json_is_an_array_or_a_row_of_objects) {
  const char* const kTwo = "{\"a\":\"]}\\\"{\"}\n{\"b\":[{}]}\n";
  EXPECT_EQ(decoded(DocumentFormat::Json, " [\n{\"a\":\"]}\\\"{\"},{\"b\":\n[{}]}\n]\n"), kTwo);
  EXPECT_EQ(decoded(DocumentFormat::Json, "{\"a\":\"]}\\\"{\"}{\"b\":[{}]}"), kTwo);
  EXPECT_EQ(decoded(DocumentFormat::Json, "[]"), "");
  EXPECT_EQ(decoded(DocumentFormat::Json, "[{\"a\":1},\n{\"a\":?},\n{\"a\":3}]"),
            "{\"a\":1}\nJSON_READ_MALFORMED at 2\n{\"a\":3}\n");
  for (const char* const text : {"[", "[{},", "[{}", "{", "{\"a", "5", "[5]", "[,]", "[{} {}]", "[{}],", "[{}][{}]"}) {
    EXPECT_NE(decoded(DocumentFormat::Json, text).find("JSON_READ_MALFORMED at 1, lost"), std::string::npos) << text;
  }
}

TEST(DocumentFiles, bson_is_one_document_after_the_other) {
  std::string dump;
  for (const char* const text : {R"({"a":1})", "{}", R"({"b":{"c":[1,2]}})"}) dump.append(json(text).bson());
  EXPECT_EQ(decoded(DocumentFormat::Bson, dump), "{\"a\":1}\n{}\n{\"b\":{\"c\":[1,2]}}\n");
  EXPECT_EQ(decoded(DocumentFormat::Bson, dump.substr(0, dump.size() - 1)),
            "{\"a\":1}\n{}\nDOCUMENT_CHECK_MALFORMED at 3, lost\n");
  dump[4] = '\x06';  // undefined, which is deprecated
  EXPECT_EQ(decoded(DocumentFormat::Bson, dump), "DOCUMENT_CHECK_MALFORMED at 1\n{}\n{\"b\":{\"c\":[1,2]}}\n");
  EXPECT_EQ(decoded(DocumentFormat::Bson, "\x04\0\0\0\0"), "DOCUMENT_CHECK_MALFORMED at 1, lost\n");
}

TEST(DocumentFiles, csv_follows_its_rfc) {
  EXPECT_EQ(csv("a,b\r\n1,\"x, \"\"y\"\"\nz\"\r\n,\r\n\r\n2"), "{\"a\":1,\"b\":\"x, \\\"y\\\"\\nz\"}\n{}\n{\"a\":2}\n");
  EXPECT_EQ(csv("a\n5\" disk\n"), "{\"a\":\"5\\\" disk\"}\n");
  EXPECT_EQ(csv("a,b\n1,2,3\n\"x\"y,1\n3,4\n"),
            "DOCUMENT_CHECK_MALFORMED at 2\nDOCUMENT_CHECK_MALFORMED at 3\n{\"a\":3,\"b\":4}\n");
  EXPECT_EQ(csv("a\n1\n\"x\n2\n"), "{\"a\":1}\nDOCUMENT_CHECK_MALFORMED at 3, lost\n");
  EXPECT_EQ(decoded(DocumentFormat::Tsv, "a\tb\n1\t2,\n"), "{\"a\":1,\"b\":\"2,\"}\n");
}

TEST(DocumentFiles, names_of_columns_with_dots_make_objects) {
  EXPECT_EQ(csv("a.b,c,a.d.e\n1,2,3\n,2,\n"), "{\"a\":{\"b\":1,\"d\":{\"e\":3}},\"c\":2}\n{\"c\":2}\n");
  for (const char* const names : {"a,a", "a,a.b", "a.b,a", "a..b", "a,", ""}) {
    const std::string text = std::string(names) + "\n1\n";
    EXPECT_TRUE(*names == '\0' || csv(text) == "DOCUMENT_CHECK_MALFORMED at 1, lost\n") << names;
  }
}

TEST(DocumentFiles, cells_become_what_they_look_like_when_they_may) {
  const char* const kText = "a,b,c,d,e,f,g\n1,1.5,true,null,007,\"2\",\"\"\n";
  EXPECT_EQ(csv(kText), R"({"a":1,"b":1.5,"c":true,"d":null,"e":"007","f":"2","g":""})"
                        "\n");
  EXPECT_EQ(csv(kText, CellTypes::All), R"({"a":1,"b":1.5,"c":true,"d":null,"e":"007","f":2,"g":""})"
                                        "\n");
  EXPECT_EQ(csv(kText, CellTypes::None), R"({"a":"1","b":"1.5","c":"true","d":"null","e":"007","f":"2","g":""})"
                                         "\n");
  EXPECT_EQ(csv("a\n18446744073709551615\n1e999\n"),
            "{\"a\":{\"$numberDecimal\":\"18446744073709551615\"}}\n{\"a\":\"1e999\"}\n");
}

std::string written(DocumentFormat format, const std::vector<Document>& documents) {
  DocumentColumns columns;
  for (const Document& document : documents) EXPECT_TRUE(columns.add(document).is_ok());
  DocumentEncoder encoder({.format = format, .form = JsonForm::Canonical, .columns = columns.names()});
  std::string text;
  encoder.append_head(text);
  for (const Document& document : documents) encoder.append(text, document);
  encoder.append_tail(text);
  return text;
}

TEST(DocumentFiles, objects_are_spread_over_columns) {
  EXPECT_EQ(
      written(DocumentFormat::Csv,
              {json(R"({"_id":1,"a":{"b":2,"c":{}},"t":["x",1]})"),
               json(R"({"_id":{"$uuid":"00112233-4455-6677-8899-aabbccddeeff"},"d":{"$date":"2024-02-29T00:00:00Z"}})"),
               json(R"({"_id":"1","n":null,"s":"say \"hi\""})")}),
      "_id,a.b,a.c,t,d,n,s\r\n"
      "1,2,{},\"[\"\"x\"\",1]\",,,\r\n"
      "00112233-4455-6677-8899-aabbccddeeff,,,,2024-02-29T00:00:00Z,,\r\n"
      "\"1\",,,,,null,\"say \"\"hi\"\"\"\r\n");
  // A value here and an object there: the column is a value.
  const std::vector<Document> mixed{json(R"({"a":{"b":1}})"), json(R"({"a":2})")};
  EXPECT_EQ(written(DocumentFormat::Csv, mixed), "a\r\n\"{\"\"b\"\":1}\"\r\n2\r\n");
}

TEST(DocumentFiles, what_is_written_is_read_again_whatever_the_pieces) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  doc::testing::Generator generator(seed);
  for (int round = 0; round < rounds(200); ++round) {
    std::vector<Document> documents;
    std::string wanted;
    for (std::uint64_t i = generator.random().below(5); i-- > 0;) {
      documents.push_back(generator.document());
      wanted.append(documents.back().to_json()).append("\n");
    }
    for (const DocumentFormat format : {DocumentFormat::Json, DocumentFormat::JsonLines, DocumentFormat::Bson}) {
      const std::string text = written(format, documents);
      const std::size_t piece = 1 + static_cast<std::size_t>(generator.random().below(100));
      EXPECT_EQ(decoded({.format = format}, text, piece), wanted);
    }
    const std::string table = written(DocumentFormat::Csv, documents);
    const DecodeOptions options{.format = DocumentFormat::Csv};
    EXPECT_EQ(decoded(options, table, 1 + static_cast<std::size_t>(generator.random().below(100))),
              decoded(options, table));
  }
}

TEST(DocumentFiles, csv_keeps_texts_numbers_and_booleans) {
  const std::uint64_t seed = os::testing::seed();
  SCOPED_TRACE("VITRINE_SEED=" + std::to_string(seed));
  doc::testing::Generator generator(seed);
  constexpr const char* kTexts[] = {"", "1", "-0", "true", "null", "a,b", "\"", "\r\n", " ", "1e5", "x\ty", "007"};
  for (int round = 0; round < rounds(500); ++round) {
    std::vector<Document> documents;
    std::string wanted;
    for (int i = 0; i < 4; ++i) {
      doc::Builder builder;
      builder.add_integer("i", generator.integer()).add_string("s", generator.pick(kTexts));
      builder.open_member("o", doc::Type::Object).add_double("d", static_cast<double>(generator.integer()) / 8);
      builder.add_string("t", generator.text())
          .close_member()
          .add_bool("b", generator.random().one_in(2))
          .add_null("n");
      documents.push_back(Document::from_bson(builder.finish()).value());
      wanted.append(documents.back().to_json()).append("\n");
    }
    EXPECT_EQ(csv(written(DocumentFormat::Csv, documents)), wanted);
    EXPECT_EQ(decoded(DocumentFormat::Tsv, written(DocumentFormat::Tsv, documents)), wanted);
  }
}

TEST(DocumentFiles, a_record_without_an_end_is_refused_and_not_kept) {
  DocumentDecoder decoder({.format = DocumentFormat::JsonLines});
  const std::string piece(std::size_t{8} << 20, ' ');
  Status status;
  for (int i = 0; i < 40 && status.is_ok(); ++i) {
    ASSERT_TRUE(decoder.feed(piece).is_ok());
    status = decoder.next().status();
  }
  EXPECT_EQ(status.code(), ErrorCode::DocumentTooLarge);
  EXPECT_FALSE(decoder.can_continue());
}

TEST(DocumentFiles, the_name_of_a_file_tells_its_format) {
  EXPECT_EQ(document_format_of("a/b.json"), DocumentFormat::Json);
  EXPECT_EQ(document_format_of("b.jsonl"), DocumentFormat::JsonLines);
  EXPECT_EQ(document_format_of("b.csv.bson"), DocumentFormat::Bson);
  EXPECT_EQ(document_format_of("b.txt"), std::nullopt);
}

}  // namespace
}  // namespace vitrine
