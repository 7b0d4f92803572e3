// SPDX-License-Identifier: MIT OR Apache-2.0
// The modifiers of arrays: $push, $addToSet, $pull, $pop.
#include <algorithm>
#include <unordered_set>

#include "base/try.hpp"
#include "doc/compare.hpp"
#include "doc/modifier.hpp"
#include "doc/query.hpp"

namespace vitrine::doc {
namespace {

constexpr std::size_t kAddOneByOne = 4;  // above, a table of what is there pays

// The array at the path, opened, made when there is none.
Result<DraftNode*> make_array(Draft& draft, const Path& path) {
  const Draft::Made made = TRY(draft.make(path));
  if (made.is_new) made.node->make_container(Type::Array);
  if (made.node->type != Type::Array) return update_mismatch("the value is not an array");
  made.node->open();
  return made.node;
}

// The array at the path, opened; null when there is no value.
Result<DraftNode*> find_array(Draft& draft, const Path& path) {
  DraftNode* node = draft.find(path);
  if (node == nullptr) return node;
  if (node->type != Type::Array) return update_mismatch("the value is not an array");
  node->open();
  return node;
}

DraftNode element_of(const Value& value) {
  DraftNode node;
  node.assign(value);
  return node;
}

// The elements of {"$each": [...]}.
Result<std::vector<Value>> each_of(const Value& each) {
  if (each.type != Type::Array) return bad_update("$each takes an array");
  std::vector<Value> values;
  for (Elements walk(each.bytes); const auto element = walk.next();) values.push_back(element->value);
  return values;
}

class Push final : public Modifier {
 public:
  static Result<ModifierPtr> compile(const Value& operand) {
    auto push = std::make_unique<Push>();
    if (is_operators(operand)) {
      CHECK(push->read(operand.bytes));
    } else {
      push->values_.push_back(operand);
    }
    return ModifierPtr(std::move(push));
  }

  Status apply(Draft& draft, const Path& path, const UpdateMoment&) const override {
    std::vector<DraftNode>& array = TRY(make_array(draft, path))->members;
    std::vector<DraftNode> added;
    added.reserve(values_.size());
    for (const Value& value : values_) added.push_back(element_of(value));
    array.insert(array.begin() + place(position_, array.size()), std::make_move_iterator(added.begin()),
                 std::make_move_iterator(added.end()));
    if (sort_ != 0 || order_) sort(array);
    if (slice_) cut(array);
    return {};
  }

 private:
  Status read(Bytes modifiers) {
    const std::optional<Value> each = find_member(modifiers, "$each");
    if (!each) return bad_update("$push takes a value, or $each with $position, $sort and $slice");
    values_ = TRY(each_of(*each));
    for (Elements walk(modifiers); const auto element = walk.next();) {
      if (element->name == "$each") continue;
      if (element->name == "$sort") {
        CHECK(read_sort(element->value));
      } else if (element->name == "$slice" || element->name == "$position") {
        const std::optional<std::int64_t> number = whole_number(element->value);
        if (!number) return bad_update("$slice and $position take a whole number");
        (element->name == "$slice" ? slice_ : position_) = number;
      } else {
        return bad_update("unknown modifier of $push").with("modifier", element->name);
      }
    }
    return {};
  }

  Status read_sort(const Value& value) {
    if (value.type == Type::Object) {
      Result<SortOrder> order = SortOrder::compile(value.bytes);
      if (!order.has_value() || !order->is_given()) return bad_update("$sort takes 1, -1 or paths with them");
      order_ = *std::move(order);
      return {};
    }
    const std::int64_t direction = whole_number(value).value_or(0);
    if (direction != 1 && direction != -1) return bad_update("$sort takes 1, -1 or paths with them");
    sort_ = static_cast<int>(direction);
    return {};
  }

  // Where a position is in an array of `size`; negative ones count from the end.
  static std::ptrdiff_t place(std::optional<std::int64_t> position, std::size_t size) noexcept {
    const auto end = static_cast<std::int64_t>(size);
    if (!position || *position >= end) return end;
    return *position >= 0 ? *position : std::max<std::int64_t>(end + *position, 0);
  }

  // What an element sorts by: the least bytes first.
  ByteString key_of(const DraftNode& node) const {
    ByteString storage;
    const Value value = node.value(storage);
    if (order_) return order_->key_of(value.type == Type::Object ? value.bytes : Bytes());
    ByteString key;
    append_key(key, value, sort_ == 1 ? Direction::Ascending : Direction::Descending);
    return key;
  }

  void sort(std::vector<DraftNode>& array) const {
    std::vector<std::pair<ByteString, DraftNode>> rows;
    rows.reserve(array.size());
    for (DraftNode& node : array) {
      ByteString key = key_of(node);
      rows.emplace_back(std::move(key), std::move(node));
    }
    std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (std::size_t i = 0; i < rows.size(); ++i) array[i] = std::move(rows[i].second);
  }

