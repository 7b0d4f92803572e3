// SPDX-License-Identifier: MIT OR Apache-2.0
#include "inspect/tree_walk.hpp"

#include "base/codec.hpp"
#include "base/try.hpp"

namespace vitrine::inspect {

Result<tree::NodeView> read_node(SourceFile& source, const PageRef& ref, std::optional<unsigned> level,
                                 std::vector<std::byte>& image) {
  CHECK(source.read(ref, 1, image));
  const auto type = base::load<format::PageHeader>(image.data()).type;
  if (type != format::PageType::Leaf && type != format::PageType::Inner) {
    return Status::error(ErrorCode::PageMalformed, "a child of the tree is not a node").with("page", ref.page());
  }
  CHECK(tree::validate_page(image.data(), source.page_size()));
  const tree::NodeView node(image.data(), source.page_size());
  if (level && node.level() != *level) {
    return Status::error(ErrorCode::PageMalformed, "a child is not one level below its parent")
        .with("page", ref.page());
  }
  return node;
}

Status TreeWalk::run(Bytes from) {
  from_ = from;
  done_ = false;
  if (source_.meta().tree_root.is_null()) return {};
  return go(source_.meta().tree_root, std::nullopt, {}, {});
}

Status TreeWalk::go(const PageRef& ref, std::optional<unsigned> level, Bytes low, Bytes high) {
  std::vector<std::byte> image;
  const Result<tree::NodeView> node = read_node(source_, ref, level, image);
  if (!node.has_value()) {
    if (node.status().kind() != ErrorKind::IntegrityFailure) return node.status();
    if (visitor_.gap) visitor_.gap({ref.page(), node.status(), std::string(low), std::string(high)});
    return {};
  }
  if (!path_.insert(ref.page()).second) return {};
  if (visitor_.node) visitor_.node(ref, *node);
  const Status status = visit(*node, low, high);
  path_.erase(ref.page());
  return status;
}

Status TreeWalk::visit(const tree::NodeView& node, Bytes low, Bytes high) {
  std::string key;
  for (unsigned i = 0; i < node.count() && !done_; ++i) {
    key.clear();
    node.key(i).append_to(key);
    if (node.is_leaf()) {
      if (key >= from_) done_ = !visitor_.entry(key, node.value(i), node.is_large(i));
      continue;
    }
    const std::string begin = i == 0 ? std::string(low) : key;
    std::string end(high);
    if (i + 1 < node.count()) {
      end.clear();
      node.key(i + 1).append_to(end);
    }
    if (!end.empty() && end <= from_) continue;
    CHECK(go(node.child(i), node.level() - 1, begin, end));
  }
  return {};
}

}  // namespace vitrine::inspect
