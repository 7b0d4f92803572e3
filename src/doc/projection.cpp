// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/projection.hpp"

#include <algorithm>
#include <limits>

#include "base/try.hpp"
#include "doc/key_encoding.hpp"
#include "doc/path.hpp"
#include "doc/predicate.hpp"
#include "doc/store_documents.hpp"

namespace vitrine::doc {
namespace {

// Elements of an array, renumbered.
class ArrayBuilder {
 public:
  explicit ArrayBuilder(Builder& to) : to_(to) {}
  std::string next() { return std::to_string(count_++); }
  void add(const Value& value) { to_.add(next(), value); }

 private:
  Builder& to_;
  std::size_t count_ = 0;
};

}  // namespace

struct Projection::Node {
  enum class Action : std::uint8_t { Descend, Keep, Drop, Slice, Match };
  ByteString name;
  Action action = Action::Descend;
  std::vector<Node> children;
  bool keeps_others = true;             // of the root: what is not named
  std::int64_t skip = 0, count = 0;     // of a slice; a negative skip counts from the end
  std::shared_ptr<const Filter> match;  // about {"v": [element]}

  const Node* find(Bytes child) const noexcept {
    for (const Node& node : children) {
      if (node.name == child) return &node;
    }
    return nullptr;
  }

  void apply(Builder& to, Bytes document, bool others) const {
    for (Elements walk(document); const auto element = walk.next();) {
      const Node* const child = find(element->name);
      if (child != nullptr) {
        child->apply_to(to, element->name, element->value, others);
      } else if (others) {
        to.add(element->name, element->value);
      }
    }
  }

  void apply_to(Builder& to, Bytes member, const Value& value, bool others) const {
    const bool is_array = value.type == Type::Array;
    if (action == Action::Drop) return;
    if (action == Action::Keep || (action == Action::Slice && !is_array)) {
      to.add(member, value);
    } else if (action == Action::Slice) {
      apply_slice(to, member, value);
    } else if (action == Action::Match) {
      if (is_array) apply_match(to, member, value);
    } else if (value.type == Type::Object) {
      to.open_member(member, Type::Object);
      apply(to, value.bytes, others);
      to.close_member();
    } else if (is_array) {
      apply_elements(to, member, value, others);
    } else if (others) {
      to.add(member, value);
    }
  }

  void apply_elements(Builder& to, Bytes member, const Value& array, bool others) const {
    to.open_member(member, Type::Array);
    ArrayBuilder elements(to);
    for (Elements walk(array.bytes); const auto element = walk.next();) {
      const Value& value = element->value;
      if (value.is_container()) {
        apply_to(to, elements.next(), value, others);
      } else if (others) {
        elements.add(value);
      }
    }
    to.close_member();
  }

  void apply_slice(Builder& to, Bytes member, const Value& array) const {
    const auto size = static_cast<std::int64_t>(count_members(array.bytes));
    const std::int64_t begin = skip < 0 ? std::max<std::int64_t>(size + skip, 0) : skip;
    to.open_member(member, Type::Array);
    ArrayBuilder elements(to);
    std::int64_t at = 0;
    for (Elements walk(array.bytes); const auto element = walk.next(); ++at) {
      if (at >= begin && at - begin < count) elements.add(element->value);
    }
    to.close_member();
  }

  void apply_match(Builder& to, Bytes member, const Value& array) const {
    for (Elements walk(array.bytes); const auto element = walk.next();) {
      Builder holder;
      holder.open_member("v", Type::Array).add("0", element->value).close_member();
      StepBudget unlimited(std::numeric_limits<std::uint64_t>::max());
      if (!match->matches(holder.finish(), unlimited)) continue;
      to.open_member(member, Type::Array).add("0", element->value).close_member();
      return;
    }
  }
};

struct ProjectionCompiler {
  using Node = Projection::Node;
  using Action = Node::Action;

  Node root;
  bool has_keep = false, has_drop = false;

  Status add(const Element& element) {
    const std::optional<Path> path = parse_path(element.name);
    if (!path) return bad_filter("a projection names paths");
    Node leaf = TRY(leaf_of(element.value));
    if (element.name != kIdName) {
      has_keep |= leaf.action == Action::Keep || leaf.action == Action::Match;
      has_drop |= leaf.action == Action::Drop;
    }
    Node* at = &root;
    for (const std::string& part : *path) {
      auto found =
          std::find_if(at->children.begin(), at->children.end(), [&](const Node& n) { return n.name == part; });
      const bool is_last = &part == &path->back();
      if (found != at->children.end() && (is_last || found->action != Action::Descend)) {
        return bad_filter("two paths of a projection are in each other's way");
      }
      if (found == at->children.end()) {
        at->children.emplace_back();
        found = std::prev(at->children.end());
        found->name = part;
      }
      at = &*found;
    }
    leaf.name = std::move(at->name);
    *at = std::move(leaf);
    return {};
  }

