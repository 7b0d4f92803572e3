// SPDX-License-Identifier: MIT OR Apache-2.0
// Commit tokens as text.
#include <charconv>
#include <cstdio>

#include "vitrine/freshness.hpp"

namespace vitrine {
namespace {

constexpr std::size_t kSessionDigits = 16;

bool parse_number(Bytes text, int base, std::uint64_t& number) noexcept {
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number, base);
  return error == std::errc() && stopped == end;
}

}  // namespace

std::string CommitToken::to_string() const {
  char text[40];
  std::snprintf(text, sizeof text, "%llu-%016llx", static_cast<unsigned long long>(seq),
                static_cast<unsigned long long>(session));
  return text;
}

Result<CommitToken> CommitToken::parse(Bytes text) {
  CommitToken token;
  const std::size_t dash = text.find('-');
  const bool is_token = dash != Bytes::npos && text.size() - dash - 1 == kSessionDigits &&
                        parse_number(text.substr(0, dash), 10, token.seq) &&
                        parse_number(text.substr(dash + 1), 16, token.session);
  if (!is_token) return Status::error(ErrorCode::ArgumentInvalid, "a commit token is NUMBER-SESSION, as put shows it");
  return token;
}

}  // namespace vitrine
