// SPDX-License-Identifier: MIT OR Apache-2.0
// Extended JSON to BSON in one pass. simdjson finds the structure and checks UTF-8 and escapes; numbers, words, names
// and depth are checked here. Only a document with type wrappers, which can say anything, is checked as a whole
// afterwards.
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "base/try.hpp"
#include "doc/decimal.hpp"
#include "doc/extended_json.hpp"
#include "doc/json.hpp"
#include "doc/names.hpp"

namespace vitrine::doc {
namespace {

namespace ondemand = simdjson::ondemand;

// The most verbose form of a document that fits is still below this.
constexpr std::size_t kTextMax = 16 * kDocumentSizeMax;

Status malformed_json(std::string_view why) { return Status::error(ErrorCode::JsonMalformed, why); }

Status error_of(simdjson::error_code error) {
  if (error == simdjson::MEMALLOC) return Status::out_of_memory();
  return malformed_json(simdjson::error_message(error));
}

Status status_of(simdjson::error_code error) { return error == simdjson::SUCCESS ? Status{} : error_of(error); }

bool is_digit(char character) noexcept { return character >= '0' && character <= '9'; }

// What the grammar of JSON calls a number, and whether it has a point or an exponent.
struct NumberText {
  bool is_number = false;
  bool is_whole = true;
};

NumberText scan_number(Bytes text) noexcept {
  std::size_t at = 0;
  const auto take = [&](Bytes any_of) {
    const bool found = at < text.size() && any_of.find(text[at]) != Bytes::npos;
    at += found ? 1 : 0;
    return found;
  };
  const auto take_digits = [&] {
    const std::size_t start = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at > start;
  };
  NumberText scanned;
  (void)take("-");
  if (!take("0") && !take_digits()) return scanned;
  if (take(".")) {
    scanned.is_whole = false;
    if (!take_digits()) return scanned;
  }
  if (take("eE")) {
    scanned.is_whole = false;
    (void)take("+-");
    if (!take_digits()) return scanned;
  }
  scanned.is_number = at == text.size();
  return scanned;
}

Status add_whole_number(Builder& to, Bytes name, Bytes text) {
  std::int64_t integer = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), integer).ec == std::errc{}) {
    to.add_integer(name, integer);
    return {};
  }
  const auto decimal = decimal128_from_text(text);
  if (!decimal) return malformed_json("an integer has more than 34 digits");
  to.add_decimal(name, *decimal);
  return {};
}

Status add_word(Builder& to, Bytes name, Bytes text) {
  if (text == "null") {
    to.add_null(name);
  } else if (text == "true" || text == "false") {
    to.add_bool(name, text == "true");
  } else {
    return malformed_json("neither true nor false nor null");
  }
  return {};
}

Bytes without_trailing_blanks(Bytes text) noexcept { return text.substr(0, text.find_last_not_of(" \t\n\r") + 1); }

Result<Bytes> name_of(ondemand::field& field) {
  std::string_view name;
  CHECK(status_of(field.unescaped_key().get(name)));
  if (name.find('\0') != Bytes::npos) return Status::error(ErrorCode::DocumentMalformed, "a member's name has a NUL");
  return Bytes(name);
}

Status check_name_is_new(Names& names, Bytes name) { return names.add(name) ? Status{} : repeated_name(); }

Status check_level(std::size_t level) {
  return level <= kDocumentDepthMax ? Status{} : Status::error(ErrorCode::DocumentTooDeep);
}

// Recursion is bounded by the depth of documents. `level` is that of the document or array that holds the value.
class Conversion {
 public:
  Result<ByteString> run(ondemand::document& document, std::size_t size) {
    ondemand::object object;
    CHECK(status_of(document.get_object().get(object)));
    Builder builder(std::min(size, kDocumentSizeMax));
    Names names;
    for (auto item : object) {
      ondemand::field field;
      CHECK(status_of(std::move(item).get(field)));
      const Bytes member = TRY(name_of(field));
      CHECK(check_name_is_new(names, member));
      CHECK(read_value(builder, member, field.value(), 1));
    }
    if (!names.all_differ()) return repeated_name();
    if (const char* rest = nullptr; document.current_location().get(rest) == simdjson::SUCCESS)
      return malformed_json("there is more after the end of the object");
    ByteString bson = builder.finish();
    if (has_wrappers_) CHECK(check_document(bson));
    if (bson.size() > kDocumentSizeMax) return Status::error(ErrorCode::DocumentTooLarge).with("size", bson.size());
    return bson;
  }