  static Result<Node> leaf_of(const Value& value) {
    Node leaf;
    if (value.type == Type::Bool || value.is_number()) {
      const bool keeps = value.type == Type::Bool ? value.as_bool() : encoded_key(value) != "\x22";
      leaf.action = keeps ? Action::Keep : Action::Drop;
      return leaf;
    }
    const std::optional<Element> op = value.type == Type::Object ? Elements(value.bytes).next() : std::nullopt;
    if (!op || count_members(value.bytes) != 1) return bad_filter("a projection takes 1, 0, $slice or $elemMatch");
    if (op->name == "$slice") {
      CHECK(set_slice(leaf, op->value));
    } else if (op->name == "$elemMatch") {
      Builder filter;
      filter.open_member("v", Type::Object).add("$elemMatch", op->value).close_member();
      leaf.action = Action::Match;
      leaf.match = std::make_shared<const Filter>(TRY(Filter::compile(filter.finish())));
    } else {
      return bad_filter("unknown operator of a projection").with("operator", op->name);
    }
    return leaf;
  }

  static Status set_slice(Node& leaf, const Value& value) {
    std::vector<std::int64_t> numbers;
    const auto add = [&](const Value& number) {
      const bool is_integer = number.type == Type::Int32 || number.type == Type::Int64;
      if (is_integer) numbers.push_back(std::clamp<std::int64_t>(number.as_integer(), -(1LL << 40), 1LL << 40));
    };
    const bool is_list = value.type == Type::Array;
    if (is_list) {
      for (Elements walk(value.bytes); const auto element = walk.next();) add(element->value);
    } else {
      add(value);
    }
    const std::size_t wanted = is_list ? 2 : 1;
    if (numbers.size() != wanted || (is_list && (count_members(value.bytes) != 2 || numbers[1] < 0))) {
      return bad_filter("$slice takes a number of elements, or how many to pass over and how many to take");
    }
    leaf.action = Node::Action::Slice;
    leaf.skip = is_list ? numbers[0] : std::min<std::int64_t>(numbers[0], 0);
    leaf.count = is_list ? numbers[1] : numbers[0] < 0 ? -numbers[0] : numbers[0];
    return {};
  }
};

Projection::Projection() = default;
Projection::~Projection() = default;
Projection::Projection(Projection&&) noexcept = default;
Projection& Projection::operator=(Projection&&) noexcept = default;

Result<Projection> Projection::compile(Bytes bson) {
  Projection projection;
  if (count_members(bson) == 0) return projection;
  ProjectionCompiler compiler;
  for (Elements walk(bson); const auto element = walk.next();) CHECK(compiler.add(*element));
  if (compiler.has_keep && compiler.has_drop) {
    return bad_filter("a projection keeps some paths or drops some, not both");
  }
  const Node* const id = compiler.root.find(kIdName);
  const bool only_id = compiler.root.children.size() == 1 && id != nullptr && id->action == Node::Action::Keep;
  compiler.root.keeps_others = !compiler.has_keep && !only_id;
  if (id == nullptr && !compiler.root.keeps_others) {
    Node kept;
    kept.name = kIdName;
    kept.action = Node::Action::Keep;
    compiler.root.children.push_back(std::move(kept));
  }
  projection.root_ = std::make_unique<const Node>(std::move(compiler.root));
  return projection;
}

ByteString Projection::apply(Bytes document) const {
  if (!root_) return ByteString(document);
  Builder builder;
  root_->apply(builder, document, root_->keeps_others);
  return builder.finish();
}

std::optional<std::vector<Bytes>> Projection::members() const {
  if (!root_ || root_->keeps_others) return std::nullopt;
  std::vector<Bytes> names;
  for (const Node& node : root_->children) {
    if (node.action == Node::Action::Keep) names.push_back(node.name);
    if (node.action != Node::Action::Keep && node.action != Node::Action::Drop) return std::nullopt;
  }
  return names;
}

}  // namespace vitrine::doc
