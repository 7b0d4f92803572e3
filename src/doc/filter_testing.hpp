// SPDX-License-Identifier: MIT OR Apache-2.0
// Random filters for tests, over the names and values of the random documents.
#pragma once

#include "doc/testing.hpp"

namespace vitrine::doc::testing {

class FilterGenerator : public Generator {
 public:
  using Generator::Generator;

  std::string path() {
    static constexpr const char* kParts[] = {"a", "b", "c", "0", "1"};
    std::string path = pick(kParts);
    while (random().one_in(3)) path.append(".").append(pick(kParts));
    return path;
  }

  // A value for a comparison: no regular expression, which would ask something else.
  OwnedValue operand() {
    for (;;) {
      OwnedValue value = this->value(1);
      const Type type = value.value().type;
      if (type != Type::Regex && type != Type::MinKey && type != Type::MaxKey) return value;
    }
  }

  void add_operator(Builder& to, bool with_not) {
    static constexpr const char* kOperators[] = {"$eq", "$ne", "$lt", "$lte", "$gt", "$gte"};
    switch (random().below(with_not ? 6 : 5)) {
      case 0:
        to.add_bool("$exists", random().one_in(2));
        break;
      case 1:
        to.add_int32("$size", static_cast<std::int32_t>(random().below(4)));
        break;
      case 2:
        to.open_member(random().one_in(2) ? "$in" : "$nin", Type::Array);
        for (std::uint64_t i = 0, count = random().below(4); i < count; ++i)
          to.add(std::to_string(i), operand().value());
        to.close_member();
        break;
      case 5:
        to.open_member("$not", Type::Object);
        add_operator(to, false);
        to.close_member();
        break;
      default:
        to.add(pick(kOperators), operand().value());
    }
  }

  void add_conditions(Builder& to, int depth) {
    if (depth > 0 && random().one_in(3)) {
      to.open_member(pick({"$and", "$or", "$nor"}), Type::Array);
      for (std::uint64_t i = 0, count = 1 + random().below(3); i < count; ++i) {
        to.open_member(std::to_string(i), Type::Object);
        add_conditions(to, depth - 1);
        to.close_member();
      }
      to.close_member();
      return;
    }
    to.open_member(path(), Type::Object);
    add_operator(to, true);
    to.close_member();
  }
};

}  // namespace vitrine::doc::testing
