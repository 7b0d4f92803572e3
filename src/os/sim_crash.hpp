// SPDX-License-Identifier: MIT OR Apache-2.0
// What a power cut may leave of a simulated machine.
//
// Everything that is not durable falls into units that survive or vanish one by one: each sector of each write, each
// growth or cut of a file, each change of a name. An image is the durable state plus one subset of the units, applied
// in the order they were made. What is lost shows the old bytes; where the file was extended past its durable end, a
// second variant of the image shows garbage instead of zeros, as a file system does that sizes a file before its data
// arrive.
//
// With n units and n <= exhaustive_units all 2^n subsets are made. Beyond that: none, all, every prefix, all but one,
// only one (each of these three thinned out evenly to list_limit), and random_images random subsets.
//
// Images share their pages with the machine they come from. Thread safety: none.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "os/sim_env.hpp"

namespace vitrine::os {

struct SimCrashOptions {
  std::uint64_t exhaustive_units = 10;
  std::uint64_t list_limit = 512;
  std::uint64_t random_images = 64;
  std::uint64_t seed = 1;
  bool with_garbage = true;
  // Also cut one surviving sector of each random image at a random byte. Harsher than drives promise to be.
  bool tear_sectors = false;
};

class SimCrash;

// One possible state after the power cut. Valid while its SimCrash is.
class SimImage {
 public:
  // Equal content gives equal hashes: use it to look at each state once.
  std::uint64_t hash() const { return hash_; }
  // A machine that starts with this image. Its clock goes on, its randomness is its own.
  std::unique_ptr<SimEnv> make_env() const;
  // What was lost, for a report.
  std::string describe() const;

 private:
  friend class SimCrash;
  // Which units survive, and what the lost ones show.
  struct Choice {
    std::vector<bool> survives;
    bool garbage = false;
    std::optional<std::size_t> torn_unit = {};
    std::uint64_t torn_bytes = 0;  // how much of the torn unit survives
  };

  const SimCrash* crash_ = nullptr;
  Choice choice_;
  std::uint64_t hash_ = 0;
  std::map<std::string, SimFileState> files_;
};

class SimCrash {
 public:
  // Looks at the machine as it is now. The machine must not change while this object is in use.
  explicit SimCrash(const SimEnv& env);

  std::uint64_t unit_count() const { return units_.size(); }

  // Calls visit for each image, equal ones included, until it returns false.
  void for_each_image(const SimCrashOptions& options, const std::function<bool(const SimImage&)>& visit) const;
  // The image where everything (or nothing) that was not synced survives.
  SimImage image_with_all() const { return build({std::vector<bool>(units_.size(), true)}); }
  SimImage image_with_none() const { return build({std::vector<bool>(units_.size(), false)}); }

 private:
  friend class SimImage;
  using Choice = SimImage::Choice;

  struct Unit {
    std::uint64_t sequence = 0;
    const SimInode* inode = nullptr;      // null for a change of a name
    const SimChange* change = nullptr;    // null for a change of a name
    const SimNameChange* name = nullptr;  // null for a change of a file
    std::uint64_t begin = 0;              // which bytes of the file, for a write
    std::uint64_t end = 0;
  };
  using Visit = std::function<bool(const SimImage&)>;

  void add_units_of(const SimInode& inode, std::uint32_t sector_size);
  SimImage build(Choice choice) const;
  SimFileState content_of(const SimInode& inode, const Choice& choice) const;
  void apply_unit(SimFileState& state, std::size_t index, const Choice& choice) const;
  bool loses_extension(const Choice& choice) const;
  bool visit_choice(Choice choice, const SimCrashOptions& options, const Visit& visit) const;
  bool visit_all_subsets(const SimCrashOptions& options, const Visit& visit) const;
  bool visit_lists(const SimCrashOptions& options, const Visit& visit) const;
  void visit_random(const SimCrashOptions& options, const Visit& visit) const;
  void tear_one_sector(Choice& choice, base::Prng& random) const;
  std::string describe(const Choice& choice) const;
  std::string describe(const Unit& unit) const;

  const SimEnv& env_;
  std::vector<Unit> units_;                                       // in the order they were made
  std::map<const SimInode*, std::vector<std::size_t>> units_of_;  // indexes into units_
};

}  // namespace vitrine::os
