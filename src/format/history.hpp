// SPDX-License-Identifier: MIT OR Apache-2.0
// Which session of writing made which commits: the part of the file header that tells a commit from another one of the
// same number. Every session enters itself before its first commit; one that committed nothing gives its place to the
// next. The newest 108 are kept.
//
// HISTORY (1728 bytes: 108 entries, oldest first, 0 when unused)
// OFFSET SIZE FIELD
//      0    8 number of the first commit of the session
//      8    8 session, never 0
//
// Thread safety: none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vitrine/freshness.hpp"

namespace vitrine::format {

struct SessionStart {
  std::uint64_t first_seq = 0;
  std::uint64_t session = 0;
  bool operator==(const SessionStart&) const = default;
};

class History {
 public:
  static constexpr std::size_t kSessionsMax = 108;

  // `session` makes the commits from `first_seq` on. Later ones of earlier sessions are forgotten: they never were.
  void begin(std::uint64_t first_seq, std::uint64_t session) noexcept;
  // Only what made commits up to `seq` stays.
  void cut_behind(std::uint64_t seq) noexcept;

  // The token of commit `seq`; its session is 0 when that is not known any more.
  CommitToken token(std::uint64_t seq) const noexcept;
  // What a database with this history and `latest` as its newest commit is to somebody who holds `token`.
  Freshness compare(const CommitToken& token, std::uint64_t latest) const noexcept;

  // Used entries come first, with growing numbers and sessions that are not 0.
  bool is_in_order() const noexcept;
  bool operator==(const History&) const = default;

 private:
  std::size_t count() const noexcept;

  std::array<SessionStart, kSessionsMax> starts_{};
};
static_assert(sizeof(History) == 1728);

}  // namespace vitrine::format
