// SPDX-License-Identifier: MIT OR Apache-2.0
#include "os/sim_crash.hpp"

#include <algorithm>
#include <set>

#include "base/assert.hpp"

namespace vitrine::os {
namespace {

// The same bytes for the same place, so that equal choices make equal images.
void write_garbage(SimBytes& bytes, std::uint64_t inode_number, std::uint64_t begin, std::uint64_t end) {
  base::Prng random(sim_mix(inode_number) ^ begin);
  std::vector<std::uint64_t> garbage(static_cast<std::size_t>((end - begin + 7) / 8));
  for (std::uint64_t& word : garbage) word = random.next();
  bytes.write(begin, garbage.data(), static_cast<std::size_t>(end - begin));
}

}  // namespace

SimCrash::SimCrash(const SimEnv& env) : env_(env) {
  const SimDisk& disk = env.disk();
  std::set<const SimInode*> reachable;  // a file that no surviving name can lead to makes no difference
  for (const auto& [path, inode] : disk.durable_names()) reachable.insert(inode.get());
  for (const SimNameChange& change : disk.pending_names()) {
    units_.push_back({.sequence = change.sequence, .name = &change});
    if (!change.to.empty()) reachable.insert(change.inode.get());
  }
  for (const SimInode* inode : reachable) add_units_of(*inode, env.options().sector_size);
  std::stable_sort(units_.begin(), units_.end(),
                   [](const Unit& left, const Unit& right) { return left.sequence < right.sequence; });
  for (std::size_t index = 0; index < units_.size(); ++index) {
    if (units_[index].inode != nullptr) units_of_[units_[index].inode].push_back(index);
  }
}

void SimCrash::add_units_of(const SimInode& inode, std::uint32_t sector_size) {
  for (const SimChange& change : inode.pending) {
    Unit unit{.sequence = change.sequence, .inode = &inode, .change = &change};
    if (change.kind == SimChange::Kind::Grow && !change.moves_end) continue;  // only reserves space
    if (change.kind != SimChange::Kind::Write) {
      units_.push_back(unit);
      continue;
    }
    const std::uint64_t end = change.offset + change.length;
    for (unit.begin = change.offset; unit.begin < end; unit.begin = unit.end) {
      unit.end = std::min(end, (unit.begin / sector_size + 1) * sector_size);
      units_.push_back(unit);
    }
  }
}

SimImage SimCrash::build(Choice choice) const {
  SimImage image;
  image.crash_ = this;
  SimNames names = env_.disk().durable_names();
  for (std::size_t index = 0; index < units_.size(); ++index) {
    if (units_[index].name != nullptr && choice.survives[index]) sim_apply(names, *units_[index].name);
  }
  for (const auto& [path, inode] : names) {
    SimFileState state = content_of(*inode, choice);
    image.hash_ += sim_name_hash(path, state);
    image.files_.emplace_hint(image.files_.end(), path, std::move(state));
  }
  image.choice_ = std::move(choice);
  return image;
}

SimFileState SimCrash::content_of(const SimInode& inode, const Choice& choice) const {
  SimFileState state = inode.durable;
  for (const SimChange& change : inode.pending) {
    if (change.kind == SimChange::Kind::Grow && !change.moves_end) state.mark_space(change.offset, change.length);
  }
  const auto found = units_of_.find(&inode);
  if (found == units_of_.end()) return state;
  if (choice.garbage) {
    for (const std::size_t index : found->second) {
      const Unit& unit = units_[index];
      const bool shows_garbage = !choice.survives[index] && unit.end > inode.durable.size;
      if (shows_garbage) write_garbage(state.bytes, inode.number, std::max(unit.begin, inode.durable.size), unit.end);
    }
  }
  for (const std::size_t index : found->second) {
    if (choice.survives[index]) apply_unit(state, index, choice);
  }
  state.bytes.clear_from(state.size);  // bytes that survived beyond an end that did not
  return state;
}

void SimCrash::apply_unit(SimFileState& state, std::size_t index, const Choice& choice) const {
  const Unit& unit = units_[index];
  if (unit.change->kind != SimChange::Kind::Write) {
    sim_apply(state, *unit.change);
    return;
  }
  const std::uint64_t size = choice.torn_unit == index ? choice.torn_bytes : unit.end - unit.begin;
  const std::byte* from = unit.change->bytes.data() + (unit.begin - unit.change->offset);
  state.bytes.write(unit.begin, from, static_cast<std::size_t>(size));
  state.mark_space(unit.begin, size);
}

bool SimCrash::loses_extension(const Choice& choice) const {
  for (std::size_t index = 0; index < units_.size(); ++index) {
    const Unit& unit = units_[index];
    if (!choice.survives[index] && unit.inode != nullptr && unit.end > unit.inode->durable.size) return true;
  }
  return false;
}

bool SimCrash::visit_choice(Choice choice, const SimCrashOptions& options, const Visit& visit) const {
  const bool has_garbage = options.with_garbage && loses_extension(choice);
  if (!visit(build(choice))) return false;
  if (!has_garbage) return true;
  choice.garbage = true;
  return visit(build(std::move(choice)));
}

void SimCrash::for_each_image(const SimCrashOptions& options, const Visit& visit) const {
  const bool goes_on =
      units_.size() <= options.exhaustive_units ? visit_all_subsets(options, visit) : visit_lists(options, visit);
  const bool wants_random = units_.size() > options.exhaustive_units || (options.tear_sectors && !units_.empty());
  if (goes_on && wants_random) visit_random(options, visit);
}

bool SimCrash::visit_all_subsets(const SimCrashOptions& options, const Visit& visit) const {
  VITRINE_ASSERT(units_.size() < 32);
  for (std::uint64_t mask = 0; mask < (std::uint64_t{1} << units_.size()); ++mask) {
    Choice choice{std::vector<bool>(units_.size())};
    for (std::size_t index = 0; index < units_.size(); ++index) choice.survives[index] = (mask >> index & 1) != 0;
    if (!visit_choice(std::move(choice), options, visit)) return false;
  }
  return true;
}

bool SimCrash::visit_lists(const SimCrashOptions& options, const Visit& visit) const {
  const std::size_t total = units_.size();
  const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(total, options.list_limit));
  if (!visit_choice({std::vector<bool>(total, false)}, options, visit)) return false;
  if (!visit_choice({std::vector<bool>(total, true)}, options, visit)) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t index = i * total / count;
    Choice prefix{std::vector<bool>(total, false)};
    std::fill_n(prefix.survives.begin(), index, true);
    Choice all_but_one{std::vector<bool>(total, true)};
    all_but_one.survives[index] = false;
    Choice only_one{std::vector<bool>(total, false)};
    only_one.survives[index] = true;
    for (Choice* choice : {&prefix, &all_but_one, &only_one}) {
      if (!visit_choice(std::move(*choice), options, visit)) return false;
    }
  }
  return true;
}

