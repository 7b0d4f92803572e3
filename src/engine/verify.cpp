// SPDX-License-Identifier: MIT OR Apache-2.0
// Checking a checkpoint as it stands on the disk: every page is read from the file, past the cache.
//
// Full level: each page verifies, is what its parent names, keeps its keys inside the bounds its parent sets, and is
// owned exactly once; the pages reached are exactly the pages the map calls allocated; counts agree.
#include <optional>

#include "base/codec.hpp"
#include "base/try.hpp"
#include "engine/verify.hpp"

namespace vitrine::engine {

Checker::Checker(pool::PageStore& store, const format::Meta& meta, const ProgressFunction& progress)
    : store_(store), meta_(meta), progress_(progress), reached_(meta.page_count) {}

void Checker::note(FindingSeverity severity, std::string code, PageNo page, std::string message) {
  if (severity == FindingSeverity::Incomplete) report_.is_complete = false;
  if (report_.findings.size() < kFindingsMax) {
    report_.findings.push_back({severity, std::move(code), page, std::move(message)});
  } else {
    report_.is_complete = false;
  }
}

void Checker::note(const Status& status, PageNo page) {
  note(FindingSeverity::Damage, std::string(status.name()), page, std::string(status.message()));
}

// Takes pages [page, page + count) for their one owner.
bool Checker::own(PageNo page, std::uint64_t count) {
  if (page < format::first_page(meta_.page_size) || page + count > meta_.page_count) {
    note(FindingSeverity::Damage, "PAGE_CHECK_RANGE", page, "a reference leads outside the file");
    return false;
  }
  for (PageNo p = page; p < page + count; ++p) {
    if (reached_[p]) {
      note(FindingSeverity::Damage, "PAGE_CHECK_SHARED", p, "the page has two owners");
      return false;
    }
    reached_[p] = true;
  }
  return true;
}

// Reads pages that `ref` names into `image`. False when they cannot be trusted.
bool Checker::read(const PageRef& ref, std::uint64_t count, std::vector<std::byte>& image) {
  if (!own(ref.page(), count)) {
    report_.is_complete = false;
    return false;
  }
  image.resize(count * meta_.page_size);
  const Status status = store_.read(ref, image.data(), image.size());
  report_.pages_checked += count;
  if (!status.is_ok()) {
    note(status, ref.page());
    report_.is_complete = false;  // what lies below was not seen
    return false;
  }
  return true;
}

Status Checker::tick() {
  if (progress_ && !progress_({report_.pages_checked, meta_.page_count, "pages"})) {
    return Status::error(ErrorCode::Cancelled);
  }
  return {};
}

// --- Tree ------------------------------------------------------------------------------------------------------------

Status Checker::check_tree() {
  if (meta_.tree_root.is_null()) {
    if (meta_.entry_count != 0) {
      note(FindingSeverity::Damage, "TREE_CHECK_COUNT", 0, "the header counts entries, but there is no tree");
    }
    return {};
  }
  CHECK(check_node(meta_.tree_root, std::nullopt, {}, {}));
  if (report_.is_complete && report_.entries != meta_.entry_count) {
    note(FindingSeverity::Damage, "TREE_CHECK_COUNT", 0, "the header counts other entries than the tree has");
  }
  return {};
}

// `low` <= every key of the subtree < `high`; an empty `high` is no bound.
Status Checker::check_node(const PageRef& ref, std::optional<unsigned> level, const std::string& low,
                           const std::string& high) {
  CHECK(tick());
  std::vector<std::byte> image;
  if (!read(ref, 1, image)) return {};
  const tree::NodeView node(image.data(), meta_.page_size);
  Status status = tree::is_node(image.data())
                      ? tree::validate_page(image.data(), meta_.page_size)
                      : Status::error(ErrorCode::PageMalformed, "a child of the tree is not a node");
  if (status.is_ok() && level && node.level() != *level) {
    status = Status::error(ErrorCode::PageMalformed, "a child is not one level below its parent");
  }
  if (!status.is_ok()) {
    note(status, ref.page());
    report_.is_complete = false;
    return {};
  }
  if (!level) report_.tree_depth = node.level() + 1;
  check_bounds(node, ref.page(), low, high);
  return node.is_leaf() ? check_leaf(node) : check_children(node, ref, low, high);
}

void Checker::check_bounds(const tree::NodeView& node, PageNo page, const std::string& low, const std::string& high) {
  const unsigned first = node.is_leaf() ? 0 : 1;
  if (node.count() <= first) return;
  std::string key;
  node.key(first).append_to(key);
  const bool below = key < low;
  key.clear();
  node.key(node.count() - 1).append_to(key);
  if (below || (!high.empty() && key >= high)) {
    note(FindingSeverity::Damage, "PAGE_CHECK_ORDER", page, "keys lie outside the range their parent gives");
  }
}

Status Checker::check_children(const tree::NodeView& node, const PageRef& ref, const std::string& low,
                               const std::string& high) {
  for (unsigned i = 0; i < node.count(); ++i) {
    const PageRef child = node.child(i);
    if (child.session == ref.session && child.generation.version() > ref.generation.version()) {
      note(FindingSeverity::Damage, "PAGE_CHECK_GENERATION", child.page(), "a child is younger than its parent");
    }
    std::string from = low, to = high;
    if (i > 0) {
      from.clear();
      node.key(i).append_to(from);
    }
    if (i + 1 < node.count()) {
      to.clear();
      node.key(i + 1).append_to(to);
    }
    CHECK(check_node(child, node.level() - 1, from, to));
  }
  return {};
}

Status Checker::check_leaf(const tree::NodeView& leaf) {
  report_.entries += leaf.count();
  for (unsigned i = 0; i < leaf.count(); ++i) {
    if (!leaf.is_large(i)) continue;
    const Result<tree::LargeValue> value = tree::decode_large_value(leaf.value(i));
    if (!value.has_value()) {
      note(value.status(), 0);
      continue;
    }
    CHECK(check_value(*value));
  }
  return {};
}

Status Checker::check_value(const tree::LargeValue& value) {
  std::vector<tree::ExtentEntry> entries{{value.ref, value.pages, static_cast<std::uint32_t>(value.size)}};
  std::vector<std::byte> image;
  if (value.depth > 0) {
    if (!read(value.ref, value.pages, image)) return {};
    const Result<std::vector<tree::ExtentEntry>> list = tree::decode_extent_list(image, value);
    if (!list.has_value()) {
      note(list.status(), value.ref.page());
      return {};
    }
    entries = *list;
  }
  for (const tree::ExtentEntry& entry : entries) {
    CHECK(tick());
    if (!read(entry.ref, entry.pages, image)) continue;
    const Result<Bytes> payload = tree::extent_payload(image, entry, format::PageType::Extent);
    if (!payload.has_value()) note(payload.status(), entry.ref.page());
  }
  return {};
}

// --- Space -----------------------------------------------------------------------------------------------------------

// Loads the map, owning its pages as it goes. Nothing when it cannot be trusted.
std::optional<space::SpaceMap*> Checker::load_map() {
  space_.emplace(meta_.page_size, [](std::uint64_t) { return Status{}; });
  std::vector<std::byte> image;
  const Status status =
      space_->load(meta_.map_root, meta_.page_count, [&](const PageRef& ref, std::byte* to) -> Status {
        if (!read(ref, 1, image)) return Status::error(ErrorCode::PageMalformed, "a page of the map cannot be trusted");
        std::copy(image.begin(), image.end(), to);
        return {};
      });
  if (status.is_ok()) return &*space_;
  note(FindingSeverity::Damage, "SPACE_CHECK_MAP", meta_.map_root.page(), std::string(status.message()));
  report_.is_complete = false;
  return std::nullopt;
}

void Checker::compare_map(const space::SpaceMap& map) {
  for (PageNo page = format::first_page(meta_.page_size); page < meta_.page_count; ++page) {
    if (reached_[page] == map.is_allocated(page)) continue;
    if (reached_[page]) {
      note(FindingSeverity::Damage, "PAGE_CHECK_FREE", page, "the page is in use, but the map calls it free");
    } else if (report_.is_complete) {  // else it may be owned by what could not be read
      note(FindingSeverity::Warning, "PAGE_CHECK_LEAKED", page,
           "the map calls the page in use, but nothing leads to it");
    }
  }
}

Result<VerifyReport> Checker::run(VerifyLevel level) {
  const std::optional<space::SpaceMap*> map = load_map();
  if (level == VerifyLevel::Quick) {
    report_.entries = meta_.entry_count;
    return std::move(report_);
  }
  CHECK(check_tree());
  if (map) compare_map(**map);
  return std::move(report_);
}

}  // namespace vitrine::engine
