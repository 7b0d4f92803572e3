// SPDX-License-Identifier: MIT OR Apache-2.0
// A translator from relaxed to strict JSON text. It decides where tokens end and nothing else: UTF-8, escapes, numbers
// and type wrappers are judged by the one reader of JSON (json_reader.cpp), so both accept the same values.
#include "vitrine/relaxed_json.hpp"

#include <algorithm>
#include <array>

#include "base/try.hpp"
#include "doc/bson.hpp"
#include "kv/safely.hpp"

namespace vitrine {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kHexDigits = "0123456789abcdef";

bool is_letter(char character) noexcept {
  return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}
bool is_digit(char character) noexcept { return character >= '0' && character <= '9'; }
bool is_name_start(char character) noexcept { return is_letter(character) || character == '_' || character == '$'; }
bool is_name_part(char character) noexcept {
  return is_name_start(character) || is_digit(character) || character == '.';
}

// A call that stands for a value: its arguments go where the numbers stand in `pattern`; `@` makes text of a number.
struct ValueCall {
  std::string_view name;
  std::size_t arguments;
  std::string_view pattern;
};

constexpr std::array kValueCalls{
    ValueCall{"$ref", 2, R"({"$ref":0,"$id":1})"},
    ValueCall{"ObjectId", 1, R"({"$oid":0})"},
    ValueCall{"UUID", 1, R"({"$uuid":0})"},
    ValueCall{"ISODate", 1, R"({"$date":0})"},
    ValueCall{"Date", 1, R"({"$date":0})"},
    ValueCall{"NumberInt", 1, R"({"$numberInt":@})"},
    ValueCall{"NumberLong", 1, R"({"$numberLong":@})"},
    ValueCall{"NumberDecimal", 1, R"({"$numberDecimal":@})"},
    ValueCall{"MinKey", 0, R"({"$minKey":1})"},
    ValueCall{"MaxKey", 0, R"({"$maxKey":1})"},
};

class Translator {
 public:
  explicit Translator(std::string_view text) : text_(text) {}

  Status take_value(std::size_t level) {
    if (level > doc::kDocumentDepthMax) return Status::error(ErrorCode::DocumentTooDeep).with("offset", at_);
    skip_blanks();
    if (at_ == text_.size()) return ended("a value is missing");
    const char first = text_[at_];
    if (first == '{') return take_list('}', level, true);
    if (first == '[') return take_list(']', level, false);
    if (first == '"' || first == '\'') return take_string();
    if (first == '/') return take_regex();
    if (first == '-' || is_digit(first)) return take_number();
    if (is_name_start(first)) return take_word(level);
    return wrong("not a value");
  }

  std::size_t position() const noexcept { return at_; }
  std::string take_json() { return std::move(json_); }
  Status wrong(std::string_view why) const { return wrong_at(why, at_); }

  void skip_blanks() noexcept { at_ = std::min(text_.find_first_not_of(kBlanks, at_), text_.size()); }
  bool is_at_end() const noexcept { return at_ == text_.size(); }

 private:
  static Status wrong_at(std::string_view why, std::size_t at) {
    return Status::error(ErrorCode::JsonMalformed, why).with("offset", at);
  }
  Status ended(std::string_view why) const { return wrong_at(why, text_.size()).with("ends", "early"); }

  bool take(char expected) noexcept {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != expected) return false;
    ++at_;
    return true;
  }

  // An object or an array, from its opening bracket on.
  Status take_list(char closing, std::size_t level, bool has_names) {
    json_.push_back(text_[at_++]);
    for (bool is_first = true; !take(closing); is_first = false) {
      if (at_ == text_.size()) return ended("a bracket is not closed");
      if (!is_first) {
        if (!take(',')) return wrong("a comma or a closing bracket is missing");
        if (take(closing)) break;
        json_.push_back(',');
      }
      if (has_names) CHECK(take_name());
      CHECK(take_value(level + 1));
    }
    json_.push_back(closing);
    return {};
  }

  Status take_name() {
    skip_blanks();
    if (at_ == text_.size()) return ended("a name is missing");
    if (text_[at_] == '"' || text_[at_] == '\'') {
      CHECK(take_string());
    } else {
      const std::string_view name = take_bare_name();
      if (name.empty()) return wrong("a name is missing");
      json_.append("\"").append(name).append("\"");
    }
    skip_blanks();
    if (at_ == text_.size()) return ended("a colon is missing");
    if (!take(':')) return wrong("a colon is missing");
    json_.push_back(':');
    return {};
  }

