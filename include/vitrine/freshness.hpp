// SPDX-License-Identifier: MIT OR Apache-2.0
// Is this the newest state of the database, or an older one that was put back? The files alone cannot tell: an older
// state of all of them is whole. Something kept elsewhere can: the token of a commit, or an anchor file, which the
// database keeps at its newest durable commit.
//
//   CommitToken token = txn.commit().token();          // keep it where whoever can change the file cannot
//   options.min_commit = token;                        // open() then refuses a file that does not have this commit
//   options.anchor = "/mnt/elsewhere/app.anchor";      // or let the database do it with each commit
//
// Thread safety: plain values.
#pragma once

#include <cstdint>
#include <string>

#include "vitrine/bytes.hpp"
#include "vitrine/status.hpp"

namespace vitrine {

// Names one commit: its number, and the session of writing that made it. Two copies of a file that are both written
// give the same numbers, but never by the same session.
struct CommitToken {
  std::uint64_t seq = 0;  // 0: nothing was committed
  std::uint64_t session = 0;

  std::string to_string() const;  // "42-00c0ffee00c0ffee"
  // Errors: ArgumentInvalid.
  static Result<CommitToken> parse(Bytes text);
  bool operator==(const CommitToken&) const = default;
};

enum class Freshness : std::uint8_t {
  Unanchored,  // nothing was given to compare with, or it is too old to tell
  Anchored,    // the commit that was given is part of this database's history
  Behind,      // it is not here yet: the database is an older state
  Forked,      // the database has another commit in its place
};

}  // namespace vitrine