  void cut(std::vector<DraftNode>& array) const {
    if (*slice_ >= 0) {
      array.resize(std::min(array.size(), static_cast<std::size_t>(*slice_)));
    } else {
      array.erase(array.begin(), array.begin() + place(slice_, array.size()));
    }
  }

  std::vector<Value> values_;
  std::optional<std::int64_t> position_, slice_;
  int sort_ = 0;
  std::optional<SortOrder> order_;
};

class AddToSet final : public Modifier {
 public:
  explicit AddToSet(std::vector<Value> values) : values_(std::move(values)) {}

  Status apply(Draft& draft, const Path& path, const UpdateMoment&) const override {
    std::vector<DraftNode>& array = TRY(make_array(draft, path))->members;
    if (values_.size() > kAddOneByOne) {
      add_by_table(array);
      return {};
    }
    for (const Value& value : values_) {
      const bool is_there = std::any_of(array.begin(), array.end(), [&](const DraftNode& node) {
        ByteString storage;
        return compare_values(node.value(storage), value) == 0;
      });
      if (!is_there) array.push_back(element_of(value));
    }
    return {};
  }

 private:
  void add_by_table(std::vector<DraftNode>& array) const {
    std::unordered_set<ByteString> keys;
    for (const DraftNode& node : array) {
      ByteString storage;
      keys.insert(encoded_key(node.value(storage)));
    }
    for (const Value& value : values_) {
      if (keys.insert(encoded_key(value)).second) array.push_back(element_of(value));
    }
  }

  std::vector<Value> values_;
};

// Takes out the elements that are equal to a value.
class PullValue final : public Modifier {
 public:
  explicit PullValue(const Value& value) : value_(value) {}
  Status apply(Draft& draft, const Path& path, const UpdateMoment&) const override {
    DraftNode* array = TRY(find_array(draft, path));
    if (array == nullptr) return {};
    std::erase_if(array->members, [&](const DraftNode& node) {
      ByteString storage;
      return compare_values(node.value(storage), value_) == 0;
    });
    return {};
  }

 private:
  Value value_;
};

// Takes out the elements that meet a condition: {"v": {"$elemMatch": condition}} asked about {"v": [element]}.
class PullMatches final : public Modifier {
 public:
  explicit PullMatches(Filter filter) : filter_(std::move(filter)) {}
  Status apply(Draft& draft, const Path& path, const UpdateMoment& moment) const override {
    DraftNode* array = TRY(find_array(draft, path));
    if (array == nullptr) return {};
    std::erase_if(array->members, [&](const DraftNode& node) {
      ByteString storage;
      Builder subject;
      subject.open_member("v", Type::Array).add("0", node.value(storage)).close_member();
      return filter_.matches(subject.finish(), *moment.budget);
    });
    return {};
  }

 private:
  Filter filter_;
};

class Pop final : public Modifier {
 public:
  explicit Pop(bool is_first) : is_first_(is_first) {}
  Status apply(Draft& draft, const Path& path, const UpdateMoment&) const override {
    DraftNode* array = TRY(find_array(draft, path));
    if (array == nullptr || array->members.empty()) return {};
    array->members.erase(is_first_ ? array->members.begin() : array->members.end() - 1);
    return {};
  }

 private:
  bool is_first_;
};

}  // namespace

Result<ModifierPtr> make_push(const Value& operand) { return Push::compile(operand); }

Result<ModifierPtr> make_add_to_set(const Value& operand) {
  std::vector<Value> values{operand};
  if (is_operators(operand)) {
    const std::optional<Value> each = find_member(operand.bytes, "$each");
    if (!each || count_members(operand.bytes) != 1) return bad_update("$addToSet takes a value or $each");
    values = TRY(each_of(*each));
  }
  return ModifierPtr(std::make_unique<AddToSet>(std::move(values)));
}

Result<ModifierPtr> make_pull(const Value& operand) {
  const bool is_reference = operand.type == Type::Object && find_member(operand.bytes, "$ref");
  const bool is_condition = operand.type == Type::Regex || (operand.type == Type::Object && !is_reference);
  if (!is_condition) return ModifierPtr(std::make_unique<PullValue>(operand));
  Builder filter;
  filter.open_member("v", Type::Object);
  if (operand.type == Type::Regex) {
    filter.open_member("$elemMatch", Type::Object).add("$regex", operand).close_member();
  } else {
    filter.add("$elemMatch", operand);
  }
  filter.close_member();
  Filter compiled = TRY(Filter::compile(filter.finish()));
  return ModifierPtr(std::make_unique<PullMatches>(std::move(compiled)));
}

Result<ModifierPtr> make_pop(const Value& operand) {
  const std::int64_t side = whole_number(operand).value_or(0);
  if (side != 1 && side != -1) return bad_update("$pop takes 1 (the last) or -1 (the first)");
  return ModifierPtr(std::make_unique<Pop>(side == -1));
}

}  // namespace vitrine::doc
