// SPDX-License-Identifier: MIT OR Apache-2.0
// Random values and documents for tests: all types, few names, numbers near every edge, strings with shared beginnings
// and zero bytes, so that equal and almost equal values are common.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <string>

#include "base/prng.hpp"
#include "doc/bson.hpp"
#include "doc/decimal.hpp"
#include "kv/testing.hpp"
#include "vitrine/document.hpp"

namespace vitrine::doc::testing {

using kv::testing::fails;
using kv::testing::ok;

// How often to repeat: `full` times, less with VITRINE_TEST_SCALE=small or tiny.
inline int rounds(int full) {
  const char* scale = std::getenv("VITRINE_TEST_SCALE");
  return scale && (std::string(scale) == "small" || std::string(scale) == "tiny") ? full / 10 : full;
}

inline Document json(std::string_view text) { return Document::from_json(text).value(); }

// Owns the bytes of one value.
class OwnedValue {
 public:
  explicit OwnedValue(const Value& value) : type_(value.type), bytes_(value.bytes) {}
  // The value of the member "v" of a JSON object, such as R"({"v": 1})".
  static OwnedValue of_json(const std::string& value) {
    const Document document = json("{\"v\":" + value + "}");
    return OwnedValue(*find_member(document.bson(), "v"));
  }
  Value value() const { return {type_, bytes_}; }

 private:
  Type type_;
  ByteString bytes_;
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : random_(seed) {}

  base::Prng& random() { return random_; }
  template <typename T, std::size_t N>
  T pick(const T (&choices)[N]) {
    return choices[random_.below(N)];
  }

  std::string name() {
    static constexpr const char* kNames[] = {"a", "b", "c", "ab", "long name", "\xc3\xa4"};
    return pick(kNames);
  }

  std::string text() {
    std::string text(pick<std::size_t>({0, 0, 1, 2, 300, 2000}), 'x');
    for (std::uint64_t i = random_.below(4); i-- > 0;) text.push_back(pick({'\0', '\x01', 'a', 'b', 'x', '\x7f'}));
    if (random_.one_in(4)) text.append("\xc3\xa9");
    return text;
  }

  std::int64_t integer() {
    using Limits = std::numeric_limits<std::int64_t>;
    const std::int64_t edge = pick({std::int64_t{0}, std::int64_t{0}, std::int64_t{1} << 31, std::int64_t{1} << 53,
                                    -(std::int64_t{1} << 53), Limits::max() - 4, Limits::min() + 4});
    return edge - 4 + static_cast<std::int64_t>(random_.below(9));
  }

  double real() {
    using Limits = std::numeric_limits<double>;
    switch (random_.below(4)) {
      case 0:
        return static_cast<double>(integer());
      case 1:
        return static_cast<double>(integer()) / 8;
      case 2:
        return static_cast<double>(random_.below(20)) / 10 - 1;
      default:
        return pick({-0.0, Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity(), Limits::max(),
                     Limits::denorm_min(), -Limits::denorm_min(), 1e300});
    }
  }

  Decimal128 decimal() {
    std::string text = pick({"", "", "-"}) + std::to_string(random_.below(30));
    switch (random_.below(4)) {
      case 0:
        text = pick({"NaN", "Infinity", "-Infinity", "0E+6111", "9.999999999999999999999999999999999E+6144", "1E-6176",
                     "18446744073709551615", "0.1000000000000000055511151231257827"});
        break;
      case 1:
        text = std::to_string(integer());
        break;
      case 2:
        text += "." + std::to_string(random_.below(100));
        break;
      default:
        text += "E" + std::to_string(static_cast<int>(random_.below(7)) - 3);
    }
    return decimal128_from_text(text).value();
  }

  void add_number(Builder& to, Bytes name) {
    switch (random_.below(4)) {
      case 0:
        to.add_integer(name, integer());
        break;
      case 1:
        to.add_int64(name, integer());
        break;
      case 2:
        to.add_double(name, real());
        break;
      default:
        to.add_decimal(name, decimal());
    }
  }

  // `depth` is how many levels may still follow.
  void add_value(Builder& to, Bytes name, int depth) {
    switch (random_.below(depth > 0 ? 17 : 13)) {
      case 0:
        to.add_null(name);
        break;
      case 1:
      case 2:
      case 3:
        to.add_string(name, text());
        break;
      case 4:
        to.add_bool(name, random_.one_in(2));
        break;
      case 5:
        to.add_date(name, integer());
        break;
      case 6:
        to.add_timestamp(name, static_cast<std::uint64_t>(integer()));
        break;
      case 7:
        to.add_binary(name, text(), static_cast<std::uint8_t>(pick({0, 4, 128})));
        break;
      case 8:
        to.add_object_id(name, std::string(11, 'o') + pick({'\0', 'a', '\xff'}));
        break;
      case 9:
        to.add_regex(name, pick({"", "a", "a.*"}), pick({"", "i"}));
        break;
      case 10:
        to.add(name, {pick({Type::MinKey, Type::MaxKey}), {}});
        break;
      case 13:
      case 14:
        to.open_member(name, Type::Array);
        for (std::uint64_t i = 0, count = random_.below(4); i < count; ++i) add_value(to, std::to_string(i), depth - 1);
        to.close_member();
        break;
      case 15:
      case 16:
        to.open_member(name, Type::Object);
        add_members(to, depth - 1);
        to.close_member();
        break;
      default:
        add_number(to, name);
    }
  }

  void add_members(Builder& to, int depth) {
    std::string before;
    for (std::uint64_t i = random_.below(4); i-- > 0;) {
      const std::string next = name();
      if (before.find("|" + next + "|") != std::string::npos) continue;
      before.append("|").append(next).append("|");
      add_value(to, next, depth);
    }
  }

  OwnedValue value(int depth = 2) {
    Builder holder;
    add_value(holder, "v", depth);
    const ByteString bytes = holder.finish();
    return OwnedValue(*find_member(bytes, "v"));
  }

  Document document(int depth = 3) {
    Builder builder;
    add_members(builder, depth);
    return Document::from_bson(builder.finish()).value();
  }

 private:
  base::Prng random_;
};

}  // namespace vitrine::doc::testing