  std::string_view take_bare_name() noexcept {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_name_part(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }

  Status take_string() {
    const std::size_t start = at_;
    const char quote = text_[at_++];
    json_.push_back('"');
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\') {
        CHECK(take_escape());
      } else {
        append_plain(text_[at_++]);
      }
    }
    if (at_ == text_.size()) return wrong_at("a string is not closed", start).with("ends", "early");
    ++at_;
    json_.push_back('"');
    return {};
  }

  // JSON has no \' and no \xNN; everything else passes, and the reader judges it.
  Status take_escape() {
    if (at_ + 1 >= text_.size()) return ended("a string is not closed");
    const char kind = text_[at_ + 1];
    if (kind == 'x') {
      json_.append("\\u00");
    } else if (kind == '\'') {
      json_.push_back('\'');
    } else {
      json_.append({'\\', kind});
    }
    at_ += 2;
    return {};
  }

  // A character that stands for itself between quotes.
  void append_plain(char character) {
    const auto byte = static_cast<unsigned char>(character);
    if (character == '"') {
      json_.append("\\\"");
    } else if (byte < 0x20) {
      json_.append("\\u00").append({kHexDigits[byte >> 4], kHexDigits[byte & 15]});
    } else {
      json_.push_back(character);
    }
  }

  // /pattern/options; a slash in the pattern is \/.
  Status take_regex() {
    const std::size_t start = at_++;
    json_.append(R"({"$regularExpression":{"pattern":")");
    while (at_ < text_.size() && text_[at_] != '/') {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        if (text_[at_ + 1] != '/') json_.append("\\\\");
        ++at_;
        if (text_[at_] == '\\') {
          json_.append("\\\\");
          ++at_;
          continue;
        }
      }
      append_plain(text_[at_++]);
    }
    if (at_ == text_.size()) return wrong_at("a regular expression is not closed", start).with("ends", "early");
    ++at_;
    json_.append(R"(","options":")").append(take_bare_name()).append("\"}}");
    return {};
  }

  Status take_number() {
    if (text_.substr(at_).starts_with("-Infinity")) {
      at_ += 9;
      json_.append(R"({"$numberDouble":"-Infinity"})");
      return {};
    }
    const std::size_t end = std::min(text_.find_first_not_of("+-.0123456789eE", at_), text_.size());
    json_.append(text_.substr(at_, end - at_));
    at_ = end;
    return {};
  }

  Status take_word(std::size_t level) {
    const std::size_t start = at_;
    std::string_view word = take_bare_name();
    if (word == "new") {
      skip_blanks();
      word = take_bare_name();
    }
    if (word == "true" || word == "false" || word == "null") {
      json_.append(word);
      return {};
    }
    if (word == "NaN" || word == "Infinity") {
      json_.append(R"({"$numberDouble":")").append(word).append("\"}");
      return {};
    }
    for (const ValueCall& call : kValueCalls) {
      if (call.name == word) return take_call(call, level);
    }
    return wrong_at("not a value; text needs quotes", start);
  }

  Status take_call(const ValueCall& call, std::size_t level) {
    skip_blanks();
    if (at_ == text_.size()) return ended("a bracket is missing");
    if (!take('(')) return wrong("a bracket is missing");
    std::string before;
    before.swap(json_);
    std::array<std::string, 2> arguments;
    for (std::size_t i = 0; i < call.arguments; ++i) {
      if (i > 0 && !take(',')) return is_at_end() ? ended("an argument is missing") : wrong("an argument is missing");
      CHECK(take_value(level + 1));
      arguments[i].swap(json_);
    }
    if (!take(')')) return is_at_end() ? ended("a bracket is not closed") : wrong("too many arguments");
    json_.swap(before);
    for (const char character : call.pattern) append_filled(character, arguments);
    return {};
  }

  void append_filled(char character, const std::array<std::string, 2>& arguments) {
    if (character == '0' || (character == '1' && !arguments[1].empty())) {
      json_.append(arguments[character == '0' ? 0 : 1]);
    } else if (character == '@') {
      const bool is_text = arguments[0].starts_with('"');
      json_.append(is_text ? "" : "\"").append(arguments[0]).append(is_text ? "" : "\"");
    } else {
      json_.push_back(character);
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string json_;
};

}  // namespace

Result<JsonValueText> take_relaxed_json(std::string_view text) {
  return kv::safely([&]() -> Result<JsonValueText> {
    Translator translator(text);
    CHECK(translator.take_value(1));
    return JsonValueText{translator.take_json(), translator.position()};
  });
}

Result<Document> document_from_relaxed_json(std::string_view text) {
  return kv::safely([&]() -> Result<Document> {
    Translator translator(text);
    CHECK(translator.take_value(1));
    translator.skip_blanks();
    if (!translator.is_at_end()) return translator.wrong("there is more after the end of the object");
    const std::string json = translator.take_json();
    Result<Document> document = Document::from_json(json);
    if (document.has_value() || json == text) return document;
    // Where the reader stopped is a place in the translated text.
    const Status refused = document.status();
    return Status::error(refused.code(), refused.message());
  });
}

}  // namespace vitrine
