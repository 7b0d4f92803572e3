// SPDX-License-Identifier: MIT OR Apache-2.0
// Runs a piece of code at the end of the scope, however that is left: return, failed TRY or exception.
//   const base::Defer unpin([&] { versions.unpin(version); });
#pragma once

#include <utility>

namespace vitrine::base {

template <typename Code>
class [[nodiscard]] Defer {
 public:
  explicit Defer(Code code) : code_(std::move(code)) {}
  ~Defer() { code_(); }
  Defer(const Defer&) = delete;
  Defer& operator=(const Defer&) = delete;

 private:
  Code code_;
};

}  // namespace vitrine::base
