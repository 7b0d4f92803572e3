// SPDX-License-Identifier: MIT OR Apache-2.0
// The modifiers of single values. Those of arrays are in modifier_arrays.cpp.
#include "doc/modifier.hpp"

#include "base/try.hpp"
#include "doc/compare.hpp"

namespace vitrine::doc {
namespace {

class Set final : public Modifier {
 public:
  Set(const Value& operand, bool is_for_insert) : operand_(operand), is_for_insert_(is_for_insert) {}
  Status apply(Draft& draft, const Path& path, const UpdateMoment& moment) const override {
    if (is_for_insert_ && !moment.is_insert) return {};
    TRY(draft.make(path)).node->assign(operand_);
    return {};
  }

 private:
  Value operand_;
  bool is_for_insert_;
};

class Unset final : public Modifier {
 public:
  Status apply(Draft& draft, const Path& path, const UpdateMoment&) const override {
    draft.remove(path);
    return {};
  }
};

class Compute final : public Modifier {
 public:
  Compute(Arithmetic operation, const Value& operand) : operation_(operation), operand_(operand) {}
  Status apply(Draft& draft, const Path& path, const UpdateMoment&) const override {
    const Draft::Made made = TRY(draft.make(path));
    if (made.is_new && operation_ == Arithmetic::Add) {
      made.node->assign(operand_);
      return {};
    }
    const Value there{made.node->type, made.node->bytes};
    if (!made.is_new && !there.is_number()) return update_mismatch("the value is not a number");
    Number number = made.is_new ? zero_like(operand_) : TRY(compute(operation_, there, operand_));
    made.node->assign({number.type, draft.keep(std::move(number.bytes))});
    return {};
  }

 private:
  Arithmetic operation_;
  Value operand_;
};

class Extreme final : public Modifier {
 public:
  Extreme(bool is_max, const Value& operand) : is_max_(is_max), operand_(operand) {}
  Status apply(Draft& draft, const Path& path, const UpdateMoment&) const override {
    const Draft::Made made = TRY(draft.make(path));
    ByteString storage;
    const int order = made.is_new ? 0 : compare_values(operand_, made.node->value(storage));
    if (made.is_new || (is_max_ ? order > 0 : order < 0)) made.node->assign(operand_);
    return {};
  }

 private:
  bool is_max_;
  Value operand_;
};

class Rename final : public Modifier {
 public:
  explicit Rename(Path from) : from_(std::move(from)) {}
  Status apply(Draft& draft, const Path& path, const UpdateMoment&) const override {
    if (draft.leads_through_array(from_) || draft.leads_through_array(path)) {
      return update_mismatch("$rename does not go into arrays");
    }
    const DraftNode* node = draft.find(from_);
    if (node == nullptr) return {};
    ByteString storage;
    Value moved = node->value(storage);
    if (node->is_open) moved.bytes = draft.keep(std::move(storage));
    draft.remove(from_);
    TRY(draft.make(path)).node->assign(moved);
    return {};
  }

 private:
  Path from_;
};

class CurrentDate final : public Modifier {
 public:
  explicit CurrentDate(Type type) : type_(type) {}
  Status apply(Draft& draft, const Path& path, const UpdateMoment& moment) const override {
    const std::uint64_t seconds = moment.now_ms / 1000;
    ByteString bytes;
    base::append_fixed(bytes, type_ == Type::Date ? moment.now_ms : seconds << 32 | 1);
    TRY(draft.make(path)).node->assign({type_, draft.keep(std::move(bytes))});
    return {};
  }

 private:
  Type type_;
};

}  // namespace

Status bad_update(std::string_view why) { return Status::error(ErrorCode::UpdateMalformed, why); }

ModifierPtr make_set(const Value& operand) { return std::make_unique<Set>(operand, false); }

ModifierPtr make_set_on_insert(const Value& operand) { return std::make_unique<Set>(operand, true); }

ModifierPtr make_unset() { return std::make_unique<Unset>(); }

Result<ModifierPtr> make_compute(Arithmetic operation, const Value& operand) {
  if (!operand.is_number()) return bad_update("$inc and $mul take a number");
  return ModifierPtr(std::make_unique<Compute>(operation, operand));
}

ModifierPtr make_extreme(bool is_max, const Value& operand) { return std::make_unique<Extreme>(is_max, operand); }

ModifierPtr make_rename(Path from) { return std::make_unique<Rename>(std::move(from)); }

Result<ModifierPtr> make_current_date(const Value& operand) {
  Type type = Type::Date;
  if (operand.type == Type::Object) {
    const Value name = find_member(operand.bytes, "$type").value_or(kNull);
    const Bytes text = name.type == Type::String ? name.as_string() : Bytes();
    const bool is_known = text == "date" || text == "timestamp";
    if (!is_known || count_members(operand.bytes) != 1) return bad_update("$type is date or timestamp");
    if (text == "timestamp") type = Type::Timestamp;
  } else if (operand.type != Type::Bool || !operand.as_bool()) {
    return bad_update("$currentDate takes true or {$type: ...}");
  }
  return ModifierPtr(std::make_unique<CurrentDate>(type));
}

}  // namespace vitrine::doc
