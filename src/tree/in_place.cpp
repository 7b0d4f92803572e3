// SPDX-License-Identifier: MIT OR Apache-2.0
// Puts that change leaves as they are, where nobody can look at them.
#include <algorithm>
#include <unordered_map>

#include "base/assert.hpp"
#include "tree/tree.hpp"

namespace vitrine::tree {

// The leaf for `key`, if it can be changed as it is; else none, as when anything is unusual on the way.
pool::WriteGuard TreeWriter::young_leaf(Bytes key, Version seen) {
  pool::Pool& pool = workspace_.pool();
  PageRef ref;
  {
    const pool::Visits::Visit visit = pool.visits().enter(pool::Visits::kNone);
    if (visit && !root_.page.is_null()) ref = peek_leaf(pool, root_.page, key);
  }
  if (ref.is_null() || ref.session != workspace_.session() || ref.generation.version() <= seen) return {};
  pool::WriteGuard leaf = pool.try_dirty(ref);
  return leaf && is_node_at(view(leaf), 0) ? std::move(leaf) : pool::WriteGuard{};
}

InPlacePuts TreeWriter::plan_in_place(std::span<const Put> puts, Version seen) {
  const std::size_t leaves_max = workspace_.pool().frame_count() / 8;
  InPlacePuts plan;
  plan.seen_ = seen;
  plan.places_.reserve(puts.size());
  std::unordered_map<PageNo, std::uint32_t> known;
  if (puts.size() > 1) known.reserve(puts.size());
  std::size_t value_size_max = 0;
  std::uint32_t last = InPlacePuts::kNowhere;
  for (const Put& put : puts) {
    if (last == InPlacePuts::kNowhere || !reaches_over(view(plan.leaves_[last].page), put.key)) {
      last = InPlacePuts::kNowhere;
      if (pool::WriteGuard leaf = young_leaf(put.key, seen)) {
        const PageNo page = leaf.frame()->page.load(std::memory_order_relaxed);
        auto at = known.find(page);
        if (at == known.end() && plan.leaves_.size() < leaves_max) {
          at = known.emplace(page, static_cast<std::uint32_t>(plan.leaves_.size())).first;
          const std::size_t room = node_capacity(workspace_.pool().page_size()) - view(leaf).used();
          plan.leaves_.push_back({std::move(leaf), room});
        }
        if (at != known.end()) last = at->second;
      }
    }
    plan.places_.push_back(last);
    if (last == InPlacePuts::kNowhere) continue;
    InPlacePuts::Leaf& leaf = plan.leaves_[last];
    leaf.takes_all = leaf.takes_all && takes(leaf, put);
    value_size_max = std::max(value_size_max, put.first.size() + put.rest.size());
  }
  joined_.reserve(value_size_max);  // carry_out() may not fail
  for (std::size_t i = 0; i < puts.size(); ++i) plan.count_ += plan.has(i) ? 1 : 0;
  return plan;
}

bool TreeWriter::reaches_over(const NodeView& leaf, Bytes key) noexcept {
  return leaf.count() > 0 && leaf.compare(0, key) <= 0 && leaf.compare(leaf.count() - 1, key) >= 0;
}

// Whether the leaf has room for one more put, whatever those before it did: each may need a new slot and a new cell
// under the same common prefix. A value takes the place of one of its size, as long as all sizes are as they were.
bool TreeWriter::takes(InPlacePuts::Leaf& leaf, const Put& put) const noexcept {
  const std::size_t value_size = put.first.size() + put.rest.size();
  const NodeView node = view(leaf.page);
  if (!is_small(put.key, value_size) || !put.key.starts_with(node.prefix())) return false;
  const Position at = node.lower_bound(put.key);
  if (at.exact && node.is_large(at.index)) return false;
  if (at.exact && !leaf.sizes_change && node.value(at.index).size() == value_size) return true;
  const std::size_t need = kSlotSize + put.key.size() - node.prefix().size() + value_size;
  if (need > leaf.room) return false;
  leaf.room -= need;
  leaf.sizes_change = true;
  return true;
}

void TreeWriter::carry_out(const InPlacePuts& plan, std::span<const Put> puts) noexcept {
  for (std::size_t i = 0; i < puts.size(); ++i) {
    if (!plan.has(i)) continue;
    Node leaf = node(plan.leaves_[plan.places_[i]].page);
    const Position at = leaf.lower_bound(puts[i].key);
    const Bytes value = joined(puts[i].first, puts[i].rest);
    const bool done = at.exact ? leaf.replace(at.index, value, false, workspace_.scratch())
                               : leaf.insert(at.index, puts[i].key, value, false, workspace_.scratch());
    VITRINE_ASSERT(done);
    root_.entries += at.exact ? 0 : 1;
  }
}

}  // namespace vitrine::tree
