// SPDX-License-Identifier: MIT OR Apache-2.0
#include "inspect/tree_walk.hpp"

#include "base/codec.hpp"
#include "base/try.hpp"

namespace vitrine::inspect {

Result<tree::NodeView> read_node(SourceFile& source, const PageRef& ref, std::optional<unsigned> level,
                                 std::vector<std::byte>& image) {
  CHECK(source.read(ref, 1, image));
  if (!tree::is_node(image.data())) {
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

// The first key of an inner node stands for its lower bound and may be cut.
Status check_range(const tree::NodeView& node, PageNo page, Bytes low, Bytes high) {
  const unsigned first = node.is_leaf() ? 0 : 1;
  if (node.count() <= first) return {};
  std::string least, greatest;
  node.key(first).append_to(least);
  node.key(node.count() - 1).append_to(greatest);
  if (least >= low && (high.empty() || greatest < high)) return {};
  return Status::error(ErrorCode::PageMalformed, "a node has keys outside of its range").with("page", page);
}

Status TreeWalk::run() {
  done_ = false;
  if (source_.meta().tree_root.is_null()) return {};
  return go(source_.meta().tree_root, std::nullopt, {}, {});
}

Status TreeWalk::go(const PageRef& ref, std::optional<unsigned> level, Bytes low, Bytes high) {
  std::vector<std::byte> image;
  const Result<tree::NodeView> node = read_node(source_, ref, level, image);
  Status status = node.has_value() ? check_range(*node, ref.page(), low, high) : node.status();
  if (!status.is_ok()) {
    if (status.kind() != ErrorKind::IntegrityFailure) return status;
    if (visitor_.gap) visitor_.gap({ref.page(), std::move(status), std::string(low), std::string(high)});
    return {};
  }
  if (visitor_.node) visitor_.node(ref, *node);
  return visit(*node, low, high);
}

Status TreeWalk::visit(const tree::NodeView& node, Bytes low, Bytes high) {
  std::string key;
  for (unsigned i = 0; i < node.count() && !done_; ++i) {
    key.clear();
    node.key(i).append_to(key);
    if (node.is_leaf()) {
      done_ = !visitor_.entry(key, node.value(i), node.is_large(i));
      continue;
    }
    const std::string begin = i == 0 ? std::string(low) : key;
    std::string end(high);
    if (i + 1 < node.count()) {
      end.clear();
      node.key(i + 1).append_to(end);
    }
    CHECK(go(node.child(i), node.level() - 1, begin, end));
  }
  return {};
}

}  // namespace vitrine::inspect