 private:
  Status read_array(Builder& to, Bytes name, ondemand::array array, std::size_t level) {
    CHECK(check_level(level + 1));
    to.open_member(name, Type::Array);
    ElementName position;
    for (auto item : array) {
      ondemand::value value;
      CHECK(status_of(std::move(item).get(value)));
      CHECK(read_value(to, position.get(), value, level + 1));
      position.next();
    }
    to.close_member();
    return {};
  }

  // A member that is an object, or the value that it stands for.
  Status read_object(Builder& to, Bytes name, ondemand::object object, std::size_t level) {
    std::optional<Builder> wrapped;
    Builder* into = nullptr;
    Names names;
    for (auto item : object) {
      ondemand::field field;
      CHECK(status_of(std::move(item).get(field)));
      const Bytes member = TRY(name_of(field));
      if (into == nullptr) into = is_wrapper_name(member) ? &wrapped.emplace() : &to.open_member(name, Type::Object);
      CHECK(check_name_is_new(names, member));
      CHECK(read_value(*into, member, field.value(), level + 1));
    }
    if (!names.all_differ()) return repeated_name();
    has_wrappers_ |= wrapped.has_value();
    if (wrapped) return add_wrapped(to, name, wrapped->finish());
    CHECK(check_level(level + 1));
    if (into == nullptr) to.open_member(name, Type::Object);
    to.close_member();
    return {};
  }

  Status read_value(Builder& to, Bytes name, ondemand::value value, std::size_t level) {
    CHECK(check_level(level));
    if (to.size() > kDocumentSizeMax) return Status::error(ErrorCode::DocumentTooLarge);
    ondemand::json_type type{};
    CHECK(status_of(value.type().get(type)));
    switch (type) {
      case ondemand::json_type::object: {
        ondemand::object object;
        CHECK(status_of(value.get_object().get(object)));
        return read_object(to, name, object, level);
      }
      case ondemand::json_type::array: {
        ondemand::array array;
        CHECK(status_of(value.get_array().get(array)));
        return read_array(to, name, array, level);
      }
      case ondemand::json_type::string: {
        std::string_view text;
        CHECK(status_of(value.get_string().get(text)));
        to.add_string(name, text);
        return {};
      }
      // The iteration around it moves on behind these.
      case ondemand::json_type::number:
        return add_json_number(to, name, without_trailing_blanks(value.raw_json_token()));
      default:
        return add_word(to, name, without_trailing_blanks(value.raw_json_token()));
    }
  }

  bool has_wrappers_ = false;
};

}  // namespace

bool is_json_number(Bytes text) noexcept { return scan_number(text).is_number; }

Status add_json_number(Builder& to, Bytes name, Bytes text) {
  const NumberText scanned = scan_number(text);
  if (!scanned.is_number) return malformed_json("not a number");
  if (scanned.is_whole && text != "-0") return add_whole_number(to, name, text);
  double number = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), number).ec != std::errc{}) {
    return malformed_json("a number is outside the range of doubles");
  }
  to.add_double(name, number);
  return {};
}

struct JsonReader::Impl {
  ondemand::parser parser;
  ByteString text;  // with the padding that the parser wants behind it
};

JsonReader::JsonReader() : impl_(std::make_unique<Impl>()) {}
JsonReader::~JsonReader() = default;

Result<ByteString> JsonReader::read(Bytes json) {
  if (json.size() > kTextMax) return Status::error(ErrorCode::DocumentTooLarge).with("size", json.size());
  ByteString& text = impl_->text;
  text.reserve(json.size() + simdjson::SIMDJSON_PADDING);
  text.assign(json);
  ondemand::document document;
  CHECK(status_of(impl_->parser.iterate(text.data(), text.size(), text.capacity()).get(document)));
  Result<ByteString> bson = Conversion().run(document, json.size());
  if (!bson.has_value()) {
    const char* at = nullptr;
    const bool is_known = document.current_location().get(at) == simdjson::SUCCESS && at >= text.data();
    return is_known ? bson.status().with("offset", static_cast<std::uint64_t>(at - text.data())) : bson.status();
  }
  return bson;
}

}  // namespace vitrine::doc
