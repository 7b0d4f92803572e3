// SPDX-License-Identifier: MIT OR Apache-2.0
#include "doc/draft.hpp"

#include <algorithm>
#include <charconv>

#include "base/try.hpp"

namespace vitrine::doc {
namespace {

constexpr std::size_t kPaddingMax = 1'500'000;  // a larger array of nulls is no document any more

// A position in an array, written as the names of elements are.
std::optional<std::size_t> position_of(const std::string& name) {
  std::size_t position = 0;
  const char* end = name.data() + name.size();
  const auto [stopped, error] = std::from_chars(name.data(), end, position);
  const bool is_canonical = error == std::errc() && stopped == end && (name.size() == 1 || name.front() != '0');
  return is_canonical ? std::optional(position) : std::nullopt;
}

void write(Builder& to, Bytes name, const DraftNode& node);

void write_members(Builder& to, const DraftNode& node) {
  char position[20];
  for (std::size_t i = 0; i < node.members.size(); ++i) {
    Bytes name = node.members[i].name;
    if (node.type == Type::Array) {
      const char* end = std::to_chars(position, position + sizeof position, i).ptr;
      name = Bytes(position, static_cast<std::size_t>(end - position));
    }
    write(to, name, node.members[i]);
  }
}

void write(Builder& to, Bytes name, const DraftNode& node) {
  if (!node.is_open) {
    to.add(name, {node.type, node.bytes});
    return;
  }
  to.open_member(name, node.type);
  write_members(to, node);
  to.close_member();
}

}  // namespace

Status update_mismatch(std::string_view why) { return Status::error(ErrorCode::UpdateTypeMismatch, why); }

void DraftNode::open() {
  if (is_open) return;
  for (Elements walk(bytes); const auto element = walk.next();) {
    members.emplace_back();
    members.back().name = element->name;
    members.back().assign(element->value);
  }
  is_open = true;
}

Value DraftNode::value(ByteString& storage) const {
  if (!is_open) return {type, bytes};
  Builder builder;
  write_members(builder, *this);
  storage = builder.finish();
  return {type, storage};
}

DraftNode* Draft::child(DraftNode& parent, const std::string& name) {
  if (parent.type != Type::Object && parent.type != Type::Array) return nullptr;
  parent.open();
  std::vector<DraftNode>& members = parent.members;
  if (parent.type == Type::Array) {
    const std::optional<std::size_t> position = position_of(name);
    return position && *position < members.size() ? &members[*position] : nullptr;
  }
  const auto found =
      std::find_if(members.begin(), members.end(), [&](const DraftNode& node) { return node.name == name; });
  return found == members.end() ? nullptr : &*found;
}

DraftNode* Draft::find(const Path& path) {
  DraftNode* node = &root_;
  for (auto part = path.begin(); node != nullptr && part != path.end(); ++part) node = child(*node, *part);
  return node;
}

Status Draft::pad(DraftNode& array, std::size_t position) {
  const std::size_t missing = position - array.members.size();
  if (missing > kPaddingMax - padding_) {
    return Status::error(ErrorCode::DocumentTooLarge, "a position far behind the end of an array");
  }
  padding_ += missing;
  array.members.resize(position);
  return {};
}

Result<Draft::Made> Draft::make(const Path& path) {
  DraftNode* node = &root_;
  bool is_new = false;
  for (const std::string& part : path) {
    if (is_new) node->make_container(Type::Object);
    DraftNode* next = child(*node, part);
    is_new = next == nullptr;
    if (is_new) {
      if (node->type == Type::Array) {
        const std::optional<std::size_t> position = position_of(part);
        if (!position) return update_mismatch("an array has positions and no names").with("name", part);
        CHECK(pad(*node, *position));
      } else if (node->type != Type::Object) {
        return update_mismatch("the path leads through a value that is neither object nor array").with("name", part);
      }
      next = &node->members.emplace_back();
      next->name = part;
    }
    node = next;
  }
  return Made{node, is_new};
}

void Draft::remove(const Path& path) {
  const Path parent_path(path.begin(), path.end() - 1);
  DraftNode* parent = find(parent_path);
  DraftNode* node = parent != nullptr ? child(*parent, path.back()) : nullptr;
  if (node == nullptr) return;
  if (parent->type == Type::Array) {
    node->assign(kNull);
  } else {
    parent->members.erase(parent->members.begin() + (node - parent->members.data()));
  }
}

bool Draft::leads_through_array(const Path& path) {
  DraftNode* node = &root_;
  for (const std::string& part : path) {
    if (node->type == Type::Array) return true;
    node = child(*node, part);
    if (node == nullptr) return false;
  }
  return false;
}

ByteString Draft::finish() const {
  Builder builder;
  write_members(builder, root_);
  return builder.finish();
}

}  // namespace vitrine::doc
