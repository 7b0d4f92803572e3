// SPDX-License-Identifier: MIT OR Apache-2.0
// What a commit leaves behind: the root of the tree, and how readers may come to it.
#pragma once

#include <cstdint>

#include "format/log.hpp"
#include "format/page.hpp"
#include "tree/tree.hpp"

namespace vitrine::txn {

using format::Lsn;
using format::Version;
using tree::TreeRoot;

// One committed state.
struct State {
  Version version = 0;
  TreeRoot root;
  std::uint64_t commit_seq = 0;
  Lsn needs_durable = 0;  // readers may see it once the log is durable up to here
};

}  // namespace vitrine::txn
