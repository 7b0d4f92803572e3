// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/update.hpp"

#include <algorithm>

#include "base/try.hpp"
#include "doc/compare.hpp"
#include "doc/modifier.hpp"
#include "doc/store_documents.hpp"

namespace vitrine::doc {
namespace {

constexpr std::size_t kChangesMax = 20'000;

bool is_position(const std::string& part) noexcept { return part.find_first_not_of("0123456789") == std::string::npos; }

// Positions as numbers, then names as bytes. Any order would do to find conflicts; this one says where new members go.
bool part_before(const std::string& a, const std::string& b) noexcept {
  const bool a_is_position = is_position(a), b_is_position = is_position(b);
  if (a_is_position != b_is_position) return a_is_position;
  return a_is_position && a.size() != b.size() ? a.size() < b.size() : a < b;
}

bool path_before(const Path& a, const Path& b) noexcept {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), part_before);
}

bool begins_with(const Path& path, const Path& beginning) noexcept {
  return beginning.size() <= path.size() && std::equal(beginning.begin(), beginning.end(), path.begin());
}

ByteString to_text(const Path& path) {
  ByteString text;
  for (const std::string& part : path) text.append(text.empty() ? "" : ".").append(part);
  return text;
}

bool is_reserved(const std::string& part) { return part.starts_with('$') && !is_reference_name(part); }

Result<Path> compile_path(Bytes text) {
  std::optional<Path> path = parse_path(text);
  if (!path) return bad_update("a path is names with dots between them");
  if (path->size() >= kDocumentDepthMax) return Status::error(ErrorCode::DocumentTooDeep);
  if (std::any_of(path->begin(), path->end(), is_reserved)) {
    return bad_update("a path has a name that begins with $").with("path", text);
  }
  return *std::move(path);
}

Status check_id_kept(Bytes before, Bytes after) {
  const std::optional<Value> old_id = find_member(before, kIdName);
  if (!old_id) return {};
  const std::optional<Value> new_id = find_member(after, kIdName);
  const bool is_same = new_id && compare_values(*old_id, *new_id) == 0;
  return is_same ? Status{} : Status::error(ErrorCode::DocumentIdChanged);
}

}  // namespace

struct Update::Plan {
  struct Change {
    Path path;
    Bytes name;            // of the operator
    ModifierPtr modifier;  // null: the path is taken, by what happens at another one
  };
  ByteString bson;  // what the operands are views of
  std::vector<Change> changes;
};

struct UpdateCompiler {
  Update::Plan& plan;

  Status compile() {
    if (plan.bson.size() > kDocumentSizeMax) return Status::error(ErrorCode::DocumentTooLarge);
    std::size_t operators = 0;
    for (Elements walk(plan.bson); const auto element = walk.next(); ++operators) {
      if (!element->name.starts_with('$')) return bad_update("an update is operators such as $set");
      if (element->value.type != Type::Object) {
        return bad_update("an operator takes an object of paths").with("operator", element->name);
      }
      for (Elements changes(element->value.bytes); const auto change = changes.next();) {
        CHECK(add(element->name, *change));
      }
    }
    if (operators == 0) return bad_update("an update has at least one operator");
    return sort();
  }

  Status add(Bytes name, const Element& change) {
    if (plan.changes.size() >= kChangesMax) return bad_update("an update has at most 20,000 changes");
    Path path = TRY(compile_path(change.name));
    if (name == "$rename") {
      if (change.value.type != Type::String) return bad_update("$rename takes the new name as text");
      Path target = TRY(compile_path(change.value.as_string()));
      plan.changes.push_back({path, name, nullptr});
      plan.changes.push_back({std::move(target), name, make_rename(std::move(path))});
      return {};
    }
    ModifierPtr modifier = TRY(make_modifier(name, change.value));
    plan.changes.push_back({std::move(path), name, std::move(modifier)});
    return {};
  }

  static Result<ModifierPtr> make_modifier(Bytes name, const Value& operand) {
    if (name == "$set") return make_set(operand);
    if (name == "$setOnInsert") return make_set_on_insert(operand);
    if (name == "$unset") return make_unset();
    if (name == "$inc") return make_compute(Arithmetic::Add, operand);
    if (name == "$mul") return make_compute(Arithmetic::Multiply, operand);
    if (name == "$min") return make_extreme(false, operand);
    if (name == "$max") return make_extreme(true, operand);
    if (name == "$currentDate") return make_current_date(operand);
    if (name == "$push") return make_push(operand);
    if (name == "$addToSet") return make_add_to_set(operand);
    if (name == "$pull") return make_pull(operand);
    if (name == "$pop") return make_pop(operand);
    return bad_update("unknown operator").with("operator", name);
  }

  // Two changes conflict when the path of one begins with the path of the other; sorted, such paths are neighbours.
  Status sort() {
    std::vector<Update::Plan::Change>& changes = plan.changes;
    std::stable_sort(changes.begin(), changes.end(),
                     [](const auto& a, const auto& b) { return path_before(a.path, b.path); });
    for (std::size_t i = 1; i < changes.size(); ++i) {
      if (begins_with(changes[i].path, changes[i - 1].path)) {
        return Status::error(ErrorCode::UpdatePathConflict).with("path", to_text(changes[i].path));
      }
    }
    std::erase_if(changes, [](const auto& change) { return change.modifier == nullptr; });
    return {};
  }
};

Update::Update(std::unique_ptr<const Plan> plan) : plan_(std::move(plan)) {}
Update::~Update() = default;
Update::Update(Update&&) noexcept = default;
Update& Update::operator=(Update&&) noexcept = default;

Result<Update> Update::compile(Bytes bson) {
  auto plan = std::make_unique<Plan>();
  plan->bson = bson;
  CHECK(UpdateCompiler{*plan}.compile());
  return Update(std::move(plan));
}

Result<ByteString> Update::apply(Bytes document, const UpdateMoment& moment) const {
  Draft draft(document);
  for (const Plan::Change& change : plan_->changes) {
    if (const Status failed = change.modifier->apply(draft, change.path, moment); !failed.is_ok()) {
      return failed.with("operator", change.name).with("path", to_text(change.path));
    }
  }
  if (moment.budget->is_exhausted()) {
    return Status::error(ErrorCode::BudgetExhausted, "the update needs more steps than allowed");
  }
  ByteString updated = draft.finish();
  if (updated == document) return updated;
  CHECK(check_document(updated));
  CHECK(check_id_kept(document, updated));
  return updated;
}

}  // namespace vitrine::doc
