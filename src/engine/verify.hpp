// SPDX-License-Identifier: MIT OR Apache-2.0
// The integrity check of one checkpoint. See verify.cpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "format/meta.hpp"
#include "pool/page_store.hpp"
#include "space/space_map.hpp"
#include "tree/extent.hpp"
#include "tree/node.hpp"
#include "vitrine/options.hpp"
#include "vitrine/report.hpp"

namespace vitrine::engine {

using format::PageNo;
using format::PageRef;

class Checker {
 public:
  // `meta` must stay the checkpoint of a file whose pages are not reused meanwhile.
  Checker(pool::PageStore& store, const format::Meta& meta, const ProgressFunction& progress);

  Result<VerifyReport> run(VerifyLevel level);
  void note(FindingSeverity severity, std::string code, PageNo page, std::string message);

 private:
  static constexpr std::size_t kFindingsMax = 10'000;

  void note(const Status& status, PageNo page);
  bool own(PageNo page, std::uint64_t count);
  bool read(const PageRef& ref, std::uint64_t count, std::vector<std::byte>& image);
  Status tick();

  Status check_tree();
  Status check_node(const PageRef& ref, std::optional<unsigned> level, const std::string& low, const std::string& high);
  void check_bounds(const tree::NodeView& node, PageNo page, const std::string& low, const std::string& high);
  Status check_children(const tree::NodeView& node, const PageRef& ref, const std::string& low,
                        const std::string& high);
  Status check_leaf(const tree::NodeView& leaf);
  Status check_value(const tree::LargeValue& value);
  std::optional<space::SpaceMap*> load_map();
  void compare_map(const space::SpaceMap& map);

  pool::PageStore& store_;
  const format::Meta meta_;
  const ProgressFunction& progress_;
  std::vector<bool> reached_;
  std::optional<space::SpaceMap> space_;
  VerifyReport report_;
};

}  // namespace vitrine::engine
