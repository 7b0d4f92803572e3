// SPDX-License-Identifier: MIT OR Apache-2.0
// The files of one database at many moments of its life, for tests that mix what belongs to different moments.
// Thread safety: none.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "tests/damage.hpp"

namespace vitrine::testing {

struct Moment {
  Image image;
  std::uint64_t commit = 0;             // last one acknowledged
  std::uint64_t checkpoint_commit = 0;  // last one that the checkpoint has
};

struct DamageHistory {
  std::vector<Moment> moments;
  std::map<std::uint64_t, std::uint64_t> states;  // hash of the content after each commit

  const Moment& last() const { return moments.back(); }
};

// Lives through `rounds` of commits, checkpoints, compactions, crashes and orderly closings. Ends with a closed file,
// or with one that has a log. Equal seeds give equal workloads; `env_seed` decides file id and sessions.
struct HistoryOptions {
  std::uint64_t seed = 1;
  std::uint64_t env_seed = 1;
  std::uint64_t rounds = 12;
  bool ends_closed = true;
};
Result<DamageHistory> live_through(const HistoryOptions& options);

// The same file goes on elsewhere: what becomes of the last moment of `history` in another life.
Result<DamageHistory> go_on(const DamageHistory& history, const HistoryOptions& options);

}  // namespace vitrine::testing