void SimCrash::visit_random(const SimCrashOptions& options, const Visit& visit) const {
  base::Prng random(options.seed ^ sim_mix(env_.operations()));
  for (std::uint64_t i = 0; i < options.random_images; ++i) {
    Choice choice{std::vector<bool>(units_.size())};
    const std::uint64_t survivors_in_8 = random.between(1, 7);  // sparse and dense images alike
    for (std::size_t index = 0; index < units_.size(); ++index) {
      choice.survives[index] = random.below(8) < survivors_in_8;
    }
    if (options.tear_sectors) tear_one_sector(choice, random);
    if (!visit_choice(std::move(choice), options, visit)) return;
  }
}

void SimCrash::tear_one_sector(Choice& choice, base::Prng& random) const {
  std::vector<std::size_t> candidates;
  for (std::size_t index = 0; index < units_.size(); ++index) {
    if (choice.survives[index] && units_[index].end > units_[index].begin + 1) candidates.push_back(index);
  }
  if (candidates.empty()) return;
  choice.torn_unit = candidates[static_cast<std::size_t>(random.below(candidates.size()))];
  const Unit& unit = units_[*choice.torn_unit];
  choice.torn_bytes = random.between(1, unit.end - unit.begin - 1);
}

std::string SimCrash::describe(const Unit& unit) const {
  if (unit.name != nullptr) {
    if (unit.name->from.empty()) return "name " + unit.name->to;
    return unit.name->to.empty() ? "removal of " + unit.name->from : "rename to " + unit.name->to;
  }
  std::string where = "(no name)";
  for (const auto& [path, inode] : env_.disk().names()) {
    if (inode.get() == unit.inode) where = path;
  }
  switch (unit.change->kind) {
    case SimChange::Kind::Grow:
      return "growth of " + where + " to " + std::to_string(unit.change->offset + unit.change->length);
    case SimChange::Kind::Resize:
      return "resize of " + where + " to " + std::to_string(unit.change->length);
    case SimChange::Kind::Write:
      break;
  }
  return where + " [" + std::to_string(unit.begin) + ", " + std::to_string(unit.end) + ")";
}

std::string SimCrash::describe(const Choice& choice) const {
  constexpr std::size_t kMostListed = 40;
  std::size_t lost_count = 0;
  std::string lost;
  for (std::size_t index = 0; index < units_.size(); ++index) {
    if (choice.survives[index]) continue;
    if (++lost_count <= kMostListed) lost += "; " + describe(units_[index]);
  }
  std::string text = "lost " + std::to_string(lost_count) + " of " + std::to_string(units_.size()) + " units" + lost;
  if (lost_count > kMostListed) text += "; ...";
  if (choice.garbage) text += "; lost extensions show garbage";
  if (choice.torn_unit) {
    text += "; cut after " + std::to_string(choice.torn_bytes) + " bytes: " + describe(units_[*choice.torn_unit]);
  }
  return text;
}

std::unique_ptr<SimEnv> SimImage::make_env() const {
  const SimEnv& before = crash_->env_;
  SimOptions options = before.options();
  options.seed = sim_mix(options.seed ^ sim_mix(before.operations() + 1));  // no random value comes twice
  std::unique_ptr<SimEnv> env(new SimEnv(options, before.disk().last_inode()));
  env->machine_->now_ns = before.machine_->now_ns + 1'000'000'000;  // the power was off for a second
  for (const auto& [path, state] : files_) env->machine_->disk.add_durable(path, state);
  return env;
}

std::string SimImage::describe() const { return crash_->describe(choice_); }

}  // namespace vitrine::os
