// SPDX-License-Identifier: MIT OR Apache-2.0
// The anchor file: kept elsewhere, it names the newest durable commit of a database. Knows two records and how to
// replace the older one; must not know databases.
//
// Records are written in turn, each in a sector of its own, and synced. A torn write leaves the one before, which is
// right as well: the commit of the torn one was not acknowledged yet.
//
// ANCHOR RECORD (512 bytes, record n at (n % 2) * 4096; the file has 8192 bytes)
// OFFSET SIZE FIELD
//      0    8 magic "VTRANCH\n"
//      8    4 format version, 1
//     12    4 0
//     16    8 record number, from 1; the newest valid one counts
//     24    8 number of the commit
//     32    8 session that made it
//     40  456 0
//    496   16 XXH3-128 of bytes [0, 496)
//
// Thread safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "os/env.hpp"
#include "vitrine/freshness.hpp"

namespace vitrine::engine {

class Anchor {
 public:
  // What the file at `path` names; nothing when there is none. Errors: AnchorDamaged, the file errors.
  static Result<std::optional<CommitToken>> read(os::Env& env, const std::string& path);
  // Opens the file for writing and lets it name `token`; made when it is missing, and anew when it is damaged.
  static Result<std::unique_ptr<Anchor>> open(os::Env& env, const std::string& path, const CommitToken& token);

  const CommitToken& token() const noexcept { return token_; }
  // Durable when it returns ok. After a failure nothing may be written any more.
  Status move_to(const CommitToken& token);

 private:
  explicit Anchor(std::unique_ptr<os::File> file) noexcept : file_(std::move(file)) {}

  std::unique_ptr<os::File> file_;
  std::uint64_t number_ = 0;
  CommitToken token_;
};

}  // namespace vitrine::engine
