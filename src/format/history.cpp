// SPDX-License-Identifier: MIT OR Apache-2.0
#include "format/history.hpp"

#include <algorithm>

namespace vitrine::format {

std::size_t History::count() const noexcept {
  std::size_t used = 0;
  while (used < starts_.size() && starts_[used].session != 0) ++used;
  return used;
}

void History::cut_behind(std::uint64_t seq) noexcept {
  for (SessionStart& start : starts_) {
    if (start.first_seq > seq) start = {};
  }
}

void History::begin(std::uint64_t first_seq, std::uint64_t session) noexcept {
  cut_behind(first_seq - 1);
  const std::size_t used = count();
  if (used == starts_.size()) std::move(starts_.begin() + 1, starts_.end(), starts_.begin());
  starts_[std::min(used, starts_.size() - 1)] = {first_seq, session};
}

CommitToken History::token(std::uint64_t seq) const noexcept {
  CommitToken token{seq, 0};
  for (const SessionStart& start : starts_) {
    if (start.session == 0 || start.first_seq > seq) break;
    token.session = start.session;
  }
  return token;
}

Freshness History::compare(const CommitToken& token, std::uint64_t latest) const noexcept {
  if (token.seq == 0) return Freshness::Anchored;
  if (token.seq > latest) return Freshness::Behind;
  const std::uint64_t session = this->token(token.seq).session;
  if (session == 0) return Freshness::Unanchored;
  return session == token.session ? Freshness::Anchored : Freshness::Forked;
}

bool History::is_in_order() const noexcept {
  const std::size_t used = count();
  for (std::size_t i = 0; i < starts_.size(); ++i) {
    if (i >= used && starts_[i] != SessionStart{}) return false;
    if (i > 0 && i < used && starts_[i].first_seq <= starts_[i - 1].first_seq) return false;
  }
  return used == 0 || starts_[0].first_seq > 0;
}

}  // namespace vitrine::format
